"""Web frameworks of Python, found by what the code makes: which, where, and what it serves.

What is common to the modules of `apps/` that serve HTTP and have no flag of their own: a Spinbox
project says USE_PYTHON or USE_FASTAPI, whatever it is written with.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from . import (
    django_settings,
    django_urls,
    health_routes,
    python_plain_routes,
    python_program,
    python_routes,
    route_prefixes,
)
from .conf import switched_on
from .framework import Situation
from .origins import BY_HAND, Fields, Found, Origin
from .project import Place, Project
from .python_entries import Entry, find_entries, find_served
from .python_program import Program
from .python_routes import Routes
from .python_source import Module, called_name, parse_modules, statements
from .tree import Tree

FLAGS = ("USE_PYTHON", "USE_FASTAPI")
# What is set by hand of an app that is none of these: it stays what it was.
_OTHERS = re.compile(r"python\.(command|mode|entry|port|dir)|fastapi\.(command|entry|dir)")
MANIFESTS = ("requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "uv.lock")
# Scripts at the top that a Python app without a framework begins with.
_SCRIPT_NAMES = ("main.py", "app.py", "run.py", "__main__.py")
# Libraries of bots whose object is run, and what others call for the same.
_BOTS = ("discord", "nextcord", "disnake", "interactions")
_POLLS = ("run_polling", "start_polling", "infinity_polling")
# Where several modules have the app, the one that is made for servers.
_FOR_SERVERS = (
    "wsgi", "asgi", "main", "app", "application", "server", "run", "index", "api", "web", "",
)  # fmt: skip


@dataclass(frozen=True)
class Maker:
    """What makes an app of a framework.

    Attributes:
        title: The framework's name, for people.
        kind: Its module in `apps/`.
        library: What the code imports for it.
        names: The calls that make it.
    """

    title: str
    kind: str
    library: str
    names: frozenset[str]


# In their order: what is made for another one is served with that.
MAKERS = (
    Maker("FastAPI", "fastapi", "fastapi", frozenset({"FastAPI"})),
    Maker("Litestar", "asgi", "litestar", frozenset({"Litestar"})),
    Maker("Quart", "asgi", "quart", frozenset({"Quart"})),
    Maker("FastHTML", "asgi", "fasthtml", frozenset({"FastHTML", "fast_app"})),
    Maker("Sanic", "asgi", "sanic", frozenset({"Sanic"})),
    Maker("Starlette", "asgi", "starlette", frozenset({"Starlette"})),
    Maker("Dash", "wsgi", "dash", frozenset({"Dash"})),
    Maker("Flask", "wsgi", "flask", frozenset({"Flask", "APIFlask"})),
    Maker("Bottle", "wsgi", "bottle", frozenset({"Bottle"})),
    Maker("Falcon", "asgi", "falcon.asgi", frozenset({"App"})),
    Maker("Falcon", "wsgi", "falcon", frozenset({"App", "API"})),
    Maker("Socket.IO", "asgi", "socketio", frozenset({"ASGIApp"})),
    Maker("MCP server", "asgi", "mcp", frozenset({"streamable_http_app", "http_app", "sse_app"})),
    Maker("MCP server", "asgi", "fastmcp", frozenset({"http_app", "streamable_http_app"})),
    Maker("aiohttp", "aiohttp", "aiohttp", frozenset({"Application"})),
)
# Libraries whose own program runs a script: the kind, the library, and what the code calls.
_SCRIPTS = (
    ("streamlit", "streamlit", None),
    ("gradio", "gradio", "launch"),
)


@dataclass(frozen=True)
class Web:
    """A web app that was found.

    Attributes:
        kind: Its module in `apps/`.
        title: The framework's name.
        folder: Its folder.
        path: The file that says so.
        line: The line there.
    """

    kind: str
    title: str
    folder: str
    path: str
    line: int | None

    def found(self, value: str) -> Found[str]:
        """A value that follows from it."""
        return Found(value, f"{self.title} app", self.path, self.line)


def find(project: Project, kind: str) -> Place | None:
    """The app of a kind: where it was named by hand, or the first whose code is of it."""
    if named := project.by_hand(f"{kind}.dir"):
        return Place(Origin(None, None, BY_HAND), named)
    if any(_OTHERS.fullmatch(key) for key in project.hints):
        return None
    for web in _all(project):
        if web.kind == kind:
            return Place(web.found("").origin, web.found(web.folder))
    return None


def is_others(project: Project, folder: str | None) -> bool:
    """Whether a folder that is to hold a FastAPI app has one of another framework instead."""
    if any(_OTHERS.fullmatch(key) for key in project.hints):
        return False
    found = _all(project)
    if folder is None:
        return bool(found)
    return any(web.folder == folder or folder == "." for web in found)


def _all(project: Project) -> list[Web]:
    """All web apps but FastAPI's, one for each folder and kind."""
    if not any(switched_on(project.conf, flag) for flag in FLAGS):
        return []
    key = ("web apps", ".")
    if key not in project.tree.kept:
        project.tree.kept[key] = list(_look(project))
    found: list[Web] = project.tree.kept[key]
    return found


