"""Frameworks on Node whose build makes a server: what it makes, and how that is started.

Each is for where package.json has no start script of production, or one that starts this server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import javascript, node_scripts
from .node_source import Package
from .origins import Found, line_at
from .tree import Tree, join


@dataclass(frozen=True)
class Framework:
    """A framework whose build makes a server.

    Attributes:
        title: Its name.
        packages: It is used where one of these is a dependency.
        needs: One of these has to be one as well, as what makes the server; empty for none.
        starts: Programs of start scripts that start the same server, or one of development.
        command: What starts the server.
        outputs: What of the build that needs, from where in the app's folder to where.
        dependencies: The server loads the production dependencies, too.
        environment: What it is told by the environment of its image.
        proxied: The same where a proxy of the stack stands in front of it.
        build_environment: What its build is told.
        public: What the names of variables begin with that the build puts into pages.
        port: The port that it listens on where PORT does not say it.
    """

    title: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    needs: tuple[str, ...] = ()
    starts: frozenset[str] = frozenset()
    dependencies: bool = False
    environment: tuple[tuple[str, str], ...] = (("HOST", "0.0.0.0"),)
    proxied: tuple[tuple[str, str], ...] = ()
    build_environment: tuple[tuple[str, str], ...] = ()
    public: tuple[str, ...] = ("VITE_",)
    port: int = 3000


# nitro.build/deploy/runtimes/node: all that it needs is in .output/.
_NITRO = (".output", "./.output")
_NITRO_COMMAND = ("node", ".output/server/index.mjs")
_PACKAGE = ("package.json", "./package.json")
FRAMEWORKS = {
    # nuxt.com/docs/getting-started/deployment
    "nuxt": Framework(
        "Nuxt",
        ("nuxt",),
        _NITRO_COMMAND,
        (_NITRO,),
        starts=frozenset({"nuxt", "nuxi"}),
        build_environment=(("NITRO_PRESET", "node-server"), ("NUXT_TELEMETRY_DISABLED", "1")),
        public=(),
    ),
    # svelte.dev/docs/kit/adapter-node
    "sveltekit": Framework(
        "SvelteKit",
        ("@sveltejs/kit",),
        ("node", "build/index.js"),
        (_PACKAGE, ("build", "./build")),
        needs=("@sveltejs/adapter-node",),
        starts=frozenset({"vite", "svelte-kit"}),
        dependencies=True,
        # Forms are refused where the address is not the one that browsers have.
        proxied=(("PROTOCOL_HEADER", "x-forwarded-proto"), ("HOST_HEADER", "x-forwarded-host")),
        public=("PUBLIC_", "VITE_"),
    ),
    # reactrouter.com/start/framework/deploying
    "react-router": Framework(
        "React Router",
        ("@react-router/dev",),
        ("node_modules/.bin/react-router-serve", "build/server/index.js"),
        (_PACKAGE, ("build", "./build")),
        needs=("@react-router/serve",),
        starts=frozenset({"react-router-serve", "react-router"}),
        dependencies=True,
    ),
    # v2.remix.run/docs/other-api/serve
    "remix": Framework(
        "Remix",
        ("@remix-run/dev",),
        ("node_modules/.bin/remix-serve", "build/server/index.js"),
        (_PACKAGE, ("build", "./build")),
        needs=("@remix-run/serve",),
        starts=frozenset({"remix-serve", "remix"}),
        dependencies=True,
    ),
    # docs.astro.build/en/guides/integrations-guide/node
    "astro": Framework(
        "Astro",
        ("astro",),
        ("node", "dist/server/entry.mjs"),
        (_PACKAGE, ("dist", "./dist")),
        needs=("@astrojs/node",),
        starts=frozenset({"astro"}),
        dependencies=True,
        build_environment=(("ASTRO_TELEMETRY_DISABLED", "1"),),
        public=("PUBLIC_",),
        port=4321,
    ),
    # tanstack.com/start/latest/docs/framework/react/guide/hosting
    "tanstack-start": Framework(
        "TanStack Start",
        ("@tanstack/react-start", "@tanstack/solid-start"),
        _NITRO_COMMAND,
        (_NITRO,),
        needs=("nitro", "nitropack", "vinxi", "@tanstack/nitro-v2-vite-plugin"),
        starts=frozenset({"vite", "vinxi", "srvx"}),
        build_environment=(("NITRO_PRESET", "node-server"),),
    ),
    "solid-start": Framework(
        "SolidStart",
        ("@solidjs/start",),
        _NITRO_COMMAND,
        (_NITRO,),
        starts=frozenset({"vinxi", "vite"}),
        build_environment=(("NITRO_PRESET", "node-server"), ("SERVER_PRESET", "node-server")),
    ),
    "nitro": Framework(
        "Nitro",
        ("nitropack", "nitro"),
        _NITRO_COMMAND,
        (_NITRO,),
        starts=frozenset({"nitro", "nitropack"}),
        build_environment=(("NITRO_PRESET", "node-server"),),
        public=(),
    ),
    # docs.adonisjs.com/guides/getting-started/deployment
    "adonis": Framework(
        "AdonisJS",
        ("@adonisjs/core",),
        ("node", "bin/server.js"),
        (("build", "./"),),
        dependencies=True,
        port=3333,
    ),
}


def held(package: Package) -> set[str]:
    """All that a package.json has installed."""
    return {*package.table("devDependencies"), *package.table("dependencies")}


def find(tree: Tree, folder: str, package: Package) -> Found[str] | None:
    """The framework of the app in `folder` whose build makes its server, by its key; else None."""
    names = held(package)
    if "build" not in package.table("scripts") or not _starts_nothing_else(tree, folder, package):
        return None
    for key, framework in FRAMEWORKS.items():
        used = next((name for name in framework.packages if name in names), None)
        if used is None or (framework.needs and not names & set(framework.needs)):
            continue
        if not _is_served(tree, folder, key):
            continue
        table = "dependencies" if used in package.table("dependencies") else "devDependencies"
        return package.found(key, f"{framework.title} builds its server", table, used)
    return None


# What keeps a framework's build from making a server, by key: its sign, and what is said of it.
_UNSERVED = {
    "sveltekit": "SvelteKit's adapter in svelte.config.js makes no server for an image: npm "
    "install --save-dev @sveltejs/adapter-node, and import that one there in its place.",
    "astro": "Astro has no adapter for Node, so that its build makes no server for an image: npx "
    "astro add node",
    "tanstack-start": "TanStack Start's build makes no server that starts by itself: npm install "
    "nitro, and add nitro() of nitro/vite to the plugins in vite.config.",
    "react-router": "Nothing starts React Router's server: npm install @react-router/serve, and "
    'write "start": "react-router-serve ./build/server/index.js" in package.json.',
    "remix": "Nothing starts Remix' server: npm install @remix-run/serve, and write "
    '"start": "remix-serve ./build/server/index.js" in package.json.',
    "qwik": "Qwik City has no server for an image: npm run qwik add express, and write "
    '"start": "node server/entry.express" in package.json.',
}
_BY_HAND = " Or name what starts the app with --set node.command=COMMAND."


def find_unserved(tree: Tree, folder: str, package: Package) -> Found[str] | None:
    """The framework of an app that renders on a server, of which its build makes none."""
    if "build" not in package.table("scripts") or not _starts_nothing_else(tree, folder, package):
        return None
    names = held(package)
    signs = {
        "sveltekit": "@sveltejs/kit", "react-router": "@react-router/dev",
        "remix": "@remix-run/dev", "tanstack-start": "@tanstack/react-start",
        "qwik": "@builder.io/qwik-city",
    }  # fmt: skip
    key = next((key for key, name in signs.items() if name in names), None)
    if key is None and "astro" in names and _renders(tree, folder):
        key, signs = "astro", {"astro": "astro"}
    if key is None or find(tree, folder, package) or _is_static(tree, folder, key, names):
        return None
    table = next(t for t in ("dependencies", "devDependencies") if signs[key] in package.table(t))
    return package.found(key, "its build makes no server", table, signs[key])


def sentence(key: str) -> str:
    """What is said of an app without a server, of `find_unserved`."""
    return _UNSERVED[key] + _BY_HAND


def _is_static(tree: Tree, folder: str, key: str, names: set[str]) -> bool:
    """Whether its build makes static files, which need no server of its own."""
    if key == "sveltekit":
        return "@sveltejs/adapter-static" in names
    if key != "react-router":
        return False
    path = tree.first(folder, *(f"react-router.config{e}" for e in (".ts", ".js", ".mjs")))
    return path is not None and re.search(r"\bssr\s*:\s*false", tree.read(path)) is not None


def _renders(tree: Tree, folder: str) -> bool:
    """Whether pages of Astro are rendered on demand."""
    path = tree.first(folder, *(f"astro.config{e}" for e in (".ts", ".mjs", ".js", ".mts")))
    if path and re.search(r"output\s*:\s*[\"'](server|hybrid)[\"']", tree.read(path)):
        return True
    return any(
        re.search(r"export\s+const\s+prerender\s*=\s*false", tree.read(page))
        for page in tree.below(join(folder, "src/pages"))
        if page.endswith((".astro", ".ts", ".js", ".mjs"))
    )


def command(tree: Tree, folder: str, package: Package, key: str) -> tuple[str, ...]:
    """What starts the server: as the start script has it, without the package manager."""
    framework = FRAMEWORKS[key]
    program = framework.command[0].rpartition("/")[2]
    for one in node_scripts.commands(package, "start"):
        if one.program == program and program != "node" and len(one.words) > 1:
            return (framework.command[0], *(w.removeprefix("./") for w in one.words[1:]))
    if key == "remix" and not any(tree.has(join(folder, f"vite.config.{e}")) for e in ("ts", "js")):
        return (framework.command[0], "build/index.js")
    return framework.command


def fits(framework: Framework, words: tuple[str, ...]) -> bool:
    """Whether a command starts the server that the build makes."""
    return words[:1] == framework.command[:1] and any(
        words[-1].startswith(f"{source}/") or words[-1] == framework.command[-1]
        for source, _ in framework.outputs
    )


_READS_FILES = re.compile(
    r"process\.cwd\(\)|\breadFile(Sync)?\s*\(|\breaddir(Sync)?\s*\(|\bcreateReadStream\s*\("
)


def reads_files(tree: Tree, folder: str, key: str) -> Found[bool] | None:
    """Whether the server may read files of the project that no build takes along; else None."""
    if key == "adonis":
        # What it reads is in `metaFiles`, which its build copies.
        return None
    for path in tree.below(folder):
        inner = path if folder == "." else path.removeprefix(f"{folder}/")
        if not path.endswith((*javascript.ENDINGS, ".svelte", ".vue", ".astro")):
            continue
        # Settings and scripts of tools, which are not part of the server.
        if re.match(r"[^/]*\.config\.\w+$|(scripts|tests?|e2e|node_modules)/", inner):
            continue
        if match := _READS_FILES.search(text := tree.read(path)):
            return Found(True, "reads files itself", path, line_at(text, match.start()))
    return None


def public_prefixes(tree: Tree, folder: str, key: str) -> list[str]:
    """What the names of variables begin with that the build of an app puts into its pages."""
    prefixes = list(FRAMEWORKS[key].public)
    if key == "sveltekit" and not _mentions(tree, folder, "$env/static/public"):
        # What is read by `$env/dynamic/public` comes when it runs (svelte.dev/docs/kit).
        prefixes.remove("PUBLIC_")
    return prefixes


def _mentions(tree: Tree, folder: str, text: str) -> bool:
    endings = (*javascript.ENDINGS, ".svelte", ".vue", ".astro")
    return any(text in tree.read(path) for path in tree.below(folder) if path.endswith(endings))


def public_names(facts: Mapping[str, Any], prefixes: tuple[str, ...]) -> list[str]:
    """The app's own variables that the build puts into pages."""
    return [name for name in facts.get("variables", ()) if prefixes and name.startswith(prefixes)]


