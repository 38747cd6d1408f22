"""The guide: the steps that bring this very project to its server."""

from __future__ import annotations

import json

from . import report
from .sync import Outcome


def guide(outcome: Outcome) -> list[str]:
    """The commands of a first deployment, in their order."""
    return report.next_steps(outcome)


def as_text(outcome: Outcome) -> str:
    """The guide for people."""
    lines = [f"{outcome.stack.name}: {report.summary(outcome.stack)}", ""]
    lines += [f"{number}. {step}" for number, step in enumerate(guide(outcome), start=1)]
    return "\n".join(lines)


def as_json(outcome: Outcome) -> str:
    """The guide for tools."""
    document = {"version": 1, "project": outcome.stack.name, "steps": guide(outcome)}
    return json.dumps(document, indent=2)
