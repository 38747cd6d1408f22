"""Servers that Python code starts itself, by a call: which, on which address and port."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .python_program import Program
from .python_source import Module, called_name

# Ports where none is named (flask.palletsprojects.com, uvicorn.dev, sanic.dev, dash.plotly.com).
FRAMEWORKS = {"Flask": 5000, "Quart": 5000, "Sanic": 8000, "Dash": 8050, "Bottle": 8080}
_UVICORN = 8000
# The classes of http.server and wsgiref, whose first argument is `(host, port)`; all of it is
# named, and an empty host is every address.
_PAIRS = frozenset({"HTTPServer", "ThreadingHTTPServer"})
_DEEPEST = 10


@dataclass(frozen=True)
class Server:
    """A call that serves HTTP, or WebSockets.

    Attributes:
        kind: What serves: a framework's class, or a module's or function's name.
        call: The call.
        host: The address, as it is written; None where none is named.
        port: The port, or its default where a variable holds it; None where nothing tells it.
        usual: The port where none is named.
        local: It listens on localhost where no address is named.
        fixed: The port is written there as a number, or none is named.
        all_addresses: How it listens on all addresses.
    """

    kind: str
    call: ast.Call
    host: ast.expr | None
    port: int | None
    usual: int
    local: bool = False
    fixed: bool = False
    all_addresses: str = 'host="0.0.0.0"'


def find(program: Program, module: Module, calls: Iterable[ast.Call]) -> Iterator[Server]:
    """Those among some calls of a module."""
    for call in calls:
        if server := _server(program, module, call):
            yield server


def _server(program: Program, module: Module, call: ast.Call) -> Server | None:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    name = called_name(call)
    arguments = call.args

    def made(
        kind: str,
        host: ast.expr | None,
        port: ast.expr | None,
        usual: int,
        *,
        local: bool = False,
        all_addresses: str = 'host="0.0.0.0"',
    ) -> Server:
        number = usual if port is None else _number(program, module, port)
        fixed = port is None or isinstance(port, ast.Constant)
        return Server(kind, call, host, number, usual, local, fixed, all_addresses)

    if name == "make_server" and len(arguments) > 1:
        host, port = arguments[:2]
        return made(name, host, port, 8000, all_addresses='"0.0.0.0"')
    if name in _PAIRS:
        pair = arguments[0] if arguments else given.get("server_address")
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
            host, port = pair.elts
            return made(name, host, port, 8000, all_addresses='("0.0.0.0", port)')
        return None
    if not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    if name == "serve" and isinstance(owner, ast.Name) and owner.id == "websockets":
        at = [*arguments, None, None, None]
        return made("websockets", given.get("host") or at[1], given.get("port") or at[2], 8765)
    if name == "run_webhook":
        # python-telegram-bot's, on localhost and port 80 where nothing is named.
        listen = 'listen="0.0.0.0"'
        asked = given.get("port")
        return made(name, given.get("listen"), asked, 80, local=True, all_addresses=listen)
    if name not in {"run", "run_server"}:
        return None
    kind, usual = _runs(program, module, owner)
    return made(kind, given.get("host"), given.get("port"), usual, local=True) if kind else None


def _runs(program: Program, module: Module, owner: ast.expr) -> tuple[str, int]:
    """What `OWNER.run()` serves, and on which port; empty where it serves nothing."""
    if isinstance(owner, ast.Name) and owner.id == "uvicorn":
        return "uvicorn", _UVICORN
    reference = program.resolve(module, owner)
    there = program.modules.get(reference[0]) if reference else None
    made = program.constants(there).get(reference[1] or "") if there and reference else None
    name = called_name(made) if isinstance(made, ast.Call) else ""
    return (name, FRAMEWORKS[name]) if name in FRAMEWORKS else ("", 0)


def _number(program: Program, module: Module, node: ast.expr | None, depth: int = 0) -> int | None:
    """The number that an expression has, as far as constants and defaults tell."""
    if node is None or depth > _DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        return _digits(str(node.value)) if not isinstance(node.value, bool) else None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _number(program, module, node.values[-1], depth + 1)
    if isinstance(node, ast.Call):
        name = called_name(node)
        if name == "int" and len(node.args) == 1:
            return _number(program, module, node.args[0], depth + 1)
        default = next((k.value for k in node.keywords if k.arg == "default"), None)
        if name in {"getenv", "get"} and len(node.args) > 1:
            default = node.args[1]
        return _number(program, module, default, depth + 1)
    if isinstance(node, ast.Name):
        reference = program.resolve(module, node)
        owner = program.modules.get(reference[0]) if reference else None
        if owner and reference and reference[1]:
            value = program.constants(owner).get(reference[1])
            return _number(program, owner, value, depth + 1)
    text = program.text(module, node)
    return _digits(text) if text else None


def _digits(text: str) -> int | None:
    """A port's number."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None
