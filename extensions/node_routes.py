"""Routes of servers on Node, wherever they are mounted: which there are, and where one is alive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from . import javascript, route_prefixes
from .health_routes import NAMES, is_health, rank
from .javascript import Script
from .origins import Found, either
from .tree import Tree

# A route of that name; a router's file is called like what it is mounted at.
_MENTION = re.compile(
    rf"""\.get\s*\(\s*["'`][^"'`\n]*(?<=["'`/])(?:{"|".join(NAMES)})/?["'`]"""
    rf"""|\burl\s*:\s*["'`][^"'`\n]*/(?:{"|".join(NAMES)})/?["'`]|@(?:Get|Controller)\s*\("""
)
_FILE = re.compile(rf"(?:^|/)(?:{'|'.join(NAMES)})\b[^/]*(?:/index\.\w+)?$")
_MOUNTS = re.compile(r"\.(use|route|register)\s*\(")
_APPS = frozenset({"express", "fastify", "Fastify", "Koa", "Elysia", "polka", "restify"})
# These are apps as well, where nothing mounts them.
_UNMOUNTED = _APPS | {"Hono", "OpenAPIHono"}
_METHODS = ("get", "post", "put", "patch", "delete", "all", "route", "use")
_VERBS = frozenset({"Get", "Post", "Put", "Patch", "Delete", "All", "Options", "Head"})
# Pages, or files of pages: what answers at any path.
_PAGES = re.compile(
    r"\.use\s*\(\s*(?:express\.static|serveStatic|serve|koaStatic|sirv)\s*\(|\.sendFile\s*\("
    r"|ServeStaticModule|@fastify/static|view engine|@Render\s*\(|\bres(?:ponse)?\.render\s*\("
    r"|\breply\.view\s*\(|createProxyMiddleware"
)
_SOCKETS = re.compile(r"""WebSocketServer\s*\(\s*\{[^}]*\bpath\s*:\s*["'`](/[\w/.-]+)["'`]""")
_TOP = frozenset({"", "/"})
_DEEPEST = 5


@dataclass(frozen=True)
class _Route:
    """A GET route: its path, the object that has it, and where that stands."""

    script: Script
    place: int
    path: str
    receiver: str


# What mounts a router, by the router's file and name; the name is empty for one that is imported.
_Mounts = dict[tuple[str, str], list[_Route]]


def health_path(tree: Tree, folder: str) -> Found[str | None]:
    """The health route of an app on Express, Fastify, Hono, Koa or Nest, or None."""
    scripts = javascript.scripts(tree, folder)
    mounts = cache(lambda: _mounts(tree, folder, scripts))
    found: dict[str, _Route] = {}
    for script in scripts:
        is_named = _FILE.search(script.path) is not None
        if not is_named and not _MENTION.search(script.text):
            continue
        for route in (*_routes(script), *_nest_routes(script, scripts)):
            # What is mounted at a health path answers at its top.
            if not is_health(_join("health", route.path)) and not (is_named and route.path in _TOP):
                continue
            for path in _full(mounts, route, 0):
                if is_health(path):
                    found.setdefault(path, route)
    if not found:
        return Found(None, f"no GET route whose name is {either(NAMES)} in the source")
    best = min(found, key=rank)
    route = found[best]
    return Found(best, "GET route", route.script.path, route.script.line(route.place))


def paths(tree: Tree, folder: str) -> Found[list[str]]:
    """The prefixes that lead to an API on Express, Fastify, Hono, Koa or Nest beside pages.

    Returns:
        None of them where no route is found, or where the app serves pages itself.
    """
    scripts = javascript.scripts(tree, folder)
    mounts = cache(lambda: _mounts(tree, folder, scripts))
    found: dict[str, tuple[str, int]] = {}
    for script in scripts:
        if match := _PAGES.search(script.text):
            line = script.text.count("\n", 0, match.start()) + 1
            return Found([], "serves pages itself", script.path, line)
        for route in (*_routes(script, _METHODS), *_nest_routes(script, scripts, _VERBS)):
            for path in _full(mounts, route, 0, strict=True):
                found.setdefault(path, (script.path, script.line(route.place)))
        for match in _SOCKETS.finditer(script.text):
            line = script.text.count("\n", 0, match.start()) + 1
            found.setdefault(match[1], (script.path, line))
        if "socket.io" in javascript.imports(script):
            found.setdefault("/socket.io", (script.path, 1))
    health = health_path(tree, folder).value
    own = [re.sub(r"/:.*|/\*.*", "/{}", path) for path in found if path != health]
    chosen = route_prefixes.choose(own, route_prefixes.pages(tree, folder))
    if not chosen:
        return Found([], "no route that tells its paths from those of pages")
    place = next(at for path, at in found.items() if path.startswith(tuple(chosen)))
    return Found(chosen, "its routes", *place)


def _join(*parts: str) -> str:
    path = "/".join(part.strip("/") for part in parts if part.strip("/"))
    return f"/{path}"


def _routes(script: Script, methods: tuple[str, ...] = ("get",)) -> Iterator[_Route]:
    """`X.get("/health", …)`, and Fastify's `X.route({ method: "GET", url: "/health" })`."""
    for place in (at for method in methods for at in script.finds(method, "(")):
        path = script.string(place + 2)
        receiver = script.tokens[place - 2].text
        if script.tokens[place - 1].text == "." and path is not None and path[:1] in {"/", ""}:
            yield _Route(script, place + 2, path, receiver)
    for place in script.finds("route", "(", "{"):
        fields = dict(script.fields(place + 2))
        url = script.string(fields["url"].start) if "url" in fields else None
        wanted = "method" in fields and "GET" in "".join(script.texts(fields["method"]))
        if url and (wanted or len(methods) > 1):
            yield _Route(script, place, url, script.tokens[place - 2].text)


def _nest_routes(
    script: Script, scripts: list[Script], verbs: frozenset[str] = frozenset({"Get"})
) -> Iterator[_Route]:
    """Nest's `@Controller("health")` with its `@Get()`; its paths are whole."""
    if "@Controller" not in script.text:
        return
    controller = ""
    versioning = _versioning(scripts)
    version = of_method = None
    for place in script.finds("@"):
        name = script.tokens[place + 1].text
        if name not in {"Controller", "Version", *verbs} or script.tokens[place + 2].text != "(":
            continue
        if name == "Version":
            of_method = _version(script, place + 3)
            continue
        path = script.string(place + 3)
        if name == "Controller":
            version = None
        if path is None and script.tokens[place + 3].text == "{":
            fields = dict(script.fields(place + 3))
            path = script.string(fields["path"].start) if "path" in fields else None
            if "version" in fields:
                version = _version(script, fields["version"].start)
                path = path or ("" if "path" not in fields else None)
        if path is None and script.tokens[place + 3].text != ")":
            continue
        if name == "Controller":
            controller = path or ""
        else:
            whole = _join(controller, path or "")
            given = next((v for v in (of_method, version) if v is not None), None)
            middle = versioning(given) if versioning else ""
            yield _Route(script, place, _join(_global_prefix(scripts, whole), middle, whole), "")
            of_method = None


def _version(script: Script, place: int) -> str:
    """A version as Nest has it: a text, the first of a list, or empty for `VERSION_NEUTRAL`."""
    if script.tokens[place].text == "[":
        place += 1
    return script.string(place) or ""


def _versioning(scripts: list[Script]) -> Callable[[str | None], str] | None:
    """What stands in the paths for a version (docs.nestjs.com, "Versioning"); None for nothing."""
    for script in scripts:
        if "enableVersioning" not in script.text:
            continue
        for place in script.finds("enableVersioning", "("):
            fields = dict(script.fields(place + 2)) if script.matches(place + 2, "{") else {}
            if "type" in fields and "URI" not in script.texts(fields["type"]):
                return None
            default = fields.get("defaultVersion")
            usual = _version(script, default.start) if default else ""
            before = "v"
            if "prefix" in fields:
                before = script.string(fields["prefix"].start) or ""
            return lambda given: before + v if (v := usual if given is None else given) else ""
    return None


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
    mounts: Callable[[], _Mounts], route: _Route, depth: int, *, strict: bool = False
) -> Iterator[str]:
    """The paths under which a route is reached; none where nothing mounts what has it.

    `strict` asks for an app that has it: else what is made elsewhere is taken for one.
    """
    script, receiver = route.script, route.receiver
    made = _making(script, receiver) if receiver else None
    own = _own_prefix(script, made) if made is not None else ""
    if not receiver or (made is not None and script.tokens[made].text in _APPS):
        yield _join(own, route.path)
        return
    above = mounts().get((script.path, receiver if made is not None else ""), [])
    # A file of one router is mounted by its import, whatever that is called.
    above = above or mounts().get((script.path, ""), [])
    if not above:
        is_router = made is not None and script.tokens[made].text == "Router"
        known = made is not None and _is_app(script, made)
        if known or not (strict or is_router or (made is None and _is_parameter(script, route))):
            yield _join(own, route.path)
        return
    if depth < _DEEPEST:
        for mount in above:
            path = _join(mount.path, own, route.path)
            upper = _Route(mount.script, mount.place, path, mount.receiver)
            yield from _full(mounts, upper, depth + 1, strict=strict)


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


