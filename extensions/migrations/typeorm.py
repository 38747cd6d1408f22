"""TypeORM (typeorm.io, "Migrations")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .. import javascript, node_migrations
from ..finding import Finding
from ..model import App, Migrations
from ..node_migrations import Spec
from ..node_source import Package
from ..origins import Fields, Found
from ..tree import Tree

TITLE = "TypeORM"
SOUGHT = "TypeORM's migrations"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()
_OPTION = re.compile(r"migration:run\b.*?(?:-d|--dataSource)[= ](\S+)")
_SOURCE = re.compile(
    r"export\b[^;]*\bnew\s+DataSource\s*\(|module\.exports[^;]*new\s+DataSource\s*\("
)
_ONLY_TYPESCRIPT = re.compile(r"migrations\s*:\s*\[\s*[\"'`][^\"'`]*\*\.ts[\"'`]")


def _command(tree: Tree, folder: str, package: Package) -> tuple[str, ...] | None:
    """Its command line with the project's data source: the one that a build makes, if it can be.

    Sources are run where the data source names its migrations as TypeScript, or nothing is built.
    """
    texts = [str(text) for text in package.table("scripts").values()]
    named = next((m[1] for text in texts if (m := _OPTION.search(text))), None)
    path = (named or "").removeprefix("./")
    top = "" if folder == "." else f"{folder}/"
    if not path:
        scripts = javascript.scripts(tree, folder)
        path = next((s.path.removeprefix(top) for s in scripts if _SOURCE.search(s.text)), "")
    if not path:
        return None
    if path.endswith(".ts"):
        script = javascript.read(tree, top + path)
        text = script.text if script else ""
        start = re.search(r"\bnode\s+(?:\S+\s+)?(?:\./)?(dist|build|out|lib)/", " ".join(texts))
        if start and "build" in package.table("scripts") and not _ONLY_TYPESCRIPT.search(text):
            inner = path.removeprefix("src/")
            return ("typeorm", "migration:run", "-d", f"{start[1]}/{inner[:-3]}.js")
        kind = "esm" if package.content.get("type") == "module" else "commonjs"
        return (f"typeorm-ts-node-{kind}", "migration:run", "-d", path)
    return ("typeorm", "migration:run", "-d", path)


SPEC = Spec(
    title=TITLE,
    packages=("typeorm",),
    files=re.compile(r"(^|/)migrations?/\d{10,}-?.+\.[jt]s$"),
    package="typeorm",
    command=("typeorm", "migration:run", "-d", "dist/data-source.js"),
    runs=re.compile(r"\btypeorm\S* .*migration:run"),
    makes=re.compile(r"schema:sync|migration:run"),
    calls=re.compile(r"runMigrations\s*\(|migrationsRun\s*:\s*true|synchronize\s*:\s*true"),
    own=re.compile(r"runMigrations\s*\("),
    find_command=_command,
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
    return node_migrations.define("typeorm", SPEC, extensions, app, facts)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """None that files tell."""
    return iter(())
