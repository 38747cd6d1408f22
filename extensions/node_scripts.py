"""The scripts of package.json as commands, and the files that they name."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import javascript, secret_files
from .node_source import Package
from .tree import Tree, join

# What an installation of the project's own dependencies runs (docs.npmjs.com, "scripts").
_INSTALL = (
    "preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare",
)  # fmt: skip
_RUNNERS = re.compile(r"(?:npm|pnpm|yarn|bun)(?:\s+run(?:-script)?)?\s+(?:-\S+\s+)*([\w:.@-]+)")
# What has a package manager work in another folder.
_FOLDER_OPTION = re.compile(r"\s(?:--prefix|--cwd|--dir|-C)[= ]\s*([\w@./-]+)")
_MANAGER = re.compile(r"(?:\w+=\S*\s+)*(?:npm|pnpm|yarn|bun)\s")
_SEVERAL = frozenset({"npm-run-all", "run-s", "run-p", "npm-run-all2"})
_IN_FRONT = frozenset(
    {"cross-env", "cross-env-shell", "npx", "bunx", "pnpx", "env", "exec", "time"}
)
# Run a program with the settings of a file, or the like: what follows `--`, or the options.
_WRAPPERS = frozenset({"dotenv", "dotenvx", "env-cmd", "infisical", "doppler", "concurrently"})

# Of an installation script: needs the source, which is no manifest.
BUILDERS = frozenset(
    {"tsc", "nest", "next", "vite", "rollup", "tsup", "webpack", "esbuild", "swc", "babel", "ng"}
)
GENERATORS = frozenset(
    {
        "svelte-kit", "nuxt", "nuxi", "panda", "contentlayer", "velite", "graphql-codegen", "turbo",
        "nx", "drizzle-kit", "orval", "openapi-typescript", "lerna", "tsx", "ts-node",
    }
)  # fmt: skip
_SOURCE_FOLDERS = frozenset({"src", "app", "lib", "server", "pages"})


# The package of a program, where it has another name.
PACKAGES = {
    "nest": "@nestjs/cli", "ng": "@angular/cli", "tsc": "typescript", "babel": "@babel/cli",
    "babel-node": "@babel/node", "swc": "@swc/cli", "swc-node": "@swc-node/register",
    "sequelize": "sequelize-cli", "dotenv": "dotenv-cli", "dotenvx": "@dotenvx/dotenvx",
    "cross-env-shell": "cross-env", "run-s": "npm-run-all", "run-p": "npm-run-all",
    "webpack": "webpack-cli", "remix": "@remix-run/dev", "remix-serve": "@remix-run/serve",
    "react-router": "@react-router/dev", "react-router-serve": "@react-router/serve",
    "strapi": "@strapi/strapi", "keystone": "@keystone-6/core", "medusa": "@medusajs/cli",
    "pm2-runtime": "pm2", "nuxi": "nuxt", "vue-cli-service": "@vue/cli-service",
    "typeorm-ts-node-esm": "typeorm", "typeorm-ts-node-commonjs": "typeorm",
    "mikro-orm": "@mikro-orm/cli", "graphql-codegen": "@graphql-codegen/cli",
    "fastify": "fastify-cli", "tsnd": "ts-node-dev", "rsbuild": "@rsbuild/core",
    "svelte-kit": "@sveltejs/kit", "payload": "payload",
}  # fmt: skip
# What starts a server of development, by the beginning of the command; and what lets it be.
_DEVELOPMENT = re.compile(
    r"(nest|ng|nx|webpack|vue-cli-service) (start|serve)\b|react-scripts start\b"
    r"|(next|nuxt|nuxi|astro|remix|react-router|svelte-kit|turbo|rsbuild) dev\b|gatsby develop\b"
    r"|vite( (dev|serve|preview)\b| -|$)|vite-node\b|(nodemon|ts-node-dev|tsnd)\b"
    r"|webpack-dev-server\b|next( -|$)"
    r"|nx (dev|(run )?[\w@/-]+:(serve|dev))\b|(turbo|lerna) run (dev|serve)\b"
    r"|(tsx|bun|node) (run )?(watch\b|--watch\b|--hot\b)"
)


class Command(NamedTuple):
    """One command of a script.

    Attributes:
        script: The script of package.json that it stands in.
        words: Program and arguments, without variables and runners in front.
        text: As it is written.
        through: The package manager that it is called by, if it is.
    """

    script: str
    words: tuple[str, ...]
    text: str
    through: str | None = None

    @property
    def program(self) -> str:
        """The program's name."""
        return self.words[0].rpartition("/")[2] if self.words else ""


def commands(package: Package, name: str) -> list[Command]:
    """What `npm run NAME` runs: scripts that it calls are followed, with those before and after.

    Args:
        package: The package.json.
        name: The script; none of that name runs nothing.
    """
    found: list[Command] = []
    seen: set[str] = set()
    for script in (f"pre{name}", name, f"post{name}"):
        found += _follow(package, script, seen)
    return found


