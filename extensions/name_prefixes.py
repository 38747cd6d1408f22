"""What an app puts before the names of all its settings, as in `APP_DB_HOST`.

A prefix that only some names have tells which of several databases or addresses is meant, so it
says nothing of how an app calls its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from .origins import Found, line_at
from .python_source import Module

# The fact with the prefix of the one settings class.
FIELD = "prefixes"
_OF_CLASS = re.compile(r"""\benv_prefix["']?\s*[=:]\s*["'](\w+)["']""")
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


def read(modules: Iterable[Module]) -> Found[list[str]]:
    """The prefix of an app's settings class, where there is one such class (pydantic)."""
    found = [(match, module) for module in modules for match in _OF_CLASS.finditer(module.text)]
    names = sorted({match[1].upper() for match, _ in found})
    if len(names) != 1 or _OTHERS.fullmatch(names[0]):
        return Found([], "no settings class has a prefix of all settings")
    match, module = found[0]
    line = line_at(module.text, match.start())
    return Found(names, "prefix of the settings class", module.path, line)


def shared(names: Collection[str], known: Collection[str] = ()) -> tuple[str, ...]:
    """The prefixes that an app's names have in common; two underscores are another than one.

    Args:
        names: Its variables.
        known: What its settings class says.
    """
    firsts = [match[0] for name in names if (match := _FIRST.match(name))]
    found = [*known]
    for prefix in dict.fromkeys(firsts):
        number = firsts.count(prefix)
        many = number >= _FEWEST and number * 2 >= len(names)
        if (prefix in _USUAL or many) and prefix not in found and not _OTHERS.fullmatch(prefix):
            found.append(prefix)
    return tuple(found)


def of(name: str, prefixes: Collection[str]) -> str:
    """The one of the prefixes that a name has; empty for none."""
    return next((p for p in prefixes if name.startswith(p) and len(name) > len(p)), "")


def is_usual(prefix: str) -> bool:
    """Whether a prefix stands for the app itself, whatever its other names are."""
    return prefix in _USUAL
