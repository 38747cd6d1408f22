"""What the rules of `extensions/start/` look at: the stack, and the source of its apps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import environment_reads, node_source, python_source
from .environment_reads import javascript, python
from .model import App, Stack
from .services import KINDS
from .tree import Tree

_SERVICE_FOLDERS = frozenset(kind.folder for kind in KINDS.values())


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
        skipped = _SERVICE_FOLDERS if app.directory == "." else frozenset()
        return python_source.parse_modules(self.tree, app.directory, skipped)[0]

    def reads(self, app: App) -> list[environment_reads.Read]:
        """Where an app's code reads the environment; what of it is required is not told here."""
        key = ("environment", app.directory)
        if key not in self.tree.kept:
            if app.runtime.name == "python":
                found = python.reads(self.tree, app.directory, self.modules(app), ())
            else:
                found = javascript.reads(self.tree, app.directory)
            self.tree.kept[key] = found
        kept: list[environment_reads.Read] = self.tree.kept[key]
        return kept

    def package(self, app: App) -> node_source.Package:
        """The package.json of an app on Node."""
        found = node_source.read_package_json(self.tree, app.directory)
        return found or node_source.NO_PACKAGE

    def sources(self, app: App) -> list[node_source.Source]:
        """The source files of an app on Node."""
        return node_source.app_sources(self.tree, app.directory)
