"""Flask-Migrate: Alembic's revisions, run by Flask in the image of its app."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..finding import Finding
from ..model import App, Migrations
from ..origins import Fields, Found
from ..tree import Tree, join
from . import alembic

TITLE = "Flask-Migrate"
SOUGHT = "migrations/ of Flask-Migrate"
RUNTIMES = ("python",)
FOLDERS = frozenset({"migrations"})


def find(tree: Tree, folder: str) -> Found[bool]:
    """Whether `migrations/env.py` asks the running app for its database."""
    if path := _environment(tree, folder):
        return Found(True, "Flask-Migrate's environment", path)
    return Found(False, f"no {SOUGHT}")


def _environment(tree: Tree, folder: str) -> str | None:
    """That of its usual folder, else the only one elsewhere in the app."""
    usual = join(folder, "migrations/env.py")
    found = [path for path in (usual, *tree.below(folder, "/env.py")) if tree.has(path)]
    own = [path for path in dict.fromkeys(found) if "current_app" in tree.read(path)]
    return own[0] if own and (own[0] == usual or len(own) == 1) else None


def fields(tree: Tree, folder: str) -> Fields:
    """`flask_migrate_directory`, where that is not its usual one."""
    path = _environment(tree, folder)
    if path is None or path == join(folder, "migrations/env.py"):
        return {}
    directory = posixpath.relpath(posixpath.dirname(path), folder)
    return {"flask_migrate_directory": Found(directory, "where its env.py is", path)}


def scripts(tree: Tree) -> list[str]:
    """The revisions."""
    return alembic.scripts(tree)


def define(extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]) -> Migrations:
    """It takes no lock: two that start at once would run the same revision."""
    directory = facts.get("flask_migrate_directory")
    place = ("--directory", directory) if directory else ()
    command = ("flask", *_app(app), "db", "upgrade", *place)
    return Migrations("flask_migrate", TITLE, extensions, app=app, command=command)


def _app(app: App | None) -> tuple[str, ...]:
    """What serves the app, as `module:app` or `module:create_app()`."""
    served = next((word for word in (app.command if app else ()) if ":" in word), None)
    return ("--app", served) if served else ()


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """More than one head: `upgrade` takes one."""
    directory = migrations.app.directory if migrations.app else "."
    folder = "" if directory == "." else f"cd {shlex.quote(directory)} && "
    for one in alembic.find_heads(rule, tree, migrations):
        yield replace(one, mend=f"{folder}flask db merge heads -m 'Merge heads'")
