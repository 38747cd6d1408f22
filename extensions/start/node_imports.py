"""Packages that an app on Node loads when it starts, and that its image does not have."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from .. import javascript
from ..apps import FRAMEWORKS
from ..errors import ProjectError
from ..finding import Finding, where
from ..javascript import Script
from ..model import App, NodeBuild
from ..node_source import Package
from ..subject import Subject
from ..tree import Tree, join

_RULE = "start.node_imports"
RUNTIME = "node"
IDS = {_RULE: "The dependencies have what the apps on Node import"}

# nodejs.org/api, "builtinModules"; more stand behind `node:`.
_BUILT_IN = frozenset(
    """
    assert async_hooks buffer child_process cluster console constants crypto dgram
    diagnostics_channel dns domain events fs http http2 https inspector module net os path
    perf_hooks process punycode querystring readline repl stream string_decoder sys timers tls
    trace_events tty url util v8 vm wasi worker_threads zlib
    """.split()  # noqa: SIM905
)
# What Next.js itself has for both (nextjs.org, "Server and Client Components").
_OF_NEXTJS = frozenset({"server-only", "client-only"})
_NAME = re.compile(r"(@[a-z0-9][\w.~-]*/)?[a-z0-9][\w.~-]*", re.IGNORECASE)
# What puts devDependencies into the files that it makes.
_BUNDLERS = re.compile(
    r"\b(esbuild|tsup|tsdown|webpack|rollup|vite|ncc|parcel|rspack|rsbuild|rolldown|unbuild|pkgroll"
    r"|nitro|nuxt|nuxi|astro|remix|react-router|svelte-kit|bun build|microbundle|vinxi)\b"
)
_HOISTS = re.compile(
    r"shamefully-?hoist\s*[=:]\s*true|node-?linker\s*[=:]\s*[\"']?(hoisted|node-modules)"
    r"|public-?hoist-?pattern",
    re.IGNORECASE,
)
_ALIASES = ("tsconfig", "jsconfig", "vite.config", "webpack.config", "next.config", "babel.config",
            ".babelrc", ".swcrc", "nest-cli", "deno.json", "bunfig")  # fmt: skip


def find(subject: Subject) -> Iterator[Finding]:
    """Names that are in no table of package.json, or in one that development alone gets."""
    for app in subject.of("node"):
        package = subject.package(app)
        if not isinstance(app.build, NodeBuild) or not package.path:
            continue
        packages: dict[str, str | None] = {}
        missing: dict[str, tuple[str, bool] | None] = {}
        for script in _loaded(subject.tree, app):
            for written in set(javascript.imports(script)) - packages.keys():
                name = packages[written] = _package(subject, app, script, written)
                if name and name not in missing:
                    missing[name] = _missing(subject, app, app.build, package, name)
            # Most files import nothing of that kind, which is told without their tokens.
            if not any(missing.get(packages[w] or "") for w in javascript.imports(script)):
                continue
            for place, written in _imports(script):
                if (name := packages.get(written)) and (reason := missing.get(name)):
                    missing[name] = None
                    yield _told(app, app.build, script, place, name, *reason)


def _told(
    app: App, build: NodeBuild, script: Script, place: int, name: str, why: str, certain: bool
) -> Finding:
    line = script.line(place)
    folder = "" if app.directory == "." else f"cd {shlex.quote(app.directory)} && "
    move = "npm install --save-prod" if build.manager == "npm" else build.tool.add
    return Finding(
        _RULE,
        certain,
        f"{where(script.path, line)} imports {name}, {why}: the app "
        f"{'does' if certain else 'may'} not start.",
        f"{folder}{move} {name}",
        script.path,
        line,
    )


def _missing(
    subject: Subject, app: App, build: NodeBuild, package: Package, name: str
) -> tuple[str, bool] | None:
    """Why an image lacks a package, and whether that is certain; None where it may have it."""
    path = package.path or "package.json"
    tables = ("dependencies", "optionalDependencies", "peerDependencies")
    if any(name in package.table(table) for table in tables) or name == package.content.get("name"):
        return None
    in_lock = _in_lock(subject.tree, app, build, name)
    if name in package.table("devDependencies"):
        scripts = " ".join(map(str, package.table("scripts").values()))
        if build.outputs or in_lock == "production" or _BUNDLERS.search(scripts):
            return None
        return f"which {path} has for development alone", in_lock == "development"
    if in_lock in {"production", "hoisted"}:
        return None
    return f"which is no dependency in {path}", in_lock in {"none", "development", "inner"}


def _in_lock(tree: Tree, app: App, build: NodeBuild, name: str) -> str:
    """Where an installation from the lockfile puts a package.

    Returns:
        `production` (it is had in any case), `development` (without development it is not),
        `hoisted` (something brings it), `inner` (something brings it for itself alone), `none`, or
        `unknown`.
    """
    if not build.lockfile or build.lockfile.endswith(".lockb"):
        return "unknown"
    try:
        text = tree.read(join(app.directory, build.lockfile))
    except ProjectError:
        return "unknown"
    if build.manager == "npm":
        return _in_npm_lock(text, name)
    if name not in text:
        return "none"
    if build.manager == "pnpm":
        settings = (tree.first(app.directory, file) for file in (".npmrc", "pnpm-workspace.yaml"))
        hoists = any(file and _HOISTS.search(tree.read(file)) for file in settings)
        return "unknown" if hoists else "inner"
    return "hoisted"


def _in_npm_lock(text: str, name: str) -> str:
    try:
        packages = json.loads(text).get("packages")
    except (json.JSONDecodeError, AttributeError, RecursionError):
        return "unknown"
    if not isinstance(packages, Mapping):
        return "unknown"
    one: Any = packages.get(f"node_modules/{name}")
    if not isinstance(one, Mapping):
        inner = any(str(key).endswith(f"/node_modules/{name}") for key in packages)
        return "inner" if inner else "none"
    return "development" if one.get("dev") or one.get("devOptional") else "production"


def _loaded(tree: Tree, app: App) -> Iterator[Script]:
    """The files that the app loads, in the order of their paths."""
    entries = FRAMEWORKS[app.kind].entries(tree, app.directory)
    for path in sorted(javascript.reachable(tree, app.directory, entries)):
        if script := javascript.read(tree, path):
            yield script


def _package(subject: Subject, app: App, script: Script, written: str) -> str | None:
    """The package that an import means, in whichever file; None where it may be anything else."""
    tree, folder = subject.tree, app.directory
    match = _NAME.match(written)
    if match is None or written[match.end() :][:1] not in {"", "/"}:
        return None
    name = match[0]
    if name in _BUILT_IN or (app.kind == "nextjs" and name in _OF_NEXTJS):
        return None
    if javascript.resolve(tree, folder, script.path, written) or name in _package_names(tree):
        return None
    top = name.partition("/")[0]
    aliases = _aliases(tree, folder)
    if any(f"{quote}{top}" in aliases for quote in "\"'") or _is_folder(tree, folder, top):
        return None
    return name


def _is_folder(tree: Tree, folder: str, top: str) -> bool:
    """Whether a setting such as `baseUrl` may make it one of the app's own folders."""
    return any(any(tree.below(join(folder, base))) for base in (top, f"src/{top}", f"app/{top}"))


