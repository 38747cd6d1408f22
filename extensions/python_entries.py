"""What a server of a Python app serves: the framework's object or factory, or what is around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from .origins import Found
from .python_program import Program
from .python_source import Module, assigned_calls, called_name, statements

T = TypeVar("T")

# Wrappers of an ASGI app, which are what has to be served; other calls that take one are not.
_WRAPPER = re.compile(r"ASGIApp|ASGIApplicationWrapper|\w*Middleware")
# What is done to an app while its modules are imported.
_COMPLETES = frozenset(
    {"include_router", "add_middleware", "mount", "add_api_route", "add_route", "middleware"}
    | {"add_exception_handler", "exception_handler", "add_websocket_route", "websocket"}
    | {"get", "post", "put", "patch", "delete", "api_route", "on_event", "add_event_handler"}
)
_USUAL_MODULES = frozenset({"main", "asgi", "server", "app", "run", "api"})


@dataclass(frozen=True)
class Entry:
    """What is served: an object of the framework (`app.main:app`) or an application factory.

    Attributes:
        module: Where it is.
        attribute: Its name there.
        factory: It is called for the app.
        line: Its line.
        call: The framework's own call.
        inner: The module and name of the framework's object, where that is not what is served.
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
        """The module and name of the framework's object."""
        return self.inner or (self.module.name, self.attribute)

    @property
    def made(self) -> str:
        """What makes it, as in `FastAPI`."""
        return called_name(self.call)

    @property
    def target(self) -> str:
        """As servers take it, `module:attribute`."""
        return f"{self.module.name}:{self.attribute}"

    def found(self, value: T) -> Found[T]:
        """A value that follows from this entry."""
        reason = f"{self.made} factory" if self.factory else f"{self.made} object"
        return Found(value, self.role or reason, self.module.path, self.line)


def find_entries(modules: Sequence[Module], made: Collection[str]) -> list[Entry]:
    """The framework's objects of an app; a factory of one counts only where nothing calls it.

    Args:
        modules: The app's source.
        made: What makes such an object, as in `FastAPI`.
    """
    holding = [module for module in modules if any(name in module.text for name in made)]
    factories = [
        Entry(module, node.name, True, call.lineno, call)
        for module in holding
        for node in module.body.body
        if isinstance(node, ast.FunctionDef) and (call := _returned_call(node, made)) is not None
    ]
    by_name = {factory.attribute: factory for factory in factories}
    objects: dict[str, Entry] = {}
    called = set()
    for module in modules:
        for attribute, call in assigned_calls(module.body):
            entry = None
            if called_name(call) in made:
                entry = Entry(module, attribute, False, call.lineno, call)
            elif (factory := by_name.get(called_name(call))) is not None:
                called.add(factory.attribute)
                entry = Entry(module, attribute, False, call.lineno, factory.call)
            if entry is not None:
                objects[entry.target] = entry
    return list(objects.values()) or [
        factory
        for factory in factories
        if factory.attribute not in called and needs_no_argument(factory)
    ]


def find_served(program: Program, entries: Sequence[Entry]) -> list[Entry]:
    """What has to be served of these objects: what holds, wraps or completes the others."""
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


def _returned_call(function: ast.FunctionDef, made: Collection[str]) -> ast.Call | None:
    """The framework's call in a function that returns something."""
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and called_name(node) in made
    ]
    # Its own: a route in it returns something, too.
    own = statements(function.body)
    returns = any(isinstance(node, ast.Return) and node.value for node in own)
    return calls[0] if calls and returns else None


def needs_no_argument(factory: Entry) -> bool:
    """Whether a server can call the factory, which it does without arguments."""
    for node in factory.module.body.body:
        if isinstance(node, ast.FunctionDef) and node.name == factory.attribute:
            arguments = node.args
            positional = len(arguments.posonlyargs) + len(arguments.args)
            return positional <= len(arguments.defaults) and None not in arguments.kw_defaults
    return False
