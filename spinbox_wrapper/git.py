"""Calls of git that neither a surrounding repository nor the user's settings can change."""

from __future__ import annotations

from pathlib import Path

from . import derivation
from .errors import UserError


def run(*arguments: str, cwd: Path) -> derivation.programs.Result:
    """Run git in a folder and capture what it prints; a failure is the caller's to look at.

    Raises:
        UserError: git is not installed, cannot be started, or does not end.
    """
    # Late: the derivation code is found by what imports this module.
    programs = derivation.programs
    result = programs.git("-c", f"safe.directory={cwd}", *arguments, cwd=cwd)
    if result.ending is programs.Ending.MISSING:
        raise UserError("git is needed: install it.")
    if result.ending is not programs.Ending.DONE:
        raise UserError(f"git cannot be used: {result.error}")
    return result
