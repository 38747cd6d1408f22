"""What an app puts before the names of all its settings, as in `APP_DB_HOST`.

A prefix that only some names have tells which of several databases or addresses is meant, so it
says nothing of how an app calls its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# An app's own, whatever its name is.
_USUAL = ("APP_", "DJANGO_", "FLASK_", "FASTAPI_", "NEST_")
# So many of the names have it, and not fewer than half of them, where it is another.
_FEWEST = 3
_FIRST = re.compile(r"[A-Z][A-Z0-9]*_{1,2}")
# Beside the main one there is another one of the kind.
_OTHERS = re.compile(
    r"(?:TEST|REPLICA|READ|READONLY|LEGACY|OLD|SOURCE|REMOTE|EXTERNAL|SHADOW|BACKUP|ANALYTICS"
    r"|WAREHOUSE|SECONDARY|NEXT|VITE|PUBLIC|REACT)_{1,2}"
)


def shared(names: Collection[str]) -> tuple[str, ...]:
    """The prefixes that an app's names have in common; two underscores are another than one."""
    firsts = [match[0] for name in names if (match := _FIRST.match(name))]
    found = []
    for prefix in dict.fromkeys(firsts):
        number = firsts.count(prefix)
        many = number >= _FEWEST and number * 2 >= len(names)
        if (prefix in _USUAL or many) and not _OTHERS.fullmatch(prefix):
            found.append(prefix)
    return tuple(found)


def of(name: str, prefixes: Collection[str]) -> str:
    """The one of the prefixes that a name has; empty for none."""
    return next((p for p in prefixes if name.startswith(p) and len(name) > len(p)), "")


def is_usual(prefix: str) -> bool:
    """Whether a prefix stands for the app itself, whatever its other names are."""
    return prefix in _USUAL
