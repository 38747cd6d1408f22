"""Files that were there before: shown one by one, for the user to decide what becomes of each."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from . import diff
from .errors import UserError
from .merge import merge
from .plan import Action, Adoption, Step, adopt
from .sync import Outcome
from .terminal import say

_KEYS = {"t": Adoption.TAKE, "k": Adoption.KEEP, "m": Adoption.MERGE}
_QUESTION = "[t]ake the generated one, [k]eep yours, [m]erge both, [q]uit"


def decide(outcome: Outcome, how: str | None, *, colour: bool) -> Outcome:
    """Settle what becomes of the files that were not generated.

    Args:
        outcome: The plan.
        how: One `Adoption` for all, or `ask`; None leaves them as they are.
        colour: Whether the differences are shown in colour.

    Raises:
        UserError: The user cannot be asked.
        click.Abort: The user quits.
    """
    foreign = outcome.having(Action.FOREIGN)
    if not foreign or how is None:
        return outcome
    if how == "ask" and not sys.stdin.isatty():
        raise UserError(
            "--adopt asks on a terminal: elsewhere, say --adopt=take, --adopt=keep or "
            "--adopt=merge."
        )
    folder = outcome.request.output
    steps = [
        adopt(step, _ask(step, folder, colour) if how == "ask" else Adoption(how), merge)
        if step.action is Action.FOREIGN
        else step
        for step in outcome.steps
    ]
    return replace(outcome, steps=tuple(steps))


def _ask(step: Step, folder: str, colour: bool) -> Adoption:
    taken = replace(step, action=Action.REPLACE)
    click.echo()
    click.echo(diff.unified([taken], folder, colour=colour))
    say(f"{step.path} exists: {_QUESTION}")
    key = click.prompt("Your choice", type=click.Choice([*_KEYS, "q"]), show_choices=False)
    if key == "q":
        raise click.Abort
    return _KEYS[key]
