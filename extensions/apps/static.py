"""A static site: files that a builder on Node writes, and that a web server serves without it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from .. import addresses, limits, node_routes, node_source, site_builders, site_reads
from ..environment_reads import javascript as environment_reads
from ..errors import ProjectError
from ..framework import Situation
from ..model import App, Env, NodeBuild, Site, Tmpfs, Variable
from ..node_source import Package
from ..origins import BY_HAND, Fields, Found, Origin
from ..project import Place, Project
from ..runtimes import node as runtime
from ..services import FOLDERS
from ..setting import Setting
from ..site_builders import BUILDERS, Use
from ..tree import Tree
from . import node

TITLE = "Static site"
RUNTIME = runtime.RUNTIME
RANK = 20
GENERIC = False
FLAG = "USE_STATIC"
SERVICE = "site"
LEAVES_DATA = True
NEEDS_API = True
# What a container without code of the project's has no use for.
_RUN = re.compile(r"static\.(command|variables|required|optional|ignored)")
SETTINGS = (
    *(s for s in runtime.settings("static", "static site") if not _RUN.fullmatch(s.key)),
    Setting("static.script", "text", "Script that builds it"),
    Setting("static.output", "text", "Folder with the built files"),
    Setting("static.base", "text", "Path that the site lies below, as in /shop/"),
    Setting("static.fallback", "text", "File that answers paths without one, for an SPA; or off"),
    Setting("static.variables", "list", "Names of variables that are built in, from .env"),
    Setting("static.source_maps", "boolean", "Browsers may load source maps"),
)

SERVER = "caddy:2-alpine"
PORT = 8080
_DEPTH = 2
# Folders with pages for others than the visitors of the project's site.
NEVER = FOLDERS | {
    "tests", "test", "e2e", "docs", "examples", "example", "packages", "libs", "storybook",
}  # fmt: skip
_BUILT_IN = "Site (built into its image)"


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The site in `frontend/`, the top folder, or the only one elsewhere.

    Beside another app on Node it is left out, unless that is an API whose routes tell its paths.
    """
    if by_hand := project.by_hand("static.dir"):
        return Place(Origin(None, None, BY_HAND), by_hand)
    if any(taken.values()):
        return None
    folder = _folder(project)
    if folder is None:
        return None
    server = node.find(project, {})
    if server and server.folder.value and not _is_site(project):
        paths = node_routes.paths(project.tree, server.folder.value).value
        if not paths or _builds(project.tree, server.folder.value, folder.value):
            return None
    return Place(folder.origin, folder)


def _builds(tree: Tree, server: str, folder: str) -> bool:
    """Whether a server's own scripts build the site of a folder, which it then serves itself."""
    package = read_package(tree, server)
    scripts = package.table("scripts") if package else {}
    inner = folder if server == "." else posixpath.relpath(folder, server)
    named = re.compile(rf"(?<![\w/-]){re.escape(inner)}(?![\w-])")
    texts = (str(scripts.get(name, "")) for name in ("build", "postinstall", "heroku-postbuild"))
    return any(named.search(text) for text in texts)


def _is_site(project: Project) -> bool:
    """Whether what the start script of the top folder runs is a site's server of development."""
    package = read_package(project.tree, ".")
    if package is None or project.by_hand("node.dir") or project.by_hand("node.command"):
        return False
    return node.find_site(project.tree, ".", package) is not None


def _folder(project: Project) -> Found[str] | None:
    found = dict(sites(project.tree))
    for folder in ("frontend", "."):
        if folder in found:
            return found[folder]
    return next(iter(found.values())) if len(found) == 1 else None


def sites(tree: Tree) -> Iterator[tuple[str, Found[str]]]:
    """The folders with a static site, and what tells."""
    for path in tree.below(".", "package.json"):
        folder = PurePosixPath(path).parent
        parts = folder.parts
        if PurePosixPath(path).name != "package.json" or len(parts) > _DEPTH:
            continue
        if not NEVER.isdisjoint(parts) or any(part.startswith(".") for part in parts):
            continue
        package = read_package(tree, str(folder))
        if package and (use := node.find_use(tree, str(folder), package)):
            keys = (use.table, use.builder.package)
            yield str(folder), package.found(str(folder), f"{use.builder.title} builds it", *keys)


def read_package(tree: Tree, folder: str) -> Package | None:
    """The package.json of a folder; None where there is none that can be read."""
    with suppress(ProjectError):
        return node_source.read_package_json(tree, folder)
    return None


