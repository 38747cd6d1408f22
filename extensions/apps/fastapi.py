"""FastAPI (fastapi.tiangolo.com): an ASGI app that Uvicorn serves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .. import framework, python_locks, python_program, python_routes, python_source, route_prefixes
from ..container import GRACE_SECONDS
from ..errors import ProjectError
from ..framework import Situation
from ..model import App, Env, Variable, password
from ..origins import BY_HAND, Fields, Found
from ..project import Place, Project
from ..python_dependencies import ASGI_SERVERS
from ..python_program import Program
from ..python_routes import Routes
from ..python_source import Module, assigned_calls, called_name, statements
from ..runtimes import python
from ..setting import Setting
from ..tree import Tree
from . import python as script

T = TypeVar("T")

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

# In the order of what is asked first: alone, then behind any prefix.
_HEALTH_PATHS = (
    *("/health", "/healthz", "/livez", "/health/live", "/api/health", "/ping", "/healthcheck"),
    *("/health-check", "/ready", "/readyz", "/health/ready", "/status"),
)
# Wrappers of an ASGI app, which are what has to be served; other calls that take one are not.
_WRAPPER = re.compile(r"ASGIApp|ASGIApplicationWrapper|\w*Middleware")
# What is done to an app while its modules are imported.
_COMPLETES = frozenset(
    {"include_router", "add_middleware", "mount", "add_api_route", "add_route", "middleware"}
    | {"add_exception_handler", "exception_handler", "add_websocket_route", "websocket"}
    | {"get", "post", "put", "patch", "delete", "api_route", "on_event", "add_event_handler"}
)
_USUAL_MODULES = frozenset({"main", "asgi", "server", "app", "run", "api"})
_PREFIX = "/api/v1"
_MANIFESTS = ("requirements.txt", "pyproject.toml")
# Releases before do not start with --timeout-graceful-shutdown (uvicorn.dev, "Release Notes").
_GRACE_SINCE = "0.22.0"
_DOCUMENTATION = {"docs_url": "/docs", "redoc_url": "/redoc", "openapi_url": "/openapi.json"}
_PORT = Found(8000, "FastAPI's usual port")
_ENVIRONMENT = (
    Env("SECRET_KEY", variable="SECRET_KEY"),
    Env(framework.ENVIRONMENT.name, variable=framework.ENVIRONMENT.name),
)
# Uvicorn reads both (uvicorn.dev, "Settings").
_SERVER = (
    Env("WEB_CONCURRENCY", variable="WEB_CONCURRENCY"),
    Env("FORWARDED_ALLOW_IPS", variable="FORWARDED_ALLOW_IPS"),
)
_VARIABLES = (
    password(
        "SECRET_KEY",
        "Application",
        "Signs sessions and tokens; a new one logs everybody out.",
    ),
    framework.ENVIRONMENT,
    Variable("WEB_CONCURRENCY", "Application", "Worker processes of the API.", "2"),
    Variable(
        "FORWARDED_ALLOW_IPS",
        "Application",
        "Proxies whose word on client address and scheme is taken; * is safe while only "
        "the proxy reaches the app.",
        "*",
    ),
)
_CAUTIONS = (
    "`/docs`, `/redoc` and `/openapi.json` are public, as FastAPI serves them: turn them off in "
    "the app if nobody should read them, or, with Caddy, by `--set api_docs=false`.",
)


@dataclass(frozen=True)
class Entry:
    """What Uvicorn serves: a FastAPI object (`app.main:app`) or an application factory.

    Attributes:
        module: Where it is.
        attribute: Its name there.
        factory: It is called for the app.
        line: Its line.
        call: FastAPI's own call.
        inner: The module and name of the FastAPI object itself, where that is not what is served.
        role: What it is to that object, for people; empty where it is the object.
        also: A path that what is around the object serves itself.
    """

    module: Module
    attribute: str
    factory: bool
    line: int
    call: ast.Call
    inner: tuple[str, str] | None = None
    role: str = ""
    also: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The module and name of the FastAPI object."""
        return self.inner or (self.module.name, self.attribute)

    @property
    def target(self) -> str:
        """In uvicorn's notation, `module:attribute`."""
        return f"{self.module.name}:{self.attribute}"

    def found(self, value: T) -> Found[T]:
        """A value that follows from this entry."""
        reason = "FastAPI factory" if self.factory else "FastAPI object"
        return Found(value, self.role or reason, self.module.path, self.line)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The app that is switched on, or a plain Python one that turns out to be FastAPI's."""
    if origin := project.wanted("fastapi", FLAG):
        return Place(origin, project.by_hand("fastapi.dir") or _folder(project))
    plain = script.find(project, taken)
    if plain is None or plain.folder.value is None:
        return None
    entries = find_entries(python.modules(project, plain.folder.value)[0])
    return Place(entries[0].found(True).origin, plain.folder) if entries else None


