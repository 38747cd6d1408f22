"""The routes of apps whose objects are given them: FastAPI, Starlette, Flask, Quart, Sanic.

What an app serves, wherever its routers and blueprints are included.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .python_program import Program
from .python_source import Module, assigned_calls, called_name

_READS = frozenset({"get", "head"})
_VERBS = _READS | {"post", "put", "patch", "delete", "options", "trace", "query"}
_SOCKETS = frozenset(
    {"websocket", "websocket_route", "add_api_websocket_route", "add_websocket_route"}
)
# What decorates the functions that answer requests.
ROUTES = _VERBS | _SOCKETS | {"api_route", "route", "add_api_route", "add_route", "add_url_rule"}
_MADE = frozenset(
    {"FastAPI", "APIRouter", "Starlette", "Router", "Flask", "Quart", "Sanic", "Blueprint"}
)
# What puts a router or blueprint into an app.
_INCLUDES = frozenset({"include_router", "register_blueprint", "blueprint"})
_WORDS = re.compile(
    r"FastAPI|APIRouter|Starlette|Router\(|include_router|_route\(|\.mount\(|Route\(|Mount\("
    r"|Flask|Quart|Sanic|[Bb]lueprint|add_url_rule"
)
# What these call is given the request and parts of its path, and nothing else.
_PASS_REQUEST = frozenset({"Starlette", "Flask", "Quart", "Sanic", "Blueprint"})
_SIMPLE = frozenset(
    {"str", "int", "float", "bool", "UUID", "date", "datetime", "bytes", "EmailStr"}
)
_GUARDS = re.compile(r"user|auth|token|key|admin|login|permission|verify|secur|role", re.IGNORECASE)
_DEEPEST = 12

# An app or router: the module and the name that it has there.
Key = tuple[str, str]


@dataclass(frozen=True)
class Route:
    """Something that an app serves.

    Attributes:
        path: Its path with all prefixes.
        method: `GET`, `POST` and so on; `WebSocket`; empty where anything may come.
        whole: The path is known to its end; else more may follow.
        is_open: A GET that asks for no login and no parameter.
        file: Where it stands.
        line: Its line there.
    """

    path: str
    method: str
    whole: bool
    is_open: bool
    file: str
    line: int


@dataclass
class _Maker:
    """An app or router, and what was put into it: at which prefix, and what that is."""

    call: ast.Call | None = None
    prefix: str | None = ""
    guarded: bool = False
    routes: list[Route] = field(default_factory=list)
    included: list[tuple[str | None, Key | None, bool, str, int]] = field(default_factory=list)

    @property
    def passes_request(self) -> bool:
        """Whether its functions ask for nothing but what is in the path."""
        return self.call is not None and called_name(self.call) in _PASS_REQUEST


@dataclass(frozen=True)
class Routes:
    """What an app serves, as far as its source tells.

    Attributes:
        listed: Its routes, each once.
        unknown: Places (file and line) whose routes only running code knows.
    """

    listed: tuple[Route, ...]
    unknown: tuple[tuple[str, int], ...]


def has_routes(text: str) -> bool:
    """Whether source may make routes: all other needs no look."""
    return _WORDS.search(text) is not None


def read(program: Program, modules: Iterable[Module], app: Key, call: ast.Call) -> Routes:
    """The routes of an app.

    Args:
        program: All modules of the app.
        modules: Those to look through.
        app: The name that it has; what a function puts into the app that it is given counts, too.
        call: The call that makes it, which may stand in a factory, where it has another name.
    """
    makers: dict[Key, _Maker] = {}
    listed = list(modules)
    for module in listed:
        _find_makers(program, module, makers)
    makers.setdefault(app, _Maker())
    roots = dict.fromkeys([app, *(key for key, made in makers.items() if made.call is call)])
    for module in listed:
        _Reader(program, module, makers, app).read()
    found: dict[tuple[str, str], Route] = {}
    unknown: dict[tuple[str, int], None] = {}
    for root in roots:
        for route in _expanded(makers, root, "", False, 0, unknown):
            found.setdefault((route.path, route.method), route)
    return Routes(tuple(found.values()), tuple(unknown))


def _find_makers(program: Program, module: Module, makers: dict[Key, _Maker]) -> None:
    routers = {
        node.name
        for node in module.body.body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).rpartition(".")[2] in _MADE for base in node.bases)
    }
    for node in ast.walk(module.body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            if called_name(node.value) not in _MADE | routers:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if name := _name(target):
                    makers[module.name, name] = _made(program, module, node.value)


def _made(program: Program, module: Module, call: ast.Call) -> _Maker:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    maker = _Maker(call, guarded=bool(given.get("dependencies")))
    for word in ("prefix", "url_prefix"):
        if word in given:
            maker.prefix = program.text(module, given[word])
    if "routes" in given:
        _read_list(program, module, given["routes"], "", maker)
    return maker


def _read_list(
    program: Program, module: Module, node: ast.expr, prefix: str, maker: _Maker
) -> None:
    """Starlette's `routes=[Route(…), Mount(…)]`."""
    if isinstance(node, ast.Name):
        reference = program.resolve(module, node)
        owner = program.modules.get(reference[0]) if reference else None
        value = program.constants(owner).get(reference[1] or "") if owner and reference else None
        if owner is None or value is None or isinstance(value, ast.Name):
            maker.included.append((prefix or None, None, False, module.path, node.lineno))
            return
        module, node = owner, value
    for item in node.elts if isinstance(node, ast.List | ast.Tuple) else ():
        if not isinstance(item, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in item.keywords}
        first = item.args[0] if item.args else given.get("path")
        path = program.text(module, first)
        name = called_name(item)
        if path is None:
            maker.included.append((prefix or None, None, False, module.path, item.lineno))
        elif name in {"Route", "WebSocketRoute", "APIRoute", "APIWebSocketRoute"}:
            method = "WebSocket" if "WebSocket" in name else _method("route", given)
            is_open = method == "GET"
            maker.routes.append(
                Route(prefix + path, method, True, is_open, module.path, item.lineno)
            )
        elif name == "Mount" and "routes" in given:
            _read_list(program, module, given["routes"], prefix + path.rstrip("/"), maker)
        elif name == "Mount":
            target = given.get("app") or (item.args[1] if len(item.args) > 1 else None)
            key = _key(program, module, target) if target else None
            maker.included.append((prefix + path, key, True, module.path, item.lineno))


