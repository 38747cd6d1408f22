"""What a run says: for people in 80 columns, or as JSON for tools."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any

import click

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
COMPOSE = "docker compose -f docker-compose.prod.yml"


def summary(stack: Any) -> str:
    """What the project consists of, as in `FastAPI in backend/, PostgreSQL`."""
    apps = [
        app.title + ("" if app.directory == "." else f" in {app.directory}/") for app in stack.apps
    ]
    worker = ["a background worker"] if stack.worker else []
    return ", ".join(apps + worker + [service.title for service in stack.services])


def next_steps(outcome: Outcome) -> list[str]:
    """The commands that come next, for a first run."""
    folder = os.path.relpath(outcome.root)
    if folder.startswith(".."):
        folder = str(outcome.root.resolve())
    steps = [] if folder == "." else [f"cd {shlex.quote(folder)}"]
    if not outcome.compose:
        # From the project's top folder, which is the context.
        files = [(app, outcome.root / app.dockerfile) for app in outcome.stack.apps]
        return [
            f"docker build -f {shlex.quote(os.path.relpath(file))} "
            f"-t {outcome.stack.name}-{app.name} {shlex.quote(os.path.relpath(outcome.project))}"
            for app, file in files
        ]
    steps.append("cp .env.example .env && chmod 600 .env   # then fill in what is empty")
    if outcome.stack.web_apps or outcome.stack.services:
        steps.append(f"{COMPOSE} up -d --build --wait")
    steps += [f"{COMPOSE} run --rm --build {job.name}" for job in outcome.stack.jobs]
    return steps


def as_text(outcome: Outcome, *, dry_run: bool, verbose: bool) -> str:
    """The report for people."""
    lines = [f"{click.style(outcome.stack.name, bold=True)}: {summary(outcome.stack)}", ""]
    shown = [step for step in outcome.steps if verbose or step.action is not Action.UNCHANGED]
    lines += [_line(step) for step in shown]
    if not any(step.writes for step in outcome.steps):
        lines.append("Everything is up to date.")
    elif dry_run:
        lines += ["", "Nothing was written (--dry-run)."]
    for warning in outcome.warnings:
        lines += ["", click.style("Note: ", fg="yellow") + warning]
    if any(step.action is Action.CREATE for step in outcome.steps) and not dry_run:
        lines += ["", "Next, as deploy/README.md explains:"]
        lines += [f"  {step}" for step in next_steps(outcome)]
    return "\n".join(lines)


def as_json(outcome: Outcome, *, dry_run: bool) -> str:
    """The report for tools; the README documents its form."""
    document = {
        "version": 1,
        "project": outcome.stack.name,
        "apps": [
            {"name": app.name, "kind": app.kind, "directory": app.directory, "port": app.port}
            for app in outcome.stack.apps
        ],
        "services": [service.name for service in outcome.stack.services],
        "dry_run": dry_run,
        "files": [
            {"path": step.path, "action": step.action.value, "reason": step.reason}
            for step in outcome.steps
        ],
        "warnings": list(outcome.warnings),
        "next": next_steps(outcome),
    }
    return json.dumps(document, indent=2)


def _line(step: Step) -> str:
    action = click.style(f"{step.action.value:>10}", fg=_COLOURS.get(step.action))
    return f"{action}  {step.path}" + (f"  ({step.reason})" if step.reason else "")
