"""Which driver of PostgreSQL a Python app's URL has to name, as in `postgresql+asyncpg://`.

A bare scheme is SQLAlchemy's default: psycopg2 before its version 2.1, psycopg from there on
(docs.sqlalchemy.org, "Engine Configuration"). The drivers themselves take no other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from .environment_reads.python_scan import scan
from .origins import Found
from .python_source import Module
from .tree import Tree, join

DRIVERS = ("asyncpg", "psycopg", "psycopg2")
NONE = "none"
_EXAMPLES = (".env.example", ".env.sample", ".env.local.example", ".env.production.example")
_SCHEME = re.compile(
    r"^\s*(?:export\s+)?\w+\s*=\s*[\"']?postgres(?:ql)?(?:\+(\w+))?://", re.MULTILINE
)
_ASYNC = frozenset({"create_async_engine", "async_engine_from_config"})
# The last is Flask-SQLAlchemy's.
_SYNC = frozenset({"create_engine", "engine_from_config", "SQLAlchemy"})
_ENGINES = re.compile("create_async_engine|create_engine|engine_from_config|flask_sqlalchemy")
# Modules of drivers that code opens connections or pools with itself.
_OWN = re.compile(r"\b(?:asyncpg|psycopg|psycopg2|psycopg_pool)\b")
_OPENS = frozenset(
    {"connect", "create_pool", "ConnectionPool", "AsyncConnectionPool", "ThreadedConnectionPool",
     "SimpleConnectionPool"}
)  # fmt: skip


def find(
    tree: Tree, folder: str, modules: Sequence[Module], libraries: Collection[str]
) -> Found[str | None]:
    """The driver, `none` for the bare scheme; None where there is no driver to name.

    Args:
        tree: The project's files.
        folder: The app's.
        modules: Its source.
        libraries: Those of its dependencies that matter.
    """
    names = {name.removesuffix("-binary").removesuffix("-c") for name in libraries}
    having = [driver for driver in DRIVERS if driver in names]
    if not having:
        return Found(None, "depends on no driver of PostgreSQL")
    for name in _EXAMPLES:
        if tree.has(path := join(folder, name)) and (match := _SCHEME.search(tree.read(path))):
            line = tree.read(path).count("\n", 0, match.start(0)) + 1
            # A bare scheme may be one that the code completes, or psycopg2's.
            if match[1] in having:
                return Found(match[1], f"postgresql+{match[1]}:// in the example", path, line)
    called = _calls(tree, modules)
    for calls, drivers in ((_ASYNC, ("asyncpg", "psycopg")), (_SYNC, ("psycopg2", "psycopg"))):
        driver = next((driver for driver in drivers if driver in having), None)
        place = next((called[name] for name in sorted(calls) if name in called), None)
        if driver and place:
            if opened := next((called[name] for name in sorted(_OPENS) if name in called), None):
                return Found(NONE, "a driver is connected by hand", *opened)
            return Found(driver, f"SQLAlchemy with {driver}", *place)
    return Found(NONE, "no engine of SQLAlchemy is made")


def _calls(tree: Tree, modules: Sequence[Module]) -> dict[str, tuple[str, int]]:
    """The first place of each call that matters."""
    found: dict[str, tuple[str, int]] = {}
    for module in modules:
        one = scan(tree, module)
        if not (_ENGINES.search(one.text) or _OWN.search(one.text)):
            continue
        for node in ast.walk(module.body):
            if not isinstance(node, ast.Call):
                continue
            top, _, name = (one.full_name(node.func) or "").rpartition(".")
            name = name or top
            is_own = name in _OPENS and _OWN.match(top) is not None
            if name in _ASYNC or name in _SYNC or is_own:
                found.setdefault(name, (module.path, node.lineno))
    return found
