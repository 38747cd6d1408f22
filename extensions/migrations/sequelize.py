"""Sequelize (sequelize.org, "Migrations")."""

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

TITLE = "Sequelize"
SOUGHT = "Sequelize's migrations"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()
SPEC = Spec(
    title=TITLE,
    packages=("sequelize",),
    files=re.compile(r"(^|/)migrations/\d{8,}-.+\.[cm]?[jt]s$"),
    package="sequelize-cli",
    command=("sequelize-cli", "db:migrate"),
    runs=re.compile(r"sequelize(-cli)? .*db:migrate(?!:undo)"),
    calls=re.compile(r"\.sync\s*\(|\bumzug\b|Umzug"),
    own=re.compile(r"\bumzug\b|Umzug"),
    configs=(".sequelizerc", "config/config"),
    also=(*node_migrations.DRIVERS, "sequelize"),
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
    """It takes no lock: two that start at once would run the same step."""
    return node_migrations.define("sequelize", SPEC, extensions, app, facts)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """None that files tell."""
    return iter(())