def install_commands(package: Package) -> list[Command]:
    """What an installation of the project's own dependencies runs."""
    seen: set[str] = set()
    return [command for name in _INSTALL for command in _follow(package, name, seen)]


def package_of(program: str) -> str:
    """The package that has a program, as far as that is known."""
    return PACKAGES.get(program, program)


def serves_development(command: Command) -> bool:
    """Whether a command starts a server that is meant for development."""
    return _DEVELOPMENT.match(" ".join((command.program, *command.words[1:]))) is not None


def is_development(package: Package, name: str) -> bool:
    """Whether a script runs a tool of development, which the image does not hold."""
    tools = package.table("devDependencies")
    held = package.table("dependencies")
    return any(
        serves_development(command)
        or ((own := package_of(command.program)) in tools and own not in held)
        for command in commands(package, name)
    )


def _follow(
    package: Package, name: str, seen: set[str], through: str | None = None
) -> Iterator[Command]:
    text = package.table("scripts").get(name)
    if not isinstance(text, str) or name in seen:
        return
    seen.add(name)
    scripts = package.table("scripts")
    away = False
    for part in parts(text):
        called = _RUNNERS.fullmatch(part) or _RUNNERS.match(part)
        words = bare(part)
        if words and words[0] == "cd":
            away = _inside(words[1]) is not None if len(words) > 1 else False
        elsewhere = away or (_MANAGER.match(part) and _FOLDER_OPTION.search(part))
        if called and called[1] in scripts and not elsewhere:
            manager = part.split()[0]
            for inner in (f"pre{called[1]}", called[1], f"post{called[1]}"):
                yield from _follow(package, inner, seen, manager)
        elif words and words[0] in _SEVERAL:
            for word in words[1:]:
                if word in scripts:
                    yield from _follow(package, word, seen, through)
        else:
            own = re.match(r"(?:\w+=\S*\s+)*(npm|pnpm|yarn|bun)\s+(?:exec|dlx|x)\s", part)
            yield Command(name, words, part, own[1] if own else through)


def entered(command: Command) -> str | None:
    """The folder of the app (ending in `/`) that a command works in: `cd`, or an option says it."""
    if command.program == "cd" and len(command.words) > 1:
        return _inside(command.words[1])
    option = _FOLDER_OPTION.search(command.text) if _MANAGER.match(command.text) else None
    return _inside(option[1]) if option else None


def _inside(name: str) -> str | None:
    place = posixpath.normpath(name)
    return None if place == "." or place.startswith(("..", "/", "-", "$")) else f"{place}/"


def parts(text: str) -> list[str]:
    """The commands of a line of a shell, by its `&&`, `||`, `;`, `|` and `&` outside of quotes."""
    pieces = re.findall(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^&|;"'\\])+""", text)
    return [piece.strip() for piece in pieces if piece.strip()]


def bare(part: str) -> tuple[str, ...]:
    """Program and arguments, without variables and runners in front."""
    try:
        words = shlex.split(part)
    except ValueError:
        words = part.split()
    while words:
        first = words[0]
        if re.match(r"[A-Za-z_]\w*=", first) or first in _IN_FRONT or first in {"-y", "--yes"}:
            words = words[1:]
        elif first in {"pnpm", "yarn", "npm", "bun"} and words[1:2] in (["exec"], ["dlx"], ["x"]):
            words = [word for word in words[2:] if word != "--"]
        elif first in _WRAPPERS and "--" in words:
            words = words[words.index("--") + 1 :]
        else:
            break
    return tuple(words)


def named(tree: Tree, folder: str, text: str) -> list[str]:
    """Files and folders (ending in `/`) of the app that a command names, relative to its folder."""
    found: dict[str, None] = {}
    for word in re.findall(r"[\w@.-]*(?:/[\w@.*-]+)+/?|[\w-]+(?:\.[\w-]+)+", text):
        name = word.removeprefix("./").split("*")[0].rstrip("/")
        if not name or name.startswith(("..", "/", "node_modules")):
            continue
        for candidate in (name, f"{name}.js", f"{name}.mjs", f"{name}.cjs", f"{name}.ts"):
            if tree.has(join(folder, candidate)):
                found[candidate] = None
                break
        else:
            if "/" in word and any(tree.below(join(folder, name + "/"))):
                found[name + "/"] = None
    return list(found)


