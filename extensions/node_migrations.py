"""What the tools for migrations on Node share: how one is found, and what it needs to run.

A production image has neither what only development installs, nor what a bundler left out: where
a tool needs such packages, the image gets them, with the tool's files, in a folder of their own.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import javascript, node_scripts, node_workspace, tsconfig
from .errors import ProjectError
from .model import App, Migrations, NodeBuild
from .node_source import NO_PACKAGE, Package, read_package_json
from .node_workspace import Workspace
from .origins import Fields, Found
from .tree import Tree, join

# Where an image has a tool that its app runs without.
FOLDER = "/migrator"
_TABLES = ("dependencies", "devDependencies")
# What runs TypeScript, in the order in which it is looked for.
_RUNNERS = ("tsx", "ts-node", "esbuild-register", "@swc-node/register", "bun")
DRIVERS = ("pg", "postgres", "@neondatabase/serverless", "@vercel/postgres", "pg-hstore")
# Scripts that run while something else is done.
_NOT_BY_HAND = re.compile(r"^(pre|post)?(start|build|dev|test|install|prepare)\b")


@dataclass(frozen=True)
class Spec:
    """A tool for migrations on Node.

    Attributes:
        title: Its name.
        packages: It is used where one of these is a dependency.
        files: What its migrations are called.
        package: The package that has its command.
        command: What runs them, where no script of package.json says it.
        runs: A command of a script that runs them.
        makes: A command that makes the tables in another way.
        calls: Code that runs them, or makes the tables without.
        own: Code of a script of the project that runs them when it is started.
        configs: Names of its settings, without their ending.
        holds: What else of the app's folder it reads, as patterns of paths.
        also: Packages that it needs where the project has them.
        find_command: Its command line in a project, where no script's words are enough; None for
            the above.
    """

    title: str
    packages: tuple[str, ...]
    files: re.Pattern[str]
    package: str
    command: tuple[str, ...]
    runs: re.Pattern[str]
    calls: re.Pattern[str]
    makes: re.Pattern[str] | None = None
    own: re.Pattern[str] | None = None
    configs: tuple[str, ...] = ()
    holds: re.Pattern[str] | None = None
    also: tuple[str, ...] = DRIVERS
    find_command: Callable[[Tree, str, Package], tuple[str, ...] | None] | None = None


def held(package: Package) -> dict[str, Any]:
    """All that a package.json has installed."""
    return {**package.table("devDependencies"), **package.table("dependencies")}


def files(tree: Tree, folder: str, spec: Spec) -> list[str]:
    """The migrations of a tool in an app's folder."""
    return [path for path in tree.below(folder) if spec.files.search(path)]


def after_migrations(package: Package, specs: Collection[Spec]) -> str | None:
    """What a start script starts once it has migrated by a tool that no image holds; else None.

    Such a start fails for certain: the tool is a dependency of development alone.
    """
    first, _, rest = str(package.table("scripts").get("start", "")).partition("&&")
    tools = package.table("devDependencies").keys() - package.table("dependencies").keys()
    command = " ".join(node_scripts.bare(first.strip()))
    if any(spec.package in tools and spec.runs.match(command) for spec in specs):
        return rest.strip() or None
    return None


def runs_itself(tree: Tree, folder: str, spec: Spec, start: str) -> bool:
    """Whether the app brings its schema up to date when it starts."""
    if spec.runs.search(start) or (spec.makes and spec.makes.search(start)):
        return True
    called = [join(folder, name) for name in node_scripts.named(tree, folder, start)]
    if any(spec.runs.search(tree.read(p)) for p in called if p.endswith(".sh")):
        return True
    package = _package(tree, folder)
    own = _own_script(tree, folder, spec, package)
    return any(
        spec.calls.search(script.text)
        for script in javascript.scripts(tree, folder)
        if not own or script.path != own[1]
    )


def started_with(tree: Tree, folder: str, spec: Spec) -> bool:
    """Whether an app brings the schema up to date that a package of its workspace has."""
    start = " && ".join(c.text for c in node_scripts.commands(_package(tree, folder), "start"))
    return runs_itself(tree, folder, spec, start)


def find(tree: Tree, folder: str, spec: Spec) -> Found[bool] | None:
    """Whether the app in `folder` has migrations of the tool that something else has to run.

    None where it does not use the tool.
    """
    package = _package(tree, folder)
    if not any(name in held(package) for name in spec.packages):
        return None
    made = files(tree, folder, spec)
    if not made:
        return None
    start = " && ".join(c.text for c in node_scripts.commands(package, "start"))
    start = after_migrations(package, (spec,)) or start
    if runs_itself(tree, folder, spec, start):
        return Found(False, "the app runs them itself", made[0])
    if _command(tree, folder, spec, package) is None:
        return Found(False, f"{spec.package} is no dependency", package.path)
    return Found(True, f"migrations of {spec.title}", made[0])


