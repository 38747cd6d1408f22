"""Celery (docs.celeryq.dev, "Workers Guide", "Periodic Tasks")."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass

from .. import quoting
from ..model import Volume
from ..origins import Found
from ..python_source import Module, assigned_calls, called_name

RANK = 0
SIGN = "Celery object"

_SCHEDULE = Volume("schedule", "/var/lib/celery", "When each scheduled job ran last")
_SCHEDULE_FILE = f"{_SCHEDULE.path}/celerybeat-schedule"
# Options of `celery` itself that take a value; those of `worker` and `beat` that matter here.
_TAKE_VALUES = {"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config"}
_TAKE_VALUES |= {"--workdir"}
_APP = ("-A", "--app")
# What holds a schedule: the setting, also as Django and older versions name it, and a call.
_SCHEDULES = ("beat_schedule", "CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE", "add_periodic_task")
_LEVEL = ("-l", "--loglevel")
_PLACE = ("-s", "--schedule", "--schedule-filename")


def find(modules: list[Module]) -> Found[str] | None:
    """The worker of the first Celery object."""
    if found := _find_app(modules):
        app, path, line = found
        # By default as many processes as the machine has CPUs, each with its memory.
        command = f"celery --app {app} worker --loglevel info --concurrency 2"
        return Found(command, SIGN, path, line)
    return None


def find_scheduler(modules: list[Module]) -> Found[str] | None:
    """Its scheduler, where something is scheduled."""
    if not (found := _find_app(modules)):
        return None
    for module in modules:
        if line := next(filter(None, map(_schedule_line, ast.walk(module.body))), None):
            command = f"celery --app {found[0]} beat --loglevel info --schedule {_SCHEDULE_FILE}"
            return Found(command, "Celery's schedule", module.path, line)
    return None


def split(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A worker's command without the scheduler that it starts, and the command of that one."""
    line = _parse(words)
    if line is None or line.subcommand != "worker":
        return words, ()
    kept: list[str] = []
    moved: list[str] = []
    schedules = False
    options = iter(line.options)
    for word in options:
        name, _, value = word.partition("=")
        if word in {"-B", "--beat"}:
            schedules = True
        elif re.fullmatch(r"-[BDE]*B[BDE]*", word):
            schedules = True
            kept.append(word.replace("B", ""))
        elif name in _PLACE:
            moved += ["--schedule", value or next(options, "")]
        elif name == "--scheduler":
            moved += [name, value or next(options, "")]
        else:
            kept.append(word)
    if not schedules:
        return words, ()
    level = _option(line.options, _LEVEL) or "info"
    # A file that a container loses was made for a worker alone.
    place = _option(tuple(moved), _PLACE)
    if place and place.startswith("/tmp/"):
        at = moved.index("--schedule")
        del moved[at : at + 2]
    worker = (*line.program, "worker", *kept)
    return worker, (*line.program, "beat", "--loglevel", level, *moved)


def schedule(words: tuple[str, ...]) -> tuple[tuple[str, ...], Volume] | None:
    """A scheduler's command with a file that lasts, and the volume of that; None for others."""
    line = _parse(words)
    if line is None or line.subcommand != "beat":
        return None
    if _option(line.options, _PLACE) is None:
        # By default it is in the working directory, which nobody can write to.
        words = (*words, "--schedule", _SCHEDULE_FILE)
    return words, _SCHEDULE


def health(words: tuple[str, ...]) -> str | None:
    """An answer of the worker itself, by its broker; the broker's own to a scheduler."""
    line = _parse(words)
    if line is None or line.app is None:
        return None
    if line.subcommand == "beat":
        return _reach_broker(line.app)
    # With this pool, a worker that works answers nobody.
    node = None if _option(line.options, ("-P", "--pool")) == "solo" else _node(line.options)
    return (
        node
        and f"entrypoint celery --app {quoting.shell(line.app)} inspect ping --destination {node}"
    )


def alive(words: tuple[str, ...]) -> str | None:
    """The same, but where the broker is away: then a new start would help nobody."""
    line, answer = _parse(words), health(words)
    if line is None or line.app is None or line.subcommand != "worker" or answer is None:
        return None
    return f"! {_reach_broker(line.app)} ||\n    {answer}"


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """What its Redis transport needs.

    That is `packaging`, which its extra names; in development it works without the extra, since
    pytest or black bring the package along.
    """
    return ("celery[redis]",) if "celery" in libraries and "redis" in services else ()


@dataclass(frozen=True)
class _CommandLine:
    """A command line of Celery's program.

    Attributes:
        program: All before the subcommand.
        app: What `--app` names.
        subcommand: As in `worker`.
        options: All after it.
    """

    program: tuple[str, ...]
    app: str | None
    subcommand: str
    options: tuple[str, ...]


def _parse(words: tuple[str, ...]) -> _CommandLine | None:
    names = [word.rpartition("/")[2] for word in words]
    if "celery" not in names:
        return None
    place = names.index("celery") + 1
    start = place
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] in _TAKE_VALUES else 1
    if place >= len(words):
        return None
    app = _option(words[start:place], _APP)
    return _CommandLine(words[:place], app, words[place], words[place + 1 :])


def _option(words: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    """The value of an option: `-A x`, `-Ax`, `--app x` or `--app=x`."""
    for place, word in enumerate(words):
        if word in names:
            return "".join(words[place + 1 : place + 2])
        for name in names:
            joined = f"{name}=" if name.startswith("--") else name
            if word.startswith(joined):
                return word.removeprefix(joined)
    return None


def _node(options: tuple[str, ...]) -> str | None:
    """A worker's name among all, in words of a shell; None for one that only it knows."""
    name = _option(options, ("-n", "--hostname")) or "celery@%h"
    if "@" not in name:
        name += "@%h"
    parts = re.split("%[hn]", name)
    if any("%" in part for part in parts):
        return None
    if shlex.quote("".join(parts)) == "".join(parts):
        return '"' + "$HOSTNAME".join(parts) + '"'
    return '"$HOSTNAME"'.join(quoting.shell(part) if part else "" for part in parts)


def _reach_broker(app: str) -> str:
    code = f"import celery.app.utils as u; u.find_app({json.dumps(app)}).connection().connect()"
    return f"entrypoint python -c {quoting.shell(code)}"


def _find_app(modules: list[Module]) -> tuple[str, str, int] | None:
    """The first Celery object as `--app` takes it, quoted; its file and line."""
    for module in modules:
        for attribute, call in assigned_calls(module.body):
            if called_name(call) == "Celery":
                return f"{shlex.quote(module.name)}:{attribute}", module.path, call.lineno
    return None


def _schedule_line(node: ast.AST) -> int | None:
    """The line of what schedules a job, or None."""
    match node:
        # Also in a module or class of settings, and as a key of a mapping.
        case ast.Attribute(attr=name) | ast.keyword(arg=name) | ast.Constant(value=name):
            pass
        case ast.Name(id=name, ctx=ast.Store()):
            pass
        case _:
            return None
    return node.lineno if name in _SCHEDULES else None
