"""What a Python app's source says: entry point, health path, workers. Parsed, never imported."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from . import migrations
from .errors import ProjectError
from .origins import Found, either
from .tree import Tree, join

T = TypeVar("T")

# Folders whose modules are not the app.
_NOT_THE_APP = {"tests", "test", "examples", "docs", "scripts"} | migrations.FOLDERS
_HEALTH_PATHS = ("/health", "/healthz", "/livez", "/health/live", "/api/health", "/ping")
_DOCUMENTATION = {"docs_url": "/docs", "redoc_url": "/redoc", "openapi_url": "/openapi.json"}


@dataclass(frozen=True)
class Module:
    """One parsed source file: its path, dotted name and the folder it is imported from."""

    path: str
    name: str
    source_root: str
    body: ast.Module


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


def parse_modules(
    tree: Tree, folder: str, skip: frozenset[str] = frozenset()
) -> tuple[list[Module], str | None]:
    """Parse every module of the app in `folder`, but those below the top-level folders in `skip`.

    Returns:
        The modules, and one sentence about the first file that is not valid Python, or None.
    """
    source_root = "src" if _is_source_layout(tree, folder) else "."
    modules, problem = [], None
    for path in tree.below(folder, ".py"):
        parts = PurePosixPath(path).relative_to(folder).parts
        if parts[0] in skip or _NOT_THE_APP.intersection(parts[:-1]):
            continue
        root = source_root if parts[0] == "src" else "."
        dotted = parts[1:] if root == "src" else parts
        name = ".".join(dotted).removesuffix(".py").removesuffix(".__init__")
        try:
            body = ast.parse(tree.read(path))
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            problem = problem or f"{path}, line {line} is not valid Python: mend it first."
            continue
        except ProjectError as error:
            problem = problem or str(error)
            continue
        modules.append(Module(path, name, root, body))
    return modules, problem


def _is_source_layout(tree: Tree, folder: str) -> bool:
    return any(tree.below(join(folder, "src"), ".py")) and not tree.has(
        join(folder, "src/__init__.py")
    )


def find_fastapi(modules: list[Module]) -> list[Entry]:
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
        for attribute, call in _assigned_calls(module.body):
            entry = None
            if _called_name(call) == "FastAPI":
                entry = Entry(module, attribute, False, call.lineno, call)
            elif (factory := by_name.get(_called_name(call))) is not None:
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


def find_worker(modules: list[Module]) -> Found[str | None]:
    """The command line that runs the project's background worker, or None.

    Knows Celery (docs.celeryq.dev, "Workers Guide"), arq and Dramatiq.
    """
    for module in modules:
        for attribute, call in _assigned_calls(module.body):
            if _called_name(call) == "Celery":
                beat = " --beat --schedule /tmp/celerybeat-schedule" if _sets_beat(modules) else ""
                app = f"{shlex.quote(module.name)}:{attribute}"
                # By default as many processes as the machine has CPUs, each with its memory.
                command = f"celery --app {app} worker --loglevel info --concurrency 2{beat}"
                return Found(command, "Celery object", module.path, call.lineno)
    for module in modules:
        for node in module.body.body:
            if isinstance(node, ast.ClassDef) and node.name == "WorkerSettings":
                command = f"arq {shlex.quote(module.name)}.WorkerSettings"
                return Found(command, "arq's settings", module.path, node.lineno)
    actors = [
        (module, line)
        for module in modules
        if (line := next(filter(None, map(_dramatiq_line, module.body.body)), None))
    ]
    if not actors:
        return Found(None, "no Celery object, arq WorkerSettings or Dramatiq actor")
    command = f"dramatiq --processes 2 {shlex.join(module.name for module, _ in actors)}"
    first, line = actors[0]
    return Found(command, "Dramatiq actor", first.path, line)


def _sets_beat(modules: list[Module]) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in {"beat_schedule", "add_periodic_task"})
        or (isinstance(node, ast.keyword) and node.arg == "beat_schedule")
        for module in modules
        for node in ast.walk(module.body)
    )


def _assigned_calls(body: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Module-level `name = something(...)`, annotated or not."""
    for node in body.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if isinstance(node.value, ast.Call):
            yield from ((t.id, node.value) for t in targets if isinstance(t, ast.Name))


def _called_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _returned_call(function: ast.FunctionDef) -> ast.Call | None:
    """The `FastAPI(...)` call of a function that returns something."""
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and _called_name(node) == "FastAPI"
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


def _dramatiq_line(node: ast.stmt) -> int | None:
    """The line of the decorator that makes the function an actor, or None."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    actors = [d for d in node.decorator_list if ast.unparse(d).startswith("dramatiq.actor")]
    return actors[0].lineno if actors else None
