"""What git says of a project, which may be somebody else's."""

from __future__ import annotations

import os
import shlex
from functools import cache
from pathlib import Path

from . import programs
from .errors import ProjectError


def ask(root: Path, *arguments: str) -> programs.Result:
    """Ask git about a project; a failure is the caller's to look at.

    Args:
        root: A folder of the project.
        arguments: What stands after `git`.

    Raises:
        ProjectError: Another user owns the repository, and the user did not say that it is safe
            (`safe.directory`, git-config(1)).
    """
    trusted = [word for folder in _trusted(os.environ.get("HOME")) for word in ("-c", folder)]
    result = programs.git(*trusted, *arguments, cwd=root)
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
def _trusted(home: str | None) -> tuple[str, ...]:
    """The folders whose repositories the user or the machine calls safe."""
    asked = ["git", "config", "--null", "--get-all", "safe.directory"]
    found = programs.run(asked, cwd=Path("/"), environment={"HOME": home} if home else {})
    return tuple(f"safe.directory={name}" for name in found.text.split("\0")[:-1])
