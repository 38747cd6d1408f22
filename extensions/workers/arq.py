"""arq (arq-docs.helpmanual.io, "Health checks")."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Collection

from ..origins import Found
from ..python_source import Module

RANK = 1
SIGN = "arq settings"


def find(modules: list[Module]) -> Found[str] | None:
    """The worker of the first class that is named as its settings are."""
    for module in modules:
        for node in module.body.body:
            if isinstance(node, ast.ClassDef) and node.name == "WorkerSettings":
                command = f"arq {shlex.quote(module.name)}.WorkerSettings"
                return Found(command, "arq's settings", module.path, node.lineno)
    return None


def health(words: tuple[str, ...]) -> str | None:
    """Whether Redis has what a worker writes there; it lasts an hour, unless settings say less."""
    if words[:1] != ("arq",):
        return None
    settings = next((word for word in words[1:] if not word.startswith("-")), None)
    # The entrypoint makes the URL of Redis.
    return f"entrypoint arq --check {shlex.quote(settings)}" if settings else None


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """None: it names what it needs."""
    return ()
