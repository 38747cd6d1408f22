"""Spinbox's `.conf` files: lines of `KEY="value"` made for Bash's `source`; never executed here."""

import re
from collections.abc import Mapping

from .errors import ProjectError
from .origins import Found, Origin

_ASSIGNMENT = re.compile(
    r"\s*(?:export\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL
)
_DOUBLE_QUOTED_ESCAPE = re.compile(r'\\([\\"$`])')

# Values by key.
Conf = Mapping[str, Found[str]]
# Key names of older Spinbox versions.
LEGACY_KEYS = {
    "USE_BACKEND": "USE_FASTAPI",
    "USE_FRONTEND": "USE_NEXTJS",
    "USE_DATABASE": "USE_POSTGRESQL",
}


def parse_conf(text: str, path: str) -> dict[str, Found[str]]:
    """Parse the text of a `.conf` file.

    Args:
        text: The file's text; a BOM, CRLF line ends, comments and blank lines are accepted.
        path: The file's name for error messages and origins.

    Returns:
        Values by key, the last assignment winning as in Bash. Legacy keys come under their
        present name unless that one is there as well; the origin's reason is the key as it stands
        in the file. `$` is plain text: nothing is expanded.

    Raises:
        ProjectError: A line is neither an assignment, a comment nor blank, or a quote stays open.
    """
    values: dict[str, Found[str]] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            raise ProjectError(f'{path}, line {number} is not of the form KEY="value": correct it.')
        value = _unquote(match["value"].strip(), f"{path}, line {number}")
        values[match["key"]] = Found(value, match["key"], path, number)
    for legacy, present in LEGACY_KEYS.items():
        if legacy in values:
            values.setdefault(present, values[legacy])
            del values[legacy]
    return values


def given(conf: Conf, key: str) -> Found[str] | None:
    """The value of a key, or None where it is missing or empty."""
    found = conf.get(key)
    return found if found and found.value else None


def is_true(value: str) -> bool:
    """Whether a `.conf` value switches something on."""
    return value.strip().lower() in {"true", "yes", "on", "1"}


def switched_on(conf: Conf, key: str) -> Origin | None:
    """Where a component is switched on, or None."""
    found = conf.get(key)
    if found is None or not is_true(found.value):
        return None
    return Origin(found.path, found.line, f"{found.reason} is {found.value.strip()}")


# What a word of Bash is made of: quoted, escaped and bare pieces, one after the other.
_PIECE = re.compile(
    r""""(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|\\(?P<escaped>.)|(?P<bare>[^\s"'\\]+)"""
)


def _unquote(raw: str, where: str) -> str:
    value, position = "", 0
    while match := _PIECE.match(raw, position):
        position = match.end()
        if match["double"] is not None:
            value += _DOUBLE_QUOTED_ESCAPE.sub(r"\1", match["double"])
        else:
            value += next(piece for piece in match.groups()[1:] if piece is not None)
    rest = raw[position:]
    if rest[:1] in {'"', "'"}:
        raise ProjectError(f"{where} has an opening {rest[0]} without its end: close the quote.")
    if rest.strip() and not re.match(r"\s+#", rest):
        raise ProjectError(f"{where} has more than one word: put the value in quotes.")
    return value
