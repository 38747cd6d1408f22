"""What builds static sites: where each writes its files, and what their names are like."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from . import node_scripts, node_source
from .node_source import Package, Source
from .origins import Found
from .tree import Tree, join

_TABLES = ("dependencies", "devDependencies")
ENDINGS = ("js", "mjs", "cjs", "ts", "mts", "cts")
START_PAGE = "index.html"

# Names with a hash of Rollup's, which is written in letters, digits, - and _ (rollupjs.org,
# "output.hashCharacters").
_ROLLUP = r"/assets/.+[.-][\w-]{8}\.\w+$"
_VITEPRESS = r"/assets/.+\.[\w-]{8}(\.lean)?\.\w+$"
# Of that form, but a word or a date: files that are copied as they are.
_WORD = r"[.-]([a-z]{8}|[0-9]{8})\.\w+$"
# Names with one of hexadecimal digits.
_HEX = r".+[.-][0-9a-f]{8,32}\.(chunk\.)?\w+$"


@dataclass(frozen=True)
class Builder:
    """A tool that builds static files of a project.

    Attributes:
        package: The dependency that it is known by.
        title: Its name, for people.
        output: The folder that it writes to, relative to the app's.
        config: The name of its settings file, without ending; empty for none that is read.
        output_key: The key there that names the folder; empty for none.
        base_key: The key there with the path that the site lies below; empty for none.
        hashed: A regular expression (RE2) of addresses below the base path that never change their
            content; empty for none.
        fallback: The page that shows what its own router knows; None where each page is a file.
        prefixes: How the names of variables begin that it builds in.
        pages: Files of which one has to be there; empty: it makes its pages itself.
        renders: It can also build a server, so that its settings have to say which; what it takes
            for one is no sign of another server.
    """

    package: str
    title: str
    output: str
    config: str = ""
    output_key: str = ""
    base_key: str = ""
    hashed: str = ""
    fallback: str | None = None
    prefixes: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    renders: bool = False

    @property
    def plain(self) -> str:
        """A regular expression of the addresses that only look hashed; empty for none."""
        return _WORD if self.hashed in {_ROLLUP, _VITEPRESS} else ""


# What enters the image although the top folder has it for other reasons elsewhere.
MORE_SOURCES = {
    "@docusaurus/core": re.compile(r"docs/"),
    "vitepress": re.compile(r"docs/|\.vitepress/|.*\.md"),
    "@11ty/eleventy": re.compile(r"docs/|\.eleventy\.js|\.eleventyignore|.*\.md"),
}
_PAGE = ("index.html", "public/index.html", "src/index.html")
# Those that use Vite come before it.
_ALL = (
    Builder("next", "Next.js", "out", "next.config", "distDir", "basePath",
            "/_next/static/", None, ("NEXT_PUBLIC_",), renders=True),
    Builder("astro", "Astro", "dist", "astro.config", "outDir", "base",
            "/_astro/", None, ("PUBLIC_",), renders=True),
    Builder("@sveltejs/kit", "SvelteKit", "build", "svelte.config", "pages", "base",
            "/_app/immutable/", None, ("PUBLIC_", "VITE_"), renders=True),
    Builder("@react-router/dev", "React Router", "build/client", "react-router.config", "",
            "basename", _ROLLUP, START_PAGE, ("VITE_",), renders=True),
    Builder("@remix-run/dev", "Remix", "build/client", "vite.config", "", "basename",
            _ROLLUP, START_PAGE, ("VITE_",), renders=True),
    Builder("nuxt", "Nuxt", ".output/public", "nuxt.config", "", "baseURL",
            r"/_nuxt/[^/]+$", "200.html", ("NUXT_PUBLIC_",), renders=True),
    Builder("gatsby", "Gatsby", "public", "gatsby-config", "", "",
            r"/(static/.+|[^/]+-[0-9a-f]{20}\.(js|css))$", None, ("GATSBY_",)),
    Builder("@docusaurus/core", "Docusaurus", "build", "docusaurus.config", "", "baseUrl",
            "/assets/" + _HEX),
    Builder("vitepress", "VitePress", ".vitepress/dist", "", "", "", _VITEPRESS, None, ("VITE_",)),
    Builder("@11ty/eleventy", "Eleventy", "_site", "eleventy.config", "output"),
    Builder("@angular/core", "Angular", "dist", "", "", "",
            r"/(media/)?[^/]+[.-]([0-9A-Z]{8}|[0-9a-f]{16,20})\.\w+$", START_PAGE,
            pages=("angular.json",)),
    Builder("react-scripts", "Create React App", "build", "", "", "",
            "/static/" + _HEX, START_PAGE, ("REACT_APP_",), _PAGE),
    Builder("@vue/cli-service", "Vue CLI", "dist", "vue.config", "outputDir", "publicPath",
            "/(css|fonts|img|js|media)/" + _HEX, START_PAGE, ("VUE_APP_",)),
    Builder("@rsbuild/core", "Rsbuild", "dist", "rsbuild.config", "", "base",
            "/static/" + _HEX, START_PAGE, ("PUBLIC_",)),
    Builder("parcel", "Parcel", "dist", "", "", "", "/" + _HEX, START_PAGE, ("",), _PAGE),
    Builder("vite", "Vite", "dist", "vite.config", "outDir", "base",
            _ROLLUP, START_PAGE, ("VITE_",), _PAGE),
)  # fmt: skip
BUILDERS = {builder.package: builder for builder in _ALL}


@dataclass(frozen=True)
class Use:
    """A builder as a package.json has it.

    Attributes:
        builder: The builder.
        table: Where its dependency stands.
        script: The script that builds the site.
    """

    builder: Builder
    table: str
    script: str


def find(tree: Tree, folder: str, package: Package) -> Use | None:
    """What builds a static site in a folder; None where nothing does, or it builds a server.

    Args:
        tree: The project's files.
        folder: The folder.
        package: Its package.json.
    """
    for builder, table in _known(package):
        if not builder.renders:
            script = _build_script(package, builder)
        else:
            script = _static_script(tree, folder, package, builder)
        if builder.renders and script is None:
            return None
        top = join(folder, _root(tree, folder, package, builder, script))
        if script is None or (builder.pages and not tree.first(top, *builder.pages)):
            continue
        if builder.package == "vite" and _is_library(tree, folder):
            continue
        return Use(builder, table, script)
    return None


def is_known(package: Package) -> bool:
    """Whether a package.json has any of them among its dependencies."""
    return next(_known(package), None) is not None


def _known(package: Package) -> Iterator[tuple[Builder, str]]:
    for builder in BUILDERS.values():
        for table in _TABLES:
            if builder.package in package.table(table):
                yield builder, table
                break


# What builds under another name than the builder's own.
_PROGRAMS = {
    "@11ty/eleventy": "eleventy", "@angular/core": "ng", "@docusaurus/core": "docusaurus",
    "@react-router/dev": "react-router", "@remix-run/dev": "remix", "@rsbuild/core": "rsbuild",
    "@sveltejs/kit": "vite", "@vue/cli-service": "vue-cli-service",
}  # fmt: skip
_PRODUCTION = re.compile(r"(^|[:_-])prod(uction)?($|[:_-])")
_NOT_PRODUCTION = re.compile(
    r"(^|[:_-])(dev\w*|stag\w*|test\w*|e2e|qa|uat|preview|watch|ssr|server|lib|analy\w+)($|[:_-])"
)


def _build_script(package: Package, builder: Builder) -> str | None:
    """The script called `build`, else the one that calls the builder, for production if several."""
    scripts = package.table("scripts")
    if "build" in scripts:
        return "build"
    found = [name for name in scripts if _builds(package, builder, name)]
    found.sort(key=lambda name: (not _PRODUCTION.search(name), bool(_NOT_PRODUCTION.search(name))))
    return found[0] if found else None


def _builds(package: Package, builder: Builder, script: str) -> bool:
    program = _PROGRAMS.get(builder.package, builder.package)
    for command in node_scripts.commands(package, script):
        if command.program not in {program, builder.package}:
            continue
        if builder.package == "@11ty/eleventy":
            return not any(word in {"--serve", "--watch"} for word in command.words)
        return any(word in {"build", "generate", "vite:build"} for word in command.words[1:2])
    return False


# --- Those that may build a server, too ----------------------------------------------------------

_SERVER_OUTPUT = re.compile(r"""\boutput\s*:\s*["'](server|hybrid)["']""")
_EXPORT = re.compile(r"""\boutput\s*:\s*["']export["']""")
_NO_SERVER = re.compile(r"\bssr\s*:\s*false\b")


def _static_script(tree: Tree, folder: str, package: Package, builder: Builder) -> str | None:
    """The script that builds files alone; None where a server is built."""
    scripts = package.table("scripts")
    build = _build_script(package, builder)
    config = settings(tree, folder, builder)
    text = config.code if config else ""
    held = {**package.table("dependencies"), **package.table("devDependencies")}
    if builder.package == "next":
        return build if _EXPORT.search(text) else None
    if builder.package == "astro":
        adapted = "adapter" in text or _SERVER_OUTPUT.search(text)
        return None if adapted else build
    if builder.package == "@sveltejs/kit":
        named = "adapter-static" in text or (not text and "@sveltejs/adapter-static" in held)
        return build if named else None
    if builder.package == "nuxt":
        called = node_scripts.commands(package, build) if build else []
        if any("generate" in command.words for command in called):
            return build
        return "generate" if _NO_SERVER.search(text) and "generate" in scripts else None
    return build if _NO_SERVER.search(text) else None


def _is_library(tree: Tree, folder: str) -> bool:
    """Vite's library mode writes a package, not a site."""
    config = settings(tree, folder, BUILDERS["vite"])
    return config is not None and re.search(r"\blib\s*:\s*\{", config.code) is not None


# --- What its settings say -----------------------------------------------------------------------


def settings(tree: Tree, folder: str, builder: Builder) -> Source | None:
    """The file of its settings."""
    names = [f"{builder.config}.{ending}" for ending in ENDINGS]
    if builder.package == "@11ty/eleventy":
        names.append(".eleventy.js")
    path = tree.first(folder, *names) if builder.config else None
    return node_source.read_source(tree, path) if path else None


def constant(source: Source, key: str) -> Found[str] | None:
    """The first text that stands under a key."""
    match = re.search(rf"""\b{key}["']?\s*:\s*(["'`])([^"'`$\n]*)\1""", source.code)
    return source.found(match[2], key, match.start(2)) if match else None


# `root: "web"`, or with `path.resolve(__dirname, "web")`, `new URL("./web", …)` and the like.
_PLACE = r"""\b%s\s*:\s*(?:(?:path\.)?(resolve|join)\s*\(\s*[\w.()]*dirname[\w.()]*\s*,\s*)?"""
_PLACE += r"""(["'])([\w@./-]+)\2\s*(?=[,)}\n])"""


def _place(config: Source, key: str) -> tuple[Found[str], bool] | None:
    """A folder under a key, and whether it is one of the file's own folder for certain."""
    match = re.search(_PLACE % key, config.code)
    if match is None:
        return None
    return config.found(match[3], key, match.start(3)), match[1] is not None


def _root(tree: Tree, folder: str, package: Package, builder: Builder, script: str | None) -> str:
    """Vite's folder with the pages, relative to the app's (vite.dev, "root")."""
    if builder.package != "vite":
        return "."
    for command in node_scripts.commands(package, script) if script else ():
        if command.program == "vite" and command.words[1:2] == ("build",):
            named = command.words[2:3]
            if named and not named[0].startswith("-"):
                return posixpath.normpath(named[0])
    config = settings(tree, folder, builder)
    found = _place(config, "root") if config else None
    return posixpath.normpath(found[0].value) if found else "."


def _vite(tree: Tree, folder: str, package: Package, use: Use) -> Found[str] | None:
    """Vite's folder: `outDir` is relative to `root`."""
    root = _root(tree, folder, package, use.builder, use.script)
    config = settings(tree, folder, use.builder)
    placed = _place(config, "outDir") if config else None
    option = _option(package, use, ("--outDir",))
    if option is None and placed and placed[1]:
        return placed[0]
    found = option or (placed[0] if placed else None)
    if found is None and root != ".":
        found = Found(use.builder.output, "Vite's usual folder below its root")
    return replace(found, value=posixpath.join(root, found.value)) if found else None


def outside(tree: Tree, folder: str, package: Package, use: Use) -> Found[str] | None:
    """The folder with the built files where that is none of the app's; None where it is one."""
    found = _output(tree, folder, package, use)
    if found and posixpath.normpath(found.value).startswith(("/", "..")):
        return found
    return None


def output(tree: Tree, folder: str, package: Package, use: Use) -> Found[str]:
    """The folder with the built files, relative to the app's."""
    found = _output(tree, folder, package, use)
    if found:
        value = posixpath.normpath(found.value)
        if value != "." and not value.startswith(("/", "..")):
            return Found(value, found.reason, found.path, found.line)
    return Found(use.builder.output, f"{use.builder.title}'s usual folder")


def _output(tree: Tree, folder: str, package: Package, use: Use) -> Found[str] | None:
    """What the settings say of it, as it stands there."""
    builder = use.builder
    found: Found[str] | None = None
    if builder.package == "@angular/core":
        found = _angular(tree, folder, "outputPath")
    elif builder.package == "vitepress":
        found = _vitepress(tree, folder, package, use)
    elif builder.package == "vite":
        found = _vite(tree, folder, package, use)
    else:
        config = settings(tree, folder, builder)
        if config and builder.output_key:
            found = constant(config, builder.output_key)
        found = _option(package, use, _OUTPUT_OPTIONS.get(builder.package, ())) or found
    return found if found and found.value else None


_OUTPUT_OPTIONS = {
    "parcel": ("--dist-dir",),
    "@vue/cli-service": ("--dest",),
    "@11ty/eleventy": ("--output",),
    "@docusaurus/core": ("--out-dir",),
    "astro": ("--outDir",),
}


def base(tree: Tree, folder: str, package: Package, use: Use) -> Found[str]:
    """The path that the site lies below, which begins and ends with a slash."""
    builder = use.builder
    found: Found[str] | None = None
    if builder.package == "@angular/core":
        found = _angular(tree, folder, "baseHref")
    elif builder.package == "react-scripts" and isinstance(package.content.get("homepage"), str):
        found = package.found(package.content["homepage"], "homepage", "homepage")
    else:
        config = settings(tree, folder, builder)
        if builder.package in {"@react-router/dev", "@remix-run/dev"}:
            # Files lie below Vite's base; what the router is told is the same or does not work.
            config = settings(tree, folder, BUILDERS["vite"])
            found = constant(config, "base") if config else None
        elif config and builder.base_key:
            found = constant(config, builder.base_key)
    found = _option(package, use, ("--base", "--base-href", "--public-url")) or found
    if found:
        path = re.sub(r"^https?://[^/]+", "", found.value)
        if re.fullmatch(r"/[\w.~/-]*", path) and path.strip("/"):
            return Found(f"/{path.strip('/')}/", found.reason, found.path, found.line)
    return Found("/", "no base path")


def fallback(tree: Tree, folder: str, use: Use) -> Found[str | None]:
    """The page that answers addresses which no file has, relative to the output."""
    builder = use.builder
    config = settings(tree, folder, builder)
    if builder.package == "@sveltejs/kit":
        found = constant(config, "fallback") if config else None
        if found and found.value != "404.html":
            return Found(found.value, "fallback of adapter-static", found.path, found.line)
        return Found(None, "each page is a file", found.path if found else None)
    if builder.package == "vite" and config:
        pages = re.search(r"\bappType\s*:\s*[\"']mpa[\"']|\binput\s*:\s*[\[{]", config.code)
        if pages:
            line = config.found(None, "", pages.start()).line
            return Found(None, "several pages are built", config.path, line)
    if builder.fallback is None:
        return Found(None, f"{builder.title} writes a file for each page")
    return Found(builder.fallback, f"{builder.title} builds an app with a router of its own")


def prefixes(tree: Tree, folder: str, use: Use) -> tuple[str, ...]:
    """How the names of variables begin that are built in."""
    config = settings(tree, folder, use.builder)
    own = constant(config, "envPrefix") if config else None
    return (own.value,) if own else use.builder.prefixes


def _option(package: Package, use: Use, names: tuple[str, ...]) -> Found[str] | None:
    """What the build script sets on its command line."""
    for command in node_scripts.commands(package, use.script):
        for place, word in enumerate(command.words):
            name, equals, value = word.partition("=")
            if name in names:
                value = value if equals else "".join(command.words[place + 1 : place + 2])
                return package.found(value, f"{name} of the script", "scripts", command.script)
    return None


def _vitepress(tree: Tree, folder: str, package: Package, use: Use) -> Found[str] | None:
    for command in node_scripts.commands(package, use.script):
        if command.program == "vitepress" and len(command.words) > 2:
            root = command.words[2].strip("./")
            if not root.startswith("-"):
                value = posixpath.join(root, use.builder.output)
                return package.found(value, "folder of the script", "scripts", command.script)
    return None


def _angular(tree: Tree, folder: str, key: str) -> Found[str] | None:
    """What the project of angular.json that is an application says (angular.dev, "Workspace")."""
    path = join(folder, "angular.json")
    if not tree.has(path):
        return None
    text = node_source.read_source(tree, path).code
    with suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
        document = json.loads(text)
        projects = {
            name: project
            for name, project in document["projects"].items()
            if project.get("projectType", "application") == "application"
        }
        name = document.get("defaultProject") or next(iter(projects), "")
        targets = projects[name].get("architect") or projects[name].get("targets") or {}
        build = targets.get("build", {})
        options = build.get("options", {})
        if key != "outputPath":
            value = options.get(key)
            return Found(value, f"{key} of {name}", path) if isinstance(value, str) else None
        # Only the older one, which Webpack is in, writes to the folder itself.
        inner = "" if str(build.get("builder", "")).endswith(":browser") else "browser"
        value = options.get(key) or f"dist/{name}"
        if isinstance(value, dict):
            inner = value.get("browser", inner)
            value = value.get("base") or f"dist/{name}"
        return Found(posixpath.join(value, inner), f"{key} of {name}", path)
    return None
