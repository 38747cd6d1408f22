"""A Node app that its start script starts, without any framework that is known."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import (
    framework,
    javascript,
    limits,
    migrations,
    node_frameworks,
    node_migrations,
    node_mode,
    node_ports,
    node_routes,
    node_scripts,
    node_source,
    node_workspace,
    site_builders,
)
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..node_source import Package
from ..origins import Fields, Found
from ..project import Place, Project
from ..runtimes import node
from ..services import postgres
from ..setting import Setting
from ..site_builders import Use
from ..tree import Tree, join

TITLE = "Node"
RUNTIME = node.RUNTIME
RANK = 1
GENERIC = True
FLAG = "USE_NODE"
SERVICE = "node"
LEAVES_DATA = False
# Its routes say which paths are its own, but nothing that it would have no others.
ONLY_BESIDE_PAGES = True
SETTINGS = (
    *node.settings("node", TITLE),
    Setting("node.build", "boolean", "Run the build script"),
    Setting("node.mode", "service|worker|job", "It serves HTTP, works without a port, or ends"),
    Setting("node.worker", "text", "Command of the background worker, or off"),
    Setting("node.paths", "list", "Path prefixes that the proxy sends to it, beside pages"),
)

_TABLES = ("dependencies", "devDependencies")
# Apps beside which several servers are no reason to refuse the stack.
_OTHERS = (("fastapi", "USE_FASTAPI"), ("nextjs", "USE_NEXTJS"), ("python", "USE_PYTHON"))
_ENTRIES = tuple(
    f"{folder}{name}.{ending}"
    for folder in ("src/", "")
    for name in ("index", "server", "main", "app")
    for ending in ("ts", "js", "mjs", "cjs")
)


# These have a server of their own, though Vite builds them.
_SERVED = (
    "next", "nuxt", "@sveltejs/kit", "@remix-run/node", "@react-router/node", "@react-router/serve",
    "astro", "@tanstack/react-start", "@solidjs/start", "@builder.io/qwik-city", "express",
    "fastify", "koa", "hono", "@nestjs/core", "@angular/ssr", "vite-express", "h3", "nitropack",
)  # fmt: skip


def is_served(package: Package) -> bool:
    """Whether an app has a server of its own."""
    return any(name in package.table(table) for name in _SERVED for table in _TABLES)


def find_use(tree: Tree, folder: str, package: Package) -> Use | None:
    """What builds the static site of a folder; None where there is none, or it has a server."""
    use = site_builders.find(tree, folder, package)
    return None if use and not use.builder.renders and is_served(package) else use


def find_site(tree: Tree, folder: str, package: Package) -> Use | None:
    """The same, but nothing where its start script runs another server than one of development."""
    starts = "start" in package.table("scripts")
    if starts and not node_scripts.is_development(package, "start"):
        return None
    return find_use(tree, folder, package)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The app in the top folder, unless a framework's is there."""
    origin = project.wanted("node", FLAG)
    if origin is None:
        return None
    folder = project.by_hand("node.dir") or _find_at_the_top(project) or _find_below(project, taken)
    return Place(origin, folder) if folder and folder.value not in taken.values() else None


def _find_at_the_top(project: Project) -> Found[str] | None:
    """The top folder, where an entry file is, or the start script or `main` names one."""
    tree = project.tree
    if not tree.has("package.json"):
        return None
    try:
        package = node_source.read_package_json(tree, ".") or node_source.NO_PACKAGE
    except ProjectError:
        package = node_source.NO_PACKAGE
    for look in (node_frameworks.find, node_frameworks.find_unserved):
        if server := look(tree, ".", package):
            return Found(".", server.reason, server.path, server.line)
    if entry := find_entry(tree, "."):
        return Found(".", "entry file beside package.json", entry)
    if by_hand := project.by_hand("node.command"):
        return replace(by_hand, value=".")
    if node_workspace.patterns(tree, "."):
        return None
    scripts = package.table("scripts")
    for text, keys in (
        (scripts.get("start"), ("scripts", "start")),
        (package.content.get("main"), ("main",)),
    ):
        named = [word for word in str(text or "").split() if "/" in word or "." in word]
        if any(find_source(tree, ".", word) for word in named):
            return package.found(".", "names the file that starts it", *keys)
    return None


# What a server's folder is called where there are several.
_NAMES = ("backend", "api", "server", "node", "service", "app")
_NO_APPS = frozenset({"tests", "test", "e2e", "docs", "examples", "example", "scripts", "tools"})


