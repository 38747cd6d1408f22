"""Alembic: revisions in Python, run in the image of the app that has them."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ..errors import ProjectError
from ..finding import Finding, where
from ..model import App, Migrations
from ..origins import Fields, Found, only_line
from ..python_dependencies import read_toml, table
from ..source_text import parse_file
from ..tree import Tree, join

TITLE = "Alembic"
SOUGHT = "Alembic"
RUNTIMES = ("python",)
# Its tutorial's name, and that of Flask-Migrate.
FOLDERS = frozenset({"alembic", "migrations"})
_COMMAND = ("alembic", "upgrade", "head")
_DEEPEST = 5
_ADDRESS = re.compile(r"(?m)^sqlalchemy\.url\s*=\s*[\w+]+://\S*")
# What gives an environment another address than its settings, in any of its forms.
_OTHER_ADDRESS = re.compile(
    r"set_(?:main|section)_option|environ|getenv|settings|create_(?:async_)?engine|attributes"
    r"|\burl\s*=|\[[\"']sqlalchemy\.url[\"']\]|[\"']url[\"']|get_url|cmd_opts|get_x_argument"
    r"|import\s+(?:\w+\s*,\s*)*(?:engine|db_url|DATABASE_URL)\b"
)


def find(tree: Tree, folder: str) -> Found[bool]:
    """Whether `alembic.ini` names a script folder that really holds an `env.py`.

    Raises:
        ProjectError: `alembic.ini` is broken.
    """
    path = _settings(tree, folder)
    if path is None:
        return _in_description(tree, folder)
    text, location = _location(tree, path)
    for base in dict.fromkeys((posixpath.dirname(path) or ".", folder)):
        environment = join(base, join(location, "env.py"))
        if tree.has(environment):
            return Found(True, "Alembic's environment", environment)
    line = only_line(text, r"^script_location\b")
    return Found(False, "no env.py in its script_location", path, line)


def _in_description(tree: Tree, folder: str) -> Found[bool]:
    """The same of `[tool.alembic]` (alembic.sqlalchemy.org, "Using pyproject.toml")."""
    path = join(folder, "pyproject.toml")
    own = table(table(read_toml(tree, path) if tree.has(path) else {}, "tool"), "alembic")
    location = str(own.get("script_location") or "").replace("%(here)s/", "").replace(":", "/")
    environment = join(folder, join(location, "env.py"))
    if location and tree.has(environment):
        return Found(True, "Alembic's environment", environment)
    return Found(False, "no alembic.ini")


def fields(tree: Tree, folder: str) -> Fields:
    """`alembic_command`, the command line, where `alembic.ini` is not in the app's folder itself.

    Its paths are relative to the folder that it is called in (alembic.sqlalchemy.org, "Tutorial").
    """
    path = _settings(tree, folder)
    if path is None or path == join(folder, "alembic.ini"):
        return {}
    inner = PurePosixPath(path).relative_to(folder)
    _, location = _location(tree, path)
    if tree.has(join(posixpath.dirname(path), join(location, "env.py"))):
        called = f"cd {shlex.quote(str(inner.parent))} && exec {' '.join(_COMMAND)}"
        command = shlex.join(("sh", "-c", called))
    else:
        command = shlex.join(("alembic", "--config", str(inner), *_COMMAND[1:]))
    return {"alembic_command": Found(command, "where its alembic.ini is", path)}


def _settings(tree: Tree, folder: str) -> str | None:
    """Its `alembic.ini`: that of the app's folder, else the only one below."""
    if path := tree.first(folder, "alembic.ini"):
        return path
    found = [path for path in tree.below(folder, "/alembic.ini") if path.count("/") < _DEEPEST]
    return found[0] if len(found) == 1 else None


