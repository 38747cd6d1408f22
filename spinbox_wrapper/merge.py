"""Three-way merge of one file, by git's own `merge-file`; it needs no repository."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from . import git
from .errors import UserError

_LABELS = ("yours", "generated before", "generated now")


def merge(path: str, base: bytes, yours: bytes, new: bytes) -> tuple[bytes, bool]:
    """Merge two changes of `base` (git-merge-file(1)).

    Args:
        path: The file's name, for the error message.
        base: What both changes began from; empty where that is not known, and then every
            difference is a conflict.
        yours: One side.
        new: The other.

    Returns:
        The merged content, and whether it holds conflict markers.

    Raises:
        UserError: git is not installed, or a file is binary.
    """
    with TemporaryDirectory(prefix="spinbox-") as temporary:
        folder = Path(temporary)
        for name, content in (("yours", yours), ("base", base), ("new", new)):
            (folder / name).write_bytes(content)
        labels = [part for label in _LABELS for part in ("-L", label)]
        # One form of markers, whatever a surrounding repository has set.
        options = ["-c", "merge.conflictStyle=merge", "merge-file", "--stdout", *labels]
        result = git.run(*options, "yours", "base", "new", cwd=folder)
    if result.returncode > 127:
        raise UserError(f"{path} cannot be merged, as it is no text file: restore or remove it.")
    return result.stdout, result.returncode > 0
