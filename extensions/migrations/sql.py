"""Numbered SQL files, each run once, in their order, by psql (`migrate.sh`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..finding import Finding
from ..model import App, Migrations
from ..origins import Found
from ..tree import Tree

# As Spinbox lays it out.
_FOLDER = "database/migrations"
TITLE = "SQL files"
SOUGHT = f"numbered .sql in {_FOLDER}"
RUNTIMES: tuple[str, ...] = ()
FOLDERS: frozenset[str] = frozenset()


def find(tree: Tree, folder: str) -> Found[bool]:
    """Whether there is one."""
    paths = scripts(tree)
    return Found(True, "numbered SQL files", paths[0]) if paths else Found(False, f"no {SOUGHT}")


def scripts(tree: Tree) -> list[str]:
    """The numbered files."""
    return [p for p in tree.below(_FOLDER, ".sql") if re.match(r"\d", p.split("/")[-1])]


def define(extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]) -> Migrations:
    """The script holds a lock of the database while it runs a file."""
    return Migrations("sql", TITLE, extensions, folder=_FOLDER, concurrent=True)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """None: `--check` looks into the files themselves."""
    return iter(())
