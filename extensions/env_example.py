"""The example of the settings file: the name it is generated under, and what is ours of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .choice import Choice
from .tree import Tree, join

USUAL = ".env.example"
# Where the app has a file of the usual name.
BESIDE = ".env.prod.example"
CHOICE = Choice(
    "env_example",
    "",
    USUAL,
    values={USUAL: "The usual name", BESIDE: "Beside the app's own"},
    proposed=True,
    setting="Name of the generated example of `.env`, beside an app's own `.env.example`",
)
# The first line, or a heading, of the generated file, which pads them to one width.
_GENERATED = re.compile(r"^# (Settings of \S+ in production\.|(?=.{99}$)--- .+ -+$)", re.MULTILINE)
# Under which names apps have examples of their settings.
_EXAMPLES = (
    USUAL,
    f"{USUAL}.orig",
    ".env.local.example",
    ".env.production.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    "env.example",
    "env.sample",
)
_SETTING = re.compile(r"""\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|(.*))""")


def theirs(text: str) -> str:
    """What is the app's own of a file with the usual name: all that stands before generated lines.

    The file may be the generated one, or hold it behind the app's own lines.
    """
    generated = _GENERATED.search(text)
    return text[: generated.start()] if generated else text


@dataclass(frozen=True)
class Line:
    """A name and its value in an example file, which is not in quotes any more."""

    name: str
    value: str
    number: int


def lines(text: str) -> Iterator[Line]:
    """What an example file sets; what is commented out sets nothing."""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _SETTING.match(line):
            value = match[2] or match[3] or re.sub(r"(^|\s)#.*", "", match[4] or "").strip()
            yield Line(match[1], value, number)


def read(tree: Tree, folder: str) -> Iterator[tuple[str, Line]]:
    """What the app's own example files in a folder set, with the file of each line.

    Raises:
        ProjectError: A file cannot be read.
    """
    for name in _EXAMPLES:
        if tree.has(path := join(folder, name)):
            yield from ((path, line) for line in lines(theirs(tree.read(path))))


def propose(folder: Path, answers_file: str) -> dict[str, str]:
    """The name to generate under, to be stored at the first run.

    Args:
        folder: Where the generated files go.
        answers_file: Its name; files that were generated before keep the names they have.

    Returns:
        `env_example`.
    """
    file = folder / USUAL
    # Nothing but a file: a pipe would be waited for, and is in the way as ever.
    taken = file.is_file() and not os.path.lexists(folder / answers_file)
    return {CHOICE.key: BESIDE if taken and not _is_generated(file) else USUAL}


def _is_generated(file: Path) -> bool:
    """Whether a file is what an earlier run made, or holds it."""
    try:
        return _GENERATED.search(file.read_text("utf-8", "replace")) is not None
    except OSError:
        return False