def fields(tree: Tree, folder: str, spec: Spec) -> Fields:
    """What the tool needs, where it was found.

    Returns:
        `migrate`, its command line; `migrate_packages`, the dependencies that it needs;
        `migrate_files`, the files and folders of the app's folder that it reads;
        `migrate_apart`, whether production lacks one of these packages; and in a workspace that
        it reads more of, `migrate_beside`, that, relative to the top.
    """
    package = _package(tree, folder)
    made = files(tree, folder, spec)
    command = _command(tree, folder, spec, package)
    assert command is not None
    words, where = command
    top = "" if folder == "." else f"{folder}/"
    roots = [p for word in words[1:] if (p := tree.first(folder, *_spellings(word))) is not None]
    # What a build makes of a source.
    built = [
        (word.removeprefix("./"), source)
        for word in words[1:]
        if not tree.first(folder, *_spellings(word)) and (source := _source(tree, folder, word))
    ]
    roots += [source for _, source in built]
    endings = (".ts", ".mts", ".js", ".mjs", ".cjs", ".json", "")
    for name in spec.configs:
        if found := tree.first(folder, *(name + ending for ending in endings)):
            roots.append(found)
    code = [path for path in (*roots, *made) if javascript.is_source(path)]
    loaded = sorted(javascript.reachable(tree, folder, code))
    tops = {path.rpartition("/")[0] for path in made}
    if spec.holds:
        loaded += [path for path in tree.below(folder) if spec.holds.search(path)]
    for path in made:
        # The folder of all steps, with what the tool notes beside them.
        match = re.match(r"(.*?(?:^|/)(?:migrations?|drizzle))/", path)
        tops.add(match[1] if match else path.rpartition("/")[0])
    names = {p.removeprefix(top) for p in (*roots, *loaded)}
    folders = {f"{p.removeprefix(top)}/" for p in tops if p.removeprefix(top)}
    if "package.json" not in names and tree.has(join(folder, "package.json")):
        names.add("package.json")
    packages = _imported(tree, loaded, package)
    if words[0] not in {"node", *_RUNNERS}:
        packages.add(spec.package)
    packages |= {name for name in spec.also if name in held(package)}
    program = node_scripts.package_of(words[0])
    if program in held(package):
        packages.add(program)
    extended: list[str] = []
    if built:
        names = {name for name in names if not name.endswith(("ts", "tsx"))}
        folders |= {f"{word.split('/')[0]}/" for word, _ in built}
        folders -= {f for f in folders if f.startswith("src/")}
    elif any(path.endswith(("ts", "tsx")) for path in (*loaded, *roots)):
        packages |= {name for name in _RUNNERS if name in held(package)}
        packages |= {name for name in ("typescript",) if "ts-node" in packages}
        names |= {name for name in ("tsconfig.json",) if tree.has(join(folder, name))}
        extended = tsconfig.extended(tree, join(folder, "tsconfig.json"))
        packages |= {name for name in map(_package_name, extended) if name in held(package)}
    outer = sorted(f for f in folders if not any(f != o and f.startswith(o) for o in folders))
    listed = [*(n for n in sorted(names) if not n.startswith(tuple(outer))), *outer]
    missing = sorted(packages - package.table("dependencies").keys())
    reason = f"runs migrations of {spec.title}"
    found_packages = Found(sorted(packages), f"what {spec.title} needs", package.path)
    beside: Fields = {}
    if (workspace := node_workspace.of_app(tree, folder)) and (
        more := _beside(
            tree, folder, workspace, packages, [n for n in extended if n.startswith(".")]
        )
    ):
        beside["migrate_beside"] = Found(more, "what it has of its workspace", package.path)
    return {
        "migrate": Found(shlex.join(words), reason, *where),
        "migrate_packages": found_packages,
        "migrate_files": Found(listed, f"what {spec.title} reads", made[0]),
        "migrate_apart": Found(
            bool(missing), f"not among dependencies: {', '.join(missing) or 'none'}", package.path
        ),
        **beside,
    }


def _beside(
    tree: Tree, folder: str, workspace: Workspace, packages: Collection[str], configs: list[str]
) -> list[str]:
    """Packages of a workspace among these, as folders, and settings that are extended."""
    top = "" if workspace.top == "." else f"{workspace.top}/"
    paths = {posixpath.normpath(posixpath.join(folder, name)) for name in configs}
    files = [p.removeprefix(top) for p in paths if not p.startswith(f"{folder}/") and tree.has(p)]
    local = [workspace.folder_of(name) for name in packages]
    folders = [f"{each}/" for one in local if one for each in workspace.needed(one, tools=False)]
    return sorted({*files, *folders} - {f"{node_workspace.inside(workspace, folder)}/"})


