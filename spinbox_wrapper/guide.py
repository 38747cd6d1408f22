"""`spinbox deploy`: the guide for this very project, with what is done already marked.

Its steps are those of the generated `deploy/README.md`; here they are shown with the project's
state, for the environment that was asked for.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import click

from . import checks, derivation, markdown, report
from .checks import Context, Status, files
from .markdown import Section
from .plan import Action

GENERATE = "Generate the files"
# Sections of level 2 that the guide shows, with the steps below them.
SHOWN = (
    "Before you start",
    "First deployment",
    "A new version",
    "Pipeline",
    "Services elsewhere",
    "Backup and restore",
)


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
    document = _document(context)
    shown = [_generate(context)]
    wanted = False
    for section in markdown.sections(document):
        if section.level <= 2:
            wanted = section.title in SHOWN
        if wanted:
            shown.append(section)
    done = _done(context)
    change = _for_this(context)
    return [Step(_changed(section, change), done.get(_bare(section.title))) for section in shown]


def as_text(context: Context, steps: list[Step]) -> str:
    """The guide for people, in 80 columns."""
    stack = context.stack
    title = f"Production deployment of {stack.name}"
    if context.environment != "production":
        title += f", {context.environment}"
    lines = [click.style(title, bold=True), "=" * len(title), ""]
    lines += markdown.as_lines(
        Section(1, "", (markdown.Block("text", f"It has: {report.summary(stack)}."),))
    )
    for step in steps:
        heading = step.section.title + (" [done]" if step.done else "")
        rule = "-" if step.section.level > 2 else "="
        colour = "green" if step.done else None
        lines += ["", click.style(heading, bold=True, fg=colour), rule * len(heading)]
        body = markdown.as_lines(step.section)
        lines += ["", *body] if body else []
    name = context.outcome.request.named(derivation.targets.TARGETS[context.target].guide)
    managed = derivation.targets.TARGETS[context.target].managed
    rest = "daily work, troubleshooting" + ("" if managed else ", staging")
    lines += ["", f"Everything else ({rest}): {name}"]
    lines += [f"Is all ready? {context.guide_command} --check" + _option(context)]
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
                "title": step.section.title,
                "done": step.done,
                "text": step.section.text,
                "commands": list(step.section.commands),
            }
            for step in steps
        ],
    }
    return json.dumps(document, indent=2)


def _document(context: Context) -> str:
    """The guide as it would be generated now."""
    return next(
        step.generated.content.decode()
        for step in context.outcome.steps
        if step.path == derivation.targets.TARGETS[context.target].guide
        and step.generated is not None
    )


def _generate(context: Context) -> Section:
    outcome = context.outcome
    waiting = [s for s in outcome.steps if s.action not in {Action.UNCHANGED, Action.KEEP}]
    deleted = [s for s in outcome.steps if s.action is Action.KEEP and s.before is None]
    named = outcome.request.named
    if deleted and not waiting:
        options = " ".join(f"--restore {shlex.quote(named(step.path))}" for step in deleted)
        command = markdown.Block("bash", f"{context.build_command} {options}")
        files = [markdown.Block("list", f"deleted: `{named(step.path)}`") for step in deleted]
        return Section(2, GENERATE, (command, *files))
    if waiting:
        blocks = [markdown.Block("list", f"{s.action.value}: `{named(s.path)}`") for s in waiting]
    else:
        text = f"All {len(outcome.steps)} files are in sync with the project."
        blocks = [markdown.Block("text", text)]
    command = markdown.Block("bash", context.command)
    return Section(2, GENERATE, (command, *blocks))


def _done(context: Context) -> Mapping[str, bool]:
    """The steps that can be told to be done or not, by their titles without numbers."""
    generated = all(check.status is not Status.FAIL for check in files.look(context))
    titles = {"copy": "Bring the project to the server", "settings": "Make the settings"}
    titles |= {"start": "Start", "swarm": "Make the swarm", "domain": "Name the domain"}
    titles |= {"images": "Build the images"}
    done = checks.CHECKS[context.target].done(context)
    return {GENERATE: generated, **{titles[step]: value for step, value in done.items()}}


def _bare(title: str) -> str:
    return re.sub(r"^\d+\. ", "", title)


def _for_this(context: Context) -> Callable[[str], str]:
    """What fills in what is known: the environment, the domain, the repository."""
    replaced = _known(context)
    if context.environment != "production":
        replaced |= _of_environment(context)
    pattern = re.compile("|".join(f"(?P<_{i}>{one})" for i, one in enumerate(replaced)))
    values = list(replaced.values())

    def value(match: re.Match[str]) -> str:
        found = values[int(str(match.lastgroup)[1:])]
        return match[0] if found is None else found(match[0])

    # In one pass: what was filled in, such as an address, is not looked at again.
    return lambda text: pattern.sub(value, text) if replaced else text


# By pattern, what becomes of a match; None keeps it. The first pattern that matches counts.
_Replaced = dict[str, Callable[[str], str] | None]


def _word(text: str) -> str:
    """A pattern for a name that is no part of a longer one."""
    return rf"(?<![\w-]){text}(?![\w-])"


def _always(value: str) -> Callable[[str], str]:
    return lambda _: value


def _of_environment(context: Context) -> _Replaced:
    """What is called otherwise in another environment than production."""
    name, environment = re.escape(context.stack.name), context.environment
    if context.target == "kubernetes":
        namespace = f"{context.stack.name}-{environment}"
        return {
            _word(f"{name}-production"): _always(namespace),
            # Names of images, and the project's own.
            rf"(?<![\w-]){name}-\w": None,
            **({_word(name): None} if name != "production" else {}),
            _word("production"): _always(environment),
        }
    settings, project = context.settings_path, context.compose_project
    return {
        r"docker compose -f docker-compose\.prod\.yml": (
            lambda command: f"{command} -p {project} --env-file {settings}"
        ),
        r"sh deploy/(?:swarm/)?(?:[\w-]+|\$job)\.sh": (lambda command: command + _option(context)),
        # Names of units, of the log and of the backups' folder.
        rf"(?<![\w-]){name}-(?=\$job|backup\b)": _always(f"{project}-"),
        rf"(?<![\w-]){name}-prod(?!\w)": _always(project),
        r"`\.env`": _always(f"`{settings}`"),
    }


def _known(context: Context) -> _Replaced:
    settings = context.settings or {}
    remote = context.git("config", "--get", "remote.origin.url")
    known = {
        "YOUR-DOMAIN": settings.get("DOMAIN"),
        "REPOSITORY": without_login(remote[0]) if remote else None,
    }
    return {_word(text): _always(value) for text, value in known.items() if value}


def without_login(url: str) -> str | None:
    """A repository's address without the login that may stand in it; None where it is a folder."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        url = parts._replace(netloc=f"{parts.hostname}{port}").geturl()
    elif not re.match(r"(ssh://|[\w.-]+@[\w.-]+:)", url):
        return None
    return url if re.fullmatch(r"[\w.@:/~+-]+", url) else None


def _option(context: Context) -> str:
    return "" if context.environment == "production" else f" --env {context.environment}"


def _changed(section: Section, change: Callable[[str], str]) -> Section:
    blocks = tuple(replace(block, text=change(block.text)) for block in section.blocks)
    return replace(section, blocks=blocks)
