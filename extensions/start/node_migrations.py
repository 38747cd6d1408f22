"""Migrations of Node's tools, which nothing of the stack runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .. import javascript, node_scripts
from ..finding import Finding, where
from ..model import App
from ..node_source import Package
from ..subject import Subject

_RULE = "start.node_migrations"
RUNTIME = "node"
IDS = {_RULE: "Migrations of the apps on Node are run by something"}


@dataclass(frozen=True)
class _Tool:
    """A tool for migrations.

    Attributes:
        title: Its name.
        packages: It is used where one of these is a dependency.
        files: What its migrations are called.
        command: What runs them.
        package: The package that has that command.
        runs: Commands of scripts that run them, or make the tables without.
        calls: Code that does.
    """

    title: str
    packages: tuple[str, ...]
    files: re.Pattern[str]
    command: str
    package: str
    runs: re.Pattern[str]
    calls: re.Pattern[str]


_TOOLS = (
    _Tool(
        "Prisma",
        ("@prisma/client", "prisma"),
        re.compile(r"(^|/)prisma/migrations/.+/migration\.sql$"),
        "prisma migrate deploy",
        "prisma",
        re.compile(r"prisma (migrate deploy|db push|migrate reset)"),
        re.compile(r"prisma migrate deploy|prisma.{0,9}migrate.{0,9}deploy"),
    ),
    _Tool(
        "Drizzle",
        ("drizzle-orm",),
        re.compile(
            r"(^|/)(drizzle|migrations)/(.+/)?\d{4}_.+\.sql$|(^|/)drizzle/.+/migration\.sql$"
        ),
        "drizzle-kit migrate",
        "drizzle-kit",
        re.compile(r"drizzle-kit (migrate|push)|(tsx|node|bun|ts-node) .*migrat"),
        re.compile(r"drizzle-orm/[\w-]+(/[\w-]+)?/migrator"),
    ),
    _Tool(
        "Knex",
        ("knex",),
        re.compile(r"(^|/)migrations/\d{8,}_.+\.[cm]?[jt]s$"),
        "knex migrate:latest",
        "knex",
        re.compile(r"knex .*migrate:(latest|up)"),
        re.compile(r"migrate\s*\.\s*(latest|up)\s*\("),
    ),
    _Tool(
        "TypeORM",
        ("typeorm",),
        re.compile(r"(^|/)migrations?/\d{10,}-?.+\.[jt]s$"),
        "typeorm migration:run -d dist/data-source.js",
        "typeorm",
        re.compile(r"migration:run|schema:sync"),
        re.compile(r"runMigrations\s*\(|migrationsRun\s*:\s*true|synchronize\s*:\s*true"),
    ),
    _Tool(
        "Sequelize",
        ("sequelize",),
        re.compile(r"(^|/)migrations/\d{8,}-.+\.[cm]?[jt]s$"),
        "sequelize db:migrate",
        "sequelize-cli",
        re.compile(r"sequelize(-cli)? .*db:migrate"),
        re.compile(r"\.sync\s*\(|\bumzug\b|Umzug"),
    ),
    _Tool(
        "MikroORM",
        ("@mikro-orm/core",),
        re.compile(r"(^|/)migrations/Migration\d+\.[jt]s$"),
        "mikro-orm migration:up",
        "@mikro-orm/cli",
        re.compile(r"mikro-orm .*(migration:up|schema:update)"),
        re.compile(r"getMigrator\s*\(|\bmigrator\s*\.\s*up\s*\(|updateSchema\s*\("),
    ),
)


def find(subject: Subject) -> Iterator[Finding]:
    """A tool whose migrations are there, and no command or code that runs them."""
    for app in subject.of("node"):
        if app.site:
            continue
        package = subject.package(app)
        held = {**package.table("devDependencies"), **package.table("dependencies")}
        for tool in _TOOLS:
            if any(name in held for name in tool.packages):
                yield from _of(subject, app, package, tool)


def _of(subject: Subject, app: App, package: Package, tool: _Tool) -> Iterator[Finding]:
    tree = subject.tree
    files = [path for path in tree.below(app.directory) if tool.files.search(path)]
    migrations = subject.stack.migrations
    # SQL files that the stack's own job runs.
    if not files or (migrations and migrations.folder and files[0].startswith(migrations.folder)):
        return
    name = node_scripts.script_of(app.command) or ""
    run = " && ".join(command.text for command in node_scripts.commands(package, name))
    if tool.runs.search(run) or tool.runs.search(" ".join(app.command)):
        return
    if any(tool.calls.search(s.text) for s in javascript.scripts(tree, app.directory)):
        return
    if any(tool.runs.search(tree.read(path)) for path in tree.below(app.directory, ".sh")):
        return
    folder = re.sub(r"(migrations?|drizzle)/.*", r"\1/", files[0])
    start = str(package.table("scripts").get("start") or " ".join(app.command))
    move = (
        ""
        if tool.package in package.table("dependencies")
        else f', and move {tool.package} to "dependencies"'
    )
    if app.kind == "nextjs":
        mend = (
            f"Run `npx {tool.command}` from a machine that reaches the database, with each version."
        )
    else:
        mend = f'Write "start": "{tool.command} && {start}" in package.json{move}.'
    yield Finding(
        _RULE,
        certain=False,
        seen=f"{where(files[0])}: nothing runs {tool.title}'s migrations in {folder}: a new "
        "database has no tables.",
        mend=mend,
        path=files[0],
    )
