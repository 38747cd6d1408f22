"""What the source of a Python app says: entry point, health path, workers. Parsed, never imported."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from .errors import ProjectError
from .tree import Tree, join

# Folders whose modules are not the app.
_NOT_THE_APP = {"tests", "test", "examples", "docs", "scripts", "alembic", "migrations"}
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
    """A FastAPI object (`app.main:app`) or application factory, and the call that makes it."""

    module: Module
    attribute: str
    factory: bool
    call: ast.Call | None

    @property
    def target(self) -> str:
        """In uvicorn's notation, `module:attribute`."""
        return f"{self.module.name}:{self.attribute}"


def parse_modules(tree: Tree, folder: str, skip: frozenset[str] = frozenset()) -> list[Module]:
    """Parse every module of the app in `folder`, but those below the top-level folders in `skip`.

    Raises:
        ProjectError: A file is not valid Python.
    """
    source_root = "src" if _is_source_layout(tree, folder) else "."
    modules = []
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
            raise ProjectError(f"{path}, line {line} is not valid Python: mend it first.") from None
        modules.append(Module(path, name, root, body))
    return modules


def _is_source_layout(tree: Tree, folder: str) -> bool:
    return any(tree.below(join(folder, "src"), ".py")) and not tree.has(join(folder, "src/__init__.py"))


def find_fastapi(modules: list[Module]) -> list[Entry]:
    """The FastAPI objects of the app; an application factory counts only where nothing calls it."""
    factories = [
        Entry(module, node.name, True, call)
        for module in modules
        for node in module.body.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (call := _call_in_factory(node)) is not None
    ]
    by_name = {factory.attribute: factory for factory in factories}
    objects, called = [], set()
    for module in modules:
        for attribute, call in _assigned_calls(module.body):
            if _called_name(call) == "FastAPI":
                objects.append(Entry(module, attribute, False, call))
            elif (factory := by_name.get(_called_name(call))) is not None:
                called.add(factory.attribute)
                objects.append(Entry(module, attribute, False, factory.call))
    return objects or [factory for factory in factories if factory.attribute not in called]


def find_health_path(entry: Entry) -> str | None:
    """The first well-known health path that the entry module itself serves with GET.

    Routes of included routers are left out: their prefix is only known at run time.
    """
    served = set()
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
                    served.add(decorator.args[0].value)
    return next((path for path in _HEALTH_PATHS if path in served), None)


def documentation_paths(entry: Entry) -> list[str]:
    """Where FastAPI serves its documentation, as far as the call says it in constants."""
    given = {k.arg: k.value for k in entry.call.keywords} if entry.call else {}
    paths = []
    for keyword, default in _DOCUMENTATION.items():
        value = given.get(keyword)
        if value is None:
            paths.append(default)
        elif isinstance(value, ast.Constant) and isinstance(value.value, str):
            paths.append(value.value)
    return paths


def find_worker(modules: list[Module]) -> str | None:
    """The command line that runs the project's background worker, or None.

    Knows Celery (docs.celeryq.dev, "Workers Guide"), arq and Dramatiq.
    """
    for module in modules:
        for attribute, call in _assigned_calls(module.body):
            if _called_name(call) == "Celery":
                beat = " --beat --schedule /tmp/celerybeat-schedule" if _sets_beat(modules) else ""
                return f"celery --app {module.name}:{attribute} worker --loglevel info{beat}"
    for module in modules:
        for node in module.body.body:
            if isinstance(node, ast.ClassDef) and node.name == "WorkerSettings":
                return f"arq {module.name}.WorkerSettings"
    actors = [m.name for m in modules if any(_is_dramatiq_actor(n) for n in m.body.body)]
    return f"dramatiq {' '.join(actors)}" if actors else None


def has_alembic(tree: Tree, folder: str) -> bool:
    """Whether `alembic.ini` names a script folder that really holds an `env.py`."""
    path = tree.first(folder, "alembic.ini")
    if path is None:
        return False
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(tree.read(path))
    except configparser.Error:
        raise ProjectError(f"{path} is not a valid INI file: mend it first.") from None
    location = parser.get("alembic", "script_location", fallback="alembic")
    return tree.has(join(folder, join(location.replace("%(here)s/", ""), "env.py")))


def _sets_beat(modules: list[Module]) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "beat_schedule"
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


def _call_in_factory(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    """The `FastAPI(...)` call of a function without required arguments that returns its result."""
    required = len(function.args.args) - len(function.args.defaults)
    if isinstance(function, ast.AsyncFunctionDef) or required > 0:
        return None
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and _called_name(node) == "FastAPI"
    ]
    returns = any(isinstance(node, ast.Return) and node.value for node in ast.walk(function))
    return calls[0] if calls and returns else None


def _is_dramatiq_actor(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        ast.unparse(decorator).startswith("dramatiq.actor") for decorator in node.decorator_list
    )
