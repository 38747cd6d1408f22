"""Killed at any point, the next run finds the old or the new state; and two runs do not meet."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from itertools import count
from pathlib import Path

import pytest

from spinbox_wrapper import journal
from spinbox_wrapper.template import Template
from tests.conftest import REPOSITORY, SPINBOX, Project, files_below
from tests.runs import build, run, switch
from tests.sync.cases import CASES

# Kills itself before the Nth operation that touches the project's folder, in the way of a power
# cut: without any handler.
_KILLER = """
import os, signal, sys
root, limit = sys.argv.pop(1), int(sys.argv.pop(1))
count = 0
def hook(event, arguments):
    global count
    if event not in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"}:
        return
    if event == "open" and not (arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        return
    # rmtree removes by a folder's descriptor, with bare names.
    folder = ""
    if event in {"os.remove", "os.rmdir"} and arguments[1] != -1:
        folder = os.readlink(f"/proc/self/fd/{arguments[1]}")
    if folder.startswith(root) or any(str(a).startswith(root) for a in arguments[:2]):
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from spinbox_wrapper.cli import main
main()
"""


def _killed(root: Path, limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [SPINBOX[0], "-c", _KILLER, str(root), str(limit)]
    return subprocess.run(
        [*command, "build", "--prod", "-C", str(root), *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def _state(root: Path) -> dict[str, bytes]:
    files = files_below(root)
    return {path: files[path] for path in files if not path.startswith(journal.FOLDER)}


@pytest.fixture
def changed(project: Project) -> Path:
    """A project in which a run creates, updates, merges and removes."""
    root = project("fastapi-postgresql--py312-pg16")
    build(root)
    next(case for case in CASES if case.happened.startswith("you edited it, and the pro")).change(
        root
    )
    switch(root, "USE_POSTGRESQL", False)
    return root


@pytest.fixture
def first(project: Project) -> Path:
    """A project in which nothing was generated yet."""
    return project("fastapi")


@pytest.fixture
def by_hand(project: Project) -> Path:
    """A project with a file in the way."""
    root = project("fastapi")
    (root / "Dockerfile.prod").write_text("# Mine.\n")
    return root


@pytest.mark.integration
@pytest.mark.parametrize(
    ("scene", "arguments", "removed"),
    [
        ("first", (), set()),
        (
            "changed",
            (),
            {
                "deploy/data/postgres.sh",
                "deploy/migrate.sh",
                "deploy/postgres-init.sql",
                "deploy/upgrade-postgres.sh",
            },
        ),
        ("by_hand", ("--adopt=take",), set()),
    ],
)
def test_killed_at_every_point_of_writing(
    scene: str,
    arguments: tuple[str, ...],
    removed: set[str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    start: Path = request.getfixturevalue(scene)
    old = _state(start)
    complete = tmp_path / "complete"
    shutil.copytree(start, complete)
    assert _killed(complete, -1, *arguments).returncode == 0
    new = _state(complete)
    assert {path for path in old if path not in new} == removed
    seen = set()
    for limit in count(1):
        root = tmp_path / f"killed-{limit}"
        shutil.copytree(start, root)
        if _killed(root, limit, *arguments).returncode != -signal.SIGKILL:
            break
        half = _state(root)
        assert all(half.get(path) in (old.get(path), new.get(path)) for path in old | new)
        pending = journal.is_pending(root)
        assert pending or half in (old, new)
        # What the next run finds, before it does anything of its own.
        journal.recover(root)
        assert _state(root) in (old, new)
        seen.add((pending, _state(root) == new))
        assert run(root, *arguments).code == 0
        assert files_below(root) == new
        shutil.rmtree(root)
    assert limit > 2 * len(new.keys() - old.keys())
    assert seen == {(False, False), (True, True), (False, True)}


@pytest.mark.integration
def test_what_became_of_an_interrupted_run_is_told(changed: Path) -> None:
    start = changed.parent / "start"
    shutil.copytree(changed, start)
    said = []
    for limit in (5, 60):
        shutil.rmtree(changed)
        shutil.copytree(start, changed)
        assert _killed(changed, limit).returncode == -signal.SIGKILL
        said.append(run(changed).stderr)
    assert "A run was interrupted before it changed any file." in said[0]
    assert "A run that was interrupted is completed." in said[1]


@pytest.mark.integration
def test_what_is_edited_after_the_interruption_is_kept(changed: Path) -> None:
    start = changed.parent / "start"
    shutil.copytree(changed, start)
    for limit in count(1):
        assert _killed(changed, limit).returncode == -signal.SIGKILL
        if journal.is_pending(changed):
            break
        shutil.rmtree(changed)
        shutil.copytree(start, changed)
    path = changed / "docker-compose.prod.yml"
    path.write_text(f"# written in between\n{path.read_text()}")
    result = run(changed)
    assert (result.code, "is dropped" in result.stderr) == (0, True)
    text = path.read_text()
    assert text.startswith("# written in between\n")
    assert text.count("\n  redis:\n") == 1
    assert run(changed, "--check").code == 0


def test_a_second_run_at_the_same_time_is_refused(changed: Path) -> None:
    before = files_below(changed)
    with journal.lock(changed):
        result = run(changed)
    assert result.code == 1
    assert "Another run is at work" in result.stderr
    assert files_below(changed) == before
    assert run(changed).code == 0


def test_check_does_not_wait_for_another_run(changed: Path) -> None:
    with journal.lock(changed):
        assert run(changed, "--dry-run").code == 0


def test_a_file_keeps_its_mode(changed: Path) -> None:
    path = changed / "docker-compose.prod.yml"
    path.chmod(0o640)
    build(changed)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_script_is_executable(project: Project, oldest: Template) -> None:
    root = project("fastapi")
    build(root, template=oldest)
    assert os.access(root / "deploy/hello.sh", os.X_OK)


def test_a_lost_executable_bit_is_not_an_edit(project: Project, oldest: Template) -> None:
    """As on file systems that have none."""
    root = project("fastapi")
    build(root, template=oldest)
    (root / "deploy/hello.sh").chmod(0o644)
    assert "Everything is up to date." in build(root, template=oldest)
    assert run(root, "--check", template=oldest).code == 0


def test_a_file_in_place_of_a_folder(project: Project) -> None:
    root = project("fastapi")
    (root / "deploy").write_text("")
    before = files_below(root)
    result = run(root)
    assert result.code == 1
    assert "deploy is a file" in result.stderr
    assert files_below(root) == before
