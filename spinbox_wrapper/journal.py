"""Writing many files at once, all or nothing.

New contents are first laid down whole in a folder beside the answers file; renaming its list of
files into place commits the run. A later run carries a committed one through and drops the rest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import UserError
from .plan import Action, Step

FOLDER = ".spinbox-journal"
_LIST = "files.json"


def write(root: Path, steps: Sequence[Step]) -> None:
    """Carry out a plan below `root`.

    Args:
        root: The folder that generated files go to.
        steps: The plan; steps that write nothing are passed over. What is
            replaced is kept as `FILE.orig`.

    Raises:
        UserError: Nothing could be written; the project is as it was.
    """
    journal = root / FOLDER
    try:
        root.mkdir(parents=True, exist_ok=True)
        journal.mkdir()
    except OSError as error:
        raise UserError(f"{journal} cannot be made ({error.strerror}): mend that first.") from None
    try:
        # Should the run end here, git must not offer the folder for a commit.
        _lay_down(journal / ".gitignore", b"*\n", 0o666)
        entries = [_prepare(journal, root, number, step) for number, step in enumerate(steps)]
        _lay_down(journal / "new-list", json.dumps([e for e in entries if e]).encode(), 0o666)
        (journal / "new-list").rename(journal / _LIST)
    except BaseException as error:
        if not (journal / _LIST).exists():
            shutil.rmtree(journal, ignore_errors=True)
        if isinstance(error, OSError):
            raise UserError(
                f"The files cannot be written ({error.strerror}); nothing was changed."
            ) from None
        raise
    recover(root)


def _prepare(journal: Path, root: Path, number: int, step: Step) -> dict[str, str] | None:
    """Lay down what a step needs; its entry in the list, or None where it writes nothing."""
    if not step.writes:
        return None
    entry = {"path": step.path}
    if step.result is not None and step.action is not Action.REMOVE:
        entry["content"] = str(number)
        mode = 0o777 if step.result.executable else 0o666
        _lay_down(journal / entry["content"], step.result.content, mode)
    if step.action is Action.REPLACE and step.before is not None:
        entry["original"] = _free_name(root, step.path)
        entry["original_content"] = f"{number}.orig"
        _lay_down(journal / entry["original_content"], step.before.content, 0o666)
    return entry


def _free_name(root: Path, path: str) -> str:
    name, number = f"{path}.orig", 1
    while (root / name).exists():
        name, number = f"{path}.orig.{number}", number + 1
    return name


def recover(root: Path) -> bool:
    """Finish or drop what an interrupted run left; whether there was anything.

    Raises:
        UserError: A file cannot be put in its place.
    """
    journal = root / FOLDER
    if journal.is_symlink() or (journal.exists() and not journal.is_dir()):
        raise UserError(f"{FOLDER} is not a folder of this program: remove it.")
    if not journal.is_dir():
        return False
    try:
        if (journal / _LIST).is_file():
            for entry in _read_list(journal, root):
                _put(journal, root, entry)
            (journal / _LIST).unlink()
        shutil.rmtree(journal)
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be written ({error.strerror}): mend that and run again."
        ) from None
    return True


def _read_list(journal: Path, root: Path) -> list[dict[str, str]]:
    """The list of files; it may have come with a cloned repository, so nothing in it is trusted."""
    try:
        entries: Any = json.loads((journal / _LIST).read_text("utf-8"))
    except ValueError:
        entries = None
    valid = isinstance(entries, list) and all(
        isinstance(entry, dict)
        and "path" in entry
        and all(isinstance(v, str) and _is_inside(root, v) for v in entry.values())
        for entry in entries
    )
    if not valid:
        raise UserError(f"{FOLDER} was not written by this program: remove it.")
    checked: list[dict[str, str]] = entries
    return checked


def _is_inside(root: Path, path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not PurePosixPath(path).is_absolute()
        and ".." not in parts
        and not any(root.joinpath(*parts[:n]).is_symlink() for n in range(1, len(parts) + 1))
    )


def _put(journal: Path, root: Path, entry: dict[str, str]) -> None:
    target = root / entry["path"]
    if "original" in entry and (journal / entry["original_content"]).exists():
        (journal / entry["original_content"]).replace(root / entry["original"])
    if "content" not in entry:
        target.unlink(missing_ok=True)
        _remove_empty_folders(target.parent, root)
    elif (journal / entry["content"]).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        (journal / entry["content"]).replace(target)


def _remove_empty_folders(folder: Path, root: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _lay_down(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
