"""Alembic: can it run, and against the stack's database?"""

from __future__ import annotations

import posixpath
import re
import shlex

from ... import derivation
from ...derivation import source_text
from ..model import Check, Context, failed, passed, warned

IDS = {
    "project.alembic": "Alembic has its `env.py` and revisions, and uses the stack's database",
}


def look(context: Context) -> list[Check]:
    """All checks of this module."""
    return [environment(context)]


def environment(context: Context) -> Check:
    """Whether Alembic can run, and against the stack's database."""
    id_ = "project.alembic"
    migrations = context.stack.migrations
    assert migrations is not None and migrations.app is not None
    app = migrations.app
    found = list(context.outcome.tree.below(app.directory, "/env.py"))
    folder = "" if app.directory == "." else f"cd {shlex.quote(app.directory)} && "
    if not found:
        return failed(id_, "Alembic's env.py is missing.", f"{folder}alembic init alembic")
    path = found[0]
    text = source_text.code_of(path, context.read(path))
    names = ("SQLALCHEMY_DATABASE_URI", "DATABASE_URL", "POSTGRES_PASSWORD")
    if not source_text.names_read(text, names) and not _imports_app(context, app, text):
        seen = f"{path} does not take the database's address from the stack."
        return failed(id_, seen, "Let it read SQLALCHEMY_DATABASE_URI from os.environ.")
    versions = posixpath.join(posixpath.dirname(path), "versions")
    if not any(context.outcome.tree.below(versions, ".py")):
        mend = f"{folder}alembic revision --autogenerate -m 'First tables'"
        return warned(id_, f"{versions} holds no revision: no table is made.", mend)
    return passed(id_, f"{path} and its revisions are there.")


def _imports_app(context: Context, app: derivation.model.App, text: str) -> bool:
    """Whether it imports a module of the app, which then has the settings."""
    prefix = "" if app.directory == "." else f"{app.directory}/"
    tops = {
        path.removeprefix(prefix).split("/")[0].removesuffix(".py")
        for path in context.outcome.tree.below(app.directory, ".py")
    }
    imported = re.findall(r"^\s*(?:from|import)\s+(\w+)", text, re.MULTILINE)
    return bool((tops - {"alembic"}).intersection(imported))
