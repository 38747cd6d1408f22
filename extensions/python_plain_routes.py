"""Routes that stand where they are made, with their whole path: aiohttp, Litestar, FastHTML."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from .python_program import Program
from .python_routes import Route, Routes
from .python_source import Module, called_name

_VERBS = frozenset({"get", "post", "put", "patch", "delete"})
_ADDS = frozenset(
    {f"add_{verb}" for verb in _VERBS} | {"add_route", "route", "websocket", "static"}
)
# What puts a prefix before routes, so that a path is no longer whole.
_PREFIXES = frozenset({"add_subapp", "Router", "Controller", "APIRouter", "Mount"})


def read(program: Program, modules: Sequence[Module]) -> Routes:
    """The routes of an app; none is whole where something gives some of them a prefix."""
    whole = not any(
        isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in _PREFIXES
        for module in modules
        for node in ast.walk(module.body)
    )
    listed = [
        route for module in modules for route in _of(program, module, whole) if route is not None
    ]
    unknown = () if whole else tuple((route.file, route.line) for route in listed[:1])
    return Routes(tuple(listed if whole else ()), unknown)


def _of(program: Program, module: Module, whole: bool) -> Iterator[Route]:
    for node in ast.walk(module.body):
        if not isinstance(node, ast.Call):
            continue
        name = called_name(node)
        verb = name.removeprefix("add_")
        if name not in _VERBS | _ADDS:
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        arguments = list(node.args)
        if name in {"route", "add_route"} and len(arguments) > 1:
            # aiohttp's have the method first.
            first = program.text(module, arguments[0])
            if first and not first.startswith("/"):
                verb, arguments = first.lower(), arguments[1:]
        path = program.text(module, arguments[0] if arguments else given.get("path"))
        if path is None or not path.startswith("/"):
            continue
        method = "GET" if verb in {"get", "route", "*", "static"} else verb.upper()
        yield Route(path, method, whole, method == "GET", module.path, node.lineno)
