"""Huey (huey.readthedocs.io, "Consuming Tasks")."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

from ..origins import Found
from ..python_source import Module, assigned_calls, called_name

RANK = 5
SIGN = "Huey object"
_HUEY = re.compile(r"(Priority)?Redis(Expire)?Huey|PriorityRedisExpireHuey")


def find(modules: list[Module]) -> Found[str] | None:
    """The consumer of the first object that keeps its queue in Redis."""
    for module in modules:
        for attribute, call in assigned_calls(module.body):
            if _HUEY.fullmatch(called_name(call)):
                command = shlex.join(["huey_consumer", f"{module.name}.{attribute}", "-w", "2"])
                return Found(command, "Huey object", module.path, call.lineno)
    return None


def health(words: tuple[str, ...]) -> str | None:
    """None: it answers nobody."""
    return None


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """None: it names what it needs."""
    return ()
