"""What a run does to each file: pure comparison of three states.

base: what the last run generated; new: what is generated now; disk: what the project holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from pathlib import PurePosixPath
from typing import overload

from .render import File

# Path, base, disk and new content -> merged content, and whether conflict markers are in it.
Merge = Callable[[str, bytes, bytes, bytes], tuple[bytes, bool]]

# A conflict: whole, or what is left of one, by the labels of git, Copier and `merge`. A line
# of the user's own may begin so, too.
_CONFLICT = re.compile(
    rb"^<{7} .*\n(?:.*\n)*?={7}\r?\n(?:.*\n)*?>{7} "
    rb"|^<{7} (?:yours|HEAD|ours|before updating|Updated upstream)\r?$"
    rb"|^>{7} (?:generated now|theirs|after updating|Stashed changes)\r?$",
    re.MULTILINE,
)


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


class Adoption(StrEnum):
    """What becomes of a file that was there before it was generated."""

    TAKE = "take"
    KEEP = "keep"
    MERGE = "merge"


@dataclass(frozen=True)
class Step:
    """One file's part of a plan.

    Attributes:
        path: Relative to the folder of the answers file.
        action: What happens to it.
        before: What it holds now, or None where it is not there.
        generated: What is generated now, or None where it no longer is.
        merged: What it holds afterwards, where that is not what is generated.
        reason: Why, where the action alone does not tell.
    """

    path: str
    action: Action
    before: File | None = None
    generated: File | None = None
    merged: File | None = None
    reason: str = ""

    @property
    def writes(self) -> bool:
        """Whether the file changes."""
        return self.action in _WRITES

    @property
    def after(self) -> File | None:
        """What the file holds afterwards, or None where it is gone."""
        return (self.merged or self.generated) if self.writes else self.before


# As of git's own renames (`git diff --find-renames`, git-diff(1)) with something to spare.
_ALIKE = 0.6

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
    restore: frozenset[str] = frozenset(),
    merged: frozenset[str] = frozenset(),
    follow: bool = False,
) -> list[Step]:
    """Decide for every generated file, by path.

    Args:
        base: Files that the last run generated; empty for a first run.
        new: Files that are generated now.
        disk: Those of both that exist, as they are.
        merge: How two changes of one file are brought together.
        answers_file: Path of the answers file, which is never merged.
        restore: Files to bring back although the user deleted them.
        merged: Files into which what is generated now was merged by a run that did not end.
        follow: Carry edits over where a file has another name now, as another template may do.
    """
    steps = []
    moved = _moved(base, new, disk) if follow else {}
    for path in sorted(base.keys() | new.keys()):
        wanted, there = new.get(path), disk.get(path)
        if wanted is not None and path == answers_file:
            steps.append(_answers_step(path, wanted, there))
        elif wanted is not None and path in moved:
            steps.append(_carried(path, wanted, moved[path], base, disk, merge))
        elif path in moved.values() and there is not None:
            steps.append(Step(path, Action.REMOVE, there, reason="it has another name now"))
        elif wanted is not None:
            known = base.get(path) if there or path not in restore else None
            known = wanted if path in merged else known
            step = _wanted(path, known, wanted, lf(there), merge)
            pinned = _is_pinned(path, base, new, disk)
            steps.append(_in_lf(there, step) if pinned else _in_lines_of(there, step))
        elif there is not None:
            steps.append(_in_lines_of(there, _no_longer_wanted(path, base[path], lf(there))))
    return steps


def _moved(
    base: Mapping[str, File], new: Mapping[str, File], disk: Mapping[str, File]
) -> dict[str, str]:
    """Edited files that have another name now, by the new one: alike as git's renames are."""
    left = base.keys() & disk.keys() - new.keys()
    gone = sorted(path for path in left if lf(disk[path]).content != base[path].content)
    moved: dict[str, str] = {}
    for path in sorted(new.keys() - base.keys() - disk.keys()):
        free = [old for old in gone if old not in moved.values()]
        likeness = {old: _likeness(base[old], new[path]) for old in free}
        best = max(likeness, key=lambda old: likeness[old], default=None)
        if best is not None and likeness[best] >= _ALIKE:
            moved[path] = best
    return moved


def _likeness(one: File, other: File) -> float:
    """The share of lines that two files have in common, from 0 to 1."""
    lines = (one.content.splitlines(), other.content.splitlines())
    return SequenceMatcher(None, *lines, autojunk=False).ratio()


