"""Packages that a Python app imports when it starts, and that no dependency of it brings."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .. import (
    finding,
    package_managers,
    python_distributions,
    python_locks,
    python_project,
    started,
)
from ..finding import Finding
from ..image_reference import ImageReference
from ..model import App, PythonBuild
from ..python_dependencies import read_toml
from ..python_distributions import ALIKE, BRINGS, COMMON, IMPORTS, NAMESPACES, STANDARD
from ..python_source import Module, is_main_guard
from ..subject import Subject
from ..tree import Tree, join

RUNTIME = "python"
_RULE = "start.imports"
IDS = {_RULE: "The dependencies have what the apps import"}


@dataclass(frozen=True)
class _Known:
    """Distributions that an image gets.

    Attributes:
        names: Those that are known, in their normal form.
        whole: There are no others.
        locked: Names of a lockfile that development alone gets.
    """

    names: frozenset[str]
    whole: bool
    locked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Missing:
    """A module that nothing brings: where it is imported, and whether at the start for certain."""

    top: str
    module: Module
    line: int
    sure: bool


def find(subject: Subject) -> Iterator[Finding]:
    """What each app imports, but no other image than Python's own: it may have more installed."""
    for app in subject.of("python"):
        build = app.build
        if isinstance(build, PythonBuild) and ImageReference.parse(build.image).is_official(
            "python"
        ):
            known = _known(subject, app, build)
            missing = list(_missing(subject, app, known)) if known else []
            if known and missing and not build.manager:
                yield _without_a_list(app, missing)
            elif known:
                yield from (_told(app, build, known, one) for one in missing)


def _known(subject: Subject, app: App, build: PythonBuild) -> _Known | None:
    """What is installed; None where that cannot be told."""
    tree, folder = subject.tree, app.directory
    if not build.manager:
        return _Known(frozenset(), whole=True)
    added = frozenset(_name(one) for one in build.additions)
    if lockfile := next((name for name in build.manifests if name.endswith(".lock")), None):
        listed = python_locks.locked(tree, join(folder, lockfile))
        every = frozenset(_name(str(one.get("name"))) for one in listed)
        installed = python_locks.installed(
            tree, folder, build.manager, lockfile, (*(build.groups or ()), *build.extras)
        )
        if installed is None:
            return _Known(every | added, whole=bool(every)) if every else None
        return _Known(installed | added, whole=True, locked=every - installed)
    packages_found = package_managers.get(build.manager).find(tree, folder, frozenset())
    if packages_found is None:
        return None
    declared = {one.value for one in packages_found.dependencies} | added
    declared |= _local_names(tree, folder, build)
    extras, local = _forms(tree, folder, build)
    closed = not local and not extras and declared <= BRINGS.keys()
    return _Known(python_distributions.brought(declared), closed)


def _local_names(tree: Tree, folder: str, build: PythonBuild) -> set[str]:
    """The names of packages that are folders of the project."""
    places = [join(folder, one) for one in build.manifests if one.endswith("/")]
    paths = [path for place in places if (path := tree.first(place, "pyproject.toml"))]
    named = (python_project.name_of(read_toml(tree, path)) for path in paths)
    return {_name(one) for one in named if one}


def _forms(tree: Tree, folder: str, build: PythonBuild) -> tuple[bool, bool]:
    """Whether requirements have extras, and whether some have no name."""
    extras = bool(build.manifest_folders) or "pyproject.toml" in build.manifests
    local = len(build.manifest_lists) + len(build.manifest_folders) < len(build.manifests)
    for file in build.manifest_lists:
        for line in (
            tree.read(join(folder, file)).splitlines() if file.endswith((".txt", ".in")) else ()
        ):
            text = line.partition(" #")[0].split(" --")[0].rstrip("\\ ").strip()
            if not text or text.startswith(("#", "-")):
                continue
            try:
                extras = extras or bool(Requirement(text).extras)
            except InvalidRequirement:
                local = True
    return extras, local


def _name(requirement: str) -> str:
    return str(canonicalize_name(requirement.partition("[")[0].strip()))


