"""The generated files: there, up to date, without conflict markers."""

from __future__ import annotations

from collections.abc import Sequence

from ..plan import Action, Step
from .model import Check, Context, failed, passed, warned

IDS = {
    "files.generated": "Every file that the project needs is there",
    "files.in_sync": "No file is out of date, and none of your own is in the way",
    "files.conflicts": "No file holds conflict markers",
}
_COMPOSE = "docker-compose.prod.yml"


def look(context: Context) -> list[Check]:
    """All checks of this module."""
    return [_generated(context), *_in_sync(context), _conflicts(context)]


def _generated(context: Context) -> Check:
    id_ = "files.generated"
    outcome = context.outcome
    if not outcome.deployment.surfaces[context.target].wanted and context.is_default_target:
        mend = f"{context.command} --compose"
        return failed(id_, f"{_COMPOSE} is left out of what is generated.", mend)
    missing = outcome.having(Action.CREATE)
    deleted = [s for s in outcome.steps if s.before is None and s.action is Action.KEEP]
    needed = [step for step in deleted if not step.path.endswith(".md")]
    if missing:
        return failed(id_, f"{_named(context, missing)} missing.", context.command)
    if deleted:
        report = failed if needed else warned
        restored = " ".join(f"--restore {outcome.request.named(step.path)}" for step in deleted)
        why = "git ignores" if deleted[0].path in outcome.ignored else "you deleted"
        seen = f"{_named(context, deleted)} missing: {why} that."
        return report(id_, seen, f"{context.build_command} {restored}")
    return passed(id_, f"{len(outcome.steps)} generated files are there.")


def _in_sync(context: Context) -> list[Check]:
    id_ = "files.in_sync"
    outcome = context.outcome
    if foreign := outcome.having(Action.FOREIGN):
        mend = f"{context.command} --adopt"
        return [failed(id_, f"{_named(context, foreign)} there, but not generated.", mend)]
    note = outcome.request.answers_file
    due = [
        step
        for step in outcome.steps
        if step.writes
        and step.action is not Action.CREATE
        and not (step.path == note and step.action is Action.UPDATE)
    ]
    if due:
        return [failed(id_, f"{_named(context, due)} out of date.", context.command)]
    if outcome.stored is None:
        return []
    return [passed(id_, "Nothing has changed since the files were generated.")]


def _conflicts(context: Context) -> Check:
    id_ = "files.conflicts"
    if marked := context.outcome.having(Action.UNRESOLVED):
        mend = f"Edit {context.outcome.request.named(marked[0].path)}: keep what is meant."
        return failed(id_, f"Conflict markers: {_names(context, marked)}.", mend)
    return passed(id_, "No file holds conflict markers.")


def _names(context: Context, steps: Sequence[Step]) -> str:
    names = [context.outcome.request.named(step.path) for step in steps]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _named(context: Context, steps: Sequence[Step]) -> str:
    return f"{_names(context, steps)} {'is' if len(steps) == 1 else 'are'}"