def _carried(
    path: str,
    new: File,
    old: str,
    base: Mapping[str, File],
    disk: Mapping[str, File],
    merge: Merge,
) -> Step:
    content, conflict = merge(path, base[old].content, lf(disk[old]).content, new.content)
    action = Action.CONFLICT if conflict else Action.MERGE
    merged = File(content, new.executable)
    return Step(path, action, None, new, merged, f"was {old}, with your edits")


def adopt(step: Step, adoption: Adoption, merge: Merge) -> Step:
    """The step for a foreign file, once it is decided what becomes of it."""
    assert step.before is not None and step.generated is not None
    if adoption is Adoption.TAKE:
        reason = f"the old one is now {step.path}.orig"
        if step.path == ".env.example":
            reason += ", from which the app's settings are read: commit it"
        return replace(step, action=Action.REPLACE, reason=reason)
    if adoption is Adoption.KEEP:
        return replace(step, action=Action.KEEP, reason="yours; later changes are merged into it")
    there = lf(step.before)
    content, conflict = merge(step.path, b"", there.content, step.generated.content)
    action = Action.CONFLICT if conflict else Action.MERGE
    merged = File(content, step.generated.executable)
    adopted = replace(step, action=action, merged=merged, reason="yours and the generated one")
    return _in_lines_of(step.before, adopted)


def _answers_step(path: str, new: File, disk: File | None) -> Step:
    if disk is None:
        return Step(path, Action.CREATE, generated=new)
    action = Action.UNCHANGED if lf(disk).content == new.content else Action.UPDATE
    return Step(path, action, disk, new)


def _wanted(path: str, base: File | None, new: File, disk: File | None, merge: Merge) -> Step:
    if disk is None:
        if base is None:
            return Step(path, Action.CREATE, generated=new)
        reason = "you deleted it; --restore brings it back"
        return Step(path, Action.KEEP, generated=new, reason=reason)
    # A bit that both versions agree on is the user's, or the file system's.
    executable = disk.executable if base and base.executable == new.executable else new.executable
    step = Step(path, Action.UPDATE, disk, new, File(new.content, executable))
    if disk.content == new.content:
        unchanged = executable == disk.executable
        return replace(step, action=Action.UNCHANGED) if unchanged else step
    if base is None:
        return Step(path, Action.FOREIGN, disk, new)
    if _CONFLICT.search(disk.content) and not _CONFLICT.search(base.content):
        return Step(path, Action.UNRESOLVED, disk, new)
    if disk.content == base.content:
        return step
    kept = replace(step, action=Action.KEEP, reason="you edited it")
    if base.content == new.content:
        return kept
    content, conflict = merge(path, base.content, disk.content, new.content)
    merged = File(content, executable)
    if merged == disk:
        return kept
    return replace(step, action=Action.CONFLICT if conflict else Action.MERGE, merged=merged)


def _no_longer_wanted(path: str, base: File, disk: File) -> Step:
    if disk.content == base.content:
        return Step(path, Action.REMOVE, disk)
    return Step(path, Action.KEEP, disk, reason="no longer generated, but you edited it")


def _is_pinned(
    path: str, base: Mapping[str, File], new: Mapping[str, File], disk: Mapping[str, File]
) -> bool:
    """Whether generated attributes (gitattributes(5)) keep git from giving it other line ends."""
    attributes = (str(folder / ".gitattributes") for folder in PurePosixPath(path).parents)
    return any(name in new and (name in disk or name not in base) for name in attributes)


def _has_crlf(file: File) -> bool:
    return b"\r\n" in file.content and file.content.count(b"\n") == file.content.count(b"\r\n")


@overload
def lf(file: File) -> File: ...
@overload
def lf(file: None) -> None: ...
def lf(file: File | None) -> File | None:
    """A file as it was generated, where git's core.autocrlf gave all its lines other ends."""
    if file is None or not _has_crlf(file):
        return file
    return File(file.content.replace(b"\r\n", b"\n"), file.executable)


def _in_lf(disk: File | None, step: Step) -> Step:
    """The same step, which also takes away line ends that no shell reads."""
    if disk is None or not _has_crlf(disk):
        return step
    if step.writes or step.action not in {Action.UNCHANGED, Action.KEEP}:
        return replace(step, before=disk)
    reason = "its line ends are CRLF, which no shell reads"
    return replace(step, action=Action.UPDATE, before=disk, merged=lf(disk), reason=reason)


def _in_lines_of(disk: File | None, step: Step) -> Step:
    """The same step, with the line ends that the file has on disk."""
    if disk is None or not _has_crlf(disk):
        return step
    after = step.merged or step.generated
    if after is not None:
        after = File(lf(after).content.replace(b"\n", b"\r\n"), after.executable)
    return replace(step, before=disk, merged=after)
