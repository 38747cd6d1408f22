"""Flask-Migrate: Alembic's revisions, run by Flask in the image of its app."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from ..finding import Finding
from ..model import App, Migrations
from ..origins import Found
from ..tree import Tree, join
from . import alembic

TITLE = "Flask-Migrate"
SOUGHT = "migrations/ of Flask-Migrate"
RUNTIMES = ("python",)
FOLDERS = frozenset({"migrations"})


def find(tree: Tree, folder: str) -> Found[bool]:
    """Whether `migrations/env.py` asks the running app for its database."""
    path = join(folder, "migrations/env.py")
    if tree.has(path) and "current_app" in tree.read(path):
        return Found(True, "Flask-Migrate's environment", path)
    return Found(False, f"no {SOUGHT}")


def scripts(tree: Tree) -> list[str]:
    """The revisions."""
    return alembic.scripts(tree)


def define(extensions: tuple[str, ...], app: App | None) -> Migrations:
    """It takes no lock: two that start at once would run the same revision."""
    command = ("flask", *_app(app), "db", "upgrade")
    return Migrations("flask_migrate", TITLE, extensions, app=app, command=command)


def _app(app: App | None) -> tuple[str, ...]:
    """What serves the app, as `module:app` or `module:create_app()`."""
    served = next((word for word in (app.command if app else ()) if ":" in word), None)
    return ("--app", served) if served else ()


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """More than one head: `upgrade` takes one."""
    directory = migrations.app.directory if migrations.app else "."
    folder = "" if directory == "." else f"cd {shlex.quote(directory)} && "
    for one in alembic.find_faults(rule, tree, migrations):
        yield replace(one, mend=f"{folder}flask db merge heads -m 'Merge heads'")