def _aliases(tree: Tree, folder: str) -> str:
    """The texts of the files that may give names to folders."""
    key = ("aliases of javascript", folder)
    if key not in tree.kept:
        tree.kept[key] = _read_aliases(tree, folder)
    return str(tree.kept[key])


def _read_aliases(tree: Tree, folder: str) -> str:
    files = (path for base in dict.fromkeys((folder, ".")) for path in tree.below(base))
    named = (path for path in files if path.rpartition("/")[2].startswith(_ALIASES))
    texts = [tree.read(path) for path in dict.fromkeys(named)]
    package = join(folder, "package.json")
    if tree.has(package) and "_moduleAliases" in (text := tree.read(package)):
        texts.append(text.partition("_moduleAliases")[2])
    return "\n".join(texts)


def _package_names(tree: Tree) -> frozenset[str]:
    """What the packages of the project itself are called."""
    key = ("names of packages", "")
    if key not in tree.kept:
        paths = (path for path in tree.files if path.rpartition("/")[2] == "package.json")
        tree.kept[key] = frozenset(name for path in paths if (name := _name_in(tree, path)))
    found: frozenset[str] = tree.kept[key]
    return found


def _name_in(tree: Tree, path: str) -> str | None:
    try:
        content = json.loads(tree.read(path))
    except (ProjectError, json.JSONDecodeError, RecursionError):
        return None
    return str(content.get("name") or "") if isinstance(content, dict) else None


def _imports(script: Script) -> Iterator[tuple[int, str]]:
    """What is loaded with a file: no types, and nothing in functions and `try`."""
    if not re.search(r"\bfrom\b|\bimport\b|\brequire\b", script.text):
        return
    tries = [script.inside(place + 1) for place in script.finds("try", "{")]
    for place, token in enumerate(script.tokens):
        if token.text == "from" and (name := script.string(place + 1)) is not None:
            if _is_value(script, place):
                yield place, name
        elif token.text == "import" and (name := script.string(place + 1)) is not None:
            yield place, name
        elif token.text == "require" and script.matches(place + 1, "("):
            name = script.string(place + 2)
            attempted = any(place in inside for inside in tries)
            if name is not None and not attempted and script.loads(place):
                yield place, name


def _is_value(script: Script, place: int) -> bool:
    """Whether `import … from` brings more than types, which compilers leave out."""
    start = place - 1
    while start >= 0 and script.tokens[start].text not in {"import", "export", ";"}:
        start -= 1
    if start < 0 or script.tokens[start].text == ";":
        return False
    words = script.texts(range(start + 1, place))
    if words[:1] == ["type"] and words[1:2] not in ([], [","]):
        return False
    if script.tokens[start].text == "export" or not script.path.endswith(("ts", "tsx")):
        return True
    inner = " ".join(words)
    names = re.findall(r"(?:^|[{,]|\* as|\bas)\s*([A-Za-z_$][\w$]*)(?=\s*(?:$|[,}]))", inner)
    return any(
        re.search(
            rf"(?<![\w$.]){re.escape(name)}\s*[.(\[`]|\bnew\s+{re.escape(name)}\b"
            rf"|\bextends\s+{re.escape(name)}\b|@{re.escape(name)}\b|<{re.escape(name)}[\s/>]"
            rf"|[(,]\s*{re.escape(name)}\s*[,)]",
            script.text[script.tokens[place + 1].start :],
        )
        for name in names
    )
