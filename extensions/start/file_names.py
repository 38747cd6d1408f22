"""Imports that name a file in other letters than its own: macOS and Windows find it, Linux not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from .. import javascript, started
from ..apps import FRAMEWORKS
from ..finding import Finding, where
from ..javascript import Script
from ..model import App
from ..python_distributions import IMPORTS, STANDARD
from ..python_source import Module, import_base, is_main_guard
from ..subject import Subject
from ..tree import Tree

_RULE = "start.file_names"
# Modules of libraries and of Python, beside which an own one may differ in its letters alone.
_OTHERS = IMPORTS.keys() | STANDARD
IDS = {_RULE: "Imports write names of files as the files are called"}


def find(subject: Subject) -> Iterator[Finding]:
    """What the apps load, and no file has that name but for small and capital letters."""
    for app in subject.of("python"):
        yield from _python(subject, app)
    for app in subject.of("node"):
        yield from _node(subject.tree, app)


def _told(path: str, line: int, written: str, called: str, right: str, certain: bool) -> Finding:
    return Finding(
        _RULE,
        certain,
        f"{where(path, line)} imports {written}, but its name is {called}: Linux tells small "
        "letters from capital ones, and finds nothing.",
        f"Write {right} there.",
        path,
        line,
    )


# --- Node ----------------------------------------------------------------------------------------


class _AnyCase:
    """The project's files, found whatever their letters."""

    def __init__(self, tree: Tree) -> None:
        self.called: Mapping[str, str] = {path.casefold(): path for path in tree.files}

    def has(self, path: str) -> bool:
        return path.casefold() in self.called


def _node(tree: Tree, app: App) -> Iterator[Finding]:
    any_case = _AnyCase(tree)
    entries = FRAMEWORKS[app.kind].entries(tree, app.directory)
    for path in sorted(javascript.reachable(tree, app.directory, entries)):
        script = javascript.read(tree, path)
        for written in dict.fromkeys(javascript.imports(script) if script else ()):
            if script and (file := _meant(tree, any_case, app.directory, path, written)):
                yield _told(
                    path, _line(script, written), written, file, _as_called(written, file), True
                )


def _meant(tree: Tree, any_case: _AnyCase, folder: str, path: str, written: str) -> str | None:
    """The file that an import means, where its name is another."""
    if not written.startswith((".", "@/", "~/", "#/")):
        return None
    plain = written.partition("?")[0]
    if javascript.resolve(tree, folder, path, plain):
        return None
    if found := javascript.resolve(any_case, folder, path, plain):
        return any_case.called[found.casefold()]
    # Pictures, styles and the like, which are named with their ending.
    for base in javascript.places(folder, path, plain):
        if tree.has(base):
            return None
        if "." in base.rpartition("/")[2] and any_case.has(base):
            return any_case.called[base.casefold()]
    return None


def _line(script: Script, written: str) -> int:
    places = (script.text.find(f"{quote}{written}{quote}") for quote in "\"'`")
    return script.text.count("\n", 0, max(0, *places)) + 1


def _as_called(written: str, file: str) -> str:
    """What was written, in the letters of the file's path."""
    query = written.partition("?")[2]
    parts, names = written.partition("?")[0].split("/"), file.split("/")
    if names[-1].partition(".")[0] == "index" and parts[-1].partition(".")[0].lower() != "index":
        names.pop()
    for back in range(1, min(len(parts), len(names)) + 1):
        name, part = names[-back], parts[-back]
        stem = name[: len(part)]
        if stem.casefold() != part.casefold():
            # An ending that is another in the source, as `.js` for `.ts`.
            stem = name.rpartition(".")[0] + "." + part.rpartition(".")[2]
            if stem.casefold() != part.casefold():
                break
        parts[-back] = stem
    return "/".join(parts) + (f"?{query}" if query else "")


# --- Python --------------------------------------------------------------------------------------


def _python(subject: Subject, app: App) -> Iterator[Finding]:
    run = started.of(subject, app)
    names = {
        ".".join(name.split(".")[:depth])
        for name in run.program.modules
        for depth in range(1, name.count(".") + 2)
    }
    called = {name.casefold(): name for name in names}
    for module in run.modules:
        for written, line, sure in _imports(module, module.body.body, sure=True):
            right = called.get(written.casefold())
            if right and written not in names and written.partition(".")[0] not in _OTHERS:
                certain = sure and module.name in run.surely
                yield _told(module.path, line, written, right, right, certain)


def _imports(module: Module, body: list[ast.stmt], sure: bool) -> Iterator[tuple[str, int, bool]]:
    """Modules that are imported with this one, but those whose absence is handled."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, sure) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield import_base(module, node), node.lineno, sure
        elif isinstance(node, ast.If):
            yield from _imports(module, node.body, sure and is_main_guard(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.With):
            yield from _imports(module, node.body, sure=False)