def install_files(tree: Tree, folder: str, package: Package) -> list[str]:
    """What an installation reads beside the manifests: what its scripts and dependencies name.

    Returns:
        Files of the app's folder, and folders, which end in a slash.
    """
    names: dict[str, None] = {}
    for command in install_commands(package):
        files = named(tree, folder, command.text)
        names |= dict.fromkeys((*files, *_read_by(tree, folder, files)))
        if place := entered(command):
            names[place] = None
        if command.program == "patch-package":
            names["patches/"] = None
    dependencies = {**package.table("devDependencies"), **package.table("dependencies")}
    if "patchedDependencies" in str(package.content) or tree.has(join(folder, "patches/.gitkeep")):
        names["patches/"] = None
    settings = join(folder, "pnpm-workspace.yaml")
    if tree.has(settings) and "patchedDependencies:" in (text := tree.read(settings)):
        names |= dict.fromkeys(re.findall(r":\s*['\"]?(?:\./)?([\w@./+-]+\.patch)\b", text))
    # Its client's own script makes the client of the schema.
    if "prisma" in dependencies or "@prisma/client" in dependencies:
        names |= dict.fromkeys(("prisma/", "schema.prisma", "prisma.config.ts"))
        names |= dict.fromkeys(_folders_of(tree, folder, ".prisma"))
    for version in dependencies.values():
        match = re.match(r"(?:file|link|portal):(?:\./)?([\w@.-][\w@./-]*)$", str(version))
        if match and not match[1].startswith(".."):
            place = match[1] if tree.has(join(folder, match[1])) else match[1].rstrip("/") + "/"
            names[place] = None
    found: dict[str, None] = {}
    for name in names:
        # A file in a folder comes with the folder: COPY would put it beside package.json.
        place = name if "/" not in name or name.endswith("/") else name.rpartition("/")[0] + "/"
        if place.endswith("/"):
            is_there = any(tree.below(join(folder, place)))
        else:
            is_there = tree.has(join(folder, place))
        if is_there and place not in {"package.json", "./"}:
            found[place] = None
    tops = tuple(place for place in found if place.endswith("/"))
    return [p for p in found if not any(p != top and p.startswith(top) for top in tops)]


def _read_by(tree: Tree, folder: str, files: Sequence[str]) -> list[str]:
    """What scripts of the project load and name, as they run in the app's folder."""
    top = "" if folder == "." else f"{folder}/"
    begins = [join(folder, file) for file in files if javascript.is_source(file)]
    found: dict[str, None] = {}
    for path in sorted(javascript.reachable(tree, folder, begins)):
        if path.startswith(top):
            found[path.removeprefix(top)] = None
        script = javascript.read(tree, path)
        texts = re.findall(r"""(["'`])([\w@./-]+)\1""", script.text) if script else []
        for name in (name for _, text in texts for name in named(tree, folder, text)):
            if not secret_files.matching(name):
                found[name] = None
    return list(found)


def _folders_of(tree: Tree, folder: str, ending: str) -> list[str]:
    """The folders of an app (ending in `/`) with files of that ending."""
    top = "" if folder == "." else f"{folder}/"
    paths = [path.removeprefix(top) for path in tree.below(folder, ending)]
    return sorted({f"{path.rpartition('/')[0]}/" for path in paths if "/" in path})


def source_names(tree: Tree, folder: str, sources: Sequence[str]) -> list[str]:
    """What of an app's source a build reads: at the root its sources, else what is named so.

    Returns:
        Files, and folders, which end in a slash, relative to the app's folder.
    """
    if folder == ".":
        return [name for name in sources if name != "public/"]
    inner = (path.removeprefix(f"{folder}/") for path in tree.below(folder))
    tops = dict.fromkeys(top + slash for top, slash, _ in (path.partition("/") for path in inner))
    settings = re.compile(r"tsconfig.*\.json|[\w-]+\.config\.[cm]?[jt]s")
    return [top for top in tops if top.rstrip("/") in _SOURCE_FOLDERS or settings.fullmatch(top)]


def installs_source(package: Package) -> bool:
    """Whether the app's own installation scripts build or generate something, and have to."""
    scripts = package.table("scripts")
    return any(
        command.program in BUILDERS | GENERATORS and "||" not in str(scripts.get(command.script))
        for command in install_commands(package)
    )


def used_tops(tree: Tree, folder: str, package: Package, *scripts: str) -> list[str]:
    """Top folders (ending in `/`) and files of the app that these scripts name."""
    found: dict[str, None] = {}
    for script in scripts:
        for command in commands(package, script):
            place = entered(command)
            for name in (*named(tree, folder, command.text), *([place] if place else [])):
                top, slash, _ = name.partition("/")
                found[top + slash] = None
    return list(found)


def script_of(command: tuple[str, ...]) -> str | None:
    """The script that a command runs, as in `npm run serve` and `npm start`; None for another."""
    if len(command) < 2 or command[0] not in {"npm", "pnpm", "yarn", "bun"}:
        return None
    if command[1] in {"run", "run-script"}:
        return command[2] if len(command) > 2 else None
    if command[0] == "bun" or command[1].startswith("-"):
        return None
    return command[1]
