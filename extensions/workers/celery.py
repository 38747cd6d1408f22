"""Celery (docs.celeryq.dev, "Workers Guide")."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Collection

from .. import quoting
from ..origins import Found
from ..python_source import Module, assigned_calls, called_name

RANK = 0
SIGN = "Celery object"


def find(modules: list[Module]) -> Found[str] | None:
    """The worker of the first Celery object, with the scheduler where something is scheduled."""
    for module in modules:
        for attribute, call in assigned_calls(module.body):
            if called_name(call) == "Celery":
                beat = " --beat --schedule /tmp/celerybeat-schedule" if _sets_beat(modules) else ""
                app = f"{shlex.quote(module.name)}:{attribute}"
                # By default as many processes as the machine has CPUs, each with its memory.
                command = f"celery --app {app} worker --loglevel info --concurrency 2{beat}"
                return Found(command, "Celery object", module.path, call.lineno)
    return None


def health(words: tuple[str, ...]) -> str | None:
    """An answer of the worker itself, by its broker."""
    if words[:2] != ("celery", "--app"):
        return None
    app = quoting.shell(words[2])
    return f'entrypoint celery --app {app} inspect ping --destination "celery@$HOSTNAME"'


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """What its Redis transport needs.

    That is `packaging`, which its extra names; in development it works without the extra, since
    pytest or black bring the package along.
    """
    return ("celery[redis]",) if "celery" in libraries and "redis" in services else ()


def _sets_beat(modules: list[Module]) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in {"beat_schedule", "add_periodic_task"})
        or (isinstance(node, ast.keyword) and node.arg == "beat_schedule")
        for module in modules
        for node in ast.walk(module.body)
    )
