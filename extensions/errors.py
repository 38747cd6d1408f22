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
        text = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        return f'"{text}"' if "'" in text else f"'{text}'"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return "what stands there"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