def define(
    name: str, spec: Spec, extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]
) -> Migrations:
    """How the schema comes about: in the app's folder, or in one that has what production lacks.

    Raises:
        ProjectError: Nothing says what runs.
    """
    words = tuple(shlex.split(facts.get("migrate") or ""))
    kind = app.kind if app else "node"
    if not words:
        raise ProjectError(
            f"No migrations of {spec.title} were found: name the command that runs them with "
            f"--set {kind}.migrate=COMMAND."
        )
    packages: tuple[str, ...] = ()
    build = app.build if app and isinstance(app.build, NodeBuild) else None
    member = build.member if build and build.member and build.member.folder != "." else None
    at = str(facts.get("migrate_at") or (member.folder if member else "."))
    # Where programs of a member's dependencies lie depends on who installed them.
    if facts.get("migrate_apart") or (build and build.outputs) or member:
        packages = tuple(facts.get("migrate_packages") or ())
    place = "" if at == "." else f"{at}/"
    files = [place + path for path in facts.get("migrate_files") or ()]
    called = _by_path(words)
    in_project = called
    if member:
        top = "../" * len(member.folder.split("/"))
        in_project = _in_workspace(words, f"{top}{place}", "../" * place.count("/"))
    return Migrations(
        name,
        spec.title,
        extensions,
        app=app,
        command=_apart(called, f"{FOLDER}/{place}".rstrip("/")) if packages else in_project,
        in_project=in_project,
        shown=shlex.join(words),
        packages=packages,
        files=(*files, *(facts.get("migrate_beside") or ())) if packages else (),
        place=place,
    )


_EVERYWHERE = frozenset({"node", "sh", "npm", "npx", "pnpm", "yarn", "bun"})


def _by_path(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command line with programs of packages by their path."""
    return words if words[0] in _EVERYWHERE else (f"node_modules/.bin/{words[0]}", *words[1:])


def _apart(words: tuple[str, ...], folder: str) -> tuple[str, ...]:
    return ("sh", "-c", f"cd {shlex.quote(folder)} && exec {shlex.join(words)}")


def _in_workspace(words: tuple[str, ...], place: str, top: str) -> tuple[str, ...]:
    """The command line in the folder of a package: its programs are there, or at the top."""
    bins = f'PATH="$PWD/node_modules/.bin:$PWD/{top}node_modules/.bin:$PATH"'
    return ("sh", "-c", f"cd {shlex.quote(place or '.')} && {bins} exec {shlex.join(words)}")


def _package(tree: Tree, folder: str) -> Package:
    """The app's package.json; with what the top of its workspace has installed for all."""
    package = read_package_json(tree, folder) or NO_PACKAGE
    return node_workspace.with_top(tree, folder, package)


_Command = tuple[tuple[str, ...], tuple[str | None, int | None]]


def _command(tree: Tree, folder: str, spec: Spec, package: Package) -> _Command | None:
    """The command that runs the migrations, and what says it; None where nothing has it."""
    if own := _own_script(tree, folder, spec, package):
        return own[0], own[2]
    if spec.find_command and (words := spec.find_command(tree, folder, package)):
        return words, (package.path, None)
    if spec.package not in held(package):
        return None
    for words, name in _script_commands(package):
        if spec.runs.search(" ".join(words)):
            return words, (package.path, package.lines.get(("scripts", name)))
    return spec.command, (package.path, None)


def _script_commands(package: Package) -> Iterator[tuple[tuple[str, ...], str]]:
    """The commands of the scripts that are called by hand, those of production first."""
    names = [name for name in package.table("scripts") if not _NOT_BY_HAND.match(name)]
    for name in sorted(names, key=lambda n: (not re.search("prod|deploy", n), "dev" in n)):
        for command in node_scripts.commands(package, name):
            if command.words:
                yield (command.program, *command.words[1:]), name


_Own = tuple[tuple[str, ...], str, tuple[str | None, int | None]]


def _own_script(tree: Tree, folder: str, spec: Spec, package: Package) -> _Own | None:
    """A script of the project that runs them by the tool's library, and its source file."""
    if spec.own is None:
        return None
    for words, name in _script_commands(package):
        if words[0] not in {"node", "tsx", "ts-node", "bun"} or "watch" in words:
            continue
        for word in words[1:]:
            path = tree.first(folder, *_spellings(word)) or _source(tree, folder, word)
            script = javascript.read(tree, path) if path else None
            if path and script and spec.own.search(script.text):
                where = (package.path, package.lines.get(("scripts", name)))
                return words, path, where
    return None


def _spellings(word: str) -> tuple[str, ...]:
    name = word.rpartition("=")[2].removeprefix("./")
    if name.startswith(("-", "/", "..")) or not name:
        return ()
    return (name, *(name + ending for ending in (".ts", ".js", ".mjs", ".cjs")))


def _source(tree: Tree, folder: str, name: str) -> str | None:
    """The source of what a build puts below another folder."""
    if not re.search(r"\.[cm]?js$", name):
        return None
    plain = re.sub(r"\.[cm]?js$", "", name.removeprefix("./"))
    inner = re.sub(r"^(dist|build|out|lib)/", "", plain)
    stems = (f"src/{inner}", inner)
    return tree.first(folder, *(f"{s}{e}" for s in stems for e in (".ts", ".mts", ".js")))


def _imported(tree: Tree, paths: list[str], package: Package) -> set[str]:
    """The dependencies that files import."""
    known = held(package)
    found = set()
    for path in paths:
        script = javascript.read(tree, path)
        for name in javascript.imports(script) if script else ():
            if (own := _package_name(name)) in known:
                found.add(own)
    return found


def _package_name(name: str) -> str:
    parts = name.split("/")
    return "/".join(parts[:2]) if name.startswith("@") else parts[0]
