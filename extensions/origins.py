"""Where facts come from: a value is found together with its file, its line and the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)

BY_HAND = "set by hand"


@dataclass(frozen=True)
class Origin:
    """Where a fact comes from.

    Attributes:
        path: The file (or folder) that says it, in POSIX form relative to the project's top
            folder; None for a default, what was set by hand, and what was not found.
        line: The line in that file, counted from 1; None where no single line says it.
        reason: A phrase for the user, without a full stop: what stands there, or what was looked
            for in vain.
    """

    path: str | None
    line: int | None
    reason: str


@dataclass(frozen=True)
class Found(Generic[T_co]):
    """A value as a reader found it, and its origin."""

    value: T_co
    reason: str
    path: str | None = None
    line: int | None = None

    @property
    def origin(self) -> Origin:
        """Where the value comes from."""
        return Origin(self.path, self.line, self.reason)


# Fields of a component by their name.
Fields = dict[str, Found[Any]]


def line_at(text: str, position: int) -> int:
    """The number of the line that a position in `text` is on."""
    return text.count("\n", 0, position) + 1


def only_line(text: str, pattern: str) -> int | None:
    """The line of the only match of `pattern`; None where there are several, as that is a guess."""
    matches = list(re.finditer(pattern, text, re.MULTILINE))
    return line_at(text, matches[0].start()) if len(matches) == 1 else None


def and_more(names: Sequence[str]) -> str:
    """What follows the first of one or more names."""
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def either(names: Sequence[str]) -> str:
    """Two or more names as in `a, b or c`."""
    return f"{', '.join(names[:-1])} or {names[-1]}"
