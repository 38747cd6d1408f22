"""Calls of git in folders of our own, which neither surroundings nor the user's settings change."""

from __future__ import annotations

from pathlib import Path

from . import derivation
from .errors import UserError


def run(*arguments: str, cwd: Path) -> derivation.programs.Result:
    """Run git in a folder and capture what it prints; a failure is the caller's to look at.

    Args:
        arguments: What stands after `git`.
        cwd: A temporary folder, or the checkout that this program runs from, whoever owns it.

    Raises:
        UserError: git is not installed, cannot be started, or does not end.
    """
    # Late: the derivation code is found by what imports this module.
    alone = {"GIT_CEILING_DIRECTORIES": str(cwd.resolve().parent)}
    trusted = f"safe.directory={cwd.resolve()}"
    return answer(derivation.programs.git("-c", trusted, *arguments, cwd=cwd, environment=alone))


def answer(result: derivation.programs.Result) -> derivation.programs.Result:
    """What came of a git that ended by itself.

    Raises:
        UserError: It did not.
    """
    programs = derivation.programs
    if result.ending is programs.Ending.MISSING:
        raise UserError("git is needed: install it.")
    if result.ending is not programs.Ending.DONE:
        raise UserError(f"git cannot be used: {result.error}")
    return result
