"""What git says of a project, which may be somebody else's."""

from __future__ import annotations

import os
import shlex
from functools import cache
from pathlib import Path

from . import programs
from .errors import ProjectError

# Seconds for a question whose answer takes no look at the project's files.
_ANSWER = 20.0


def ask(root: Path, *arguments: str) -> programs.Result:
    """Ask git about a project; a failure is the caller's to look at.

    Args:
        root: A folder of the project.
        arguments: What stands after `git`.

    Raises:
        ProjectError: Another user owns the repository, and the user did not say that it is safe
            (`safe.directory`, git-config(1)); or git does not answer.
    """
    if _waits(root):
        raise ProjectError(
            "git does not answer in this folder: look whether `git status` ends there, and whether "
            "what it reads below .git are files."
        )
    trusted = [word for folder in _trusted(os.environ.get("HOME")) for word in ("-c", folder)]
    result = programs.git(*trusted, *arguments, cwd=root)
    if result.ending is programs.Ending.TIMED_OUT:
        raise ProjectError(
            f"git has not answered for {programs.GIT_SECONDS:.0f} seconds: look whether "
            "`git status` ends in this folder."
        )
    if "detected dubious ownership" in result.error:
        folder = shlex.quote(str(root.resolve()))
        raise ProjectError(
            "git does not read a repository of another user. If you trust it: "
            f"git config --global --add safe.directory {folder}"
        )
    return result


def git(root: Path, *arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    result = ask(root, *arguments)
    return result.text.strip() if result.ok else ""


@cache
def _waits(root: Path) -> bool:
    """Whether git does not even tell where the repository is, as where its settings are a pipe."""
    asked = ["git", "rev-parse", "--git-dir"]
    return programs.run(asked, cwd=root, timeout=_ANSWER).ending is programs.Ending.TIMED_OUT


@cache
def _trusted(home: str | None) -> tuple[str, ...]:
    """The folders whose repositories the user or the machine calls safe."""
    asked = ["git", "config", "--null", "--get-all", "safe.directory"]
    found = programs.run(asked, cwd=Path("/"), environment={"HOME": home} if home else {})
    return tuple(f"safe.directory={name}" for name in found.text.split("\0")[:-1])
