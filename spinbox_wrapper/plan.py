"""What a run does to each file: pure comparison of three states.

base: what the last run generated; new: what is generated now; disk: what the project holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .render import File

# Base, disk and new content -> merged content, and whether conflict markers are in it.
Merge = Callable[[bytes, bytes, bytes], tuple[bytes, bool]]

_MARKERS = re.compile(rb"^(?:<{7} |>{7} )", re.MULTILINE)


class Action(StrEnum):
    """What happens to a file."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    MERGE = "merge"
    CONFLICT = "conflict"
    REMOVE = "remove"
    KEEP = "keep"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Step:
    """One file's part of a plan.

    Attributes:
        path: Relative to the folder of the answers file.
        action: What happens to it.
        result: What it holds afterwards, or None where it is gone or left alone.
        before: What it holds now.
        reason: Why, where the action alone does not tell.
    """

    path: str
    action: Action
    result: File | None = None
    before: File | None = None
    reason: str = ""

    @property
    def writes(self) -> bool:
        """Whether the file changes."""
        return self.action in _WRITES


_WRITES = {
    Action.CREATE,
    Action.UPDATE,
    Action.REPLACE,
    Action.MERGE,
    Action.CONFLICT,
    Action.REMOVE,
}


def make_plan(
    base: Mapping[str, File],
    new: Mapping[str, File],
    disk: Mapping[str, File],
    merge: Merge,
    answers_file: str,
    *,
    force: bool = False,
    restore: frozenset[str] = frozenset(),
) -> list[Step]:
    """Decide for every generated file, by path.

    Args:
        base: Files that the last run generated; empty for a first run.
        new: Files that are generated now.
        disk: Those of both that exist, as they are.
        merge: How two changes of one file are brought together.
        answers_file: Path of the answers file, which is never merged.
        force: Replace files that were not generated.
        restore: Files to bring back although the user deleted them.
    """
    steps = []
    for path in sorted(base.keys() | new.keys()):
        args = (
            path,
            base.get(path) if path in disk or path not in restore else None,
            new.get(path),
            disk.get(path),
        )
        if path == answers_file:
            steps.append(_answers_step(path, new[path], disk.get(path)))
        elif path in new:
            steps.append(_wanted(*args, merge=merge, force=force))
        elif path in disk:
            steps.append(_no_longer_wanted(path, base[path], disk[path]))
    return steps


def _answers_step(path: str, new: File, disk: File | None) -> Step:
    if disk is None:
        return Step(path, Action.CREATE, new)
    action = Action.UNCHANGED if disk.content == new.content else Action.UPDATE
    return Step(path, action, new, disk)


def _wanted(
    path: str, base: File | None, new: File | None, disk: File | None, *, merge: Merge, force: bool
) -> Step:
    assert new is not None
    if disk is None:
        if base is None:
            return Step(path, Action.CREATE, new)
        return Step(path, Action.KEEP, reason="you deleted it; --restore brings it back")
    if disk == new:
        return Step(path, Action.UNCHANGED, new, disk)
    if base is None:
        if disk.content == new.content:
            return Step(path, Action.UPDATE, new, disk)
        if force:
            return Step(path, Action.REPLACE, new, disk, f"the old one is now {path}.orig")
        return Step(path, Action.FOREIGN, before=disk)
    if _MARKERS.search(disk.content) and not _MARKERS.search(base.content):
        return Step(path, Action.UNRESOLVED, before=disk)
    if disk.content == base.content:
        return Step(path, Action.UPDATE, new, disk)
    if base.content == new.content:
        return Step(path, Action.KEEP, before=disk, reason="you edited it")
    content, conflict = merge(base.content, disk.content, new.content)
    merged = File(content, new.executable)
    return Step(path, Action.CONFLICT if conflict else Action.MERGE, merged, disk)


def _no_longer_wanted(path: str, base: File, disk: File) -> Step:
    if disk.content == base.content:
        return Step(path, Action.REMOVE, before=disk)
    return Step(path, Action.KEEP, before=disk, reason="no longer generated, but you edited it")