def _starts_nothing_else(tree: Tree, folder: str, package: Package) -> bool:
    """Whether the start script starts what the build makes, or development; or there is none."""
    if "start" not in package.table("scripts") or node_scripts.is_development(package, "start"):
        return True
    programs = frozenset().union(*(framework.starts for framework in FRAMEWORKS.values()))
    files = {framework.command[-1] for framework in FRAMEWORKS.values()}
    for one in node_scripts.commands(package, "start"):
        named = next((w.removeprefix("./") for w in one.words[1:] if not w.startswith("-")), "")
        if one.program in programs or (one.program == "node" and named in {*files, "build"}):
            return True
    return False


_CONFIGS = {
    "astro": "astro.config", "react-router": "react-router.config", "sveltekit": "svelte.config",
}  # fmt: skip
_OTHERWISE = {
    # In the mode `middleware` something else serves it.
    "astro": r"mode\s*:\s*[\"']middleware[\"']",
    "react-router": r"\bssr\s*:\s*false",
    "sveltekit": r"from\s+[\"'][^\"']*adapter-(?!node)[\w-]+[\"']",
}


def _is_served(tree: Tree, folder: str, key: str) -> bool:
    """Whether the framework's configuration leaves it a server of its own."""
    if key not in _CONFIGS:
        return True
    path = tree.first(folder, *(f"{_CONFIGS[key]}{e}" for e in (".ts", ".js", ".mjs", ".mts")))
    script = javascript.read(tree, path) if path else None
    return script is None or re.search(_OTHERWISE[key], script.text) is None
