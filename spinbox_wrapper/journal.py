"""Writing many files at once, all or nothing.

New contents are first laid down whole in a folder beside the answers file; renaming its list of
files into place commits the run. A later run carries a committed one through and drops the rest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

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
    entries = []
    try:
        root.mkdir(parents=True, exist_ok=True)
        journal.mkdir()
        for number, step in enumerate(step for step in steps if step.writes):
            entry: dict[str, object] = {"path": step.path}
            if step.result is not None and step.action is not Action.REMOVE:
                entry["content"] = str(number)
                mode = 0o777 if step.result.executable else 0o666
                _lay_down(journal / str(number), step.result.content, mode)
            if step.action is Action.REPLACE and step.before is not None:
                entry["original"] = f"{step.path}.orig"
                _lay_down(journal / f"{number}.orig", step.before.content, 0o666)
                entry["original_content"] = f"{number}.orig"
            entries.append(entry)
        _lay_down(journal / "new-list", json.dumps(entries).encode(), 0o666)
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


def recover(root: Path) -> bool:
    """Finish or drop what an interrupted run left; whether there was anything.

    Raises:
        UserError: A file cannot be put in its place.
    """
    journal = root / FOLDER
    if not journal.is_dir():
        return False
    try:
        if (journal / _LIST).is_file():
            for entry in json.loads((journal / _LIST).read_text()):
                _put(journal, root, entry)
            (journal / _LIST).unlink()
        shutil.rmtree(journal)
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be written ({error.strerror}): mend that and run again."
        ) from None
    return True


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
