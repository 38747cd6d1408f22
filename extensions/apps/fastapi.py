"""FastAPI (fastapi.tiangolo.com): an ASGI app that Uvicorn serves."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .. import framework, python_source
from ..container import GRACE_SECONDS
from ..errors import ProjectError
from ..framework import Situation
from ..model import App, Env, Variable, password
from ..origins import BY_HAND, Fields, Found, either
from ..project import Place, Project
from ..python_dependencies import ASGI_SERVERS
from ..python_source import Module, assigned_calls, called_name
from ..runtimes import python
from ..setting import Setting
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

_HEALTH_PATHS = ("/health", "/healthz", "/livez", "/health/live", "/api/health", "/ping")
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
    """A FastAPI object (`app.main:app`) or application factory, its line and FastAPI's call."""

    module: Module
    attribute: str
    factory: bool
    line: int
    call: ast.Call

    @property
    def target(self) -> str:
        """In uvicorn's notation, `module:attribute`."""
        return f"{self.module.name}:{self.attribute}"

    def found(self, value: T) -> Found[T]:
        """A value that follows from this entry."""
        reason = "FastAPI factory" if self.factory else "FastAPI object"
        return Found(value, reason, self.module.path, self.line)


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
        return Found("backend", "folder holds Python files", "backend")
    tops = sorted({path.split("/")[0] for path in tree.below(".", ".py") if "/" in path})
    holders = [
        entries[0].found(top)
        for top in tops
        if not project.is_no_source(top)
        and (entries := find_entries(python_source.parse_modules(tree, top)[0]))
        and tree.first(top, "requirements.txt", "pyproject.toml")
    ]
    if len(holders) == 1:
        return holders[0]
    if entries := find_entries(python.modules(project, ".")[0]):
        return entries[0].found(".")
    return Found(None, "several folders hold an app" if holders else "no FastAPI object")


def read(project: Project, folder: str) -> Fields:
    """The entry, and what it says of health check, documentation and paths.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules, problem = python.modules(project, folder)
    entries = find_entries(modules)
    if not entries and problem:
        raise ProjectError(problem)
    chosen = [entry for entry in entries if entry.target == project.hints.get("fastapi.entry")]
    entries = chosen or entries
    entry = _entry(entries[0], bool(chosen)) if len(entries) == 1 else _unclear_entry(entries)
    target = entry["entry"].value
    command = ("uvicorn", target) if target else ()
    return {**entry, **python.read(project, folder, modules, command=command)}


def _entry(entry: Entry, by_hand: bool) -> Fields:
    root, path = entry.module.source_root, entry.module.path
    source_root = Found(root, "the app's folder" if root == "." else f"{root}/ is no package", path)
    paths = ["/api/v1", *documentation_paths(entry)]
    prefix = "Spinbox's prefix, and FastAPI's documentation"
    return {
        "entry": Found(entry.target, BY_HAND) if by_hand else entry.found(entry.target),
        "entries": Found([], "the entry is clear"),
        "factory": entry.found(entry.factory),
        "source_root": source_root,
        "port": _PORT,
        "health": find_health_path(entry),
        "paths": replace(entry.found(paths), reason=prefix),
    }


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
        "paths": Found(["/api/v1"], "Spinbox's prefix"),
    }


def find_entries(modules: list[Module]) -> list[Entry]:
    """The FastAPI objects of the app; an application factory counts only where nothing calls it."""
    factories = [
        Entry(module, node.name, True, call.lineno, call)
        for module in modules
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


def find_health_path(entry: Entry) -> Found[str | None]:
    """The first well-known health path that the entry module itself serves with GET.

    Routes of included routers are left out: their prefix is only known at run time.
    """
    served: dict[object, int] = {}
    for node in ast.walk(entry.module.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if (
                    isinstance(decorator, ast.Call)
                    and isinstance(decorator.func, ast.Attribute)
                    and decorator.func.attr == "get"
                    and isinstance(decorator.func.value, ast.Name)
                    and (decorator.func.value.id == entry.attribute or entry.factory)
                    and decorator.args
                    and isinstance(decorator.args[0], ast.Constant)
                ):
                    served.setdefault(decorator.args[0].value, decorator.lineno)
    for path in _HEALTH_PATHS:
        if path in served:
            return Found(path, "GET route", entry.module.path, served[path])
    return Found(None, f"no {either(_HEALTH_PATHS)} in the entry module", entry.module.path)


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
    return ("uvicorn", entry, *factory, "--host", "0.0.0.0", "--proxy-headers", *grace)
