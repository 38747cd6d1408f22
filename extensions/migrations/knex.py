"""Knex (knexjs.org, "Migrations")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .. import node_migrations
from ..finding import Finding
from ..model import App, Migrations
from ..node_migrations import Spec
from ..origins import Fields, Found
from ..tree import Tree

TITLE = "Knex"
SOUGHT = "Knex' migrations"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()
SPEC = Spec(
    title=TITLE,
    packages=("knex",),
    files=re.compile(r"(^|/)migrations/\d{8,}_.+\.[cm]?[jt]s$"),
    package="knex",
    command=("knex", "migrate:latest"),
    runs=re.compile(r"knex .*migrate:(latest|up)"),
    calls=re.compile(r"migrate\s*\.\s*(latest|up)\s*\("),
    own=re.compile(r"migrate\s*\.\s*(latest|up)\s*\("),
    configs=("knexfile",),
)


def find(tree: Tree, folder: str) -> Found[bool] | None:
    """Whether there are migrations that the app does not run itself."""
    return node_migrations.find(tree, folder, SPEC)


def fields(tree: Tree, folder: str) -> Fields:
    """What its command line needs."""
    return node_migrations.fields(tree, folder, SPEC)


def scripts(tree: Tree) -> list[str]:
    """None: they are code."""
    return []


def define(extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]) -> Migrations:
    """Its lock makes a second one fail that starts meanwhile."""
    return node_migrations.define("knex", SPEC, extensions, app, facts)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """None that files tell."""
    return iter(())
