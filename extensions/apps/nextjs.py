"""Next.js (nextjs.org), with its standalone output."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .. import addresses, framework, health_routes, javascript, node_source, site_builders
from ..container import INNER_HOST, INNER_PORT, UID
from ..environment_reads import Read, is_given
from ..environment_reads import javascript as environment_reads
from ..errors import ProjectError
from ..framework import Situation
from ..javascript import Script
from ..model import Address, App, Env, Tmpfs, Variable
from ..node_source import Package
from ..origins import Fields, Found, either, line_at
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
    """The app that is switched on, unless it is exported, or a site of another builder's."""
    origin = project.wanted("nextjs", FLAG)
    if origin is None:
        return None
    if by_hand := project.by_hand("nextjs.dir"):
        return Place(origin, by_hand)
    folder = _folder(project.tree)
    if folder.value is None:
        return None if _is_another(project.tree) else Place(origin, folder)
    if read_config(project.tree, folder.value)["output"].value == "export":
        return None
    return Place(origin, folder)


def _is_another(tree: Tree) -> bool:
    """Whether a static site is where Spinbox has its frontends: there, or in the top folder."""
    for folder in ("frontend", "."):
        with suppress(ProjectError):
            package = node_source.read_package_json(tree, folder)
            if package is not None and site_builders.is_known(package):
                return True
    return False


def _folder(tree: Tree) -> Found[str | None]:
    """`frontend/` as Spinbox lays it out, the root, or the one folder that depends on Next.js."""
    for folder in ("frontend", "."):
        if found := find_next(tree, folder):
            return found
    for depth in (1, 2):
        folders = sorted(
            path.removesuffix("/package.json")
            for path in tree.below(".", "/package.json")
            if path.count("/") == depth
        )
        holders = [found for folder in folders if (found := find_next(tree, folder))]
        if len(holders) == 1:
            return holders[0]
        for name in _NAMES:
            if named := [found for found in holders if found.value.rpartition("/")[2] == name]:
                return named[0]
        if holders:
            return Found(None, "several folders depend on next")
    return Found(None, "nothing depends on next")


# What the app for everybody is called where there are several, as in apps/web beside apps/docs.
_NAMES = ("frontend", "web", "www", "app", "client", "site")


def read(project: Project, folder: str) -> Fields:
    """Its output, its health route, and what enters its build.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    settings = project.tree.first(folder, ".env.production")
    reason = "enters the build" if settings else "no .env.production"
    own: Fields = {
        **read_config(project.tree, folder),
        "port": Found(node.DEFAULT_PORT, "Next.js' usual port"),
        "health": _below_base(project.tree, folder, find_health_path(project.tree, folder)),
        "env_production": Found(settings is not None, reason, settings),
    }
    begins = entries(project.tree, folder)
    for name, found in (
        ("renewed", find_renewed(project.tree, folder)),
        ("traced_from_above", find_traced_from(project.tree, folder)),
    ):
        if found:
            own[name] = found
    package = node.package(project, folder)
    if needs := find_build_needs(project.tree, folder, package):
        own["build_needs"] = needs
    return node.read(project, folder, package, begins, own)


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
            if health_routes.is_health(route):
                served.setdefault(route, path)
    if served:
        best = min(served, key=health_routes.rank)
        return Found(best, "file of the route", served[best])
    return Found("/", f"start page, as no route is named {either(health_routes.NAMES)}")


# Not loaded by `next build`.
_AT_RUN_TIME = re.compile(r"(^|/)(middleware|proxy|instrumentation|instrumentation-client)\.\w+$")


def build_reads(tree: Tree, folder: str) -> list[Read]:
    """Where `next build` loads what fails without a variable: its settings, pages and routes."""
    begins = [path for path in entries(tree, folder) if not _AT_RUN_TIME.search(path)]
    # Prisma's schema is no module: the client asks for its variables when it connects.
    reads = environment_reads.loaded_reads(tree, folder, begins)
    return [read for read in reads if not read.path.endswith(".prisma")]


def find_build_needs(tree: Tree, folder: str, package: Package) -> Found[list[str]] | None:
    """The server's variables that its build does not do without; None for none."""
    if "SKIP_ENV_VALIDATION" in str(package.table("scripts").get("build", "")):
        return None
    reads = [read for read in build_reads(tree, folder) if not read.name.startswith(_PUBLIC)]
    reads = [read for read in reads if not is_given(read.name)]
    if not reads:
        return None
    names = sorted({read.name for read in reads})
    return Found(names, f"`next build` fails without {names[0]}", reads[0].path, reads[0].line)


