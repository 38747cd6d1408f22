"""Three-way merge of one file, by git's own `merge-file`; it needs no repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import UserError

_LABELS = ("yours", "generated before", "generated now")


def merge(base: bytes, yours: bytes, new: bytes) -> tuple[bytes, bool]:
    """Merge two changes of `base` (git-merge-file(1)).

    Returns:
        The merged content, and whether it holds conflict markers.

    Raises:
        UserError: git is not installed, or a file is binary.
    """
    with TemporaryDirectory(prefix="spinbox-") as temporary:
        folder = Path(temporary)
        paths = []
        for name, content in (("yours", yours), ("base", base), ("new", new)):
            (folder / name).write_bytes(content)
            paths.append(name)
        labels = [part for label in _LABELS for part in ("-L", label)]
        command = ["git", "merge-file", "--stdout", *labels, *paths]
        try:
            result = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        except OSError:
            raise UserError("git is needed to merge your edits: install it.") from None
    if result.returncode > 127:
        raise UserError(f"git could not merge a file: {result.stderr.decode().strip()}")
    return result.stdout, result.returncode > 0
