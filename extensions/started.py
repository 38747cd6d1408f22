"""The Python modules that an app and its worker run, as their commands name them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from .model import App
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
    """

    program: Program
    scripts: frozenset[str]
    surely: frozenset[str]
    modules: tuple[Module, ...]

    def calls(self, module: Module) -> Iterator[tuple[ast.Call, bool]]:
        """The calls of a module, and whether each happens at the start for certain."""
        sure = module.name in self.surely
        yield from _calls(module.body, sure, module.name in self.scripts)


def of(subject: Subject, app: App) -> Started:
    """What the commands of an app, and of its worker, run."""
    key = ("started", app.name)
    if key not in subject.tree.kept:
        subject.tree.kept[key] = _find(subject, app)
    found: Started = subject.tree.kept[key]
    return found


def _find(subject: Subject, app: App) -> Started:
    program = Program(subject.modules(app))
    paths = {
        str(PurePosixPath(m.path).relative_to(app.directory)): m for m in program.modules.values()
    }
    words = [*app.command]
    if subject.stack.worker and subject.stack.worker.app == app:
        words += subject.stack.worker.command
    names, scripts = [], set()
    for place, word in enumerate(words):
        if module := paths.get(word.removeprefix("./")):
            names.append(module.name)
            scripts.add(module.name)
        elif name := _longest(program, word.partition(":")[0]):
            names.append(name)
            if place and words[place - 1] == "-m":
                scripts.add(name)
    reached = program.reached(*names)
    return Started(
        program,
        frozenset(scripts),
        program.reached(*names, surely=True),
        tuple(sorted((program.modules[n] for n in reached), key=lambda module: module.path)),
    )


def _longest(program: Program, dotted: str) -> str | None:
    """The module that a dotted name is, or is in."""
    while dotted and dotted not in program.modules:
        dotted = dotted.rpartition(".")[0]
    return dotted or None


def _calls(node: ast.AST, sure: bool, is_script: bool) -> Iterator[tuple[ast.Call, bool]]:
    for child in ast.iter_child_nodes(node):
        if is_main_guard(child) and not is_script:
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for outer in (*child.decorator_list, child.args):
                yield from _calls(outer, sure, is_script)
                if isinstance(outer, ast.Call):
                    yield outer, sure
            for inner in child.body:
                yield from _calls(inner, False, is_script)
                if isinstance(inner, ast.Call):
                    yield inner, False
            continue
        late = isinstance(child, ast.Lambda | ast.If | ast.IfExp) or (
            isinstance(child, ast.Try) and bool(child.handlers)
        )
        if isinstance(child, ast.Call):
            yield child, sure
        yield from _calls(child, sure and not (late and not is_main_guard(child)), is_script)
