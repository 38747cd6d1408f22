"""FastAPI (fastapi.tiangolo.com): an ASGI app that Uvicorn serves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import (
    framework,
    python_entries,
    python_program,
    python_routes,
    python_servers,
    python_source,
    python_state,
    python_web,
    route_prefixes,
)
from ..errors import ProjectError
from ..framework import Situation
from ..model import App, Env, password
from ..origins import BY_HAND, Fields, Found
from ..project import Place, Project
from ..python_dependencies import ASGI_SERVERS
from ..python_entries import Entry, find_served
from ..python_program import Program
from ..python_routes import Routes
from ..python_source import Module
from ..runtimes import python
from ..setting import Setting
from ..tree import Tree
from . import python as script

TITLE = "FastAPI"
RUNTIME = python.RUNTIME
RANK = 0
GENERIC = False
FLAG = "USE_FASTAPI"
SERVICE = "fastapi"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("fastapi", TITLE),
    Setting("fastapi.entry", "text", "The FastAPI object or factory, as module:name"),
    Setting("fastapi.factory", "boolean", "The entry is an application factory"),
    Setting("fastapi.paths", "list", "Path prefixes that the proxy sends to it"),
)

_MADE = frozenset({"FastAPI"})
_PREFIX = "/api/v1"
_MANIFESTS = ("requirements.txt", "pyproject.toml")
_DOCUMENTATION = {"docs_url": "/docs", "redoc_url": "/redoc", "openapi_url": "/openapi.json"}
_PORT = Found(8000, "FastAPI's usual port")
_ENVIRONMENT = (
    Env("SECRET_KEY", variable="SECRET_KEY"),
    Env(framework.ENVIRONMENT.name, variable=framework.ENVIRONMENT.name),
)
_VARIABLES = (
    password(
        "SECRET_KEY",
        "Application",
        "Signs sessions and tokens; a new one logs everybody out.",
    ),
    framework.ENVIRONMENT,
)
_CAUTIONS = (
    "`/docs`, `/redoc` and `/openapi.json` are public, as FastAPI serves them: turn them off in "
    "the app if nobody should read them, or, with Caddy, by `--set api_docs=false`.",
)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The app that is switched on, or a plain Python one that turns out to be FastAPI's."""
    if origin := project.wanted("fastapi", FLAG):
        folder = project.by_hand("fastapi.dir") or _folder(project)
        if python_web.is_others(project, folder.value):
            return None
        return Place(origin, folder)
    plain = script.find(project, taken)
    if plain is None or plain.folder.value is None:
        return None
    entries = find_entries(python.modules(project, plain.folder.value)[0])
    return Place(entries[0].found(True).origin, plain.folder) if entries else None


def _folder(project: Project) -> Found[str | None]:
    """`backend/` as Spinbox lays it out, else the one folder that holds a FastAPI app."""
    tree = project.tree
    if any(tree.below("backend", ".py")):
        if tree.first(".", *_MANIFESTS) and not _has_list(tree, "backend"):
            modules = python_source.parse_modules(tree, "backend")[0]
            entries = find_entries(modules)
            # It is a package of the top folder, where its dependencies are.
            if entries and python_source.import_themselves(tree, "backend", modules):
                return entries[0].found(".")
        return _inner_folder(tree) or Found("backend", "folder holds Python files", "backend")
    tops = sorted({path.split("/")[0] for path in tree.below(".", ".py") if "/" in path})
    holders = [
        entries[0].found(top)
        for top in tops
        if not project.is_no_source(top)
        and (entries := find_entries(python_source.parse_modules(tree, top)[0]))
        and tree.first(top, *_MANIFESTS)
    ]
    if len(holders) == 1:
        return holders[0]
    # As in apps/api of a workspace, whose top has a list of its own.
    inner = [] if holders else list(_inner_holders(project))
    if len(inner) == 1:
        return inner[0]
    if entries := find_entries(python.modules(project, ".")[0]):
        return entries[0].found(".")
    several = holders or inner
    return Found(None, "several folders hold an app" if several else "no FastAPI object")


def _has_list(tree: Tree, folder: str) -> bool:
    return any(path.endswith(_MANIFESTS) for path in tree.below(folder))


