"""`spinbox deploy`: the guide for this very project, with what is done already marked.

Its steps are those of the generated `deploy/README.md`; here they are rendered for the
environment that was asked for, and shown with the project's state.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

import click

from . import checks, derivation, guide_rendering, report
from .checks import Context, Status, files
from .commands import split_commands
from .guide_layout import Block, as_lines, as_paragraphs
from .guide_rendering import Recorder, Section
from .plan import Action

GENERATE = "generate"


@dataclass(frozen=True)
class Step:
    """A section of the guide.

    Attributes:
        section: What it says.
        done: Whether it is done; None where that cannot be told, or there is nothing to do.
    """

    section: Section
    done: bool | None


def guide(context: Context) -> list[Step]:
    """The guide's sections, in their order."""
    recorder = _recorder(context)
    guide_rendering.render(context.outcome, context.target, recorder)
    generated = all(check.status is not Status.FAIL for check in files.look(context))
    done = {GENERATE: generated, **checks.CHECKS[context.target].done(context)}
    return [
        Step(section, done.get(section.id)) for section in (_generate(context), *recorder.sections)
    ]


def as_text(context: Context, steps: list[Step]) -> str:
    """The guide for people, in 80 columns."""
    stack = context.stack
    title = f"Production deployment of {stack.name}"
    if not context.names.is_production:
        title += f", {context.environment}"
    lines = [click.style(title, bold=True), "=" * len(title), ""]
    lines += as_lines([Block("text", f"It has: {report.summary(stack)}.")])
    for step in steps:
        heading = step.section.title + (" [done]" if step.done else "")
        rule = "-" if step.section.level > 2 else "="
        colour = "green" if step.done else None
        lines += ["", click.style(heading, bold=True, fg=colour), rule * len(heading)]
        body = as_lines(step.section.blocks)
        lines += ["", *body] if body else []
    name = context.outcome.request.named(derivation.targets.TARGETS[context.target].guide)
    managed = derivation.targets.TARGETS[context.target].managed
    rest = "daily work, troubleshooting" + ("" if managed else ", staging")
    lines += ["", f"Everything else ({rest}): {name}"]
    lines += [f"Is all ready? {context.guide_command} --check{context.names.option}"]
    return "\n".join(lines)


def as_json(context: Context, steps: list[Step]) -> str:
    """The guide for tools; `guide.schema.json` describes it."""
    outcome = context.outcome
    document = {
        "version": 1,
        "project": context.stack.name,
        "environment": context.environment,
        "uses": report.summary(context.stack),
        "files": [
            {"path": outcome.request.named(step.path), "action": step.action.value}
            for step in outcome.steps
        ],
        "variables": [
            {
                "name": variable.name,
                "required": variable.required,
                "secret": variable.secret,
                "generate": variable.generate,
                "help": variable.help,
            }
            for variable in context.stack.variables
        ],
        "steps": [
            {
                "id": step.section.id,
                "title": step.section.title,
                "done": step.done,
                "text": as_paragraphs(step.section.blocks),
                "commands": [
                    command
                    for block in step.section.blocks
                    if block.kind == "bash"
                    for command in split_commands(block.text)
                ],
            }
            for step in steps
        ],
    }
    return json.dumps(document, indent=2)


def _generate(context: Context) -> Section:
    outcome = context.outcome
    named = outcome.request.named
    waiting = [s for s in outcome.steps if s.action not in {Action.UNCHANGED, Action.KEEP}]
    deleted = [s for s in outcome.steps if s.action is Action.KEEP and s.before is None]
    command = context.command
    if waiting:
        text = "\n".join(f"- {s.action.value}: `{named(s.path)}`" for s in waiting)
    elif deleted:
        options = " ".join(f"--restore {shlex.quote(named(s.path))}" for s in deleted)
        command = f"{context.build_command} {options}"
        text = "\n".join(f"- deleted: `{named(s.path)}`" for s in deleted)
    else:
        text = f"All {len(outcome.steps)} files are in sync with the project."
    return Section(GENERATE, 2, "Generate the files", (Block("bash", command), Block("text", text)))


def _recorder(context: Context) -> Recorder:
    """For the environment, with what the project tells of itself."""
    remote = context.git("config", "--get", "remote.origin.url")
    return Recorder(
        context.stack.name,
        context.environment,
        (context.settings or {}).get("DOMAIN") or Recorder.domain,
        (without_login(remote[0]) if remote else None) or Recorder.repository,
    )


def without_login(url: str) -> str | None:
    """A repository's address without the login that may stand in it; None where it is a folder."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        url = parts._replace(netloc=f"{parts.hostname}{port}").geturl()
    elif not re.match(r"(ssh://|[\w.-]+@[\w.-]+:)", url):
        return None
    return url if re.fullmatch(r"[\w.@:/~+-]+", url) else None
