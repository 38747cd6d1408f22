"""Generated files that git does not have, or has otherwise, and missing ones that others need."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from . import derivation
from .plan import Action, Step, lf
from .render import File

if TYPE_CHECKING:
    from .sync import Request

# What a line of each kind of file takes from the folder: an image, a stack, a script.
_TAKES = {
    "Dockerfile": re.compile(r"^COPY (?!--from)(.*)", re.MULTILINE),
    ".yml": re.compile(r"^([^#\n]*)", re.MULTILINE),
    ".yaml": re.compile(r"^([^#\n]*)", re.MULTILINE),
    ".sh": re.compile(r"^\s*(?:\. |.*awk .*-f )(.*)", re.MULTILINE),
}
_WORD = re.compile(r"[\w./-]+")


def ignored(request: Request, rules: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each rule of git's that hides generated files.

    Args:
        request: What was asked for.
        rules: By path, as `extensions/tree.py` gives them.
    """
    for rule in dict.fromkeys(rules.values()):
        hidden = [path for path in rules if rules[path] == rule]
        yield (
            f"git ignores {listed(request, hidden)} ({rule}), so a clone lacks "
            f"{'it' if len(hidden) == 1 else 'them'}: add {'it' if len(hidden) == 1 else 'them'} "
            "with git add --force, or change that line."
        )


class Committed:
    """The files of the last commit."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def __call__(self, path: str) -> bytes | None:
        """What a generated file holds there, or None where it is not in it."""
        name = f"HEAD:./{self.request.named(path)}"
        try:
            # Other commands that show a file run filters which the repository's settings name.
            result = derivation.git.ask(self.request.project, "cat-file", "blob", name)
        except derivation.errors.ProjectError:
            return None
        return result.stdout if result.ok else None


def unedited(
    before: Mapping[str, File], base: Mapping[str, File], disk: Mapping[str, File]
) -> dict[str, File]:
    """Files that are as the answers of the last commit generate them, which the user took back.

    Args:
        before: What those answers generate.
        base: What the stored ones generate, which are newer, or were edited by hand.
        disk: The project's files.
    """
    return {
        path: before[path]
        for path in before.keys() & disk.keys()
        if lf(disk[path]).content == before[path].content and before[path] != base.get(path)
    }


def lost(
    before: Mapping[str, File],
    base: Mapping[str, File],
    steps: Sequence[Step],
    committed: Committed,
) -> Iterator[str]:
    """One sentence each on edited and on missing files that lack what the last run changed.

    Args:
        before: What the answers of the last commit generate; nothing where they are the stored.
        base: What the stored ones generate, which are newer, or were edited by hand.
        steps: The plan.
        committed: The last commit.
    """
    if not before:
        return
    request = committed.request
    edited: list[str] = []
    gone: list[str] = []
    for step in steps:
        old, now = before.get(step.path), base.get(step.path)
        if step.action is not Action.KEEP or now is None or old == now:
            continue
        there = None if step.before is None else lf(step.before).content
        if committed(step.path) == there:
            (gone if there is None else edited).append(step.path)
    answers = request.named(request.answers_file)
    if edited:
        yield (
            f"{listed(request, edited)}: as in the last commit, without what the last run changed, "
            f"while {answers} is newer, or was edited by hand. If that is not meant: git checkout "
            f"-- {shlex.quote(answers)}, and run again with the options of that run."
        )
    if gone:
        yield (
            f"{listed(request, gone)}: missing, and in no commit, while {answers} says that the "
            f"last run made {'it' if len(gone) == 1 else 'them'}. {bring_back(request, gone)}"
        )


def bring_back(request: Request, paths: Sequence[str]) -> str:
    """What to run for files that are missing."""
    options = [word for path in paths for word in ("--restore", request.named(path))]
    them = "it" if len(paths) == 1 else "them"
    return f"Bring {them} back: {request.command} {shlex.join(options)}"


def listed(request: Request, paths: Sequence[str]) -> str:
    """The first of several paths as the user sees them, and how many more there are."""
    names = [request.named(path) for path in paths]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def lacking(request: Request, needed: Mapping[str, str]) -> str:
    """One sentence on missing files that others need, and what to do."""
    paths, (user, *more) = sorted(needed), list(dict.fromkeys(needed.values()))
    verb, them = ("is", "it") if len(paths) == 1 else ("are", "them")
    by = f"{request.named(user)}{' and others need' if more else ' needs'} {them}"
    return f"{listed(request, paths)} {verb} missing, but {by}. {bring_back(request, paths)}"


def needed(steps: Sequence[Step], output: str) -> dict[str, str]:
    """Missing files without which another one does not work, each with that one.

    Args:
        steps: The plan.
        output: The folder that the files lie in, relative to the project's.
    """
    missing = {s.path for s in steps if s.action is Action.KEEP and s.before is None}
    if not missing:
        return {}
    found: dict[str, str] = {}
    for step in steps:
        if step.after is not None:
            for path in sorted(_taken(step.path, step.after, output) & missing):
                found.setdefault(path, step.path)
    return found


def _taken(path: str, file: File, output: str) -> set[str]:
    """The paths that a file takes something from, and some that are none."""
    name = posixpath.basename(path)
    kind = "Dockerfile" if "Dockerfile" in name else posixpath.splitext(name)[1]
    if kind not in _TAKES or name.endswith(".dockerignore"):
        return set()
    folder = posixpath.dirname(path)
    # What Compose says where a setting is missing is no path.
    text = re.sub(r":\?[^}\n]*", "", lf(file).content.decode("utf-8", "replace"))
    lines = _TAKES[kind].findall(text)
    taken = set()
    for word in (word for line in lines for word in _WORD.findall(line)):
        word = word.lstrip("/")
        # From the file's own folder, the scripts' top folder, and a build's context.
        taken |= {posixpath.normpath(posixpath.join(folder, word)), posixpath.normpath(word)}
        taken.add(posixpath.relpath(word or ".", output))
    return taken