def _inner_holders(project: Project) -> Iterator[Found[str | None]]:
    """Folders one below those at the top with an app and dependencies of their own."""
    tree = project.tree
    folders = {
        "/".join(path.split("/")[:2]) for path in tree.below(".", ".py") if path.count("/") > 1
    }
    for folder in sorted(folders):
        if project.is_no_source(folder.split("/")[0]) or not tree.first(folder, *_MANIFESTS):
            continue
        if entries := find_entries(python_source.parse_modules(tree, folder)[0]):
            yield entries[0].found(folder)


def _inner_folder(tree: Tree) -> Found[str | None] | None:
    """The one folder in `backend/` that has the dependencies, where that has none itself."""
    if tree.first("backend", *_MANIFESTS):
        return None
    inner = {path.split("/")[1] for path in tree.below("backend") if path.count("/") > 1}
    folders = [
        folder for name in sorted(inner) if tree.first(folder := f"backend/{name}", *_MANIFESTS)
    ]
    if len(folders) != 1:
        return None
    modules = python_source.parse_modules(tree, folders[0])[0]
    entries = find_entries(modules)
    # The folder is a package that its own modules import by its name.
    by_name = python_source.import_themselves(tree, folders[0], modules)
    return entries[0].found("backend" if by_name else folders[0]) if entries else None


def read(project: Project, folder: str) -> Fields:
    """The entry, and what it says of health check, documentation and paths.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules, problem = python.modules(project, folder)
    entries = find_entries(modules)
    if not entries and problem:
        raise ProjectError(problem)
    program = python_program.of(project.tree, folder, modules)
    served = find_served(program, entries)
    chosen = find_entry(program, project.hints.get("fastapi.entry"))
    entries = [chosen] if chosen else served
    if len(entries) == 1:
        entry = _entry(project.tree, folder, program, entries[0], chosen is not None)
    else:
        entry = _unclear_entry(entries)
    target = entry["entry"].value
    command = ("uvicorn", target) if target else ()
    servers = python_servers.OTHER_ASGI
    fields = {**entry, **python.read(project, folder, modules, servers, command=command)}
    return {**fields, **python_servers.grace(project.tree, folder, fields["manifests"].value)}


def find_entry(program: Program, target: str | None) -> Entry | None:
    """What `module:attribute` is, if it is one of the app's FastAPI objects or factories."""
    entries = find_entries(list(program.modules.values())) if target else []
    found = (*find_served(program, entries), *entries)
    return next((entry for entry in found if entry.target == target), None)


def _entry(tree: Tree, folder: str, program: Program, entry: Entry, by_hand: bool) -> Fields:
    root, path = entry.module.source_root, entry.module.path
    source_root = Found(root, "the app's folder" if root == "." else f"{root}/ is no package", path)
    routes = read_routes(program, entry)
    return {
        "entry": Found(entry.target, BY_HAND) if by_hand else entry.found(entry.target),
        "entries": Found([], "the entry is clear"),
        "factory": entry.found(entry.factory),
        "source_root": source_root,
        "port": _PORT,
        "health": find_health_path(routes, path),
        "paths": _paths(tree, folder, program, entry, routes),
    }


def read_routes(program: Program, entry: Entry) -> Routes:
    """What the app serves, wherever its routers are included."""
    reached = program.reached(entry.module.name, entry.key[0])
    modules = [
        program.modules[name]
        for name in sorted(reached)
        if python_routes.has_routes(program.modules[name].text)
    ]
    return python_routes.read(program, modules, entry.key, entry.call)


def served_paths(program: Program, entry: Entry, routes: Routes) -> list[str]:
    """The paths that a browser asks for: those of the routes, or all below `root_path`."""
    given = {keyword.arg: keyword.value for keyword in entry.call.keywords}
    root = (program.text(entry.module, given.get("root_path")) or "").rstrip("/")
    also = [entry.also] if entry.also else []
    return [root] if root else [*(route.path for route in routes.listed), *also]


