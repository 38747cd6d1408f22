"""What the rules of `extensions/start/` look at: the stack, and the source of its apps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import (
    apps,
    environment_reads,
    migrations,
    node_source,
    node_workspace,
    python_source,
)
from .environment_reads import javascript, python
from .model import App, Stack
from .services import FOLDERS
from .tree import Tree


@dataclass(frozen=True)
class Subject:
    """A project and the stack that was derived from it.

    Attributes:
        tree: The project's files as a clone would have them.
        stack: What runs.
        facts: What was read and what was set by hand in its place (`settings.lay_over`).
        overrides: What was set by hand, by `--set` key.
    """

    tree: Tree
    stack: Stack
    facts: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def of(self, runtime: str) -> tuple[App, ...]:
        """The apps of a language, `python` or `node`."""
        return tuple(app for app in self.stack.apps if app.runtime.name == runtime)

    def modules(self, app: App) -> list[python_source.Module]:
        """The source of a Python app, parsed; files that are no valid Python are left out."""
        skipped = FOLDERS if app.directory == "." else frozenset()
        return python_source.parse_modules(self.tree, app.directory, skipped)[0]

    def reads(self, app: App) -> list[environment_reads.Read]:
        """Where an app's code reads the environment, and what of it is needed as it is run."""
        key = ("environment", f"{app.directory}:{app.kind}")
        if key not in self.tree.kept:
            self.tree.kept[key] = self._reads(app)
        kept: list[environment_reads.Read] = self.tree.kept[key]
        return kept

    def _reads(self, app: App) -> list[environment_reads.Read]:
        tree, folder = self.tree, app.directory
        if app.runtime.name == "python":
            others = (worker.command for worker in self.stack.workers if worker.app == app)
            migrating = migrations.find_in_app(app.runtime.name, tree, folder)
            scripts = migrations.environments(migrating)
            return python.reads(tree, folder, self.modules(app), [app.command, *others], scripts)
        own = apps.FRAMEWORKS[app.kind].entries(tree, folder)
        places = [(folder, own), *node_workspace.beside(tree, folder)]
        return [read for place, begins in places for read in javascript.reads(tree, place, begins)]

    def package(self, app: App) -> node_source.Package:
        """The package.json of an app on Node."""
        found = node_source.read_package_json(self.tree, app.directory)
        return found or node_source.NO_PACKAGE

    def sources(self, app: App) -> list[node_source.Source]:
        """The source files of an app on Node."""
        return node_source.app_sources(self.tree, app.directory)
