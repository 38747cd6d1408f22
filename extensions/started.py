"""The Python modules that an app and its worker run, as their commands name them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import python_program
from .model import App
from .python_command import named
from .python_program import Program
from .python_source import Module, is_main_guard
from .subject import Subject


@dataclass(frozen=True)
class Started:
    """What runs of a Python app.

    Attributes:
        program: All its modules.
        scripts: Those that are run themselves, as `python main.py` does.
        surely: Names of the modules that run at the start for certain.
        modules: Those that run at all, in the order of their paths.
        factories: Functions that are called for the app, each by its module and name.
    """

    program: Program
    scripts: frozenset[str]
    surely: frozenset[str]
    modules: tuple[Module, ...]
    factories: frozenset[tuple[str, str]] = frozenset()
    _calls: dict[str, list[tuple[ast.Call, bool]]] = field(default_factory=dict)

    def calls(self, module: Module) -> list[tuple[ast.Call, bool]]:
        """The calls of a module, and whether each happens at the start for certain."""
        if module.name not in self._calls:
            sure = module.name in self.surely
            called = frozenset(name for owner, name in self.factories if owner == module.name)
            found = _calls(module.body, sure, module.name in self.scripts, called)
            self._calls[module.name] = list(found)
        return self._calls[module.name]


def of(subject: Subject, app: App) -> Started:
    """What the commands of an app, and of its worker, run."""
    key = ("started", app.name)
    if key not in subject.tree.kept:
        subject.tree.kept[key] = _find(subject, app)
    found: Started = subject.tree.kept[key]
    return found


def _find(subject: Subject, app: App) -> Started:
    program = python_program.of(subject.tree, app.directory, subject.modules(app))
    commands = [app.command]
    commands += [worker.command for worker in subject.stack.workers if worker.app == app]
    names, scripts, factories = [], set(), set()
    for words in commands:
        for one in named(program.modules, app.directory, words):
            names.append(one.module.name)
            if one.is_script:
                scripts.add(one.module.name)
            if "--factory" in words:
                factories.add((one.module.name, one.attribute))
    reached = program.reached(*names)
    return Started(
        program,
        frozenset(scripts),
        program.reached(*names, surely=True),
        tuple(sorted((program.modules[n] for n in reached), key=lambda module: module.path)),
        frozenset(factories),
    )


def _calls(
    node: ast.AST, sure: bool, is_script: bool, called: frozenset[str]
) -> Iterator[tuple[ast.Call, bool]]:
    for child in ast.iter_child_nodes(node):
        if is_main_guard(child) and not is_script:
            continue
        if isinstance(child, ast.Call):
            yield child, sure
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            outside = ast.Tuple([*child.decorator_list, *child.args.defaults])
            yield from _calls(outside, sure, is_script, called)
            inside = ast.Module(child.body, [])
            yield from _calls(inside, sure and child.name in called, is_script, called)
            continue
        late = isinstance(child, ast.Lambda | ast.If | ast.IfExp) or (
            isinstance(child, ast.Try) and bool(child.handlers)
        )
        still = sure and (not late or is_main_guard(child))
        yield from _calls(child, still, is_script, called)