class _Reader:
    """Looks through one module for what is put into apps and routers."""

    def __init__(
        self, program: Program, module: Module, makers: dict[Key, _Maker], root: Key
    ) -> None:
        self.program = program
        self.module = module
        self.makers = makers
        self.root = root
        self.functions: dict[ast.Call, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.parameters: dict[str, str] = {}
        self.takers: dict[str, list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]] = {}
        self.loops: dict[str, list[tuple[Module, ast.expr]]] = {}

    def read(self) -> None:
        """Put everything that the module adds into the makers."""
        calls = []
        for node in ast.walk(self.module.body):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call):
                        self.functions[decorator] = node
                places = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                for place, argument in enumerate(places):
                    self.takers.setdefault(argument.arg, []).append((node, place))
                    kind = ast.unparse(argument.annotation) if argument.annotation else ""
                    self.parameters[argument.arg] = kind.strip("'\"").rpartition(".")[2]
            elif isinstance(node, ast.For):
                self._remember(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                calls.append(node)
        for call in calls:
            self._take(call)

    def _remember(self, loop: ast.For) -> None:
        items, owner = loop.iter, self.module
        if isinstance(items, ast.Name | ast.Attribute):
            reference = self.program.resolve(self.module, items)
            found = self.program.modules.get(reference[0]) if reference else None
            if found is None or reference is None:
                return
            items = self.program.constants(found).get(reference[1] or "", items)
            owner = found
        if not isinstance(items, ast.List | ast.Tuple | ast.Set):
            return
        targets = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
        for place, target in enumerate(targets):
            for item in items.elts:
                if isinstance(loop.target, ast.Tuple):
                    if not isinstance(item, ast.Tuple) or place >= len(item.elts):
                        continue
                    item = item.elts[place]
                if isinstance(target, ast.Name):
                    self.loops.setdefault(target.id, []).append((owner, item))

    def _take(self, call: ast.Call) -> None:
        assert isinstance(call.func, ast.Attribute)
        what = call.func.attr
        if what not in ROUTES and what not in _INCLUDES | {"mount", "host"}:
            return
        maker = self._receiver(call, call.func.value, what)
        if maker is None:
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if what in _INCLUDES:
            self._include(maker, call, given)
        elif what in ROUTES:
            self._route(maker, call, what, given)
        elif what == "mount":
            first = call.args[0] if call.args else given.get("path")
            second = call.args[1] if len(call.args) > 1 else given.get("app")
            path = self.program.text(self.module, first)
            key = _key(self.program, self.module, second) if second else None
            key = key if key in self.makers else None
            maker.included.append((path, key, True, self.module.path, call.lineno))

    def _receiver(self, call: ast.Call, node: ast.expr, what: str) -> _Maker | None:
        key = _key(self.program, self.module, node)
        if key in self.makers and key is not None:
            return self.makers[key]
        # An app that a function is given is the one that is served.
        is_parameter = isinstance(node, ast.Name) and node.id in self.parameters
        if not is_parameter:
            return None
        assert isinstance(node, ast.Name)
        kind = self.parameters[node.id]
        sure = kind in _MADE or node.id in {"app", "application", "api"}
        surely_a_route = what in _INCLUDES or call in self.functions
        return self.makers[self.root] if (sure and surely_a_route) or kind == "FastAPI" else None

    def _include(self, maker: _Maker, call: ast.Call, given: Mapping[str | None, ast.expr]) -> None:
        target = call.args[0] if call.args else given.get("router") or given.get("blueprint")
        if target is None:
            return
        guarded = "dependencies" in given
        prefixes: list[str | None] = [""]
        before = given.get("prefix") or given.get("url_prefix")
        if before is not None:
            prefixes = [self.program.text(m, n) for m, n in self._each(before)]
        targets = self._each(target)
        if len(prefixes) != len(targets):
            prefixes = [prefixes[0]] * len(targets)
        for (owner, one), prefix in zip(targets, prefixes, strict=True):
            key = _key(self.program, owner, one)
            key = key if key in self.makers else None
            if key is not None and "url_prefix" in given:
                # It takes the place of the blueprint's own (flask.palletsprojects.com).
                self.makers[key].prefix = ""
            maker.included.append((prefix, key, not guarded, self.module.path, call.lineno))

    def _each(self, node: ast.expr) -> list[tuple[Module, ast.expr]]:
        """What a name stands for in turn, where a loop sets it."""
        if isinstance(node, ast.Name) and node.id in self.loops:
            return self.loops[node.id]
        if isinstance(node, ast.Name) and node.id in self.takers:
            return list(self._given(node.id)) or [(self.module, node)]
        if isinstance(node, ast.Attribute):
            owners = self._each(node.value)
            return [(owner, ast.Attribute(value, node.attr)) for owner, value in owners]
        return [(self.module, node)]

    def _given(self, name: str) -> Iterator[tuple[Module, ast.expr]]:
        """What functions of the module are given for that parameter, wherever they are called."""
        functions = {function.name: place for function, place in self.takers[name]}
        for module in self.program.modules.values():
            for _, call in assigned_calls(module.body):
                place = functions.get(called_name(call))
                reference = self.program.resolve(module, call.func) if place is not None else None
                if place is None or not reference or reference[0] != self.module.name:
                    continue
                found = [keyword.value for keyword in call.keywords if keyword.arg == name]
                yield from ((module, value) for value in (*found, *call.args[place : place + 1]))

    def _route(
        self, maker: _Maker, call: ast.Call, what: str, given: Mapping[str | None, ast.expr]
    ) -> None:
        first = call.args[0] if call.args else given.get("path") or given.get("rule")
        path = self.program.text(self.module, first)
        if path is None:
            maker.included.append(("", None, True, self.module.path, call.lineno))
            return
        method = _method(what, given)
        function = self.functions.get(call)
        is_open = (
            method == "GET"
            and "dependencies" not in given
            and (function is None or maker.passes_request or _asks_for_nothing(function, path))
            and not (function and any(map(_guards, function.decorator_list)))
        )
        maker.routes.append(Route(path, method, True, is_open, self.module.path, call.lineno))


def _method(what: str, given: Mapping[str | None, ast.expr]) -> str:
    if what in _SOCKETS:
        return "WebSocket"
    if what in _VERBS:
        return what.upper()
    methods = given.get("methods")
    if methods is None:
        return "GET"
    found = [n.value for n in ast.walk(methods) if isinstance(n, ast.Constant)]
    return "GET" if "GET" in found else str(found[0]) if found else ""


def _asks_for_nothing(function: ast.FunctionDef | ast.AsyncFunctionDef, path: str) -> bool:
    """Whether a request without login and parameters is answered."""
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    pairs = [
        *zip(plain, [*defaults, *arguments.defaults], strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        if f"{{{argument.arg}" in path:
            continue
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        value = ast.unparse(default) if default else ""
        if ("Depends" in value or "Security" in value) and _GUARDS.search(value):
            return False
        if default is None and (kind in _SIMPLE or kind == "" or _GUARDS.search(kind)):
            return False
    return True


def _guards(decorator: ast.expr) -> bool:
    """Whether a decorator asks for a login, as in `@login_required`."""
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(name, ast.Attribute) and name.attr in ROUTES:
        return False
    return _GUARDS.search(ast.unparse(name)) is not None


def _key(program: Program, module: Module, node: ast.expr) -> Key | None:
    """The app or router that an expression stands for."""
    if isinstance(node, ast.Call):
        return _returned(program, module, node)
    if name := _name(node) if isinstance(node, ast.Attribute) else None:
        return module.name, name
    reference = program.resolve(module, node)
    return (reference[0], reference[1]) if reference and reference[1] else None


def _name(target: ast.expr) -> str | None:
    """The name of a variable, or of an attribute of `self`."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        return f"self.{target.attr}" if target.value.id == "self" else None
    return None


def _returned(program: Program, module: Module, call: ast.Call) -> Key | None:
    """The router that a function of the app makes and returns."""
    reference = program.resolve(module, call.func)
    owner = program.modules.get(reference[0]) if reference else None
    for node in owner.body.body if owner and reference else ():
        if isinstance(node, ast.FunctionDef) and reference and node.name == reference[1]:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Name):
                    return reference[0], inner.value.id
    return None


def _expanded(
    makers: Mapping[Key, _Maker],
    key: Key,
    prefix: str,
    guarded: bool,
    depth: int,
    unknown: dict[tuple[str, int], None],
) -> Iterator[Route]:
    maker = makers[key]
    if depth > _DEEPEST:
        return
    here = prefix + (maker.prefix or "")
    guarded = guarded or maker.guarded
    for route in maker.routes:
        known = maker.prefix is not None
        if not known and not here:
            unknown[route.file, route.line] = None
            continue
        path = here + route.path if known else here
        yield replace(
            route, path=path or "/", whole=known, is_open=route.is_open and known and not guarded
        )
    for more, target, is_open, file, line in maker.included:
        base = here + (more or "").rstrip("/")
        if target is not None and target in makers and more is not None:
            yield from _expanded(makers, target, base, guarded or not is_open, depth + 1, unknown)
        elif base and maker.prefix is not None:
            yield Route(base, "", False, False, file, line)
        else:
            unknown[file, line] = None