def _find_below(project: Project, taken: Mapping[str, str | None]) -> Found[str | None] | None:
    """The one folder with a package.json that starts a server; of several, one that is named so."""
    tree = project.tree
    for depth in (1, 2):
        found: dict[str, Found[str]] = {}
        for path in tree.below(".", "/package.json"):
            folder = path.removesuffix("/package.json")
            parts = folder.split("/")
            if len(parts) != depth or folder in taken.values() or not _NO_APPS.isdisjoint(parts):
                continue
            if folder.startswith(".") or (server := find_server(tree, folder)) is None:
                continue
            found[folder] = server
        if len(found) == 1:
            return next(iter(found.values()))
        for name in _NAMES:
            if named := [f for folder, f in found.items() if folder.rpartition("/")[2] == name]:
                return named[0]
        if found:
            # Beside another app nothing is refused for that: the others are told.
            if any(project.wanted(kind, flag) for kind, flag in _OTHERS):
                return None
            return Found(None, f"several folders start a server: {', '.join(found)}")
    return None


def find_server(tree: Tree, folder: str) -> Found[str] | None:
    """A folder whose package.json starts a server that is no page's: a start script, or `main`."""
    try:
        package = node_source.read_package_json(tree, folder)
    except ProjectError:
        return None
    if package is None or find_site(tree, folder, package):
        return None
    if any(name in package.table("dependencies") for name in _FRONT_ENDS):
        return None
    scripts = package.table("scripts")
    if "start" in scripts or any(name in scripts for name in _PRODUCTION):
        name = next(name for name in ("start", *_PRODUCTION) if name in scripts)
        return package.found(folder, f"{name} script", "scripts", name)
    if any(name in package.table("dependencies") for name in SERVERS) and find_entry(tree, folder):
        return Found(folder, "entry file beside package.json", find_entry(tree, folder))
    return None


SERVERS = ("express", "fastify", "koa", "hono", "@nestjs/core", "h3", "@hapi/hapi")
# Their apps are another framework's of this tool, or start on no server.
_FRONT_ENDS = ("next", "expo", "react-native", "electron")


def read(project: Project, folder: str) -> Fields:
    """How it is built and started, its port and health path.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    package = node.package(project, folder)
    if project.wanted("postgres", postgres.KIND.flag):
        package = _migrated_before(package)
    own: Fields = {
        **read_scripts(package, find_entry(project.tree, folder)),
        "port": node_ports.find(project.tree, folder, find_entry(project.tree, folder)),
        "health": node_routes.health_path(project.tree, folder),
        "paths": node_routes.paths(project.tree, folder),
    }
    begins = entries(project.tree, folder)
    if server := node_frameworks.find(project.tree, folder, package):
        words = node_frameworks.command(project.tree, folder, package, server.value)
        own["server"] = server
        own["command"] = Found(shlex.join(words), server.reason, server.path, server.line)
        port = node_frameworks.FRAMEWORKS[server.value].port
        own["port"] = Found(port, server.reason, server.path, server.line)
        prefixes = node_frameworks.public_prefixes(project.tree, folder, server.value)
        if whole := node_frameworks.reads_files(project.tree, folder, server.value):
            own["whole"] = whole
        own["public"] = Found(prefixes, f"what {server.reason.split()[0]} puts into pages")
        return node.read(project, folder, package, begins, own)
    if unserved := node_frameworks.find_unserved(project.tree, folder, package):
        own["unserved"] = unserved
        own["command"] = Found(None, unserved.reason, unserved.path, unserved.line)
        return node.read(project, folder, package, begins, own)
    command = own["command"].value
    mode = node_mode.find_mode(project.tree, folder, package, begins, command)
    if mode:
        own["mode"] = mode
        own["port"] = own["health"] = Found(None, mode.reason, mode.path, mode.line)
    if worker := node_mode.find_worker(project.tree, folder, package, begins):
        own["worker"] = worker
    own |= find_large(package)
    return node.read(project, folder, package, begins, own)


def find_large(package: Package) -> Fields:
    """`bundles`: its build makes pages; `large`: it takes much memory. No field where not."""
    found: Fields = {}
    built = _TABLES if "build" in package.table("scripts") else ()
    for field, names, tables in (
        ("bundles", limits.BUNDLERS, built),
        ("large", limits.LARGE_PACKAGES, _TABLES[:1]),
    ):
        for table in tables:
            if named := sorted(names.intersection(package.table(table))):
                found[field] = package.found(True, f"depends on {named[0]}", table, named[0])
    return found


def _migrated_before(package: Package) -> Package:
    """A start script without the migrations that the stack's own job runs before the app."""
    start = node_migrations.after_migrations(package, migrations.node_specs())
    if start is None:
        return package
    scripts = {**package.table("scripts"), "start": start}
    return replace(package, content={**package.content, "scripts": scripts})


def entries(tree: Tree, folder: str) -> list[str]:
    """The source files that the app begins with: what its start script runs, else its entry."""
    package = node_source.read_package_json(tree, folder) or node_source.NO_PACKAGE
    command = str(package.table("scripts").get("start") or package.content.get("main") or "")
    named = [word for word in re.split(r"[\s\"']+", command) if "/" in word or "." in word]
    found = [path for word in named if (path := find_source(tree, folder, word)) is not None]
    entry = find_entry(tree, folder)
    return found or ([entry] if entry else [])


