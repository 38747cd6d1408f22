"""Spinbox's `.conf` files: `KEY="value"` lines, written for Bash's `source` and never executed here."""

import re

from .errors import ProjectError

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_DOUBLE_QUOTED_ESCAPE = re.compile(r'\\([\\"$`])')

# Key names of older Spinbox versions.
LEGACY_KEYS = {
    "USE_BACKEND": "USE_FASTAPI",
    "USE_FRONTEND": "USE_NEXTJS",
    "USE_DATABASE": "USE_POSTGRESQL",
}


def parse_conf(text: str, path: str) -> dict[str, str]:
    """Parse the text of a `.conf` file.

    Args:
        text: The file's text; a BOM, CRLF line ends, comments and blank lines are accepted.
        path: The file's name for error messages.

    Returns:
        Values by key, the last assignment winning as in Bash. Legacy keys come under their
        present name unless that one is there as well. `$` is plain text: nothing is expanded.

    Raises:
        ProjectError: A line is neither an assignment, a comment nor blank, or a quote stays open.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            raise ProjectError(f'{path}, line {number} is not of the form KEY="value": correct it.')
        values[match["key"]] = _unquote(match["value"].strip(), f"{path}, line {number}")
    for legacy, present in LEGACY_KEYS.items():
        if legacy in values:
            values.setdefault(present, values[legacy])
            del values[legacy]
    return values


def is_true(value: str) -> bool:
    """Whether a `.conf` value switches something on."""
    return value.strip().lower() in {"true", "yes", "on", "1"}


def _unquote(raw: str, where: str) -> str:
    if raw[:1] in {'"', "'"}:
        quote = raw[0]
        pattern = r'"((?:[^"\\]|\\.)*)"' if quote == '"' else r"'([^']*)'"
        match = re.match(pattern, raw)
        if match is None:
            raise ProjectError(f"{where} has an opening {quote} without its end: close the quote.")
        rest = raw[match.end() :].strip()
        if rest and not rest.startswith("#"):
            raise ProjectError(f"{where} has text after the closing quote: remove it.")
        return _DOUBLE_QUOTED_ESCAPE.sub(r"\1", match[1]) if quote == '"' else match[1]
    return re.split(r"\s+#", raw, maxsplit=1)[0].strip()