def _look(project: Project) -> Iterator[Web]:
    """Each kind once; none beside FastAPI, or a script at the top, which were there first."""
    tree = project.tree
    tops = sorted({path.split("/")[0] for path in tree.below(".", ".py") if "/" in path})
    # What is in a folder with dependencies of its own is no part of the app at the top.
    inside = frozenset(
        top for top in tops if not project.is_no_source(top) and tree.first(top, *MANIFESTS)
    )
    has_script = switched_on(project.conf, "USE_PYTHON") and tree.first(".", *_SCRIPT_NAMES)
    folders = [] if has_script else sorted(inside, key=lambda top: top != "backend")
    found: dict[str, Web] = {}
    for folder in (*folders, "."):
        skip = project.service_folders | inside if folder == "." else frozenset()
        modules = parse_modules(tree, folder, skip)[0]
        if _has_fastapi(modules):
            return
        alone = folder != "." or not folders or tree.first(".", *MANIFESTS)
        if alone and (web := in_folder(tree, folder, modules)):
            found.setdefault(web.kind, web)
    yield from found.values()


def _is_bot(module: Module) -> bool:
    """Whether it waits for messages: a web app beside it only says that it is alive."""
    if any(_first_call(module, name) for name in _POLLS if name in module.text):
        return True
    return any(imports(module, library) for library in _BOTS) and bool(_first_call(module, "run"))


def _has_fastapi(modules: Sequence[Module]) -> bool:
    return any("FastAPI" in m.text and find_entries([m], {"FastAPI"}) for m in modules)


def in_folder(tree: Tree, folder: str, modules: Sequence[Module]) -> Web | None:
    """The web app in a folder, unless it is FastAPI's; None where there is none."""
    if _has_fastapi(modules):
        return None
    if web := _django(tree, folder):
        return web
    if any(map(_is_bot, modules)):
        return None
    for maker in MAKERS[1:]:
        if entries := entries_of(maker, modules):
            one = entries[0]
            return Web(maker.kind, maker.title, folder, one.module.path, one.line)
    for kind, library, call in _SCRIPTS:
        for module in _by_name(modules):
            if not imports(module, library) or (call and not _first_call(module, call)):
                continue
            return Web(kind, kind.capitalize(), folder, module.path, None)
    return None


def script(
    folder: str, library: str, modules: Sequence[Module], call: str | None = None
) -> Found[str | None]:
    """The script of a library, relative to the app's folder: one that calls that, if it has to."""
    for module in _by_name(modules):
        if imports(module, library) and (call is None or _first_call(module, call)):
            path = module.path if folder == "." else module.path.removeprefix(f"{folder}/")
            return Found(path, f"imports {library}", module.path)
    return Found(None, f"no script imports {library}")


