"""arq (arq-docs.helpmanual.io)."""

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
    """None: it answers nobody."""
    return None


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """None: it names what it needs."""
    return ()
