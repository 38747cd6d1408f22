"""What was rendered before, in the user's cache folder: a template and answers give one result.

A convenience alone: whatever is missing, broken or cannot be written is rendered anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

# Raised when the form of an entry, or of what is rendered, changes.
_FORM = 2
_MOST_ENTRIES = 64


def key(*inputs: Any) -> str:
    """A name for everything that a rendering depends on, all of it JSON types."""
    text = json.dumps([_FORM, *inputs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def load(name: str) -> dict[str, tuple[bytes, bool]] | None:
    """Contents and executable bits by path, or None where there is no whole entry."""
    try:
        payload, _, digest = (_folder() / name).read_text("utf-8").rpartition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    if hashlib.sha256(payload.encode()).hexdigest() != digest:
        return None
    return {
        path: (text.encode("utf-8", "surrogateescape"), executable)
        for path, (text, executable) in json.loads(payload).items()
    }


def store(name: str, files: Mapping[str, tuple[bytes, bool]]) -> None:
    """Keep a rendering, if the folder can be written."""
    payload = json.dumps(
        {
            path: (content.decode("utf-8", "surrogateescape"), executable)
            for path, (content, executable) in files.items()
        }
    )
    entry = f"{payload}\n{hashlib.sha256(payload.encode()).hexdigest()}"
    folder = _folder()
    temporary = folder / f"{name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(entry, "utf-8")
        temporary.replace(folder / name)
        entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in entries[_MOST_ENTRIES:]:
            old.unlink(missing_ok=True)
    except OSError:
        pass


def _folder() -> Path:
    return Path(platformdirs.user_cache_dir("spinbox-deploy")) / "rendered"
