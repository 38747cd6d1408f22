"""Next.js (nextjs.org), with its standalone output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import framework, javascript, node_routes, node_source
from ..container import INNER_HOST, INNER_PORT, UID
from ..errors import ProjectError
from ..framework import Situation
from ..javascript import Script
from ..model import App, Env, Tmpfs, Variable
from ..origins import Fields, Found, either
from ..project import Place, Project
from ..runtimes import node
from ..setting import Setting
from ..tree import Tree

TITLE = "Next.js"
RUNTIME = node.RUNTIME
RANK = 0
GENERIC = False
FLAG = "USE_NEXTJS"
SERVICE = "frontend"
LEAVES_DATA = True
SETTINGS = (
    *node.settings("nextjs", TITLE),
    Setting("nextjs.output", "text", "Next.js' output setting"),
    Setting("nextjs.env_production", "boolean", "A committed .env.production enters the build"),
)

_CONFIGS = tuple(f"next.config.{ending}" for ending in ("js", "mjs", "cjs", "ts", "mts"))
_PUBLIC = "NEXT_PUBLIC_"
_BUILT_IN = "Frontend (built into its image)"
_NO_TELEMETRY = ("NEXT_TELEMETRY_DISABLED", "1")
# nextjs.org, "output": what the standalone output holds, and what has to be put beside it.
_OUTPUTS = (("public", "./public"), (".next/standalone", "./"), (".next/static", "./.next/static"))


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The app that is switched on."""
    if origin := project.wanted("nextjs", FLAG):
        return Place(origin, project.by_hand("nextjs.dir") or _folder(project.tree))
    return None


def _folder(tree: Tree) -> Found[str | None]:
    """`frontend/` as Spinbox lays it out, the root, or the one folder that depends on Next.js."""
    for folder in ("frontend", "."):
        if found := find_next(tree, folder):
            return found
    tops = sorted(
        {p.split("/")[0] for p in tree.files if p.count("/") == 1 and p.endswith("/package.json")}
    )
    holders = [found for top in tops if (found := find_next(tree, top))]
    if len(holders) == 1:
        return holders[0]
    return Found(None, "several folders depend on next" if holders else "nothing depends on next")


def read(project: Project, folder: str) -> Fields:
    """Its output, its health route, and what enters its build.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    settings = project.tree.first(folder, ".env.production")
    reason = "enters the build" if settings else "no .env.production"
    own = {
        **read_config(project.tree, folder),
        "port": Found(node.DEFAULT_PORT, "Next.js' usual port"),
        "health": _below_base(project.tree, folder, find_health_path(project.tree, folder)),
        "env_production": Found(settings is not None, reason, settings),
    }
    begins = entries(project.tree, folder)
    return node.read(project, folder, node.package(project, folder), begins, own)


_ENTRY = re.compile(
    r"(src/)?((app|pages)/.+|(middleware|proxy|instrumentation|instrumentation-client)\.\w+)"
)


def entries(tree: Tree, folder: str) -> list[str]:
    """Its configuration, pages and routes, each of which Next.js loads."""
    top = "" if folder == "." else f"{folder}/"
    own = (path for path in tree.below(folder) if javascript.is_source(path))
    found = [path for path in own if _ENTRY.fullmatch(path.removeprefix(top))]
    config = tree.first(folder, *_CONFIGS)
    return [*([config] if config else []), *found]


def find_next(tree: Tree, folder: str) -> Found[str] | None:
    """The folder, if its package.json can be read and depends on Next.js."""
    try:
        package = node_source.read_package_json(tree, folder) or node_source.NO_PACKAGE
    except ProjectError:
        return None
    if "next" not in package.table("dependencies"):
        return None
    return package.found(folder, "depends on next", "dependencies", "next")


def read_config(tree: Tree, folder: str) -> Fields:
    """Next.js' `output` setting as far as the configuration says it in a constant."""
    config = configuration(tree, folder)
    if config is None:
        return {"output": Found(None, "no next.config file")}
    output = constant(config, "output")
    return {"output": output or Found(None, "no output that is a constant", config.path)}


def configuration(tree: Tree, folder: str) -> Script | None:
    """The file of its configuration, if there is one."""
    path = tree.first(folder, *_CONFIGS)
    return javascript.read(tree, path) if path else None


