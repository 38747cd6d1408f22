"""What a run says: for people in 80 columns, or as JSON for tools."""

from __future__ import annotations

import json
import os
import shlex
import textwrap
from collections.abc import Sequence

import click

from . import derivation, diff, missing_settings, shell, tracking
from .causes import causes
from .plan import Action, Step
from .sync import Outcome

_COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "green",
    Action.REPLACE: "yellow",
    Action.MERGE: "green",
    Action.CONFLICT: "red",
    Action.REMOVE: "yellow",
    Action.UNRESOLVED: "red",
    Action.FOREIGN: "red",
}

_MOST_FINDINGS = 10


def summary(stack: derivation.model.Stack) -> str:
    """What the project consists of, as in `FastAPI in backend/, PostgreSQL`."""
    apps = [
        app.title + ("" if app.directory == "." else f" in {app.directory}/") for app in stack.apps
    ]
    names = {False: "a background worker", True: "a scheduler"}
    workers = [names[worker.alone] for worker in stack.workers]
    services = [service.title for service in stack.services]
    services += [f"{service.title} elsewhere" for service in stack.external]
    return ", ".join(apps + workers + services)


def next_steps(outcome: Outcome) -> list[str]:
    """The commands that come next, for a first run."""
    root, project = outcome.request.root, outcome.request.project
    folder = os.path.relpath(root)
    if folder.startswith(".."):
        folder = str(root.resolve())
    steps = [] if folder == "." else [f"cd {shlex.quote(folder)}"]
    if not outcome.deployment.surfaces[derivation.targets.DEFAULT].wanted:
        # From the project's top folder, which is the context.
        files = [(app, root / app.dockerfile) for app in outcome.stack.apps]
        return [
            f"docker build -f {shlex.quote(os.path.relpath(file))} "
            f"-t {outcome.stack.name}-{app.name} {shlex.quote(os.path.relpath(project))}"
            for app, file in files
        ]
    asked = missing_settings.asked(outcome.deployment)
    steps.append("sh deploy/init-env.sh" + (f"  # asks for {', '.join(asked)}" if asked else ""))
    compose = derivation.guide.COMPOSE
    if outcome.stack.rolled:
        steps.append("sh deploy/deploy.sh")
    elif outcome.stack.services:
        steps.append(f"{compose} up -d --build --wait")
    steps += [f"{compose} run --rm --build {job.name}" for job in outcome.stack.jobs]
    return steps


def problem(outcome: Outcome) -> str | None:
    """Why nothing can be written, as one sentence that says what to do; None where it can."""
    if unresolved := outcome.having(Action.UNRESOLVED):
        return (
            f"Resolve the conflict markers in {_names(outcome, unresolved)}, then run again; "
            "nothing was written."
        )
    if foreign := outcome.having(Action.FOREIGN):
        return (
            f"These files exist and were not generated: {_names(outcome, foreign)}. Nothing was "
            "written; decide for each with --adopt, or move them away."
        )
    return None


def lacking(outcome: Outcome) -> str | None:
    """Which files a checkout lacks although it does not work without them; None for none."""
    absent = {step.path for step in outcome.steps if step.after is None}
    if hidden := {path: rule for path, rule in outcome.ignored.items() if path in absent}:
        return next(tracking.ignored(outcome.request, hidden))
    if outcome.needed:
        return tracking.lacking(outcome.request, outcome.needed)
    return None


def as_text(outcome: Outcome, *, written: bool, verbose: bool, check: bool = False) -> str:
    """The report for people.

    Args:
        outcome: The run.
        written: Whether it was carried out.
        verbose: Name unchanged files and all findings too.
        check: Only what is out of date is asked for, and not whether the stack starts.
    """
    lines = [f"{click.style(outcome.stack.name, bold=True)}: {summary(outcome.stack)}", ""]
    shown = [step for step in outcome.steps if verbose or step.action is not Action.UNCHANGED]
    lines += [_line(outcome, step) for step in shown]
    if any(step.writes for step in outcome.steps):
        reasons = causes(outcome.stored, outcome.answers, outcome.version)
        if reasons:
            lines += ["", "Because of:", *(f"  {reason}" for reason in reasons)]
        if not written:
            lines += ["", "Nothing was written."]
        if not written and outcome.in_sync:
            lines[-1] += " The next run will note the new version; no other file changes."
    elif outcome.in_sync:
        lines.append("Everything is up to date.")
    for seen, mend in _notes(outcome):
        lines += ["", click.style("Note: ", fg="yellow") + seen]
        lines += [f"  {mend}"] if mend else []
    if not check:
        lines += _start(outcome, verbose=verbose)
    if outcome.having(Action.CONFLICT):
        return "\n".join(lines)
    if written and (targets := outcome.request.added.get("targets")):
        lines += ["", "Next, as the guide says:"]
        lines += [f"  {outcome.request.guide_for(target)}" for target in targets]
    elif written and outcome.stored is None:
        lines += ["", "Next, as deploy/README.md explains:"]
        lines += [f"  {step}" for step in next_steps(outcome)]
    return "\n".join(lines)


