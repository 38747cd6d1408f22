"""The one kind of error that derivation raises, and how its messages name a value."""

from __future__ import annotations

import json
from typing import Any

# As much of a value as a sentence can hold.
_SHOWN = 80


class ProjectError(Exception):
    """Something in the project, or a value given for it, that the user can mend.

    The message is one plain sentence that says what is wrong and what to do.
    """


def shown(value: Any) -> str:
    """A value as its owner wrote it: a text in quotes, all else as JSON has it."""
    if isinstance(value, str):
        text = _printable(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
        return f'"{text}"' if "'" in text else f"'{text}'"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return "what stands there"
    return _printable(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _printable(text: str) -> str:
    """A text whose other characters, such as those that turn it round, are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
