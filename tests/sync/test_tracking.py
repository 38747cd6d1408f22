"""Generated files that git ignores, loses or takes back: told, and never in sync in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spinbox_wrapper import journal
from tests.conftest import Project, files_below
from tests.releases import commit, git
from tests.runs import build, edit, run, switch

pytestmark = pytest.mark.integration

IGNORED = "git ignores deploy/.gitattributes, deploy/Caddyfile, deploy/README.md and "
RULE = "(deploy/ in .gitignore, line "


@pytest.fixture
def hidden(project: Project) -> Path:
    """A project whose `.gitignore` hides what is generated in `deploy/`."""
    root = project("fastapi")
    with (root / ".gitignore").open("a") as file:
        file.write("deploy/\n")
    return root


@pytest.mark.parametrize("repository", [True, False], ids=["git", "no-git"])
def test_what_git_ignores_is_told_when_it_is_written(hidden: Path, repository: bool) -> None:
    if repository:
        commit(hidden, "project")
    said = build(hidden)
    assert IGNORED in said
    assert RULE in said
    assert IGNORED in build(hidden)


def test_a_project_that_git_ignores_as_a_whole_is_nobody_s_clone(
    project: Project, tmp_path: Path
) -> None:
    root = project("fastapi")
    (tmp_path / ".gitignore").write_text(f"/{root.name}/\n")
    commit(tmp_path, "outside")
    assert "git ignores" not in build(root)


def test_a_clone_that_lacks_them_is_not_in_sync(hidden: Path, tmp_path: Path) -> None:
    build(hidden)
    commit(hidden, "generated")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", hidden, clone)
    result = run(clone, "--check")
    assert result.code == 1
    assert IGNORED in result.stderr
    assert "you deleted it" not in result.stdout


def test_what_is_tracked_is_not_ignored(hidden: Path) -> None:
    build(hidden)
    git(hidden, "init", "--quiet")
    git(hidden, "add", "--force", ".")
    assert "git ignores" not in build(hidden)


def test_a_rule_that_lets_in_is_none(project: Project) -> None:
    root = project("fastapi")
    with (root / ".gitignore").open("a") as file:
        file.write("deploy/*\n!deploy/**\n")
    assert "git ignores" not in build(root)


def test_a_missing_file_that_an_image_needs_is_told(project: Project) -> None:
    root = project("fastapi")
    build(root)
    (root / "deploy/entrypoint.sh").unlink()
    sentence = "deploy/entrypoint.sh is missing, but Dockerfile.prod needs it."
    assert sentence in build(root)
    result = run(root, "--check")
    assert result.code == 1
    assert sentence in result.stderr
    assert "--restore deploy/entrypoint.sh" in result.stderr
    edit(root / "Dockerfile.prod", "COPY --chmod=0555 deploy/entrypoint.sh", "COPY mine.sh")
    assert run(root, "--check").code == 0


def test_below_an_output_folder(project: Project) -> None:
    root = project("fastapi")
    build(root, "--output", "ops")
    (root / "ops/deploy/entrypoint.sh").unlink()
    (root / "ops/deploy/common.sh").unlink()
    result = run(root, "--output", "ops", "--check")
    assert result.code == 1
    assert "ops/deploy/common.sh, ops/deploy/entrypoint.sh are missing" in result.stderr
    build(root, "--output", "ops", "--restore", "ops/deploy/entrypoint.sh", "--restore",
          "ops/deploy/common.sh")  # fmt: skip
    assert run(root, "--output", "ops", "--check").code == 0


def test_a_script_that_only_people_run_may_go(project: Project) -> None:
    root = project("fastapi")
    build(root)
    for name in ("status.sh", "prune.sh", "prepare-server.sh", "README.md"):
        (root / "deploy" / name).unlink()
    result = run(root, "--check")
    assert (result.code, "missing" in result.stdout) == (0, False)


def test_new_files_that_git_cleaned_away(project: Project) -> None:
    root = project("fastapi")
    build(root)
    commit(root, "generated")
    assert run(root, "deploy", "--target", "fly", "--generate").code == 0
    git(root, "clean", "-dfq")
    result = run(root, "--check")
    assert "deploy/fly/README.md" in result.stdout
    assert "missing, and in no commit" in result.stdout


def test_an_unedited_file_that_git_took_back_is_written_again(project: Project) -> None:
    root = project("fastapi")
    build(root)
    commit(root, "generated")
    switch(root, "USE_REDIS", True)
    build(root)
    after = (root / "docker-compose.prod.yml").read_bytes()
    git(root, "checkout", "--quiet", "--", "docker-compose.prod.yml")
    assert run(root, "--check").code == 1
    build(root)
    assert (root / "docker-compose.prod.yml").read_bytes() == after


def test_answers_that_were_edited_by_hand(project: Project) -> None:
    """As if they had been chosen."""
    root = project("fastapi")
    build(root)
    edit(root / "Dockerfile.prod", "FROM", "# mine\nFROM")
    commit(root, "generated and edited")
    edit(root / ".copier-answers.yml", "proxy: caddy", "proxy: none")
    assert run(root, "--check").code == 1
    assert "Dockerfile.prod: as" not in build(root)
    assert "caddy" not in (root / "docker-compose.prod.yml").read_text()
    assert not (root / "deploy/Caddyfile").exists()


def test_a_file_that_git_took_back(project: Project) -> None:
    root = project("fastapi")
    build(root)
    edit(root / "docker-compose.prod.yml", "max-size: 10m", "max-size: 90m")
    commit(root, "generated and edited")
    assert "as in the last commit" not in build(root)
    switch(root, "USE_REDIS", True)
    build(root)
    git(root, "checkout", "--quiet", "--", "docker-compose.prod.yml")
    assert "docker-compose.prod.yml: as in the last commit" in build(root)
    git(root, "checkout", "--quiet", "--", ".copier-answers.yml")
    said = build(root)
    assert "as in the last commit" not in said
    text = (root / "docker-compose.prod.yml").read_text()
    assert text.count("\n  redis:\n") == text.count("max-size: 90m") == 1


def test_a_first_run_that_is_killed_and_loses_its_journal(project: Project, tmp_path: Path) -> None:
    """Whatever it had written, the next one ends as a whole one does."""
    from tests.sync.test_atomic import _killed

    start = project("fastapi")
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    build(whole)
    for limit in range(30, 200, 12):
        root = tmp_path / str(limit)
        shutil.copytree(start, root)
        killed = _killed(root, limit).returncode != 0
        shutil.rmtree(root / journal.FOLDER, ignore_errors=True)
        build(root)
        assert files_below(root) == files_below(whole)
        if not killed:
            break
    assert not killed