def _is_app(script: Script, made: int) -> bool:
    """Whether that makes an app, which nothing has to mount: also `require("fastify")()`."""
    if script.tokens[made].text != "require":
        return script.tokens[made].text in _UNMOUNTED
    return (script.string(made + 2) or "") in {name.lower() for name in _UNMOUNTED}


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


def _mounts(tree: Tree, folder: str, scripts: list[Script]) -> _Mounts:
    """Where routers are mounted: by file and name in their own file, by file alone elsewhere."""
    found: _Mounts = {}
    for script in scripts:
        if not _MOUNTS.search(script.text):
            continue
        imported = _imported(tree, folder, script)
        for method in ("use", "route", "register"):
            for place in script.finds(method, "("):
                if script.tokens[place - 1].text not in {".", "?."}:
                    continue
                arguments = list(script.items(place + 1))
                if not arguments:
                    continue
                prefix = script.string(arguments[0].start) or ""
                last = arguments[-1]
                if script.tokens[last.start].text == "{":
                    fields = dict(script.fields(last.start))
                    if "prefix" in fields:
                        prefix = script.string(fields["prefix"].start) or ""
                route = _Route(script, place, prefix, script.tokens[place - 2].text)
                for argument in arguments:
                    if key := _mounted(tree, folder, script, argument, imported):
                        found.setdefault(key, []).append(route)
    return found


