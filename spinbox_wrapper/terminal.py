"""What is printed for people: texts that may hold names of somebody else's files."""

from __future__ import annotations

import re

import click

# Colours, which click drops where there is no terminal; else what moves the cursor, rings, or
# changes the direction of the text (Unicode, "Bidirectional formatting characters").
_SPECIAL = re.compile(
    r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""The text with its control characters written out, as in `\x1b`."""
    return _SPECIAL.sub(lambda found: found[1] or ascii(found[0])[1:-1], text)


def say(text: str, *, err: bool = False) -> None:
    """Print a text, to standard output or standard error."""
    click.echo(printable(text), err=err)
