"""RQ (python-rq.org, "Workers")."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Collection

from ..origins import Found
from ..python_source import Module, called_name, is_main_guard

RANK = 3
SIGN = "RQ script"


def find(modules: list[Module]) -> Found[str] | None:
    """The script that runs a worker when it is started itself.

    Without one, nothing says which queues and which address of Redis a worker would take.
    """
    for module in modules:
        for node in module.body.body if "rq" in module.text else ():
            for call in ast.walk(node) if is_main_guard(node) else ():
                works = isinstance(call, ast.Call) and called_name(call) == "work"
                if works and _imports_rq(module):
                    command = f"python -m {shlex.quote(module.name)}"
                    return Found(command, "runs RQ's worker", module.path, node.lineno)
    return None


def health(words: tuple[str, ...]) -> str | None:
    """None: it answers nobody."""
    return None


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """None: it names what it needs."""
    return ()


def _imports_rq(module: Module) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rq")
        or (isinstance(node, ast.Import) and any(a.name.split(".")[0] == "rq" for a in node.names))
        for node in ast.walk(module.body)
    )