def _missing(subject: Subject, app: App, known: _Known) -> Iterator[_Missing]:
    """Each module once, at its first place; those that are imported for certain first."""
    run = started.of(subject, app)
    own = {name.partition(".")[0] for name in run.program.modules}
    places = _own_names(subject.tree)
    found: dict[str, _Missing] = {}
    for module in sorted(run.modules, key=lambda one: one.name not in run.surely):
        for name, line in _imports(module.body.body, module.name in run.scripts):
            top = name.partition(".")[0]
            if top in found or top in STANDARD or top in own or top in places or not top:
                continue
            if not _is_brought(known, top):
                found[top] = _Missing(top, module, line, module.name in run.surely)
    yield from found.values()


def _is_brought(known: _Known, top: str) -> bool:
    if python_distributions.provides(known.names, top):
        return True
    usual = _usual(top)
    # Something that is listed may bring it along.
    return not known.whole and (usual in COMMON or top in NAMESPACES)


def _usual(top: str) -> str:
    return IMPORTS[top][0] if top in IMPORTS else str(canonicalize_name(top))


def _own_names(tree: Tree) -> frozenset[str]:
    """Names of all modules and folders of the project: each may be on the path."""
    key = ("own_names", "")
    if key not in tree.kept:
        parts = (part for path in tree.files if path.endswith((".py", ".pyi", ".so", ".pyx"))
                 for part in path.split("/"))  # fmt: skip
        tree.kept[key] = frozenset(part.partition(".")[0] for part in parts)
    found: frozenset[str] = tree.kept[key]
    return found


def _imports(body: Iterable[ast.stmt], is_script: bool) -> Iterator[tuple[str, int]]:
    """What is imported whenever a module is, and not where a failure is handled."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module, node.lineno
        elif isinstance(node, ast.ClassDef | ast.With) and not _suppresses(node):
            yield from _imports(node.body, is_script)
        elif isinstance(node, ast.Try) and not node.handlers:
            yield from _imports([*node.body, *node.finalbody], is_script)
        elif is_script and isinstance(node, ast.If) and is_main_guard(node):
            yield from _imports(node.body, is_script)


def _suppresses(node: ast.ClassDef | ast.With) -> bool:
    """Whether it is `with suppress(ImportError):`."""
    return isinstance(node, ast.With) and any("suppress" in ast.dump(i) for i in node.items)


def _told(app: App, build: PythonBuild, known: _Known, one: _Missing) -> Finding:
    main, package = join(app.directory, build.manifests[0]), _usual(one.top)
    place = finding.where(one.module.path, one.line)
    in_development = python_distributions.provides(known.locked, one.top)
    is_known = one.top in ALIKE or (one.top in IMPORTS and one.top not in NAMESPACES)
    is_locked = any(name.endswith(".lock") for name in build.manifests)
    certain = one.sure and is_known and known.whole and is_locked
    if certain:
        lacks = (
            f"which {main} has for development alone" if in_development
            else f"which no dependency of {main} brings"
        )  # fmt: skip
        ending = "the app does not start."
    else:
        lacks = f"and no dependency of {main} has such a name"
        ending = "the app may not start." if one.sure else "that may fail."
    # From 82 on, setuptools has no such module.
    package = "setuptools<82" if one.top == "pkg_resources" else package
    name = one.top if package == one.top else f"{one.top} ({package})"
    if build.manager == "pip" or not build.manager:
        mend = f"Add {package} to {main}."
    else:
        folder = "" if app.directory == "." else f"cd {shlex.quote(app.directory)} && "
        mend = f"{folder}{build.manager} add {shlex.quote(package)}"
    seen = f"{place} imports {name}, {lacks}: {ending}"
    return Finding(_RULE, certain, seen, mend, one.module.path, one.line)


def _without_a_list(app: App, missing: list[_Missing]) -> Finding:
    """Nothing declares any dependency."""
    first, names = missing[0], [one.top for one in missing]
    listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if names[4:] else "")
    place, path = (
        finding.where(first.module.path, first.line),
        join(app.directory, "requirements.txt"),
    )
    return Finding(
        _RULE,
        first.sure,
        f"{place} imports {names[0]}, but nothing lists dependencies, so the image has none of "
        f"{listed}.",
        f"List them in {path}: {' '.join(_usual(name) for name in names)}",
        first.module.path,
        first.line,
    )
