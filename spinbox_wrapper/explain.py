"""`--explain`: where every fact comes from, what fills which name, and who set which choices."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from . import derivation
from .shell import program
from .sync import Reading

_WIDTH = 80


@dataclass(frozen=True)
class Line:
    """One fact or choice.

    Attributes:
        key: As `--set` takes it, where it does.
        value: What counts.
        by: Who says so: `found` in the project, `you`, the `default`, or the `stack`.
        where: `FILE` or `FILE:LINE`; empty where no file says it.
        reason: What stands there, or was looked for in vain.
    """

    key: str
    value: Any
    by: str
    where: str
    reason: str


def explain(reading: Reading) -> tuple[list[Line], list[Line], list[Line]]:
    """The facts, in the order of the answers file, names that the stack fills, and the choices."""
    return _facts(reading), _filled(reading), _choices(reading)


def _filled(reading: Reading) -> list[Line]:
    """Names that code reads and the stack fills, with the rule; none where nothing is derived."""
    answers = {
        **reading.answers,
        **reading.choices,
        "project": reading.facts,
        "overrides": reading.overrides,
    }
    try:
        stack = derivation.deployment.derive(answers).stack
    except derivation.errors.ProjectError:
        return []
    return [
        Line(
            f"{rule.name} of {rule.app.name}",
            rule.value,
            "stack",
            "",
            f"by its name, table of {rule.table}; a value in the settings file comes first; not "
            f"filled with --set {rule.app.kind}.optional={rule.name}",
        )
        for rule in derivation.filling.rules(stack)
    ]


def _facts(reading: Reading) -> list[Line]:
    by_hand = [key for key in reading.overrides if key not in reading.origins]
    return [
        _by_hand(reading, key) if key in reading.overrides else _found(reading, key)
        for key in sorted([*reading.origins, *by_hand], key=_component(reading))
    ]


def _component(reading: Reading) -> Callable[[str], int]:
    """Sorts by component alone: within one, the order stays."""
    components = ["name", *reading.facts]

    def position(key: str) -> int:
        component = key.partition(".")[0]
        return components.index(component) if component in components else len(components)

    return position


def _found(reading: Reading, key: str) -> Line:
    origin = reading.origins[key]
    where = origin.path or ""
    if where and origin.line:
        where += f":{origin.line}"
    return Line(key, _detected(reading, key), "found" if where else "default", where, origin.reason)


def _by_hand(reading: Reading, key: str) -> Line:
    value, was = reading.overrides[key], _detected(reading, key)
    stored = (reading.stored.values.get("overrides") or {}) if reading.stored else {}
    where = reading.answers_file if stored.get(key) == value else ""
    reason = "set earlier with --set" if where else "set in this call"
    if key in reading.origins and was != value:
        reason += f"; found: {_text(was)}"
    return Line(key, value, "you", where, reason)


def _detected(reading: Reading, key: str) -> Any:
    component, _, field = key.partition(".")
    value = reading.facts.get(component)
    if isinstance(value, Mapping):
        return value.get(field) if field else "on"
    return value


def _choices(reading: Reading) -> list[Line]:
    table, stored = derivation.choices.CHOICES, reading.answers
    known = (
        {key: choice.default for key, choice in table.items()} | {**stored} | {**reading.choices}
    )
    lines = []
    for key in sorted(derivation.choices.QUESTIONS):
        default = table[key].default_for(known)
        if key in reading.choices:
            line = Line(key, reading.choices[key], "you", "", "set in this call")
        elif stored.get(key) not in (None, "", default):
            line = Line(key, stored[key], "you", reading.answers_file, "chosen earlier")
        else:
            line = Line(key, default, "default", "", "not chosen")
        lines.append(line)
    return lines


def as_text(facts: list[Line], filled: list[Line], choices: list[Line]) -> str:
    """For people, in 80 columns, a paragraph for each component."""
    lines: list[str] = []
    part = None
    for line in facts:
        if line.key.partition(".")[0] != part:
            part = line.key.partition(".")[0]
            lines.append("")
        lines += _lines(line)
    lines += ["", *(text for line in filled for text in _lines(line))] if filled else []
    lines += ["", *(text for line in choices for text in _lines(line))]
    lines += ["", f"What is wrong is set by hand: {program()} build --prod --set KEY=VALUE"]
    return "\n".join(lines).strip()


def as_json(facts: list[Line], filled: list[Line], choices: list[Line]) -> str:
    """For tools: `version`, `facts`, `filled` and `choices`, each with the fields of `Line`."""
    document = {
        "version": 1,
        "facts": [vars(line) for line in facts],
        "filled": [vars(line) for line in filled],
        "choices": [vars(line) for line in choices],
    }
    return json.dumps(document, indent=2)


def _lines(line: Line) -> list[str]:
    value = textwrap.shorten(_text(line.value), _WIDTH - len(line.key) - 3, placeholder=" ...")
    key = click.style(line.key, bold=True)
    origin = f"{line.where}: {line.reason}" if line.where else line.reason
    indent = "    "
    wrapped = textwrap.wrap(
        origin, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return [f"{key} = {value}", *(click.style(text, dim=True) for text in wrapped)]


def _text(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value in ("", []):
        return "(none)"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
