"""Writing many files at once, all or nothing.

New contents are first laid down whole in a folder beside the answers file; renaming its list of
files into place commits the run. A later run carries a committed one through, if every file is as
it was before or after that run; else it drops it, and remembers which files hold the change.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import UserError
from .plan import Action, Step

FOLDER = ".spinbox-journal"
_LIST = "files.json"
_CONTENT = re.compile(r"[0-9]+(\.orig)?")


@dataclass(frozen=True)
class Recovery:
    """What became of an interrupted run.

    Attributes:
        note: One sentence on it; empty where there was none.
        rescued: Files that were edited while they were written, by the names they are kept under.
        merged: Files that hold that run's change, with the digests of what it had generated for
            them: it was dropped, so the answers do not know of them.
    """

    note: str = ""
    rescued: tuple[str, ...] = ()
    merged: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def lock(project: Path) -> Iterator[None]:
    """Keep a second run away from a project until this one has ended, however it ends.

    Raises:
        UserError: Another run is at work.
    """
    descriptor = os.open(project, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            os.close(descriptor)
            raise UserError("Another run is at work in this project: wait for its end.") from None
        # Some network file systems know no locks.
    try:
        yield
    finally:
        os.close(descriptor)


def is_pending(root: Path) -> bool:
    """Whether a run was interrupted while it put files in their places."""
    return (root / FOLDER / _LIST).is_file()


def write(root: Path, steps: Sequence[Step], last: str) -> Recovery:
    """Carry out a plan below `root`; nothing is touched if it changes nothing.

    Args:
        root: The folder that generated files go to.
        steps: The plan. What is replaced is kept as `FILE.orig`.
        last: The answers file: where it is the new one, all others are.

    Raises:
        UserError: Nothing could be written; the project is as it was.
    """
    steps = sorted((s for s in steps if s.writes), key=lambda step: step.path == last)
    if not steps:
        return Recovery()
    journal = root / FOLDER
    try:
        root.mkdir(parents=True, exist_ok=True)
        _check_folders(root, steps)
        journal.mkdir()
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be written ({error.strerror}): mend that first."
        ) from None
    try:
        # Should the run end here, git must not offer the folder for a commit.
        _lay_down(journal / ".gitignore", b"*\n")
        entries = [_prepare(journal, root, number, step) for number, step in enumerate(steps)]
        document = {"folder": _identity(journal), "files": entries}
        _lay_down(journal / "new-list", json.dumps(document).encode())
        (journal / "new-list").rename(journal / _LIST)
    except BaseException as error:
        if not (journal / _LIST).exists():
            shutil.rmtree(journal, ignore_errors=True)
        if isinstance(error, OSError):
            raise UserError(
                f"The files cannot be written ({error.strerror}); nothing was changed."
            ) from None
        raise
    with suppress(OSError):
        _sync_folder(journal)
    # It is too late to stop: Ctrl-C is heard when everything is in its place.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _as_user_error("mend that and run again"):
            return Recovery(rescued=tuple(_carry_out(journal, root, entries)))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _check_folders(root: Path, steps: Sequence[Step]) -> None:
    """Find out before anything is written that a folder does not take its files."""
    for step in steps:
        folder = (root / step.path).parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(folder))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _prepare(journal: Path, root: Path, number: int, step: Step) -> dict[str, str]:
    """Lay down what a step needs; its entry in the list."""
    entry = {"path": step.path}
    if step.before is not None:
        entry["before"] = digest(step.before.content)
    if step.generated is not None:
        entry["generated"] = digest(step.generated.content)
    if step.after is not None:
        entry["after"] = digest(step.after.content)
        entry["content"] = str(number)
        mode = _mode(root / step.path, step.after.executable)
        _lay_down(journal / entry["content"], step.after.content, mode)
    if step.action is Action.REPLACE and step.before is not None:
        entry["original"] = f"{number}.orig"
        _lay_down(journal / entry["original"], step.before.content)
    return entry


def _mode(target: Path, executable: bool) -> int | None:
    """The mode of the file that is there, executable or not; None for a new plain file's."""
    if not target.exists():
        return 0o777 & ~_umask() if executable else None
    mode = stat.S_IMODE(target.stat().st_mode)
    return mode | (mode & 0o444) >> 2 if executable else mode & ~0o111


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _free_name(root: Path, path: str) -> str:
    name, number = f"{path}.orig", 1
    while (root / name).exists():
        name, number = f"{path}.orig.{number}", number + 1
    return name


