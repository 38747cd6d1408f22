"""One key of `--set`: what it takes, and what it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A fact that can be set by hand.

    Attributes:
        key: `name`, or `COMPONENT.FIELD`.
        kind: `text`, `number`, `boolean`, `list` (comma separated) or a `|`-joined set of words.
        help: What it is, for the README's table.
    """

    key: str
    kind: str
    help: str