_RENEWS = re.compile(
    r"^export\s+const\s+revalidate\s*=\s*(?!\s|0\b|false\b)|\brevalidate\s*:\s*(?!\s|0\b|false\b)\w"
    r"|\b(?:revalidatePath|revalidateTag|updateTag|cacheLife|unstable_cache)\s*\("
    r"|fallback\s*:\s*(?:true|['\"]blocking['\"])|\bgenerateStaticParams\b"
    r"|^\s*['\"]use cache['\"]",
    re.MULTILINE,
)
_ALWAYS_ANEW = re.compile(r"""dynamic\s*=\s*["']force-dynamic["']""")
_OWN_CACHE = re.compile(r"isrFlushToDisk\s*:\s*false|cacheHandler\s*:")


def find_renewed(tree: Tree, folder: str) -> Found[bool] | None:
    """Whether pages are rendered anew (ISR), which Next.js writes beside the built ones; else None.

    nextjs.org, "Incremental Static Regeneration"; not where the configuration says otherwise.
    """
    config = configuration(tree, folder)
    if config and _OWN_CACHE.search(config.text):
        return None
    for script in javascript.scripts(tree, folder):
        if _ALWAYS_ANEW.search(script.text):
            continue
        if match := _RENEWS.search(_code(script)):
            line = line_at(script.text, match.start())
            return Found(True, "pages are rendered anew", script.path, line)
    return None


def _code(script: Script) -> str:
    """A file's text with all that is no code blanked, but strings; positions stay."""
    text = [" " if char != "\n" else char for char in script.text]
    for token in script.tokens:
        text[token.start : token.start + len(token.text)] = token.text
    return "".join(text)


def find_traced_from(tree: Tree, folder: str) -> Found[bool] | None:
    """Whether files are traced from a folder above the app's: the server is then in one of its own.

    nextjs.org, "output", "outputFileTracingRoot". None where they are not.
    """
    config = configuration(tree, folder)
    for place in config.finds("outputFileTracingRoot") if config else ():
        line = config.line(place) if config else 0
        around = config.text.splitlines()[line - 1 : line + 1] if config else []
        if re.search(r"[\"'`/]\.\.(/|[\"'`])", " ".join(around)):
            return Found(True, "outputFileTracingRoot", config.path if config else None, line)
    return None


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
            "Next.js' output: 'export' writes static files: take --set nextjs.dir back "
            "(--set nextjs.dir=), so that they are served as a static site."
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
    own = node.member_prefix(facts)
    cache = f"/app/{own}.next/cache"
    standalone_in = f"{own}.next/standalone"
    if facts.get("traced_from_above") and not facts.get("workspace"):
        # The image's folder is the top: what is above it is the root.
        standalone_in += "/app"
    after = f" && mkdir -p {shlex.quote(f'{own}public')}"
    if facts.get("renewed"):
        # Its folder is read-only: such pages are kept in memory (`isrFlushToDisk`).
        kept = 's/"isrFlushToDisk":true/"isrFlushToDisk":false/'
        after += f" \\\n    && sed -i '{kept}' {shlex.quote(f'{standalone_in}/{own}server.js')}"
    return node.define(
        facts,
        situation,
        framework.command(facts) or ("node", "server.js"),
        script="build",
        # Copied whether the app has one or not.
        after_script=after,
        build_environment=(_NO_TELEMETRY, *standalone),
        build_cache=("next", cache),
        outputs=tuple(
            (standalone_in, target)
            if source == ".next/standalone"
            else (own + source, f"./{own}{target.removeprefix('./')}")
            for source, target in _OUTPUTS
        ),
        image_environment=(_NO_TELEMETRY,),
        environment=environment,
        arguments=tuple(arguments),
        # It keeps rendered pages and resized images there.
        tmpfs=(Tmpfs(cache, "128m", UID, "Pages that Next.js renders anew are kept in memory"),),
        variables=tuple(variables),
        package="next",
        warnings=warnings,
        bundles=True,
    )


def _public_variable(name: str, with_proxy: bool) -> Variable:
    if name != addresses.PUBLIC_API_URL:
        return Variable(name, _BUILT_IN, "", build=True)
    return addresses.for_browsers(Address(name, "api", "url"), _BUILT_IN, with_proxy)
