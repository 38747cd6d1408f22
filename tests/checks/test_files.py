"""Generated files that are missing, out of date, foreign or in conflict."""

from __future__ import annotations

from spinbox_wrapper.checks import files
from tests.checks.conftest import Ready
from tests.checks.support import by_id, context, one
from tests.conftest import Project
from tests.runs import build, edit, switch


def test_a_ready_project_passes(ready: Ready) -> None:
    found = by_id(files.look(context(ready("fastapi"))))
    assert {check.status.value for check in found.values()} == {"pass"}
    assert list(found) == list(files.IDS)


def test_files_that_were_never_generated(project: Project) -> None:
    root = project("fastapi")
    found = by_id(files.look(context(root)))
    assert found["files.generated"].status == "fail"
    assert found["files.generated"].mend == "spinbox build --prod"
    assert "files.in_sync" not in found


def test_a_deleted_file_that_the_stack_needs(ready: Ready) -> None:
    root = ready("fastapi")
    (root / "deploy/Caddyfile").unlink()
    found = one(files.look(context(root)), "files.generated")
    assert found.status == "fail"
    assert found.mend.endswith("--restore deploy/Caddyfile")
    build(root, "--restore", "deploy/Caddyfile")
    assert one(files.look(context(root)), "files.generated").status == "pass"


def test_a_deleted_guide_is_only_warned_of(ready: Ready) -> None:
    root = ready("fastapi")
    (root / "deploy/README.md").unlink()
    assert one(files.look(context(root)), "files.generated").status == "warn"


def test_a_project_without_a_compose_file(project: Project) -> None:
    root = project("fastapi")
    build(root, "--no-compose")
    found = one(files.look(context(root)), "files.generated")
    assert found.status == "fail"
    assert found.mend.endswith("--compose")


def test_a_change_of_the_project_since(ready: Ready) -> None:
    root = ready("fastapi")
    switch(root, "USE_REDIS", True)
    found = one(files.look(context(root)), "files.in_sync")
    assert found.status == "fail"
    assert ".env.example" in found.seen


def test_an_edit_of_one_s_own_is_in_sync(ready: Ready) -> None:
    root = ready("fastapi")
    edit(root / "docker-compose.prod.yml", "max-size: 10m", "max-size: 90m")
    assert one(files.look(context(root)), "files.in_sync").status == "pass"


def test_a_foreign_file_in_the_way(project: Project) -> None:
    root = project("fastapi")
    (root / "Dockerfile.prod").write_text("FROM scratch\n")
    found = one(files.look(context(root)), "files.in_sync")
    assert found.status == "fail"
    assert found.mend.endswith("--adopt")


def test_conflict_markers(ready: Ready) -> None:
    root = ready("fastapi")
    text = (root / "Dockerfile.prod").read_text()
    (root / "Dockerfile.prod").write_text(f"<<<<<<< yours\n{text}=======\n>>>>>>> generated\n")
    found = one(files.look(context(root)), "files.conflicts")
    assert found.status == "fail"
    assert "Dockerfile.prod" in found.seen
