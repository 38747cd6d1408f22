"""Wherever a project lies and whoever calls: the same files, and nothing else is touched."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project, files_below, spinbox
from tests.releases import commit, git
from tests.runs import switch

pytestmark = pytest.mark.integration

CALL = f"PYTHONPATH={REPOSITORY} {sys.executable} -m spinbox_wrapper build --prod"


def _no_git(root: Path) -> Path:
    return root


def _no_commit(root: Path) -> Path:
    git(root, "init", "--quiet")
    return root


def _everything_staged(root: Path) -> Path:
    _no_commit(root)
    git(root, "add", "--all")
    return root


def _clean(root: Path) -> Path:
    commit(root, "project")
    return root


def _dirty(root: Path) -> Path:
    _clean(root)
    (root / "README.md").write_text("changed\n")
    (root / "new.txt").write_text("new\n")
    return root


def _detached_head(root: Path) -> Path:
    _clean(root)
    git(root, "checkout", "--quiet", "--detach")
    return root


def _worktree(root: Path) -> Path:
    _clean(root)
    git(root, "worktree", "add", "--quiet", "../tree")
    return root.parent / "tree"


def _folder_of_a_monorepo(root: Path) -> Path:
    monorepo = root.parent / "monorepo"
    monorepo.mkdir()
    (monorepo / ".gitignore").write_text("*.log\n")
    root = root.rename(monorepo / "service")
    commit(monorepo, "all")
    return root


def _submodule(root: Path) -> Path:
    _clean(root)
    outer = root.parent / "outer"
    outer.mkdir()
    commit(outer, "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(root), "sub")
    return outer / "sub"


def _name_with_spaces(root: Path) -> Path:
    return root.rename(root.parent / "my 'own' $(project)")


PLACES = (
    _no_git,
    _no_commit,
    _everything_staged,
    _clean,
    _dirty,
    _detached_head,
    _worktree,
    _folder_of_a_monorepo,
    _submodule,
    _name_with_spaces,
)


def _git_state(root: Path) -> str:
    """What git knows of the project besides its files."""
    try:
        return git(root, "ls-files", "--stage") + git(root, "for-each-ref")
    except subprocess.CalledProcessError:
        return ""


@pytest.fixture
def expected(project: Project, tmp_path: Path) -> dict[str, bytes]:
    """What two runs generate in a plain folder."""
    root = project("fastapi").rename(tmp_path / "plain")
    before = files_below(root)
    spinbox("build", "--prod", cwd=root)
    switch(root, "USE_REDIS", True)
    spinbox("build", "--prod", cwd=root)
    return {path: text for path, text in files_below(root).items() if path not in before}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__.strip("_"))
def test_the_same_everywhere(
    place: Callable[[Path], Path], project: Project, expected: dict[str, bytes]
) -> None:
    root = place(project("fastapi"))
    state = _git_state(root)
    assert spinbox("build", "--prod", cwd=root).returncode == 0
    switch(root, "USE_REDIS", True)
    assert spinbox("build", "--prod", "--check", cwd=root).returncode == 1
    assert spinbox("build", "--prod", cwd=root).returncode == 0
    assert spinbox("build", "--prod", "--check", cwd=root).returncode == 0
    assert files_below(root).items() >= expected.items()
    assert _git_state(root) == state


@pytest.mark.parametrize("place", [_clean, _worktree])
def test_in_a_hook_that_git_runs(
    place: Callable[[Path], Path], project: Project, expected: dict[str, bytes]
) -> None:
    """There, GIT_DIR and GIT_INDEX_FILE lead every other git to the user's index."""
    root = place(project("fastapi"))
    hook = Path(
        git(root, "rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-commit")[:-1]
    )
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(f"#!/bin/sh\nset -e\n{CALL} >/dev/null\n{CALL} --check >/dev/null\n")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    spinbox("build", "--prod", cwd=root)
    switch(root, "USE_REDIS", True)
    git(root, "add", ".config")
    environment = os.environ | {"XDG_CACHE_HOME": str(root.parent / "no-cache")}
    author = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(
        ["git", *author, "commit", "-qm", "redis"],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
    )
    files = files_below(root)
    assert files["docker-compose.prod.yml"] == expected["docker-compose.prod.yml"]
    assert git(root, "show", "--name-only", "--format=").split() == [".config/project.conf"]
    git(root, "fsck")


