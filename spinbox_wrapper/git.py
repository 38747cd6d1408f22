"""Calls of git that neither a surrounding repository nor the user's settings can change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import UserError


def environment() -> dict[str, str]:
    """The variables of this process, for a git of our own.

    In a hook, git's own variables would point it at the user's repository and index; the user's
    configuration could change what it prints.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder and capture what it prints; a failure is the caller's to look at.

    Raises:
        UserError: git is not installed.
    """
    command = ["git", "-c", f"safe.directory={cwd}", *arguments]
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, env=environment(), check=False)
    except FileNotFoundError:
        raise UserError("git is needed: install it.") from None