def argument(modules: Sequence[Module], call: str, name: str) -> Found[object] | None:
    """The constant that a call is given by that name, wherever it stands first."""
    for module in modules:
        found = _first_call(module, call)
        for keyword in found.keywords if found else ():
            if keyword.arg == name and isinstance(keyword.value, ast.Constant):
                return Found(keyword.value.value, name, module.path, keyword.value.lineno)
    return None


def _first_call(module: Module, name: str) -> ast.Call | None:
    for node in ast.walk(module.body):
        if isinstance(node, ast.Call) and called_name(node) == name:
            return node
    return None


def _django(tree: Tree, folder: str) -> Web | None:
    found = django_settings.find(tree, folder)
    return Web("django", "Django", folder, found.manage, None) if found else None


def entries_of(maker: Maker, modules: Sequence[Module]) -> list[Entry]:
    """The objects or factories of a framework."""
    holding = [module for module in modules if imports(module, maker.library)]
    if not holding:
        return []
    if "fast_app" in maker.names:
        made = [*find_entries(modules, maker.names), *_first_of_several(holding, maker.names)]
    else:
        made = find_entries(modules, maker.names)
    sources = {id(module) for module in holding}
    of_library = [
        entry
        for entry in made
        if id(entry.module) in sources
        or any(entry.call is node for module in holding for node in ast.walk(module.body))
    ]
    return sorted(of_library, key=_rank)


def _first_of_several(modules: Sequence[Module], names: frozenset[str]) -> Iterator[Entry]:
    """`app, rt = fast_app()`."""
    for module in modules:
        for node in statements(module.body.body):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                target = node.targets[0]
                if called_name(node.value) in names and isinstance(target, ast.Tuple):
                    first = target.elts[0]
                    if isinstance(first, ast.Name):
                        yield Entry(module, first.id, False, node.lineno, node.value)


def _rank(entry: Entry) -> tuple[bool, int, str]:
    name = entry.module.name.rpartition(".")[2]
    place = _FOR_SERVERS.index(name) if name in _FOR_SERVERS else len(_FOR_SERVERS)
    return entry.factory, place, entry.target


def _by_name(modules: Sequence[Module]) -> list[Module]:
    """Modules in the order in which one is the script that runs: the highest, by usual names."""
    usual = ("app", "main", "streamlit_app", "home", "dashboard", "demo", "ui", "run")

    def place(module: Module) -> tuple[int, int, str]:
        name = PurePosixPath(module.path).stem.lower()
        known = usual.index(name) if name in usual else len(usual)
        return module.path.count("/"), known, module.path

    return sorted(modules, key=place)


def imports(module: Module, library: str) -> bool:
    """Whether a module imports a library, or a part of it."""
    if library.partition(".")[0] not in module.text:
        return False
    for node in ast.walk(module.body):
        if isinstance(node, ast.Import):
            if any(_is_in(alias.name, library) for alias in node.names):
                return True
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
            if any(_is_in(name, library) for name in names):
                return True
    return False


def _is_in(name: str, library: str) -> bool:
    return name == library or name.startswith(f"{library}.")


def maker_of(kind: str, modules: Sequence[Module]) -> tuple[Maker, list[Entry]] | None:
    """The framework of an app of that kind, and its objects or factories."""
    for maker in MAKERS:
        if maker.kind == kind and (entries := entries_of(maker, modules)):
            return maker, entries
    return None


def read(
    project: Project, folder: str, kind: str, modules: Sequence[Module], port: Found[int]
) -> Fields:
    """The entry, and what it says of health check and paths."""
    program = python_program.of(project.tree, folder, modules)
    found = maker_of(kind, modules)
    hint = project.hints.get(f"{kind}.entry")
    if found is None:
        reason = "no app in the source"
        return {
            "entry": Found(hint, BY_HAND if hint else reason),
            "factory": Found(False, reason),
            "framework": Found("", reason),
            "source_root": Found(".", reason),
            "port": port,
            "health": Found(None, reason),
            "paths": Found(["/api"], "the usual prefix"),
        }
    maker, entries = found
    served = find_served(program, entries) if kind == "asgi" else entries
    chosen = next((e for e in (*served, *entries) if e.target == hint), None)
    entry = chosen or min(served, key=_rank)
    root, path = entry.module.source_root, entry.module.path
    where = Found(root, "the app's folder" if root == "." else f"{root}/ is no package", path)
    routes = _routes(program, entry, maker, modules)
    found_health = health(routes, path)
    rest = [] if hint else [one.target for one in served if one.call is not entry.call]
    return {
        "entry": Found(hint, BY_HAND) if hint else entry.found(entry.target),
        "entries": entry.found(rest) if rest else Found([], "the entry is clear"),
        "factory": entry.found(entry.factory),
        "framework": entry.found(maker.title),
        "source_root": where,
        "port": port,
        "health": found_health,
        "paths": _paths(project.tree, folder, entry, routes, found_health.value),
    }


