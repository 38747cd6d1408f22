"""Dramatiq (dramatiq.io)."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Collection

from ..origins import Found
from ..python_source import Module

RANK = 2
SIGN = "Dramatiq actor"


def find(modules: list[Module]) -> Found[str] | None:
    """The worker of all modules that have actors."""
    actors = [
        (module, line)
        for module in modules
        if (line := next(filter(None, map(_actor_line, module.body.body)), None))
    ]
    if not actors:
        return None
    command = f"dramatiq --processes 2 {shlex.join(module.name for module, _ in actors)}"
    first, line = actors[0]
    return Found(command, "Dramatiq actor", first.path, line)


def health(words: tuple[str, ...]) -> str | None:
    """None: it answers nobody."""
    return None


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """None: it names what it needs."""
    return ()


def _actor_line(node: ast.stmt) -> int | None:
    """The line of the decorator that makes the function an actor, or None."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    actors = [d for d in node.decorator_list if ast.unparse(d).startswith("dramatiq.actor")]
    return actors[0].lineno if actors else None