def _folder(project: Project) -> Found[str | None]:
    """`backend/` as Spinbox lays it out, else the one folder that holds a FastAPI app."""
    tree = project.tree
    if any(tree.below("backend", ".py")):
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
    if entries := find_entries(python.modules(project, ".")[0]):
        return entries[0].found(".")
    return Found(None, "several folders hold an app" if holders else "no FastAPI object")


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
    entries = find_entries(python_source.parse_modules(tree, folders[0])[0])
    return entries[0].found(folders[0]) if entries else None


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
    fields = {**entry, **python.read(project, folder, modules, command=command)}
    return {**fields, **_old_server(project.tree, folder, fields["manifests"].value)}


def _old_server(tree: Tree, folder: str, manifests: list[str]) -> Fields:
    """That Uvicorn is one that knows no grace period; nothing where it does."""
    stated = python_locks.stated(tree, folder, manifests, "uvicorn")
    if stated is None or stated.allows(_GRACE_SINCE):
        return {}
    reason = f"Uvicorn knows a grace period since {_GRACE_SINCE}"
    return {"grace": Found(False, reason, stated.path, stated.line)}


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


def find_entries(modules: list[Module]) -> list[Entry]:
    """The FastAPI objects of the app; an application factory counts only where nothing calls it."""
    factories = [
        Entry(module, node.name, True, call.lineno, call)
        for module in modules
        if "FastAPI" in module.text
        for node in module.body.body
        if isinstance(node, ast.FunctionDef) and (call := _returned_call(node)) is not None
    ]
    by_name = {factory.attribute: factory for factory in factories}
    objects: dict[str, Entry] = {}
    called = set()
    for module in modules:
        for attribute, call in assigned_calls(module.body):
            entry = None
            if called_name(call) == "FastAPI":
                entry = Entry(module, attribute, False, call.lineno, call)
            elif (factory := by_name.get(called_name(call))) is not None:
                called.add(factory.attribute)
                entry = Entry(module, attribute, False, call.lineno, factory.call)
            if entry is not None:
                objects[entry.target] = entry
    return list(objects.values()) or [
        factory
        for factory in factories
        if factory.attribute not in called and _needs_no_argument(factory)
    ]


def find_served(program: Program, entries: Sequence[Entry]) -> list[Entry]:
    """What has to be served of the FastAPI objects: what holds, wraps or completes the others."""
    mounted = {key for entry in entries for key in _mounted(program, entry)}
    outer = [entry for entry in entries if entry.key not in mounted] or list(entries)
    if len(outer) != 1 or outer[0].factory:
        return outer
    return [_wrapped(program, _completed(program, outer[0]))]


def _mounted(program: Program, entry: Entry) -> Iterator[tuple[str, str]]:
    """Other objects that are mounted in this one."""
    for module in program.modules.values():
        for call in _top_calls(module):
            if called_name(call) == "mount" and isinstance(call.func, ast.Attribute):
                inner = [*call.args[1:], *(k.value for k in call.keywords if k.arg == "app")]
                if inner and program.resolve(module, call.func.value) == entry.key:
                    name, attribute = program.resolve(module, inner[0]) or ("", None)
                    if attribute and (name, attribute) != entry.key:
                        yield name, attribute


def _top_calls(module: Module) -> Iterator[ast.Call]:
    """The calls that stand alone, and run when the module is imported."""
    for node in statements(module.body.body):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value