def routes(
    tree: Tree, folder: str, kind: str, modules: Sequence[Module], target: str | None
) -> Routes | None:
    """What an app serves, by its entry; None where that is not told."""
    if kind == "django":
        settings = django_settings.find(tree, folder)
        return django_urls.read(tree, settings) if settings else None
    maker, entries = maker_of(kind, modules) or (None, [])
    program = python_program.of(tree, folder, modules)
    for entry in (*find_served(program, entries), *entries):
        if maker and entry.target == target:
            return _routes(program, entry, maker, modules)
    return None


def _routes(program: Program, entry: Entry, maker: Maker, modules: Sequence[Module]) -> Routes:
    if maker.title in {"Litestar", "aiohttp", "FastHTML"}:
        return python_plain_routes.read(program, modules)
    reached = program.reached(entry.module.name, entry.key[0])
    looked = [
        program.modules[name]
        for name in sorted(reached)
        if python_routes.has_routes(program.modules[name].text)
    ]
    return python_routes.read(program, looked, entry.key, entry.call)


def _paths(
    tree: Tree, folder: str, entry: Entry, routes: Routes, health_path: str | None
) -> Found[list[str]]:
    """The proxy's prefixes, where the app stands beside a frontend."""
    also = [entry.also] if entry.also else []
    own = [*(r.path for r in routes.listed if r.path != health_path), *also]
    prefixes = route_prefixes.choose(own, route_prefixes.pages(tree, folder))
    if not prefixes or routes.unknown:
        prefixes = ["/api", *(p for p in prefixes if not route_prefixes.covers("/api", p))]
    return replace(entry.found(prefixes), reason="its routes")


def health(routes: Routes, path: str) -> Found[str | None]:
    """The health check among the routes that are served with GET to everybody."""
    open_ = [r for r in routes.listed if r.is_open and r.whole and health_routes.is_health(r.path)]
    if not open_:
        return Found(None, "no /health, /healthz, /livez or the like among the routes", path)
    best = min(open_, key=lambda route: health_routes.rank(route.path))
    return Found(best.path, "GET route", best.file, best.line)


def below(
    facts: Mapping[str, Any], situation: Situation, usual: str
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """Where an app of pages is that shares its domain with others: below a path of its own.

    Returns:
        Its facts with that path, the path (empty where it is alone), and a sentence on it.
    """
    if not situation.beside_api:
        return dict(facts), "", ()
    given = [path.rstrip("/*") for path in facts.get("paths") or ()]
    base = next((path for path in given if path), usual)
    health = facts.get("health")
    moved = {**facts, "paths": [base], "health": base + health if health else None}
    return (
        moved,
        base,
        (
            f"{situation.title} is at {base} of the domain, beside the other app: another path is "
            f"set with --set {situation.kind}.paths=/PATH.",
        ),
    )


def others(facts: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """One sentence on apps that were found as well, but are not served."""
    found = facts.get("entries") or ()
    if not found:
        return ()
    return (
        f"{facts['entry']} is served, and not {' or '.join(found)}: set another one with "
        f"--set {kind}.entry={found[0]}.",
    )


def title(facts: Mapping[str, object], otherwise: str) -> str:
    """The name of an app's framework, for people."""
    return str(facts.get("framework") or otherwise)
