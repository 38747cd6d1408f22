"""The project's files as a clone would have them: nothing that its own `.gitignore` files hide."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from .errors import ProjectError

# Never part of what is deployed, and often too large to walk.
_NEVER_WALKED = {".git", "node_modules", ".venv", "venv", "__pycache__", ".next"}


class Tree:
    """A read-only view of a project's files.

    Attributes:
        root: The project's folder.
        files: Every visible file as a POSIX path relative to `root`, sorted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: tuple[str, ...] = tuple(sorted(self._walk()))
        self._set = frozenset(self.files)

    def _walk(self) -> Iterator[str]:
        specs: dict[str, GitIgnoreSpec] = {}
        for folder, subfolders, names in os.walk(self.root):
            relative = Path(folder).relative_to(self.root).as_posix()
            prefix = "" if relative == "." else relative + "/"
            if ".gitignore" in names:
                specs[prefix] = GitIgnoreSpec.from_lines(self._text(prefix + ".gitignore").splitlines())
            # A folder with an answers file of its own holds generated files (`--output`).
            if prefix and ".copier-answers.yml" in names:
                subfolders.clear()
                continue
            subfolders[:] = sorted(
                name
                for name in subfolders
                if name not in _NEVER_WALKED and not _ignored(specs, f"{prefix}{name}/")
            )
            yield from (prefix + name for name in names if not _ignored(specs, prefix + name))

    def has(self, path: str) -> bool:
        """Whether the file is there and visible."""
        return path in self._set

    def below(self, folder: str, suffix: str = "") -> Iterator[str]:
        """Visible files in `folder` (`.` is the root) at any depth whose name ends in `suffix`."""
        prefix = "" if folder == "." else folder.rstrip("/") + "/"
        return (path for path in self.files if path.startswith(prefix) and path.endswith(suffix))

    def first(self, folder: str, *names: str) -> str | None:
        """The first of `names` that is a file directly in `folder`, as a path, or None."""
        return next((p for p in (join(folder, name) for name in names) if self.has(p)), None)

    def read(self, path: str) -> str:
        """The text of a file.

        Raises:
            ProjectError: It cannot be read, or is not UTF-8.
        """
        if not self.has(path):
            raise ProjectError(f"{path} is missing: restore it.")
        return self._text(path)

    def _text(self, path: str) -> str:
        try:
            return (self.root / path).read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise ProjectError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
        except OSError as error:
            raise ProjectError(f"{path} cannot be read ({error.strerror}): mend that first.") from None


def join(folder: str, name: str) -> str:
    """`name` in `folder`, where `.` stands for the project's root."""
    return PurePosixPath(folder, name).as_posix()


def _ignored(specs: dict[str, GitIgnoreSpec], path: str) -> bool:
    """Git's rule: the deepest .gitignore with an opinion decides (gitignore(5))."""
    verdict = False
    for prefix, spec in specs.items():
        if path.startswith(prefix):
            result = spec.check_file(path[len(prefix) :]).include
            verdict = verdict if result is None else result
    return verdict
