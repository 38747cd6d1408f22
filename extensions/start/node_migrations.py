"""Migrations of Node's tools, which nothing of the stack runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from .. import migrations, node_migrations, node_scripts, node_workspace
from ..finding import Finding, where
from ..model import App, NodeBuild
from ..node_migrations import Spec
from ..node_source import NO_PACKAGE, Package, read_package_json
from ..subject import Subject
from ..tree import Tree

_RULE = "start.node_migrations"
RUNTIME = "node"
IDS = {_RULE: "Migrations of the apps on Node are run by something"}


# What only its own commands run: nothing of the stack does.
_TOLD = (
    Spec(
        title="MikroORM",
        packages=("@mikro-orm/core",),
        files=re.compile(r"(^|/)migrations/Migration\d+\.[jt]s$"),
        package="@mikro-orm/cli",
        command=("mikro-orm", "migration:up"),
        runs=re.compile(r"mikro-orm .*(migration:up|schema:update)"),
        calls=re.compile(r"getMigrator\s*\(|\bmigrator\s*\.\s*up\s*\(|updateSchema\s*\("),
    ),
)


def find(subject: Subject) -> Iterator[Finding]:
    """A tool whose migrations are there, and no command or code that runs them."""
    for app in subject.of("node"):
        if app.site:
            continue
        package = subject.package(app)
        for folder in (app.directory, *_packages(subject.tree, app.directory)):
            own = read_package_json(subject.tree, folder) or NO_PACKAGE
            held = node_migrations.held(own)
            for tool in (*migrations.node_specs(), *_TOLD):
                if any(name in held for name in tool.packages):
                    yield from _of(subject, app, package, tool, folder)


def _of(subject: Subject, app: App, package: Package, tool: Spec, place: str) -> Iterator[Finding]:
    """`package` is the app's, and `place` the folder that has the tool: its own, or another."""
    tree = subject.tree
    files = node_migrations.files(tree, place, tool)
    run_by = subject.stack.migrations
    # What the stack's own job runs: this tool, or SQL files.
    if not files or (run_by and run_by.title == tool.title):
        return
    if run_by and run_by.folder and files[0].startswith(run_by.folder):
        return
    name = node_scripts.script_of(app.command) or ""
    run = " && ".join(command.text for command in node_scripts.commands(package, name))
    start_with = f"{run} && {' '.join(app.command)}"
    if any(
        node_migrations.runs_itself(tree, folder, tool, start_with)
        for folder in dict.fromkeys((app.directory, place))
    ):
        return
    folder = re.sub(r"(migrations?|drizzle)/.*", r"\1/", files[0])
    start = str(package.table("scripts").get("start") or " ".join(app.command))
    there = read_package_json(tree, place) or NO_PACKAGE
    held = node_migrations.held(node_workspace.with_top(tree, place, there))
    move = (
        ""
        if tool.package in package.table("dependencies")
        else f', and move {tool.package} to "dependencies"'
    )
    command = " ".join(tool.command)
    if tool not in _TOLD and "postgres" in app.backing and tool.package not in held:
        add = app.build.tool.add if isinstance(app.build, NodeBuild) else "npm install"
        folder = "" if place == "." else f"cd {shlex.quote(place)} && "
        mend = f"{folder}{add} {tool.package}, and run this again: `migrate` then runs them."
    elif app.kind == "nextjs" or place != app.directory:
        at = "" if place == app.directory else f" in {place}/"
        mend = (
            f"Run `npx {command}`{at} from a machine that reaches the database, with each version."
        )
    else:
        mend = f'Write "start": "{command} && {start}" in package.json{move}.'
    yield Finding(
        _RULE,
        certain=False,
        seen=f"{where(files[0])}: nothing runs {tool.title}'s migrations in {folder}: a new "
        "database has no tables.",
        mend=mend,
        path=files[0],
    )


def _packages(tree: Tree, folder: str) -> list[str]:
    """The folders of what a member needs of its workspace."""
    return [place for place, _ in node_workspace.beside(tree, folder)]