def recover(root: Path) -> Recovery:
    """Finish or drop what an interrupted run left.

    Raises:
        UserError: A file cannot be put in its place.
    """
    journal = root / FOLDER
    if journal.is_symlink() or (journal.exists() and not journal.is_dir()):
        raise UserError(f"{FOLDER} is not a folder of this program: remove it.")
    if not journal.is_dir():
        return Recovery()
    with _as_user_error("mend that and run again"):
        if not is_pending(root):
            shutil.rmtree(journal)
            return Recovery("A run was interrupted before it changed any file.")
        entries = _read_list(journal, root)
        there = {entry["path"]: _there(root / entry["path"]) for entry in entries}
        if all(_can_go_on(journal, entry, there[entry["path"]]) for entry in entries):
            rescued = _carry_out(journal, root, entries)
            return Recovery("A run that was interrupted is completed.", tuple(rescued))
        # All or nothing: the answers come last, so they are still those from before.
        merged = {
            entry["path"]: entry["generated"]
            for entry in entries
            if "generated" in entry and there[entry["path"]] == entry.get("after")
        }
        (journal / _LIST).unlink()
        shutil.rmtree(journal)
    note = "Files changed since a run was interrupted: what it had not written is dropped."
    return Recovery(note, merged=merged)


def _carry_out(journal: Path, root: Path, entries: Sequence[Mapping[str, str]]) -> list[str]:
    rescued = []
    for entry in entries:
        rescued += _put(journal, root, entry)
    (journal / _LIST).unlink()
    shutil.rmtree(journal)
    return rescued


@contextmanager
def _as_user_error(mend: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = error.filename2 or error.filename
        raise UserError(f"{name} cannot be written ({error.strerror}): {mend}.") from None


def _there(target: Path) -> str | None:
    return digest(target.read_bytes()) if target.is_file() else None


def _can_go_on(journal: Path, entry: Mapping[str, str], there: str | None) -> bool:
    """Whether a file is as it is to be, or as it was, with what it is to become at hand."""
    if there == entry.get("after"):
        return True
    content = entry.get("content")
    return there == entry.get("before") and (content is None or (journal / content).is_file())


def _identity(journal: Path) -> int:
    """What no copy of the folder has: so that one in a cloned repository is not carried out.

    Its device may be another one when a container is left for its host.
    """
    return journal.stat().st_ino


def _read_list(journal: Path, root: Path) -> list[dict[str, str]]:
    """The list of files, if this program wrote it, in this folder."""
    try:
        document: Any = json.loads((journal / _LIST).read_text("utf-8"))
        entries: list[dict[str, str]] = document["files"]
        valid = document["folder"] == _identity(journal) and all(
            _is_inside(root, entry["path"])
            and all(_CONTENT.fullmatch(entry.get(key, "0")) for key in ("content", "original"))
            for entry in entries
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        valid = False
    if not valid:
        raise UserError(f"{FOLDER} was not written here by this program: remove it.")
    return entries


def _is_inside(root: Path, path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and path.isprintable()
        and not PurePosixPath(path).is_absolute()
        and {"..", ".git"}.isdisjoint(part.lower() for part in parts)
        and not any(root.joinpath(*parts[:n]).is_symlink() for n in range(1, len(parts) + 1))
    )


def _put(journal: Path, root: Path, entry: Mapping[str, str]) -> list[str]:
    """Carry out one entry, again if need be; what the user wrote meanwhile is kept."""
    target = root / entry["path"]
    original = journal / entry["original"] if "original" in entry else None
    if original is not None and original.exists():
        original.replace(root / _free_name(root, entry["path"]))
    content = journal / entry["content"] if "content" in entry else None
    mode = stat.S_IMODE(content.stat().st_mode) if content is not None else 0
    there = _there(target)
    if there == entry.get("after"):
        if content is not None and stat.S_IMODE(target.stat().st_mode) != mode:
            target.chmod(mode)
        return []
    rescued = []
    if there not in {None, entry.get("before")}:
        rescued.append(_free_name(root, entry["path"]))
        (root / rescued[0]).write_bytes(target.read_bytes())
    if content is None:
        target.unlink(missing_ok=True)
        _remove_empty_folders(target.parent, root)
        return rescued
    # A copy: whoever takes the file back before the run is completed gets it again.
    copy = journal / "next"
    copy.unlink(missing_ok=True)
    _lay_down(copy, content.read_bytes(), mode)
    target.parent.mkdir(parents=True, exist_ok=True)
    copy.replace(target)
    return rescued


def digest(content: bytes) -> str:
    """What tells a file's content from any other."""
    return hashlib.sha256(content).hexdigest()


def _remove_empty_folders(folder: Path, root: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _lay_down(path: Path, content: bytes, mode: int | None = None) -> None:
    with path.open("xb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
