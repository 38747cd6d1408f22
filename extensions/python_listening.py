"""Servers that Python code starts itself, by a call: which, on which address and port."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .python_program import Program
from .python_source import Module, called_name

# Ports where none is named (flask.palletsprojects.com, uvicorn.dev, sanic.dev, dash.plotly.com).
FRAMEWORKS = {
    "Flask": 5000, "Quart": 5000, "Sanic": 8000, "Dash": 8050, "Bottle": 8080, "SocketIO": 5000,
}  # fmt: skip
_UVICORN = 8000
_ALL = 'host="0.0.0.0"'


@dataclass(frozen=True)
class _Call:
    """A library's function or class that serves: what it takes, and where it is given nothing."""

    library: str
    port: str = "port"
    host: str = "host"
    usual: int = 8000
    local: bool = False
    all_addresses: str = _ALL


# By the name that is called (docs.pylonsproject.org/projects/waitress, nicegui.io,
# tornadoweb.org, uvicorn.dev, bottlepy.org; Granian's README).
_CALLS = {
    "serve": (_Call("waitress", usual=8080),),
    "run": (
        _Call("nicegui", usual=8080),
        _Call("bottle", usual=8080, local=True),
    ),
    "Config": (_Call("uvicorn", local=True),),
    "Granian": (_Call("granian", host="address", local=True, all_addresses='address="0.0.0.0"'),),
    "listen": (_Call("tornado", host="address", usual=8888, all_addresses='address="0.0.0.0"'),),
}
# The object of each of these that serves, as it is usually called, where a library has several.
_OWNERS = {"nicegui": ("ui",), "bottle": ("bottle",), "uvicorn": ("uvicorn",)}
# What MCP's `run()` serves over HTTP (modelcontextprotocol.io, "Transports"; gofastmcp.com).
_MCP = frozenset({"http", "streamable-http", "sse"})
# The classes of http.server and wsgiref, whose first argument is `(host, port)`; all of it is
# named, and an empty host is every address.
_PAIRS = frozenset({"HTTPServer", "ThreadingHTTPServer", "WSGIServer"})
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
    all_addresses: str = _ALL


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
        all_addresses: str = _ALL,
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
    if one := _of_library(program, module, call):
        # Waitress takes both in one, too: listen="*:8080". Tornado's port comes first.
        if isinstance(listen := given.get("listen"), ast.Constant):
            address, _, number = str(listen.value).rpartition(":")
            return made(one.library, ast.Constant(address), ast.Constant(number), one.usual)
        first = arguments[0] if name == "listen" and arguments else None
        asked = given.get(one.port) or first
        shown = one.all_addresses
        local = one.local
        named = given.get(one.host)
        return made(one.library, named, asked, one.usual, local=local, all_addresses=shown)
    if not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    if name in {"run", "run_async"} and (mcp := _mcp(program, module, call)):
        given = {**{keyword.arg: keyword.value for keyword in mcp.keywords}, **given}
        return made("MCP", given.get("host"), given.get("port"), 8000, local=True)
    if name == "serve" and isinstance(owner, ast.Name) and owner.id == "websockets":
        at = [*arguments, None, None, None]
        return made("websockets", given.get("host") or at[1], given.get("port") or at[2], 8765)
    if name == "run_webhook":
        # python-telegram-bot's, on localhost and port 80 where nothing is named.
        all_of_them = 'listen="0.0.0.0"'
        asked = given.get("port")
        return made(name, given.get("listen"), asked, 80, local=True, all_addresses=all_of_them)
    if name not in {"run", "run_server"}:
        return None
    kind, usual = _runs(program, module, owner)
    if kind == "SocketIO":
        at = [*arguments, None, None, None]
        named, asked = given.get("host") or at[1], given.get("port") or at[2]
        return made("Flask-SocketIO", named, asked, usual, local=True)
    return made(kind, given.get("host"), given.get("port"), usual, local=True) if kind else None


def _of_library(program: Program, module: Module, call: ast.Call) -> _Call | None:
    """The library's function or class that is called, where the module imports that library."""
    used = {one.name.partition(".")[0] for one in program.imports(module)}
    for one in _CALLS.get(called_name(call), ()):
        if one.library not in used:
            continue
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        names = _OWNERS.get(one.library, ())
        if owner is None or not names or (isinstance(owner, ast.Name) and owner.id in names):
            return one
    return None


def _mcp(program: Program, module: Module, call: ast.Call) -> ast.Call | None:
    """What made the MCP server that is run over HTTP."""
    made = _made(program, module, call.func.value) if isinstance(call.func, ast.Attribute) else None
    if made is None or called_name(made) not in {"FastMCP", "MCPServer"}:
        return None
    named = next((k.value for k in call.keywords if k.arg == "transport"), None)
    transport = program.text(module, named or (call.args[0] if call.args else None))
    return made if transport in _MCP else None


def _made(program: Program, module: Module, owner: ast.expr) -> ast.Call | None:
    """The call whose object a name is."""
    reference = program.resolve(module, owner)
    there = program.modules.get(reference[0]) if reference else None
    made = program.constants(there).get(reference[1] or "") if there and reference else None
    return made if isinstance(made, ast.Call) else None


def _runs(program: Program, module: Module, owner: ast.expr) -> tuple[str, int]:
    """What `OWNER.run()` serves, and on which port; empty where it serves nothing."""
    if isinstance(owner, ast.Name) and owner.id == "uvicorn":
        return "uvicorn", _UVICORN
    made = _made(program, module, owner)
    name = called_name(made) if made else ""
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
