"""Django's own migrations, run in the image of the app that has them."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from .. import django_settings
from ..errors import ProjectError
from ..finding import Finding
from ..model import App, Migrations
from ..origins import Found
from ..source_text import parse_file
from ..tree import Tree

TITLE = "Django"
SOUGHT = "manage.py of Django"
RUNTIMES = ("python",)
FOLDERS = frozenset({"migrations"})


def find(tree: Tree, folder: str) -> Found[bool]:
    """Whether there is a `manage.py` that names settings."""
    found = django_settings.find(tree, folder)
    if found is None:
        return Found(False, f"no {SOUGHT}")
    return Found(True, "Django's manage.py", found.manage)


def scripts(tree: Tree) -> list[str]:
    """The migrations, one module each."""
    return [path for path in tree.below(".", ".py") if _is_migration(path)]


def _is_migration(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and parts[-2] == "migrations" and parts[-1] != "__init__.py"


def define(extensions: tuple[str, ...], app: App | None) -> Migrations:
    """It takes no lock: two that start at once would run the same migration."""
    manage = "manage.py"
    root = getattr(app.build, "source_root", ".") if app else "."
    if root != ".":
        manage = f"{root}/{manage}"
    command = ("python", manage, "migrate", "--noinput")
    return Migrations("django", TITLE, extensions, app=app, command=command)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """Apps with two last migrations, which `migrate` refuses, and models without any."""
    directory = migrations.app.directory if migrations.app else "."
    manage = " ".join(map(shlex.quote, migrations.command[:2])) or "python manage.py"
    run = manage if directory == "." else f"cd {shlex.quote(directory)} && {manage}"
    by_folder: dict[str, list[str]] = {}
    for path in scripts(tree):
        if directory == "." or path.startswith(f"{directory}/"):
            by_folder.setdefault(path.rpartition("/")[0], []).append(path)
    for folder, paths in by_folder.items():
        followed = {name for path in paths for name in _dependencies(tree, folder, path)}
        last = [path for path in paths if PurePosixPath(path).stem not in followed]
        if len(last) > 1:
            yield Finding(
                rule,
                certain=True,
                seen=f"{folder} has {len(last)} last migrations ({', '.join(last)}), and `migrate` "
                "refuses to run.",
                mend=f"{run} makemigrations --merge",
                path=last[0],
            )
    yield from _without(rule, tree, directory, run)


def _without(rule: str, tree: Tree, directory: str, run: str) -> Iterator[Finding]:
    for path in tree.below(directory, "models.py"):
        folder = path.rpartition("/")[0]
        if not folder or any(tree.below(f"{folder}/migrations", ".py")):
            continue
        text = tree.read(path)
        if "models.Model)" in text and "abstract = True" not in text and "managed" not in text:
            yield Finding(
                rule,
                certain=False,
                seen=f"{path} has models but no migrations, so no table of theirs is made.",
                mend=f"{run} makemigrations {PurePosixPath(folder).name}",
                path=path,
            )


def _dependencies(tree: Tree, folder: str, path: str) -> Iterator[str]:
    """Names of the migrations of its own app that a migration follows, or takes the place of."""
    try:
        body = parse_file(tree, path)
    except ProjectError:
        return
    for node in ast.walk(body):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.List):
            continue
        names = {t.id for t in node.targets if isinstance(t, ast.Name)}
        if not names & {"dependencies", "replaces"}:
            continue
        for item in node.value.elts:
            if isinstance(item, ast.Tuple) and len(item.elts) == 2:
                one = item.elts[1]
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value
