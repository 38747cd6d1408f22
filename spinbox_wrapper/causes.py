"""Why a run changes anything: what differs between the stored answers and the present ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import derivation
from .answers import Answers


def causes(stored: Answers | None, answers: Mapping[str, Any], version: str) -> list[str]:
    """One phrase for every difference, in the order template, project, choices.

    Args:
        stored: What was stored before; None, at a first run, has no differences.
        answers: What is stored now, by question.
        version: The template's version now.
    """
    if stored is None:
        return []
    phrases = []
    if stored.commit != version:
        phrases.append(f"template {stored.commit} -> {version}")
    for part in ("project", "overrides"):
        phrases += _differences(stored.values.get(part) or {}, answers.get(part) or {})
    before, after = _choices(stored.values), _choices(answers)
    for one, other in ((before, after), (after, before)):
        for key in one.keys() - other.keys():
            # A question that came or went, and was never answered otherwise.
            choice = derivation.choices.CHOICES.get(key)
            if choice and not choice.computed and one[key] == choice.default_for({}):
                del one[key]
    return phrases + _differences(before, after)


def _choices(answers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in answers.items()
        if key not in {"project", "overrides"} and not key.startswith("_")
    }


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> list[str]:
    phrases = []
    for key in sorted(before.keys() | after.keys()):
        name = f"{prefix}{key}"
        if key not in before:
            phrases.append(f"{name} is new" + _value(after[key], ": "))
        elif key not in after:
            phrases.append(f"{name} is gone")
        elif isinstance(before[key], Mapping) and isinstance(after[key], Mapping):
            phrases += _differences(before[key], after[key], f"{name}.")
        elif before[key] != after[key]:
            was, now = _value(before[key], ": "), _value(after[key], " -> ")
            phrases.append(f"{name}{was}{now}" if was and now else f"{name} changed")
    return phrases


def _value(value: Any, before: str) -> str:
    """A short value behind `before`; a longer one says less than its name does."""
    if isinstance(value, bool):
        return before + ("yes" if value else "no")
    if value is None or value == "":
        return f"{before}none"
    return f"{before}{value}" if isinstance(value, str | int) else ""
