"""Next.js (nextjs.org), with its standalone output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import framework, javascript, node_source
from ..container import INNER_HOST, INNER_PORT, UID
from ..errors import ProjectError
from ..framework import Situation
from ..model import App, Env, Tmpfs, Variable
from ..origins import Fields, Found
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
        "health": find_health_path(project.tree, folder),
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
    path = tree.first(folder, *_CONFIGS)
    if path is None:
        return {"output": Found(None, "no next.config file")}
    config = node_source.read_source(tree, path)
    match = re.search(r"""(?<![\w.])['"]?output['"]?\s*:\s*['"`](\w+)['"`]""", config.code)
    if match is None:
        return {"output": Found(None, "no output that is a constant", path)}
    return {"output": config.found(match[1], "output", match.start())}


def find_health_path(tree: Tree, folder: str) -> Found[str]:
    """The app's own health route, or its start page."""
    for name in ("health", "healthz"):
        for source in ("src/", ""):
            for ending in ("ts", "js", "tsx", "jsx"):
                candidates = (f"app/api/{name}/route.{ending}", f"pages/api/{name}.{ending}")
                if path := tree.first(folder, *(source + candidate for candidate in candidates)):
                    return Found(f"/api/{name}", "file of the route", path)
    return Found("/", "start page, as there is no api/health or api/healthz route")


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
    if with_proxy:
        help_text = "The address that browsers call; by default https:// and DOMAIN."
        return Variable(name, _BUILT_IN, help_text, build=True)
    help_text = "The address under which browsers reach the API, as in https://example.com"
    return Variable(name, _BUILT_IN, help_text, required=True, build=True)