def _paths(
    tree: Tree, folder: str, program: Program, entry: Entry, routes: Routes
) -> Found[list[str]]:
    """The proxy's prefixes: those of the routes, Spinbox's where it may be used, documentation."""
    served = served_paths(program, entry, routes)
    pages = route_prefixes.pages(tree, folder)
    documentation = documentation_paths(entry)
    health = find_health_path(routes, entry.module.path).value
    own = [path for path in served if path not in {health, *documentation}]
    prefixes = route_prefixes.choose(own, pages)
    if not prefixes or routes.unknown:
        prefixes = [_PREFIX, *(p for p in prefixes if not route_prefixes.covers(_PREFIX, p))]
    shown = [path for path in documentation if not _covered(prefixes, path)]
    whose = "its routes" if prefixes != [_PREFIX] else "Spinbox's prefix"
    return replace(entry.found([*prefixes, *shown]), reason=f"{whose}, and FastAPI's documentation")


def _covered(prefixes: Sequence[str], path: str) -> bool:
    return any(route_prefixes.covers(prefix, path) for prefix in prefixes)


def find_entries(modules: Sequence[Module]) -> list[Entry]:
    """The FastAPI objects of the app; an application factory counts only where nothing calls it."""
    return python_entries.find_entries(modules, _MADE)


def _unclear_entry(entries: list[Entry]) -> Fields:
    reason = "several FastAPI objects" if entries else "no FastAPI object"
    targets = [entry.target for entry in entries]
    return {
        "entry": Found(None, reason),
        "entries": entries[0].found(targets) if entries else Found([], reason),
        "factory": Found(False, reason),
        "source_root": Found(".", reason),
        "port": _PORT,
        "health": Found(None, reason),
        "paths": Found([_PREFIX], "Spinbox's prefix"),
    }


def find_health_path(routes: Routes, path: str) -> Found[str | None]:
    """The health check among the routes that the app serves with GET to everybody."""
    return python_web.health(routes, path)


def documentation_paths(entry: Entry) -> list[str]:
    """Where FastAPI serves its documentation, as far as the call says it in constants."""
    given = {k.arg: k.value for k in entry.call.keywords}
    paths = []
    for keyword, default in _DOCUMENTATION.items():
        value = given.get(keyword)
        if value is None:
            paths.append(default)
        elif isinstance(value, ast.Constant) and isinstance(value.value, str):
            paths.append(value.value)
    return paths


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by its own ASGI server, unless another command was set.

    Raises:
        ProjectError: No app, several, or no server, and no command that would do without.
    """
    is_open = situation.choices["api_docs"] or situation.choices["proxy"] != "caddy"
    server = _server(facts)
    app = python.define(
        facts,
        situation,
        server.command,
        environment=_ENVIRONMENT,
        serving=server.environment,
        variables=(*_VARIABLES, *server.variables),
        cautions=_CAUTIONS if is_open else (),
    )
    return app if is_open else replace(app, closed=_documented(facts))


def _documented(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the documentation is: FastAPI's paths, and those found that end like them."""
    ends = tuple(_DOCUMENTATION.values())
    found = [path for path in facts.get("paths") or () if path.endswith(ends)]
    return tuple(dict.fromkeys([*ends, *found]))


def _server(facts: Mapping[str, Any]) -> python_servers.Server:
    own = framework.command(facts)
    if own:
        known = python_servers.variables("API", facts.get(python_state.FIELD))
        return python_servers.Server(own, (), python_servers.ENVIRONMENT, known)
    entry = facts.get("entry")
    if entry is None:
        found = facts.get("entries") or []
        if found:
            raise ProjectError(
                f"Several FastAPI apps were found ({', '.join(found)}): choose one with "
                f"--set fastapi.entry={found[0]}."
            )
        raise ProjectError(
            f"No FastAPI app was found in {facts['dir']}: make it at the level of its module, and "
            "not in what runs it; or name it with --set fastapi.entry=MODULE:NAME."
        )
    servers = ASGI_SERVERS | python_servers.OTHER_ASGI
    if not servers.intersection(facts.get("libraries", ())):
        if not facts.get("manifests"):
            place = "The top folder" if facts["dir"] == "." else f"{facts['dir']}/"
            raise ProjectError(
                f"{place} lists no dependencies that are read (requirements.txt, pyproject.toml, a "
                "lockfile): put the app's list there, with uvicorn[standard], or name the folder "
                "that has both with --set fastapi.dir=FOLDER."
            )
        manifest = facts["manifests"][0]
        raise ProjectError(
            f"{facts['dir']}/{manifest} has no ASGI server: add uvicorn[standard] to it, or name "
            "the command of another server with --set fastapi.command=COMMAND."
        )
    return python_servers.asgi(facts, entry, what="API")
