"""Modules and files that a Python app uses, and that its image lacks."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from .. import finding, package_managers, started
from ..finding import Finding
from ..model import App
from ..python_paths import ROOT, UNKNOWN, Paths, beside
from ..python_source import Module, called_name
from ..services import FOLDERS
from ..subject import Subject
from ..tree import Tree, join

RUNTIME = "python"
IDS = {"start.sources": "The images have the modules and files that the apps use"}

_WORDS = re.compile(
    r"\bopen\(|\.read_(?:text|bytes|csv|excel|parquet|json)\(|Templates\(|StaticFiles"
    r"|FileSystemLoader"
)
# What reads a file or folder: the argument (place and name) with its path.
_READERS: dict[str, tuple[int, str]] = {
    "Jinja2Templates": (0, "directory"),
    "FileSystemLoader": (0, "searchpath"),
    "StaticFiles": (9, "directory"),
    "read_csv": (0, "filepath_or_buffer"),
    "read_excel": (0, "io"),
    "read_parquet": (0, "path"),
    "read_json": (0, "path_or_buf"),
}
_SERVICES = FOLDERS - {"database"}
_OF_PATHS = frozenset({"read_text", "read_bytes"})


def find(subject: Subject) -> Iterator[Finding]:
    """What each Python app imports and opens, where it lies in the project but not in the image."""
    for app in subject.of("python"):
        told: set[str] = set()
        for one in (*_imports(subject, app), *_files(subject, app)):
            if one.mend not in told:
                told.add(one.mend)
                yield one


def _imports(subject: Subject, app: App) -> Iterator[Finding]:
    run = started.of(subject, app)
    tops = {name.partition(".")[0] for name in run.program.modules}
    for module in run.modules:
        for one in run.program.imports(module):
            top = one.name.partition(".")[0]
            if top in sys.stdlib_module_names or not top:
                continue
            if app.directory != "." and top in tops:
                continue
            path = _place(subject.tree, app.directory, top)
            inside = path is not None
            path = path or (_place(subject.tree, ".", top) if app.directory != "." else None)
            if path is None and (found := _sibling(subject, app, run, module, one.line, top)):
                if not (one.fallible or one.late):
                    yield found
                continue
            if path is None or (inside and (app.directory != "." or path in app.sources)):
                continue
            if inside and any(path.startswith(s) for s in app.sources if s.endswith("/")):
                continue
            # Spinbox's folders of these names are none that an app imports.
            if top in _SERVICES or _is_dependency(subject, app, top):
                continue
            sure = module.name in run.surely and not (one.fallible or one.late)
            ours = inside or top == app.directory or subject.tree.has(f"{path}__init__.py")
            yield _told(app, module, one.line, f"imports {path}", path, sure and ours)


def _sibling(
    subject: Subject, app: App, run: started.Started, module: Module, line: int, top: str
) -> Finding | None:
    """A module that is imported by its bare name from a folder that is no place for imports."""
    folder = posixpath.dirname(module.path) or "."
    root = join(app.directory, module.source_root)
    if folder in {root, app.directory} or module.name in run.scripts or "sys.path" in module.text:
        return None
    tree = subject.tree
    there = tree.has(join(folder, f"{top}.py")) or tree.has(join(folder, f"{top}/__init__.py"))
    if not there or _is_dependency(subject, app, top):
        return None
    package = posixpath.relpath(folder, root).replace("/", ".")
    return Finding(
        "start.sources",
        module.name in run.surely,
        f"{finding.where(module.path, line)} imports {top}, which lies in {folder}/, but the app "
        f"is started from {'the top folder' if app.directory == '.' else f'{app.directory}/'}.",
        f"Write {package}.{top}, or start it there: spinbox build --prod --set "
        f"{app.kind}.dir={folder}",
        module.path,
        line,
    )


def _place(tree: Tree, folder: str, top: str) -> str | None:
    """The file or folder (ending in `/`) that an import means, relative to the project."""
    for root in (folder, join(folder, "src")):
        path = join(root, top)
        if tree.has(f"{path}.py"):
            return f"{path}.py"
        if any(tree.below(path, ".py")):
            return f"{path}/"
    return None


def _is_dependency(subject: Subject, app: App, top: str) -> bool:
    name = canonicalize_name(top)
    if not app.build.manager:
        return False
    manager = package_managers.get(app.build.manager)
    found = manager.find(subject.tree, app.directory, frozenset({name}))
    return found is not None and any(one.value == name for one in found.dependencies)


def _told(app: App, module: Module, line: int, what: str, path: str, sure: bool) -> Finding:
    place = finding.where(module.path, line)
    if app.directory == ".":
        top = path.split("/")[0] + ("/" if "/" in path else "")
        sources = ",".join([*app.sources, top])
        seen = f"{place} {what}, which the image does not get."
        mend = f"spinbox build --prod --set {app.kind}.sources={sources}"
    else:
        seen = f"{place} {what}, which lies outside of {app.directory}/: the image lacks it."
        top = path.split("/")[0]
        own = top == app.directory
        mend = (
            f"Import it as the app in {app.directory}/ does, without `{top}.` in front."
            if own and what.startswith("imports")
            else f"Move {path} into {app.directory}/."
        )
    return Finding("start.sources", sure, seen, mend, module.path, line)


def _files(subject: Subject, app: App) -> Iterator[Finding]:
    run = started.of(subject, app)
    paths = Paths(run.program, app.directory, frozenset())
    moves = "--chdir" in app.command or any("chdir(" in module.text for module in run.modules)
    for module in run.modules:
        if not _WORDS.search(module.text):
            continue
        for call, sure in run.calls(module):
            found = _read(call)
            path = paths.absolute(module, found) if found is not None else None
            if path is None:
                continue
            missing = _outside(subject.tree, app, path.partition(UNKNOWN)[0].rstrip("/"))
            if missing:
                yield _told(app, module, call.lineno, f"opens {missing}", missing, sure)
            elif not moves and (near := beside(subject.tree, app.directory, module, path)):
                yield _started_elsewhere(module, call, path, near, sure)


def _started_elsewhere(
    module: Module, call: ast.Call, path: str, near: tuple[str, int], sure: bool
) -> Finding:
    """What is found where the app was started in the folder of its code, as nothing does here."""
    there, above = near
    shown = path.removeprefix(f"{ROOT}/")
    up = ".parent" if not above else f".parents[{above}]"
    fails = sure and called_name(call) not in {"Jinja2Templates", "FileSystemLoader"}
    return Finding(
        "start.sources",
        fails,
        f"{finding.where(module.path, call.lineno)} opens {shown} in the folder that the app is "
        f"started in, {ROOT}, but that is {there}.",
        f'Write Path(__file__).resolve(){up} / "{shown}" there.',
        module.path,
        call.lineno,
    )


def _read(call: ast.Call) -> ast.expr | None:
    name = called_name(call)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in _READERS:
        place, keyword = _READERS[name]
        return call.args[place] if len(call.args) > place else given.get(keyword)
    if name in _OF_PATHS and isinstance(call.func, ast.Attribute):
        return call.func.value
    if name == "open" and isinstance(call.func, ast.Name):
        mode = call.args[1] if len(call.args) > 1 else given.get("mode")
        reads = mode is None or (
            isinstance(mode, ast.Constant) and not set(str(mode.value)) & set("wax")
        )
        return (call.args[0] if call.args else given.get("file")) if reads else None
    return None


def _outside(tree: Tree, app: App, path: str) -> str | None:
    """The file or folder (ending in `/`) that a path means, where the image lacks it."""
    if not path.startswith(f"{ROOT}/"):
        # Above the app's folder, where the project's top folder would be.
        return _in_project(tree, path.lstrip("/")) if app.directory != "." else None
    inner = path.removeprefix(f"{ROOT}/")
    here, there = _in_project(tree, join(app.directory, inner)), _in_project(tree, inner)
    if app.directory != ".":
        return None if here else there
    top = inner.split("/")[0]
    listed = {top, f"{top}/", inner}.intersection((*app.sources, *app.keep))
    return None if listed else here


def _in_project(tree: Tree, path: str) -> str | None:
    if not path or tree.has(path):
        return path or None
    return f"{path}/" if any(tree.below(path)) else None