def find_source(tree: Tree, folder: str, name: str) -> str | None:
    """The source of a file that a command names, which a build may have put elsewhere."""
    plain = re.sub(r"\.[cm]?[jt]sx?$", "", name.removeprefix("./"))
    inner = re.sub(r"^(dist|build|out|lib|\.?output)/", "", plain)
    for stem in dict.fromkeys((plain, f"src/{inner}", inner, f"src/{inner.removeprefix('src/')}")):
        for ending in javascript.ENDINGS:
            for candidate in (stem + ending, f"{stem}/index{ending}"):
                if tree.has(path := join(folder, candidate)):
                    return path
    return None


def find_entry(tree: Tree, folder: str) -> str | None:
    """The source file that a plain Node app starts from, or None: then there is no such app."""
    return tree.first(folder, *_ENTRIES)


def read_scripts(package: Package, entry: str | None) -> Fields:
    """`build`, whether there is such a script, and `command`, which starts the app.

    A start script that only calls `node` or `bun` is taken apart, so that signals reach the app
    itself. The one of production counts where the other runs a tool of development.
    """
    scripts = package.table("scripts")
    name = "start"
    if node_scripts.is_development(package, name):
        name = next((n for n in _PRODUCTION if n in scripts), name)
        name = "start" if node_scripts.is_development(package, name) else name
    # The image sets NODE_ENV, the port is PORT's, and settings come from outside of it.
    start = re.sub(r"^(?:(?:NODE_ENV|PORT)=\w+\s+)+", "", str(scripts.get(name, "")))
    start = re.sub(r"^cross-env(?:\s+(?:NODE_ENV|PORT)=\w+)+\s+", "", start)
    start = re.sub(r"(?<=^node)(\s+--env-file[= ]\S+)+", "", start)
    if re.fullmatch(r"(node|bun(\s+run)?(?=\s+\S*[./]))(\s+[\w./@=:-]+)+", start):
        command: Found[str | None] = package.found(start, f"{name} script", "scripts", name)
    elif start:
        run = "npm start" if name == "start" else f"npm run {name}"
        # Where another is demanded, npm runs nothing.
        engines = node_source.development_engines(package, "packageManager")
        if other := next((e.name for e in engines if e.binding and e.name != "npm"), None):
            run = f"{other} run {name}"
        command = package.found(run, f"{name} script", "scripts", name)
    elif main := package.content.get("main"):
        command = package.found(f"node {shlex.quote(str(main))}", "main", "main")
    elif entry and not entry.endswith(".ts"):
        command = Found(f"node {shlex.quote(entry)}", "entry file", entry)
    else:
        command = package.found(None, "no start script, no main, no entry file in JavaScript")
    build = "build" in scripts
    reason = "build script" if build else "no build script"
    return {"build": package.found(build, reason, "scripts", "build"), "command": command}


# What the start script of production is called beside one that begins with tools.
_PRODUCTION = ("start:prod", "start:production", "prod", "serve:prod")


def is_api(facts: Mapping[str, Any]) -> bool:
    """Where its routes tell its paths; else it gets all that are left."""
    return bool(facts.get("paths"))


def _mode(facts: Mapping[str, Any]) -> str:
    """`service`, `worker` or `job`."""
    return str(facts.get("mode") or node_mode.SERVICE)


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Started with its dependencies beside it.

    Raises:
        ProjectError: Nothing says what starts it.
    """
    command = framework.command(facts)
    if not command and facts.get("unserved"):
        raise ProjectError(node_frameworks.sentence(facts["unserved"]))
    if not command:
        raise ProjectError(
            "package.json has no start script: add one, or name the command with "
            "--set node.command=COMMAND."
        )
    server = node_frameworks.FRAMEWORKS.get(facts.get("server") or "")
    if server and node_frameworks.fits(server, command):
        with_proxy = situation.choices.get("proxy") != "none"
        arguments, variables = node.built_in(facts, tuple(facts.get("public") or ()))
        return node.define(
            facts,
            situation,
            command,
            script="build",
            build_environment=server.build_environment,
            # Else what the build does not take along would be missed at the first request.
            outputs=() if facts.get("whole") else server.outputs,
            with_dependencies=server.dependencies,
            image_environment=(*server.environment, *(server.proxied if with_proxy else ())),
            arguments=arguments,
            variables=variables,
            bundles=True,
        )
    app = node.define(
        facts,
        situation,
        command,
        script="build" if facts.get("build") else None,
        serves=_mode(facts) == node_mode.SERVICE,
        job=_mode(facts) == node_mode.JOB,
    )
    routes = framework.routes(facts, situation) if situation.pages and is_api(facts) else ()
    return replace(app, routes=routes)
