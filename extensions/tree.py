"""The project's files as a clone would have them: nothing that its own `.gitignore` files hide."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from . import git, programs
from .errors import ProjectError

MEGABYTE = 1024**2
# Never part of what is deployed, even where git does not ignore it.
_NEVER = frozenset({"node_modules", ".venv", "venv", "__pycache__", ".next"})
_MADE_BY_TOOLS = _NEVER | {
    ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".turbo", "build", "coverage", "dist",
    "htmlcov", "logs", "out", "tmp",
}  # fmt: skip


# A path inside a folder that every kind of generated file can hold. COPY has no way to say `*`, `?`
# or a backslash (it would copy nothing, and not fail), commands take a dash for an option, and
# patterns lose a space at either end.
PLAIN_PATH = re.compile(r"(?!/|-|\s|.*(?:^|/)\.\.(?:/|$)|.*\s$)[^\x00-\x1f\\*?]+")


def is_folder_inside(path: str) -> bool:
    """Whether generated files can go to a folder of the project: plain, and nothing of git's."""
    parts = PurePosixPath(path).parts
    plain = re.fullmatch(r"(?![/-])[\w./-]+", path) is not None
    return plain and {"..", ".git"}.isdisjoint(part.lower() for part in parts)


class Tree:
    """A read-only view of a project's files.

    Attributes:
        root: The project's folder.
        files: Every visible file as a POSIX path relative to `root`, sorted.
        kept: What readers made of files, each once: by reader and path.
        outputs: Folders of generated files, which are none of `files`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = [path for path in _list(root) if _NEVER.isdisjoint(path.split("/")[:-1])]
        outputs = tuple(
            path.rpartition("/")[0] + "/" for path in paths if _is_output(root / path, path)
        )
        self.files: tuple[str, ...] = tuple(sorted(p for p in paths if not p.startswith(outputs)))
        self.outputs = tuple(sorted(folder.rstrip("/") for folder in outputs))
        self._set = frozenset(self.files)
        self.kept: dict[tuple[str, str], Any] = {}

    def hidden(self) -> list[str]:
        """Files that a `.gitignore` hides, but those that tools make."""
        paths: list[str] = []
        # Whole folders are not listed: those of tools can hold a hundred thousand files.
        for path in _ls_files(self.root, "--others", "--ignored", "--directory"):
            folder, _, name = path.rpartition("/")
            if not _MADE_BY_TOOLS.isdisjoint(folder.split("/")):
                continue
            paths += [path] if name else _walk(self.root, folder)
        return paths

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

    def read(self, path: str, limit: int = 32 * MEGABYTE) -> str:
        """The text of a file.

        Args:
            path: As in `files`.
            limit: Bytes that it may have.

        Raises:
            ProjectError: It cannot be read, is too large, or is not UTF-8.
        """
        if not self.has(path):
            raise ProjectError(f"{path} is missing: restore it.")
        try:
            if not (self.root / path).is_file():
                raise ProjectError(f"{path} is not a regular file: remove it.")
            if (self.root / path).stat().st_size > limit:
                raise ProjectError(
                    f"{path} is larger than {limit // MEGABYTE} MB: make it smaller."
                )
            return (self.root / path).read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise ProjectError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
        except OSError as error:
            raise ProjectError(
                f"{path} cannot be read ({error.strerror}): mend that first."
            ) from None


def hidden_by(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Which files git does not take into a commit, and by which of its rules.

    Args:
        root: The folder that they lie in, or will.
        paths: Theirs, relative to it.

    Returns:
        By path, the rule as in `deploy/ in .gitignore, line 3`; nothing for what is tracked.
    """
    asked = ("-c", "core.quotePath=off", "check-ignore", "--verbose")
    try:
        result = git.ask(root, *asked, "--", *paths)
    except ProjectError as error:
        result = programs.Result(programs.Ending.DONE, 128, stderr=str(error).encode())
    if result.returncode not in {0, 1}:
        # No repository yet, or none that git reads.
        with _empty_repository() as repository:
            place = [f"--git-dir={repository}", f"--work-tree={root.resolve()}"]
            options = [*place, "-c", "core.bare=false", *asked, "--no-index"]
            result = programs.git(*options, "--", *paths, cwd=root)
    rules = {}
    for rule, _, path in (line.partition("\t") for line in result.text.splitlines()):
        source, line, pattern = rule.split(":", 2)
        if not pattern.startswith("!"):
            rules[path] = f"{pattern} in {source}, line {line}"
    return rules


def join(folder: str, name: str) -> str:
    """`name` in `folder`, where `.` stands for the project's root; `../` leads out of it."""
    return posixpath.normpath(posixpath.join(folder, name))


def _is_output(file: Path, path: str) -> bool:
    """Whether it is an answers file of ours: its folder holds generated files (`--output`)."""
    if "/" not in path or not path.endswith((".yml", ".yaml")):
        return False
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return all(f"\n{key}:" in text for key in ("_src_path", "overrides", "output", "project"))


def _walk(root: Path, folder: str) -> Iterator[str]:
    """The files in a folder, at any depth, but those that tools make."""
    for top, folders, names in os.walk(root / folder):
        folders[:] = sorted(name for name in folders if name not in _MADE_BY_TOOLS)
        for name in sorted(names):
            yield Path(top, name).relative_to(root).as_posix()


def _list(root: Path) -> list[str]:
    """Every file that no `.gitignore` hides, those of repositories inside the project too."""
    _refuse_pipes(root)
    paths = []
    for path in _ls_files(root, "--others"):
        paths += [path + inner for inner in _list(root / path)] if path.endswith("/") else [path]
    return paths


def _ls_files(root: Path, *options: str) -> list[str]:
    """Ask git itself, with an empty repository elsewhere: the project need not be one."""
    listing = ["ls-files", "-z", *options, "--exclude-per-directory=.gitignore"]
    with _empty_repository() as repository:
        git = [f"--git-dir={repository}", f"--work-tree={root.resolve()}"]
        result = programs.git(
            *git, "-c", "core.bare=false", "-c", "core.ignoreCase=false", *listing, cwd=root
        )
    if result.ending is programs.Ending.MISSING:
        raise ProjectError("git is needed to read the project: install it.")
    if not result.ok:
        raise ProjectError(f"git cannot list the project: {result.error}")
    return [path for path in os.fsdecode(result.stdout).split("\0") if path]


def _refuse_pipes(root: Path) -> None:
    """Git would wait for a `.gitignore` that is a pipe, and for ever."""
    for top, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _NEVER and name != ".git"]
        file = Path(top, ".gitignore")
        if ".gitignore" in names and not (file.is_file() or file.is_symlink()):
            path = file.relative_to(root).as_posix()
            raise ProjectError(f"{path} is not a regular file: remove it.")


@contextmanager
def _empty_repository() -> Iterator[Path]:
    """What `git init --bare` makes, as far as git asks for it: see gitrepository-layout(5)."""
    with TemporaryDirectory(prefix="spinbox-") as folder:
        repository = Path(folder)
        (repository / "objects").mkdir()
        (repository / "refs").mkdir()
        (repository / "HEAD").write_text("ref: refs/heads/main\n")
        yield repository