def constant(config: Script, key: str) -> Found[str] | None:
    """A text of the configuration, written there or in a constant of the same file."""
    for place in config.finds(key):
        value = place + 2
        if config.tokens[place + 1].text in {",", "}"}:
            value = next((at + 2 for at in config.finds(key, "=")), value)
        elif config.tokens[place + 1].text != ":" or config.tokens[place - 1].text == ".":
            continue
        elif config.tokens[value].kind == "name":
            value = next((at + 2 for at in config.finds(config.tokens[value].text, "=")), value)
        text = config.string(value)
        if text is not None and config.tokens[value + 1].text in {",", "}", ";", ""}:
            return Found(text, key, config.path, config.line(place))
        if text is not None and config.tokens[value + 1].kind == "name":
            return Found(text, key, config.path, config.line(place))
    for place, token in enumerate(config.tokens):
        if token.kind == "string" and config.string(place) == key:
            text = config.string(place + 2) if config.tokens[place + 1].text == ":" else None
            if text is not None:
                return Found(text, key, config.path, config.line(place))
    return None


_ROUTE = re.compile(r"(?:src/)?(?:app/(.+)/route|pages/(api/.+?)(?:/index)?)\.[cm]?[jt]sx?")


def find_health_path(tree: Tree, folder: str) -> Found[str]:
    """The app's own health route, or its start page; without what `basePath` puts before it."""
    top = "" if folder == "." else f"{folder}/"
    served: dict[str, str] = {}
    for path in tree.below(folder):
        if match := _ROUTE.fullmatch(path.removeprefix(top)):
            parts = (match[1] or match[2]).split("/")
            route = "/" + "/".join(part for part in parts if not part.startswith(("(", "@")))
            if node_routes.is_health(route):
                served.setdefault(route, path)
    if served:
        best = min(served, key=node_routes.rank)
        return Found(best, "file of the route", served[best])
    return Found("/", f"start page, as no route is named {either(node_routes.NAMES)}")


def _below_base(tree: Tree, folder: str, health: Found[str]) -> Found[str]:
    """A path with what `basePath` puts before it."""
    config = configuration(tree, folder)
    base = constant(config, "basePath") if config else None
    if base is None or not re.fullmatch(r"(/[\w.~-]+)+", base.value):
        return health
    path = base.value + health.value.removesuffix("/")
    return replace(health, value=path, reason=f"{health.reason}, below basePath {base.value}")


def is_api(facts: Mapping[str, Any]) -> bool:
    """Never: beside an API it is the frontend, and leaves the databases to it."""
    return False


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Built with its standalone output, which runs without the dependencies of the build.

    Raises:
        ProjectError: It is exported as static files.
    """
    if facts.get("output") == "export":
        raise ProjectError(
            "Next.js' output: 'export' writes static files, which this tool does not serve: use "
            "output: 'standalone', or leave the app out with --set nextjs=off."
        )
    with_proxy = situation.choices.get("proxy") != "none"
    public = [name for name in facts.get("variables", ()) if name.startswith(_PUBLIC)]
    arguments = [Env(name, variable=name) for name in public]
    variables = [_public_variable(name, with_proxy) for name in public]
    environment: tuple[Env, ...] = ()
    if situation.beside_api and situation.first:
        where = f"{INNER_HOST}:{INNER_PORT}" if with_proxy else f"app:{situation.first.port}"
        help_text = "Where Next.js finds the API inside the stack."
        backend = Env("BACKEND_URL", variable="BACKEND_URL")
        arguments.append(backend)
        environment = (backend,)
        variables.append(
            Variable(backend.name, _BUILT_IN, help_text, f"http://{where}", build=True)
        )
    warnings: tuple[str, ...] = ()
    if facts.get("env_production"):
        warnings = (
            "The committed .env.production of the Next.js app enters its image: "
            "make sure that it holds no secret.",
        )
    standalone = () if facts.get("output") == "standalone" else (("NEXT_PRIVATE_STANDALONE", "1"),)
    cache = "/app/.next/cache"
    return node.define(
        facts,
        situation,
        framework.command(facts) or ("node", "server.js"),
        script="build",
        # Copied whether the app has one or not.
        after_script=" && mkdir -p public",
        build_environment=(_NO_TELEMETRY, *standalone),
        build_cache=("next", cache),
        outputs=_OUTPUTS,
        image_environment=(_NO_TELEMETRY,),
        environment=environment,
        arguments=tuple(arguments),
        # It keeps rendered pages and resized images there.
        tmpfs=(Tmpfs(cache, "128m", UID, "Pages that Next.js renders anew are kept in memory"),),
        variables=tuple(variables),
        package="next",
        warnings=warnings,
    )


def _public_variable(name: str, with_proxy: bool) -> Variable:
    if name != "NEXT_PUBLIC_API_URL":
        return Variable(name, _BUILT_IN, "", build=True)
    return framework.address_for_browsers(name, _BUILT_IN, with_proxy)