def _completions(module: Module) -> Iterator[ast.expr]:
    """What something is put into when the module is imported, as in `app.include_router(…)`."""
    calls = [*_top_calls(module)]
    for node in statements(module.body.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls += [one for one in node.decorator_list if isinstance(one, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _COMPLETES:
            yield call.func.value


def _completed(program: Program, entry: Entry) -> Entry:
    """The module that imports the object and puts in what is missing, where that is another one."""
    surely = program.reached(entry.module.name, surely=True)
    completing = {
        module.name
        for module in program.modules.values()
        if module.name not in surely
        and any(program.resolve(module, node) == entry.key for node in _completions(module))
    }
    found = []
    for module in program.modules.values() if completing else ():
        reached = program.reached(module.name, surely=True)
        if completing <= reached and module.name not in surely:
            found += [
                (module.name not in completing, _is_unusual(module), len(reached), module, name)
                for name, reference in program.names(module).items()
                if program.resolve(module, ast.Name(name)) == entry.key and reference[1]
            ]
    if not found:
        return entry
    *_, module, name = min(found, key=lambda one: one[:3])
    line = next(i.line for i in program.imports(module) if i.name.startswith(entry.module.name))
    role = f"completes {entry.target}"
    return replace(entry, module=module, attribute=name, line=line, inner=entry.key, role=role)


def _is_unusual(module: Module) -> bool:
    return module.name.rpartition(".")[2] not in _USUAL_MODULES


def _wrapped(program: Program, entry: Entry) -> Entry:
    """What is around the object, as in `socketio.ASGIApp(sio, app)`."""
    wrappers = [
        (module, attribute, call)
        for module in program.modules.values()
        for attribute, call in assigned_calls(module.body)
        if _WRAPPER.fullmatch(called_name(call))
    ]
    names = {entry.key, (entry.module.name, entry.attribute)}
    # Twice, since what is around may be wrapped itself by a module that comes before.
    for module, attribute, call in (*wrappers, *wrappers):
        values = (*call.args, *(keyword.value for keyword in call.keywords))
        if not any(program.resolve(module, value) in names for value in values):
            continue
        also = _own_path(program, module, call) or entry.also
        if (module.name, attribute) in names:
            entry = replace(entry, also=also)
            continue
        role = f"{called_name(call)} around {entry.target}"
        names.add((module.name, attribute))
        entry = Entry(module, attribute, False, call.lineno, entry.call, entry.key, role, also)
    return entry


def _own_path(program: Program, module: Module, call: ast.Call) -> str | None:
    """The path that Socket.IO's wrapper serves itself."""
    if called_name(call) != "ASGIApp":
        return None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    path = program.text(module, given.get("socketio_path")) or "socket.io"
    return "/" + path.strip("/")


def find_health_path(routes: Routes, path: str) -> Found[str | None]:
    """The first well-known health path that the app serves with GET to everybody."""
    open_ = [r for r in routes.listed if r.is_open and r.whole and "{" not in r.path]
    for name in _HEALTH_PATHS:
        for route in open_:
            if route.path.rstrip("/") == name:
                return Found(route.path, "GET route", route.file, route.line)
    for name in _HEALTH_PATHS:
        for route in sorted(open_, key=lambda route: len(route.path)):
            if route.path.rstrip("/").endswith(name):
                return Found(route.path, "GET route", route.file, route.line)
    return Found(None, "no /health, /healthz, /livez or the like among the routes", path)


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


def _returned_call(function: ast.FunctionDef) -> ast.Call | None:
    """The `FastAPI(...)` call of a function that returns something."""
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and called_name(node) == "FastAPI"
    ]
    returns = any(isinstance(node, ast.Return) and node.value for node in ast.walk(function))
    return calls[0] if calls and returns else None


def _needs_no_argument(factory: Entry) -> bool:
    """Whether Uvicorn can call the factory, which it does without arguments."""
    for node in factory.module.body.body:
        if isinstance(node, ast.FunctionDef) and node.name == factory.attribute:
            arguments = node.args
            positional = len(arguments.posonlyargs) + len(arguments.args)
            return positional <= len(arguments.defaults) and None not in arguments.kw_defaults
    return False


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by Uvicorn, unless another command was set.

    Raises:
        ProjectError: No app, several, or no server, and no command that would do without.
    """
    is_open = situation.choices["api_docs"] or situation.choices["proxy"] != "caddy"
    app = python.define(
        facts,
        situation,
        framework.command(facts) or _command(facts),
        environment=_ENVIRONMENT,
        serving=_SERVER,
        variables=_VARIABLES,
        cautions=_CAUTIONS if is_open else (),
    )
    return app if is_open else replace(app, closed=_documented(facts))


def _documented(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the documentation is: FastAPI's paths, and those found that end like them."""
    ends = tuple(_DOCUMENTATION.values())
    found = [path for path in facts.get("paths") or () if path.endswith(ends)]
    return tuple(dict.fromkeys([*ends, *found]))


def _command(facts: Mapping[str, Any]) -> tuple[str, ...]:
    entry = facts.get("entry")
    if entry is None:
        found = facts.get("entries") or []
        if found:
            raise ProjectError(
                f"Several FastAPI apps were found ({', '.join(found)}): choose one with "
                f"--set fastapi.entry={found[0]}."
            )
        raise ProjectError(
            f"No FastAPI app was found in {facts['dir']}: name it with "
            "--set fastapi.entry=MODULE:NAME."
        )
    if not ASGI_SERVERS.intersection(facts.get("libraries", ())):
        manifest = (facts.get("manifests") or ["requirements.txt"])[0]
        raise ProjectError(
            f"{facts['dir']}/{manifest} has no ASGI server: add uvicorn[standard] to it, or name "
            "the command of another server with --set fastapi.command=COMMAND."
        )
    factory = ["--factory"] if facts.get("factory") else []
    grace = ["--timeout-graceful-shutdown", str(GRACE_SECONDS - 5)]
    if not facts.get("grace", True):
        grace = []
    return ("uvicorn", entry, *factory, "--host", "0.0.0.0", "--proxy-headers", *grace)