def _notes(outcome: Outcome) -> list[tuple[str, str]]:
    """What the user should know, and a command where one mends it.

    With written files, that is also which images get no fixes any more.
    """
    # The checks look at what is planned here.
    from .checks import Context, lifecycle

    writes = any(step.writes for step in outcome.steps)
    own = [(warning, "") for warning in outcome.warnings]
    return [*own, *(lifecycle.ended(Context(outcome)) if writes else ())]


def _start(outcome: Outcome, *, verbose: bool) -> list[str]:
    """What keeps the stack from starting: first what does for certain, ten findings at most.

    Where nothing was to be done, guesses were told before: they are counted alone.
    """
    findings = _findings(outcome)
    told = [f for f in findings if f.certain or not outcome.in_sync][:_MOST_FINDINGS]
    shown = findings if verbose else told
    lines: list[str] = []
    for certain, title in ((True, "Will not start:"), (False, "May not start:")):
        if group := [finding for finding in shown if finding.certain is certain]:
            lines += ["", click.style(title, fg="red" if certain else "yellow")]
            lines += [line for finding in group for line in _finding(finding)]
    if left := len(findings) - len(shown):
        first = f"{left} more" if shown else f"{left} {'guess' if left == 1 else 'guesses'}"
        what = "" if shown else " at what may keep it from starting"
        lines += ["", f"{first}{what}: -v, or {shell.program()} deploy --check"]
    return lines


def _findings(outcome: Outcome) -> tuple[derivation.finding.Finding, ...]:
    """What is found, but for what the settings file of production mends."""
    settings = missing_settings.settings_in(outcome.request.root / ".env")
    return missing_settings.open_findings(outcome.findings, settings)


def _finding(finding: derivation.finding.Finding) -> list[str]:
    """What was seen, and below it what mends it."""
    # A command stays on one line, so that it can be copied; what to edit is a sentence.
    is_sentence = finding.mend[:1].isupper()
    mend = _wrapped(finding.mend, "    ", "    ") if is_sentence else [f"    {finding.mend}"]
    return [*_wrapped(finding.seen, "- ", "  "), *mend]


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """Lines of 80 columns; paths stay whole."""
    return textwrap.wrap(
        text,
        80,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_json(outcome: Outcome, *, written: bool, differences: bool = False) -> str:
    """The report for tools; `report.schema.json` describes it.

    Args:
        outcome: The run.
        written: Whether it was carried out.
        differences: With each file's unified diff.
    """
    stack, stored = outcome.stack, outcome.stored
    files = []
    for step in outcome.steps:
        path = outcome.request.named(step.path)
        file = {"path": path, "action": step.action.value, "reason": step.reason}
        if differences:
            text = diff.unified([step], outcome.request.output)
            file["diff"] = text.decode("utf-8", "replace")
        files.append(file)
    document = {
        "version": 1,
        "project": stack.name,
        "template": {"before": stored.commit if stored else None, "now": outcome.version},
        "apps": [
            {"name": app.name, "kind": app.kind, "directory": app.directory, "port": app.port}
            for app in stack.apps
        ],
        "services": [service.name for service in stack.services],
        "in_sync": outcome.in_sync,
        "written": written,
        "causes": causes(stored, outcome.answers, outcome.version),
        "files": files,
        "warnings": [f"{seen} {mend}".strip() for seen, mend in _notes(outcome)],
        "start": [
            {
                "rule": finding.rule,
                "certain": finding.certain,
                "seen": finding.seen,
                "mend": finding.mend,
                "file": finding.path,
                "line": finding.line,
            }
            for finding in _findings(outcome)
        ],
        "next": [] if outcome.having(Action.CONFLICT) else next_steps(outcome),
    }
    return json.dumps(document, indent=2)


def _names(outcome: Outcome, steps: Sequence[Step]) -> str:
    return ", ".join(outcome.request.named(step.path) for step in steps)


def _line(outcome: Outcome, step: Step) -> str:
    action = click.style(f"{step.action.value:>10}", fg=_COLOURS.get(step.action))
    return f"{action}  {outcome.request.named(step.path)}" + (
        f"  ({step.reason})" if step.reason else ""
    )