def _location(tree: Tree, path: str) -> tuple[str, str]:
    """The text of an `alembic.ini`, and the folder that it names."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text := tree.read(path))
    except configparser.Error:
        raise ProjectError(f"{path} is not a valid INI file: mend it first.") from None
    location = parser.get("alembic", "script_location", fallback="alembic")
    # "package:folder" names a folder inside an importable package (Alembic's tutorial).
    return text, location.replace("%(here)s/", "").replace(":", "/")


def scripts(tree: Tree) -> list[str]:
    """The revisions."""
    return [path for path in tree.below(".", ".py") if "/versions/" in path]


def define(extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]) -> Migrations:
    """It takes no lock: two that start at once would run the same revision."""
    command = tuple(shlex.split(facts.get("alembic_command") or "")) or _COMMAND
    return Migrations("alembic", TITLE, extensions, app=app, command=command)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """What keeps it from upgrading the stack's database."""
    directory = migrations.app.directory if migrations.app else "."
    if path := _settings(tree, directory):
        yield from _outside(rule, tree, directory, path)
        yield from _fixed_address(rule, tree, directory, path)
    yield from find_heads(rule, tree, migrations)


def find_beside(rule: str, tree: Tree, folder: str) -> Iterator[Finding]:
    """Its settings above an app's folder."""
    if folder == ".":
        return
    path = tree.first(posixpath.dirname(folder) or ".", "alembic.ini")
    path = path or tree.first(".", "alembic.ini")
    if path is None or not find(tree, posixpath.dirname(path) or ".").value:
        return
    yield Finding(
        rule,
        certain=False,
        seen=f"{path} lies outside of {folder}/: nothing runs its migrations, and a new database "
        "has no tables.",
        mend=f"Move it and its folder into {folder}/.",
        path=path,
    )


def _outside(rule: str, tree: Tree, directory: str, path: str) -> Iterator[Finding]:
    """Revisions beside the app's folder, which its image lacks."""
    text, location = _location(tree, path)
    place = join(posixpath.dirname(path) or ".", location)
    if directory == "." or place.startswith(f"{directory}/"):
        return
    line = only_line(text, r"^script_location\b")
    yield Finding(
        rule,
        certain=True,
        seen=f"{where(path, line)} names {place}/, which lies outside of {directory}/: the image "
        "lacks it.",
        mend=f"Move {place}/ into {directory}/, and name it there.",
        path=path,
        line=line,
    )


def _fixed_address(rule: str, tree: Tree, directory: str, path: str) -> Iterator[Finding]:
    """The address of `alembic.ini`, where `env.py` takes no other."""
    text, location = _location(tree, path)
    bases = dict.fromkeys((posixpath.dirname(path) or ".", directory))
    places = (join(base, join(location, "env.py")) for base in bases)
    environment = next((place for place in places if tree.has(place)), None)
    match = _ADDRESS.search(text)
    if environment is None or match is None or _OTHER_ADDRESS.search(tree.read(environment)):
        return
    line = text.count("\n", 0, match.start()) + 1
    yield Finding(
        rule,
        certain=True,
        seen=f"{where(path, line)} has the database's address, and {environment} takes no other: "
        "the stack's database is elsewhere.",
        mend=f'Write in {environment}: config.set_main_option("sqlalchemy.url", '
        'os.environ["DATABASE_URL"].replace("%", "%%"))',
        path=path,
        line=line,
    )


def find_heads(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """More than one head: `upgrade head` takes one (alembic.sqlalchemy.org, "Branches")."""
    directory = migrations.app.directory if migrations.app else "."
    revisions: dict[str, str] = {}
    followed: set[str] = set()
    for path in scripts(tree):
        if directory != "." and not path.startswith(f"{directory}/"):
            continue
        try:
            body = parse_file(tree, path)
        except ProjectError:
            continue
        if names := _assigned(body, "revision"):
            revisions[names[0]] = path
            followed.update(_assigned(body, "down_revision"))
    heads = [path for revision, path in revisions.items() if revision not in followed]
    if len(heads) > 1:
        folder = "" if directory == "." else f"cd {shlex.quote(directory)} && "
        yield Finding(
            rule,
            certain=True,
            seen=f"Alembic has {len(heads)} heads ({', '.join(heads)}), and `alembic upgrade head` "
            "takes one.",
            mend=f"{folder}alembic merge heads -m 'Merge heads'",
            path=heads[0],
        )


def _assigned(body: ast.Module, name: str) -> list[str]:
    """The texts that a variable of the module is set to: one, or those of a tuple."""
    for node in body.body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if node.value and any(isinstance(t, ast.Name) and t.id == name for t in targets):
            constants = (n for n in ast.walk(node.value) if isinstance(n, ast.Constant))
            return [c.value for c in constants if isinstance(c.value, str)]
    return []
