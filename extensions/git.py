"""What git says of a folder."""

from __future__ import annotations

from pathlib import Path

from . import programs


def git(root: Path, *arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    # With the user's configuration, which may say whose repositories are safe to read.
    result = programs.run(["git", "-C", str(root), *arguments])
    return result.text.strip() if result.ok else ""
