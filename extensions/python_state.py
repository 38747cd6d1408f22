"""What a web app keeps in the memory of its process, so that two of them would not agree.

Servers start several processes, each with variables, connections and schedules of its own
(fastapi.tiangolo.com, "Deployments Concepts"; flask-socketio.readthedocs.io, "Deployment").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from . import python_command
from .origins import Found
from .python_program import Program
from .python_routes import ROUTES
from .python_source import Module, called_name

FIELD = "state"

# What starts jobs by the clock inside the app (APScheduler, Flask-APScheduler, fastapi-utils).
_SCHEDULERS = frozenset(
    {"AsyncIOScheduler", "BackgroundScheduler", "TornadoScheduler", "APScheduler", "repeat_every"}
)
_SCHEDULING = ("apscheduler", "flask_apscheduler", "fastapi_utils", "fastapi_utilities")
_CONTAINERS = frozenset({"list", "dict", "set", "defaultdict", "deque", "OrderedDict", "Counter"})
_CHANGES = frozenset(
    {"append", "appendleft", "add", "insert", "extend", "update", "setdefault"}
    | {"pop", "popleft", "popitem", "remove", "discard", "clear"}
)
_MCP_APPS = frozenset({"streamable_http_app", "http_app", "sse_app"})
# What takes messages from one process to the others.
_SHARED = ("pubsub", "broadcaster", "psubscribe", "fastapi_websocket_pubsub")
_RANDOM = frozenset({"urandom", "token_hex", "token_urlsafe", "token_bytes", "uuid4"})
_NEVER = frozenset({"tests", "test", "management", "migrations", "scripts"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find(
    program: Program, folder: str, command: Sequence[str], *, all_modules: bool = False
) -> Found[str] | None:
    """What is kept, and in which file, as a sentence's end; None for nothing that is seen.

    Args:
        program: The app's modules.
        folder: The app's.
        command: The command line that serves it, as far as it names modules.
        all_modules: It is told by settings which modules are imported.
    """
    named = [one.module.name for one in python_command.named(program.modules, folder, command)]
    names = program.reached(*named) if named and not all_modules else program.modules
    modules = [
        program.modules[name]
        for name in sorted(names)
        if not _NEVER.intersection(PurePosixPath(program.modules[name].path).parts)
    ]
    for look in (_sockets, _mcp, _schedules, _connections, _variables, _limits, _keys):
        for what, module, line in look(program, modules):
            return Found(f"{module.path} has {what}", "in the process's memory", module.path, line)
    return None


State = Iterator[tuple[str, Module, int]]


def _uses(program: Program, module: Module, *libraries: str) -> bool:
    return any(one.name.partition(".")[0] in libraries for one in program.imports(module))


def _named_calls(module: Module, names: frozenset[str]) -> Iterator[ast.Call]:
    if not any(name in module.text for name in names):
        return
    for node in ast.walk(module.body):
        if isinstance(node, ast.Call) and called_name(node) in names:
            yield node


def _sockets(program: Program, modules: Sequence[Module]) -> State:
    """Socket.IO, whose clients have to reach one and the same process."""
    for module in modules:
        if _uses(program, module, "socketio"):
            for call in _named_calls(module, frozenset({"AsyncServer", "Server"})):
                given = {keyword.arg for keyword in call.keywords}
                if not {"client_manager", "transports"} <= given:
                    yield "the sessions of Socket.IO", module, call.lineno


def _mcp(program: Program, modules: Sequence[Module]) -> State:
    """MCP over HTTP, where each client has a session (modelcontextprotocol.io, "Transports")."""
    if any("stateless_http" in module.text for module in modules):
        return
    for module in modules:
        if _uses(program, module, "mcp", "fastmcp"):
            for call in _named_calls(module, _MCP_APPS):
                yield "the sessions of MCP", module, call.lineno


def _schedules(program: Program, modules: Sequence[Module]) -> State:
    """Jobs that each process would start."""
    for module in modules:
        if _uses(program, module, *_SCHEDULING):
            for call in _named_calls(module, _SCHEDULERS):
                yield "a scheduler, which each process would start", module, call.lineno


def _connections(program: Program, modules: Sequence[Module]) -> State:
    """Open WebSockets, to which another process cannot send."""
    if any(word in module.text for module in modules for word in _SHARED):
        return
    for module in modules:
        if "websocket" not in module.text.lower():
            continue
        for function in _functions(module):
            sockets = {
                a.arg for a in function.args.args if _is_socket(a.annotation) or a.arg in _WEBSOCKET
            }
            for node in _nodes(function) if sockets else ():
                kept = _kept(node, sockets)
                its_own = isinstance(kept, ast.Name) and kept.id in _own(function)
                if kept is not None and not its_own:
                    yield "open WebSockets", module, node.lineno


_WEBSOCKET = frozenset({"websocket", "ws"})


def _is_socket(node: ast.expr | None) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in {"WebSocket", "WebSocketServerProtocol"}


def _kept(node: ast.AST, values: set[str]) -> ast.expr | None:
    """Where a statement puts one of these: the container, without keys."""
    found: ast.expr | None = None
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="append" | "add"), args=args):
            if any(isinstance(v, ast.Name) and v.id in values for a in args for v in ast.walk(a)):
                found = owner
        case ast.Assign(targets=[ast.Subscript(value=owner)], value=ast.Name(id=name)):
            found = owner if name in values else None
    return _container(found) if found else None


def _container(node: ast.expr) -> ast.expr:
    """The variable that is changed where an element of it is: `rooms` of `rooms[name].members`."""
    while True:
        match node:
            case ast.Subscript(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute(value=inner, attr="setdefault" | "get")):
                node = inner
            case _:
                return node


def _functions(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _nodes(function: Function) -> Iterator[ast.stmt | ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.stmt | ast.expr):
            yield node


def _own(function: Function) -> frozenset[str]:
    """Names that are the function's own."""
    shared = {n for node in ast.walk(function) if isinstance(node, ast.Global) for n in node.names}
    arguments = function.args
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    stored = (
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return frozenset((*(a.arg for a in named), *stored)) - shared


def _variables(program: Program, modules: Sequence[Module]) -> State:
    """Variables of a module that requests change."""
    for module in modules:
        for function in _functions(module):
            if not any(_is_route(one) for one in function.decorator_list):
                continue
            own = _own(function)
            for node in _nodes(function):
                if isinstance(node, ast.Global) and _sets(function, node.names):
                    yield "variables that requests change", module, node.lineno
                name = _changed(node)
                if name is None or name.id in own or "cache" in name.id.lower():
                    continue
                reference = program.resolve(module, name)
                owner = program.modules.get(reference[0]) if reference else None
                if owner and reference and reference[1] and _holds(program, owner, reference[1]):
                    yield "variables that requests change", module, node.lineno


def _is_route(decorator: ast.expr) -> bool:
    call = decorator if isinstance(decorator, ast.Call) else None
    return bool(call and isinstance(call.func, ast.Attribute) and call.func.attr in ROUTES)


def _sets(function: Function, names: Sequence[str]) -> bool:
    """Whether a global is counted up or set anew, and not only made when it is first asked for."""
    for node in ast.walk(function):
        target = node.target if isinstance(node, ast.AugAssign) else None
        if isinstance(target, ast.Name) and target.id in names:
            return True
    return False


def _changed(node: ast.AST) -> ast.Name | None:
    """The variable that a statement changes by one of its elements."""
    found: ast.expr | None = None
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _CHANGES:
            found = _container(owner)
        case ast.Assign(targets=[ast.Subscript(value=owner)]):
            found = _container(owner)
        case ast.AugAssign(target=ast.Subscript(value=owner)):
            found = _container(owner)
        case ast.Delete(targets=[ast.Subscript(value=owner)]):
            found = _container(owner)
    return found if isinstance(found, ast.Name) else None


def _holds(program: Program, module: Module, name: str) -> bool:
    """Whether a module's variable is a list, a dictionary or a set."""
    match program.constants(module).get(name):
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp():
            return True
        case ast.Call() as call:
            return called_name(call) in _CONTAINERS
    return False


def _limits(program: Program, modules: Sequence[Module]) -> State:
    """Rate limits that are counted in memory (slowapi, Flask-Limiter)."""
    if any("RATELIMIT_STORAGE" in module.text for module in modules):
        return
    for module in modules:
        if _uses(program, module, "slowapi", "flask_limiter"):
            for call in _named_calls(module, frozenset({"Limiter"})):
                if "storage_uri" not in {keyword.arg for keyword in call.keywords}:
                    yield "rate limits", module, call.lineno


def _keys(_: Program, modules: Sequence[Module]) -> State:
    """A key for sessions that each process would make for itself."""
    for module in modules:
        if not any(name in module.text for name in _RANDOM):
            continue
        for node in ast.walk(module.body):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            target = ast.unparse(node.targets[0]).lower()
            made = {called_name(n) for n in ast.walk(node.value) if isinstance(n, ast.Call)}
            if "secret" in target and made & _RANDOM and not made & {"getenv", "get"}:
                yield "a secret key that each process would make", module, node.lineno