@pytest.mark.parametrize(
    "variables",
    [
        {"XDG_CACHE_HOME": "/proc/none", "COPIER_CACHE_DIR": "/proc/none"},
        {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"},
        {"GIT_DIR": "/nonexistent", "GIT_INDEX_FILE": "/nonexistent/index"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "merge.conflictStyle",
         "GIT_CONFIG_VALUE_0": "diff3"},
        {"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr"},
        {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    ],
    ids=lambda variables: next(iter(variables)),
)  # fmt: skip
def test_an_odd_environment(
    variables: dict[str, str], project: Project, expected: dict[str, bytes]
) -> None:
    root = project("fastapi")
    switch(root, "USE_REDIS", True)
    command = ["sh", "-c", CALL]
    environment = os.environ | variables
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    assert files_below(root).items() >= expected.items()


def test_a_temporary_folder_inside_the_project(
    project: Project, expected: dict[str, bytes]
) -> None:
    root = project("fastapi")
    switch(root, "USE_REDIS", True)
    temporary = root / "tmp dir"
    temporary.mkdir()
    result = spinbox("build", "--prod", cwd=root, TMPDIR=str(temporary), XDG_CACHE_HOME="/proc/x")
    assert result.returncode == 0, result.stderr
    assert files_below(root).items() >= expected.items()


def test_no_network_is_asked(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("needs root's unshare; the container of the e2e tests has no network either")
    command = ["unshare", "--net", "sh", "-c", CALL]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)


def test_without_git_it_says_so(project: Project) -> None:
    root = project("fastapi")
    before = files_below(root)
    result = spinbox("build", "--prod", cwd=root, PATH="/nonexistent")
    assert result.returncode == 1
    assert "git is needed" in result.stderr
    assert files_below(root) == before


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_two_branches_that_both_changed_the_answers(side: str, project: Project) -> None:
    """Where git can merge them, the next run is content; else it says what to do."""
    root = project("fastapi")
    spinbox("build", "--prod", cwd=root)
    commit(root, "base")
    git(root, "branch", "other")
    spinbox("build", "--prod", "--set", "fastapi.port=9000", cwd=root)
    commit(root, "port")
    git(root, "checkout", "--quiet", "other")
    switch(root, "USE_REDIS", True)
    spinbox("build", "--prod", cwd=root)
    commit(root, "redis")
    git(root, "merge", "--quiet", "--no-edit", "main")
    assert spinbox("build", "--prod", "--check", cwd=root).returncode == 0

    spinbox("build", "--prod", "--set", "fastapi.port=9001", cwd=root)
    commit(root, "other port")
    git(root, "checkout", "--quiet", "main")
    spinbox("build", "--prod", "--set", "fastapi.port=9002", cwd=root)
    commit(root, "third port")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "--quiet", "--no-edit", "other")
    before = files_below(root)
    result = spinbox("build", "--prod", cwd=root)
    assert result.returncode == 1
    assert ".copier-answers.yml" in result.stderr
    assert "git checkout --ours" in result.stderr
    assert files_below(root) == before
    git(root, "checkout", f"--{side}", ".")
    assert spinbox("build", "--prod", cwd=root).returncode == 0
    assert spinbox("build", "--prod", "--check", cwd=root).returncode == 0


def test_a_user_s_answers_for_copier_change_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults: {proxy: none, targets: [fly]}\n")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = project("fastapi")
    result = spinbox("build", "--prod", cwd=root)
    assert result.returncode == 0, result.stderr
    assert (root / "deploy/Caddyfile").is_file()
    assert not (root / "fly.toml").exists()
