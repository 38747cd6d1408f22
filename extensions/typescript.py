"""Lines of TypeScript and JSON as Prettier lays them out (prettier.io/docs/options, "Print Width").

A project's own hook may refuse others.
"""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH = 80


def member(indent: int, name: str, value: str) -> str:
    """A member of an object, a value of one word."""
    line = f"{' ' * indent}{name}: {value},"
    if len(line) <= _WIDTH:
        return line
    return f"{' ' * indent}{name}:\n{' ' * (indent + 2)}{value},"


def enclosed(
    indent: int, start: str, items: Sequence[str], end: str, *, spaces: bool = False
) -> str:
    """What stands between `start` and `end`, on one line where it fits, else on one each.

    Args:
        indent: Of the first line.
        start: As in `names: [`.
        items: Between the two.
        end: As in `],`.
        spaces: Between brackets and items on one line, as braces have.
    """
    gap = " " if spaces and items else ""
    line = f"{' ' * indent}{start}{gap}{', '.join(items)}{gap}{end}"
    if len(line) <= _WIDTH or not items:
        return line
    inner = "\n".join(f"{' ' * (indent + 2)}{item}," for item in items)
    return f"{' ' * indent}{start}\n{inner}\n{' ' * indent}{end}"


# What templates lay out with, under `ts`.
FUNCTIONS = (member, enclosed)
