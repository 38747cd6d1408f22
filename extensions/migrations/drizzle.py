"""Drizzle (orm.drizzle.team, "Migrations")."""

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

TITLE = "Drizzle"
SOUGHT = "Drizzle's migrations"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()
SPEC = Spec(
    title=TITLE,
    packages=("drizzle-orm",),
    files=re.compile(
        r"(^|/)(drizzle|migrations)/(.+/)?\d{4}_.+\.sql$|(^|/)drizzle/.+/migration\.sql$"
    ),
    package="drizzle-kit",
    command=("drizzle-kit", "migrate"),
    runs=re.compile(r"drizzle-kit migrate"),
    makes=re.compile(r"drizzle-kit push|(tsx|node|bun|ts-node) .*migrat"),
    calls=re.compile(r"drizzle-orm/[\w-]+(/[\w-]+)?/migrator"),
    own=re.compile(r"drizzle-orm/[\w-]+(/[\w-]+)?/migrator"),
    configs=("drizzle.config",),
    also=(*node_migrations.DRIVERS, "drizzle-orm"),
)


def find(tree: Tree, folder: str) -> Found[bool] | None:
    """Whether there are migrations that the app does not run itself."""
    return node_migrations.find(tree, folder, SPEC)


def fields(tree: Tree, folder: str) -> Fields:
    """What its command line needs."""
    return node_migrations.fields(tree, folder, SPEC)


def scripts(tree: Tree) -> list[str]:
    """The migrations, which are SQL."""
    return [path for path in tree.below(".", ".sql") if SPEC.files.search(path)]


def define(extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]) -> Migrations:
    """It takes no lock: two that start at once would run the same step."""
    return node_migrations.define("drizzle", SPEC, extensions, app, facts)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """None that files tell."""
    return iter(())
