"""Alembic: revisions in Python, run in the image of the app that has them."""

from __future__ import annotations

import configparser

from ..errors import ProjectError
from ..model import App, Migrations
from ..origins import Found, only_line
from ..tree import Tree, join

TITLE = "Alembic"
SOUGHT = "Alembic"
RUNTIMES = ("python",)
# Its tutorial's name, and that of Flask-Migrate.
FOLDERS = frozenset({"alembic", "migrations"})


def find(tree: Tree, folder: str) -> Found[bool]:
    """Whether `alembic.ini` names a script folder that really holds an `env.py`.

    Raises:
        ProjectError: `alembic.ini` is broken.
    """
    path = tree.first(folder, "alembic.ini")
    if path is None:
        return Found(False, "no alembic.ini")
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text := tree.read(path))
    except configparser.Error:
        raise ProjectError(f"{path} is not a valid INI file: mend it first.") from None
    location = parser.get("alembic", "script_location", fallback="alembic")
    # "package:folder" names a folder inside an importable package (Alembic's tutorial).
    place = location.replace("%(here)s/", "").replace(":", "/")
    environment = join(folder, join(place, "env.py"))
    if tree.has(environment):
        return Found(True, "Alembic's environment", environment)
    line = only_line(text, r"^script_location\b")
    return Found(False, "no env.py in its script_location", path, line)


def scripts(tree: Tree) -> list[str]:
    """The revisions."""
    return [path for path in tree.below(".", ".py") if "/versions/" in path]


def define(extensions: tuple[str, ...], app: App | None) -> Migrations:
    """It takes no lock: two that start at once would run the same revision."""
    return Migrations("alembic", TITLE, extensions, app=app, command=("alembic", "upgrade", "head"))
