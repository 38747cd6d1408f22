"""git, as the command line runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinbox_wrapper import derivation, git
from spinbox_wrapper.errors import UserError
from spinbox_wrapper.template import installed


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