def _mounted(
    tree: Tree, folder: str, script: Script, argument: range, imported: dict[str, str]
) -> tuple[str, str] | None:
    """What an argument mounts, as in `router`, `router.routes()`, `require("./router")`."""
    token = script.tokens[argument.start]
    if token.text in {"require", "import"}:
        module = script.string(argument.start + 2)
        target = module and javascript.resolve(tree, folder, script.path, module)
        return (target, "") if target else None
    if token.kind != "name":
        return None
    return (imported[token.text], "") if token.text in imported else (script.path, token.text)


def _imported(tree: Tree, folder: str, script: Script) -> dict[str, str]:
    """The files that names of a file are imported from."""
    found: dict[str, str] = {}
    for place, token in enumerate(script.tokens):
        is_import = token.text == "from"
        if not is_import and not (token.text == "require" and script.matches(place + 1, "(")):
            continue
        module = script.string(place + (1 if is_import else 2))
        target = module and javascript.resolve(tree, folder, script.path, module)
        if not target:
            continue
        start = place - 1
        while start > 0 and script.tokens[start].text not in _DECLARES:
            start -= 1
        names = {t.text for t in script.tokens[start:place] if t.kind == "name"}
        found |= dict.fromkeys(names - _DECLARES - {"as", "type", "default"}, target)
    return found


_DECLARES = frozenset({"import", "const", "let", "var"})
