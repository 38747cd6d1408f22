"""Prisma Migrate (prisma.io/docs, "prisma migrate deploy")."""

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

TITLE = "Prisma"
SOUGHT = "Prisma's migrations"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()
SPEC = Spec(
    title=TITLE,
    packages=("prisma", "@prisma/client"),
    files=re.compile(r"(^|/)migrations/[^/]+/migration\.sql$"),
    package="prisma",
    command=("prisma", "migrate", "deploy"),
    runs=re.compile(r"prisma migrate deploy"),
    makes=re.compile(r"prisma (db push|migrate reset)"),
    calls=re.compile(r"prisma migrate deploy|prisma.{0,9}migrate.{0,9}deploy"),
    configs=("prisma.config", ".config/prisma"),
    # One schema, or a folder of them; the migrations lie beside it, with a file that names the
    # database.
    holds=re.compile(r"\.prisma$|(^|/)migrations/migration_lock\.toml$"),
    also=(),
)


def find(tree: Tree, folder: str) -> Found[bool] | None:
    """Whether there are migrations that the app does not run itself."""
    return node_migrations.find(tree, folder, SPEC)


def fields(tree: Tree, folder: str) -> Fields:
    """What its command line needs."""
    return node_migrations.fields(tree, folder, SPEC)


def scripts(tree: Tree) -> list[str]:
    """The migrations, which are SQL."""
    return [path for path in tree.below(".", "/migration.sql") if SPEC.files.search(path)]


def define(extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]) -> Migrations:
    """A second one that starts meanwhile fails after ten seconds of waiting for its lock."""
    return node_migrations.define("prisma", SPEC, extensions, app, facts)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """None that files tell."""
    return iter(())
