"""git, as the command line runs it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from spinbox_wrapper import derivation, git
from spinbox_wrapper.errors import UserError
from spinbox_wrapper.template import installed
from tests.projects.compose import compose
from tests.releases import commit
from tests.releases import git as git_of
from tests.runs import run


def test_a_failure_is_the_caller_s_to_look_at(tmp_path: Path) -> None:
    assert git.run("--version", cwd=tmp_path).ok
    result = git.run("rev-parse", "HEAD", cwd=tmp_path)
    assert result.returncode == 128
    assert "not a git repository" in result.error


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is needed"):
        git.run("--version", cwd=tmp_path)


@pytest.mark.parametrize(("mode", "reason"), [(0o644, "cannot be started"), (0o755, "longer than")])
def test_a_git_that_does_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, reason: str
) -> None:
    """Nothing of its output may be taken for a whole answer."""
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho half of it\nexec /bin/sleep 60\n")
    program.chmod(mode)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(derivation.programs, "GIT_SECONDS", 0.5)
    with pytest.raises(UserError, match=reason):
        git.run("--version", cwd=tmp_path)


def test_the_derivation_code_is_the_installation_s_own() -> None:
    folder = Path(derivation.programs.__file__ or "").parent
    assert folder == (installed().root / "extensions").resolve()
    with pytest.raises(ModuleNotFoundError):
        getattr(derivation, "nowhere")  # noqa: B009


def _hostile(folder: Path) -> Path:
    """A repository whose own settings would leave a file behind; that file."""
    ran = folder.parent / "ran"
    program = folder / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\ncat\n")
    program.chmod(0o755)
    (folder / ".gitattributes").write_text("*.yaml filter=theirs diff=theirs\n")
    (folder / "render.yaml").write_text("services: []\n")
    commit(folder, "theirs")
    for name in (
        *("core.fsmonitor", "core.pager", "gpg.program", "core.sshCommand"),
        *("filter.theirs.clean", "filter.theirs.smudge", "diff.theirs.textconv", "diff.external"),
    ):
        git_of(folder, "config", name, str(program))
    git_of(folder, "config", "log.showSignature", "true")
    hooks = folder / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction"):
        (hooks / hook).symlink_to(program)
    os.utime(folder / "render.yaml", (0, 0))
    return ran


@pytest.mark.integration
def test_nothing_that_a_repository_names_is_run(tmp_path: Path) -> None:
    root = compose("profile-web-app", tmp_path / "project")
    run(root, "deploy", "--target", "render", "--generate")
    git_of(root, "init", "--quiet")
    ran = _hostile(root)
    for arguments in (
        *(("deploy",), ("deploy", "--check"), ("deploy", "--check", "--target", "render")),
        *(("--diff",), ("generate", "--ci", "github")),
    ):
        run(root, *arguments)
        assert not ran.exists(), arguments


def test_a_bare_repository_in_a_folder_of_a_clone_is_none(tmp_path: Path) -> None:
    git_of(tmp_path, "init", "--quiet", "--bare", "inner.git")
    assert not derivation.git.git(tmp_path / "inner.git", "rev-parse", "--git-dir")


def _as_of_another(
    git: Callable[..., derivation.programs.Result],
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> derivation.programs.Result:
    """What git's own tests use: somebody else owns every repository."""
    other = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    return git(*arguments, cwd=cwd, environment={**(environment or {}), **other})


def test_a_repository_of_another_user_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project's"
    root.mkdir()
    git_of(root, "init", "--quiet")
    monkeypatch.setattr(
        derivation.programs, "git", functools.partial(_as_of_another, derivation.programs.git)
    )
    with pytest.raises(derivation.errors.ProjectError, match="add safe"):
        derivation.git.git(root, "status")


def test_what_the_user_calls_safe_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    root.mkdir()
    git_of(root, "init", "--quiet")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {root}\n")
    monkeypatch.setattr(
        derivation.programs, "git", functools.partial(_as_of_another, derivation.programs.git)
    )
    assert derivation.git.git(root, "rev-parse", "--is-inside-work-tree") == "true"


def test_settings_that_are_a_pipe_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derivation.git, "_ANSWER", 0.5)
    git_of(tmp_path, "init", "--quiet")
    (tmp_path / ".git/config").unlink()
    os.mkfifo(tmp_path / ".git/config")
    with pytest.raises(derivation.errors.ProjectError, match="git does not answer in this folder"):
        derivation.git.ask(tmp_path, "ls-files")
