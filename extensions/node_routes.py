"""Where servers on Node answer that they are alive: routes by name, wherever they are mounted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import javascript
from .javascript import Script
from .origins import Found, either
from .tree import Tree

# What such a route is called; the first of these is taken.
NAMES = (
    "health", "healthz", "healthcheck", "health-check", "livez", "live", "liveness", "ready",
    "readyz", "readiness", "ping", "status", "up",
)  # fmt: skip
# These name other things, too, where they are not at the top, or below what has such a name.
_AT_THE_TOP = re.compile(
    r"/((api|rest|v\d+|health|probes?|internal|system|monitoring|_)/)*[\w-]+/?"
)
# A route of that name; a router's file is called like what it is mounted at.
_MENTION = re.compile(rf"""["'`/](?:{"|".join(NAMES)})/?["'`]""")
_FILE = re.compile(rf"(?:^|/)(?:{'|'.join(NAMES)})\b[^/]*(?:/index\.\w+)?$")
_MOUNTS = re.compile(r"\.(use|route|register)\s*\(")
_APPS = frozenset({"express", "fastify", "Fastify", "Koa", "Elysia", "polka", "restify"})
_DEEPEST = 5


@dataclass(frozen=True)
class _Route:
    """A GET route: its path, the object that has it, and where that stands."""

    script: Script
    place: int
    path: str
    receiver: str


def is_health(path: str) -> bool:
    """Whether a path is called like a health check, at any depth, and has no parameter."""
    name = path.rstrip("/").rpartition("/")[2]
    if name not in NAMES or re.search(r"[:*{(\[]", path):
        return False
    return name.startswith("health") or _AT_THE_TOP.fullmatch(path) is not None


def rank(path: str) -> tuple[int, int, str]:
    """The order in which paths are taken: by name, then the shortest."""
    path = path.rstrip("/")
    return (NAMES.index(path.rpartition("/")[2]), path.count("/"), path)


def health_path(tree: Tree, folder: str) -> Found[str | None]:
    """The health route of an app on Express, Fastify, Hono, Koa or Nest, or None."""
    scripts = javascript.scripts(tree, folder)
    found = {
        path: route
        for script in scripts
        if _MENTION.search(script.text) or _FILE.search(script.path)
        for route in (*_routes(script), *_nest_routes(script, scripts))
        for path in _full(tree, folder, scripts, route, 0)
        if is_health(path)
    }
    if not found:
        return Found(None, f"no GET route whose name is {either(NAMES)} in the source")
    best = min(found, key=rank)
    route = found[best]
    return Found(best, "GET route", route.script.path, route.script.line(route.place))


def _join(*parts: str) -> str:
    path = "/".join(part.strip("/") for part in parts if part.strip("/"))
    return f"/{path}"


def _routes(script: Script) -> Iterator[_Route]:
    """`X.get("/health", …)`, and Fastify's `X.route({ method: "GET", url: "/health" })`."""
    for place in script.finds("get", "("):
        path = script.string(place + 2)
        receiver = script.tokens[place - 2].text
        if script.tokens[place - 1].text == "." and path is not None and path[:1] in {"/", ""}:
            yield _Route(script, place + 2, path, receiver)
    for place in script.finds("route", "(", "{"):
        fields = dict(script.fields(place + 2))
        url = script.string(fields["url"].start) if "url" in fields else None
        if url and "method" in fields and "GET" in "".join(script.texts(fields["method"])):
            yield _Route(script, place, url, script.tokens[place - 2].text)


def _nest_routes(script: Script, scripts: list[Script]) -> Iterator[_Route]:
    """Nest's `@Controller("health")` with its `@Get()`; its paths are whole."""
    if "@Controller" not in script.text:
        return
    controller = ""
    for place in script.finds("@"):
        name = script.tokens[place + 1].text
        if name not in {"Controller", "Get"} or script.tokens[place + 2].text != "(":
            continue
        path = script.string(place + 3)
        if path is None and script.tokens[place + 3].text == "{":
            fields = dict(script.fields(place + 3))
            path = script.string(fields["path"].start) if "path" in fields else None
            path = None if "version" in fields else path
        if path is None and script.tokens[place + 3].text != ")":
            continue
        if name == "Controller":
            controller = path or ""
        else:
            whole = _join(controller, path or "")
            yield _Route(script, place, _join(_global_prefix(scripts, whole), whole), "")


def _global_prefix(scripts: list[Script], path: str) -> str:
    for script in scripts:
        if "setGlobalPrefix" not in script.text:
            continue
        for place in script.finds("setGlobalPrefix", "("):
            inner = script.inside(place + 1)
            left_out = {script.string(at) or "" for at in inner if at > inner.start}
            if path.strip("/") in {name.strip("/") for name in left_out}:
                return ""
            return script.string(inner.start) or ""
    return ""


def _full(
    tree: Tree, folder: str, scripts: list[Script], route: _Route, depth: int
) -> Iterator[str]:
    """The paths under which a route is reached; none where nothing mounts what has it."""
    script, receiver = route.script, route.receiver
    made = _making(script, receiver)
    own = _own_prefix(script, made) if made is not None else ""
    if not receiver or (made is not None and script.tokens[made].text in _APPS):
        yield _join(own, route.path)
        return
    mounts = list(_mounts(tree, folder, scripts, script, receiver, made is not None))
    if not mounts:
        is_app = receiver in {"app", "server", "fastify", "api"} or made is None
        is_router = made is not None and script.tokens[made].text == "Router"
        is_plugin = made is None and _is_parameter(script, route)
        if is_app and not is_router and not is_plugin:
            yield _join(own, route.path)
        return
    if depth < _DEEPEST:
        for mount in mounts:
            inner = _join(mount.path, own, route.path)
            yield from _full(
                tree,
                folder,
                scripts,
                _Route(mount.script, mount.place, inner, mount.receiver),
                depth + 1,
            )


def _making(script: Script, name: str) -> int | None:
    """The token that says what a constant is made with, as in `const app = express()`."""
    for place in script.finds(name, "="):
        at = place + 2
        while script.tokens[at].text in {"new", "await"} or script.tokens[at + 1].text == ".":
            at += 2 if script.tokens[at + 1].text == "." else 1
        if script.matches(place + 2, "require", "("):
            # `require("fastify")()`.
            module = (script.string(place + 4) or "").lower()
            if script.tokens[place + 6].text == "(":
                return next(
                    (at for at in script.finds(module) if script.tokens[at].text in _APPS),
                    place + 2,
                )
        return at
    return None


def _own_prefix(script: Script, made: int) -> str:
    """`new Router({ prefix: "/api" })`, `new Hono().basePath("/api")`."""
    if script.tokens[made + 1].text != "(":
        return ""
    if script.tokens[made + 2].text == "{":
        fields = dict(script.fields(made + 2))
        return (script.string(fields["prefix"].start) or "") if "prefix" in fields else ""
    after = script.pairs.get(made + 1, made) + 1
    if script.matches(after, ".", "basePath", "("):
        return script.string(after + 3) or ""
    return ""


def _is_parameter(script: Script, route: _Route) -> bool:
    function = script.around(route.place)
    return function is not None and route.receiver in script.texts(function.parameters)


def _mounts(
    tree: Tree, folder: str, scripts: list[Script], script: Script, name: str, constant: bool
) -> Iterator[_Route]:
    """Where what has a route is mounted: in its own file by its name, elsewhere by its import."""
    for other in scripts:
        if not _MOUNTS.search(other.text):
            continue
        own = other is script and constant
        names = {name} if own else _imported_names(tree, folder, other, script)
        for method in ("use", "route", "register"):
            for place in other.finds(method, "("):
                if other.tokens[place - 1].text not in {".", "?."}:
                    continue
                arguments = list(other.items(place + 1))
                if not any(_means(tree, folder, other, script, a, names) for a in arguments):
                    continue
                prefix = other.string(arguments[0].start) or ""
                last = arguments[-1]
                if other.tokens[last.start].text == "{":
                    fields = dict(other.fields(last.start))
                    if "prefix" in fields:
                        prefix = other.string(fields["prefix"].start) or ""
                yield _Route(other, place, prefix, other.tokens[place - 2].text)


def _means(
    tree: Tree, folder: str, other: Script, script: Script, argument: range, names: set[str]
) -> bool:
    """Whether an argument is what is mounted, as in `router`, `router.routes()`, `require(…)`."""
    first = other.tokens[argument.start].text
    if first in {"require", "import"}:
        module = other.string(argument.start + 2)
        target = module and javascript.resolve(tree, folder, other.path, module)
        return target == script.path and other is not script
    return first in names


def _imported_names(tree: Tree, folder: str, other: Script, script: Script) -> set[str]:
    """What a file calls what it imports from another."""
    if other is script:
        return set()
    found: set[str] = set()
    for place, token in enumerate(other.tokens):
        if token.text == "from" or other.matches(place, "require", "("):
            module = other.string(place + (1 if token.text == "from" else 2))
            if not module or javascript.resolve(tree, folder, other.path, module) != script.path:
                continue
            start = place - 1
            while start > 0 and other.tokens[start].text not in {"import", "const", "let", "var"}:
                start -= 1
            found |= {t.text for t in other.tokens[start:place] if t.kind == "name"}
    return found - {"import", "const", "let", "var", "as", "type", "default"}