def read(project: Project, folder: str) -> Fields:
    """What builds it and where to, and how its files are served.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    tree = project.tree
    package = runtime.package(project, folder)
    own: Fields = {"port": Found(PORT, "usual port of web servers without rights")}
    settings = tree.first(folder, ".env.production")
    reason = "enters the build" if settings else "no .env.production"
    own["env_production"] = Found(settings is not None, reason, settings)
    if use := site_builders.find(tree, folder, package):
        keys = (use.table, use.builder.package)
        base = site_builders.base(tree, folder, package, use)
        own |= {
            "webpack_4": _webpack_4(package, use),
            "builder": package.found(use.builder.package, f"{use.builder.title} builds it", *keys),
            "script": package.found(use.script, f"{use.script} script", "scripts", use.script),
            "output": site_builders.output(tree, folder, package, use),
            "base": base,
            "health": replace(base, reason="start page"),
            "fallback": site_builders.fallback(tree, folder, use),
            "prefixes": Found(list(site_builders.prefixes(tree, folder, use)), "are built in"),
        }
    else:
        build = "build" in package.table("scripts")
        script = package.found("build", "build script", "scripts", "build")
        own |= {
            "builder": Found(None, "no builder that is known"),
            "script": script if build else Found(None, "no build script"),
            "output": Found("dist", "usual folder"),
            "base": Found("/", "no base path"),
            "health": Found("/", "start page"),
            "fallback": Found(site_builders.START_PAGE, "as for an app with a router of its own"),
            "prefixes": Found([], "no builder that is known"),
        }
    reads = site_reads.reads(tree, folder, own["prefixes"].value)
    made = runtime.read(project, folder, package, entries(tree, folder), own)
    listed = made["variables"]
    if new := sorted({read.name for read in reads} - set(listed.value)):
        one = next(read for read in reads if read.name == new[0])
        of_page = Found([*listed.value, *new], f"reads {new[0]}", one.path, one.line)
        made["variables"] = of_page if not listed.value else replace(listed, value=of_page.value)
        reads = [*environment_reads.reads(tree, folder), *reads]
        names = made["variables"].value
        made[addresses.FIELD] = addresses.read(tree, folder, names, reads)
    pattern = site_builders.MORE_SOURCES.get(own["builder"].value or "")
    if folder == "." and pattern:
        tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in tree.files}
        more = {top for top in tops if pattern.fullmatch(top)}
        sources = made["sources"]
        made["sources"] = replace(sources, value=sorted({*sources.value, *more}))
    return made


def entries(tree: Tree, folder: str) -> list[str]:
    """None that a server would load: what visitors' browsers run fails in those alone."""
    return []


def is_api(facts: Mapping[str, Any]) -> bool:
    """Never: it gets the paths that an API leaves."""
    return False


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Built by its script, and served by Caddy.

    Raises:
        ProjectError: No script builds it.
    """
    first = situation.first
    script = facts.get("script")
    if not script:
        raise ProjectError(
            "No script of package.json builds the static site: add one called build, or name "
            "it with --set static.script=SCRIPT."
        )
    builder = BUILDERS.get(facts.get("builder") or "")
    base = "/" + "/".join(filter(None, str(facts.get("base") or "/").split("/"))) + "/"
    base = "/" if base == "//" else base
    site = Site(
        image=SERVER,
        output=str(facts.get("output") or "dist").strip("/"),
        base=base,
        fallback=facts.get("fallback") or None,
        hashed=f"^{re.escape(base.rstrip('/'))}{builder.hashed}"
        if builder and builder.hashed
        else "",
        plain=builder.plain if builder else "",
        source_maps=bool(facts.get("source_maps")),
    )
    names = _built_in(facts)
    warnings: tuple[str, ...] = ()
    title = builder.title if builder else TITLE
    if facts.get("env_production"):
        warnings = (
            f"The committed .env.production of the {title} app is read by its build: "
            "make sure that it holds no secret.",
        )
    environment: tuple[Env, ...] = ()
    variables: tuple[Variable, ...] = ()
    if first and situation.beside_api and situation.choices.get("proxy") == "none":
        environment = (Env("BACKEND_URL", variable="BACKEND_URL"),)
        help_text = "Where the site finds the API, to pass its paths on."
        where = f"http://app:{first.port}"
        variables = (Variable("BACKEND_URL", "Site", help_text, where),)
    health = facts.get("health")
    if not health or health == "/":
        health = base
    # Nothing else is connected to, and all that it reads was built in.
    alone = {**facts, "variables": [], "required": [], "health": health}
    app = runtime.define(
        alone,
        replace(situation, title=title, backing=()),
        ("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"),
        script=script,
        build_environment=_build_environment(facts),
        outputs=((runtime.member_prefix(facts) + site.output, site.folder),),
        environment=environment,
        arguments=tuple(Env(name, variable=name) for name in names),
        variables=(*variables, *_variables(facts, situation, names)),
        warnings=warnings,
        bundles=True,
    )
    assert isinstance(app.build, NodeBuild)
    return replace(
        app,
        build=replace(app.build, site=site),
        volumes=(),
        tmpfs=(Tmpfs("/tmp", "16m"),),
        resources=limits.SITE,
    )


def _variables(
    facts: Mapping[str, Any], situation: Situation, names: list[str]
) -> Iterator[Variable]:
    """The settings that are built in; beside an API, its address has a default."""
    with_proxy = situation.choices.get("proxy") != "none"
    calls = situation.beside_api and situation.first is not None
    built = {one.name: one for one in addresses.built_in(facts, names, calls=calls)}
    for name in names:
        address = built.get(name)
        if address and address.holds == "api":
            yield addresses.for_browsers(address, _BUILT_IN, with_proxy)
        else:
            yield Variable(name, _BUILT_IN, "", build=True)


# Those before this major version have Webpack 4, whose hashes OpenSSL 3 has no more.
_WITHOUT_WEBPACK_4 = {"react-scripts": 5, "@vue/cli-service": 5}


def _webpack_4(package: Package, use: Use) -> Found[bool]:
    """Whether the builder has it."""
    name = use.builder.package
    version = re.match(r"\D{0,2}(\d+)", str(package.table(use.table)[name]))
    old = version is not None and int(version[1]) < _WITHOUT_WEBPACK_4.get(name, 0)
    return package.found(old, "the version says it", use.table, name)


def _build_environment(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    node_version = re.search(r"node:(\d+)", str(facts.get("image") or RUNTIME.image))
    # Node's versions before 17 have another OpenSSL, and do not know the option.
    if not facts.get("webpack_4") or (node_version and int(node_version[1]) < 17):
        return ()
    return (("NODE_OPTIONS", "--openssl-legacy-provider"),)


def _built_in(facts: Mapping[str, Any]) -> list[str]:
    """Its variables that the builder builds in; all of them where that is not known."""
    starts = tuple(facts.get("prefixes") or ("",))
    return [name for name in facts.get("variables") or () if name.startswith(starts)]
