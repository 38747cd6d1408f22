"""What the checks say: for people in 80 columns, or as JSON for tools."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from .. import report
from .model import Check, Context, Status

_WIDTH = 80
_COLOURS = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "red"}
_ID = 22
_INDENT = 5 + _ID


def as_text(context: Context, checks: Sequence[Check]) -> str:
    """The report for people, without its last line."""
    name = context.stack.name
    title = f"{name}, {context.environment}: {report.summary(context.stack)}"
    lines = textwrap.wrap(title, _WIDTH, subsequent_indent="  ", break_long_words=False)
    lines[0] = lines[0].replace(name, click.style(name, bold=True), 1)
    if context.project != Path():
        lines.append(f"Commands are for {context.project}/")
    return "\n".join([*lines, "", *map(line, checks)])


def line(check: Check) -> str:
    """One check: its status, its id and what was seen; below it what mends it."""
    mark = click.style(f"{check.status.value}", fg=_COLOURS[check.status])
    seen = textwrap.wrap(check.seen, _WIDTH - _INDENT, break_long_words=False)
    head = f"{mark} {check.id:<{_ID}}"
    indented = [" " * _INDENT + text for text in seen[1:]]
    mend = [check.mend] if check.mend else []
    # A command stays on one line, so that it can be copied; what to edit is a sentence.
    if check.mend[:1].isupper():
        mend = textwrap.wrap(check.mend, _WIDTH - 7, break_long_words=False)
    return "\n".join([f"{head}{seen[0]}", *indented, *(f"       {text}" for text in mend)])


def counts(checks: Sequence[Check]) -> str:
    """How many checks ended how."""
    numbers = {s: sum(check.status is s for check in checks) for s in Status}
    return (
        f"\n{numbers[Status.PASS]} passed, {numbers[Status.WARN]} to look at, "
        f"{numbers[Status.FAIL]} failed."
    )


def problem(checks: Sequence[Check]) -> str | None:
    """What failed, as one sentence; None where nothing did."""
    names = [check.id for check in checks if check.status is Status.FAIL]
    if not names:
        return None
    return f"Mend what failed, then check again: {', '.join(names)}."


def as_json(context: Context, checks: Sequence[Check]) -> str:
    """The report for tools; `check.schema.json` describes it."""
    document = {
        "version": 1,
        "project": context.stack.name,
        "environment": context.environment,
        "checks": [asdict(check) for check in checks],
        "passed": problem(checks) is None,
    }
    return json.dumps(document, indent=2)
