"""Commands that start Node's apps with what their image does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import node_scripts
from ..apps import FRAMEWORKS
from ..finding import Finding, where
from ..image_reference import ImageReference
from ..model import App, NodeBuild
from ..node_scripts import Command
from ..node_source import Package
from ..secret_files import matching
from ..subject import Subject
from ..tree import join
from ..versions import leading_version

_RULE = "start.node_command"
RUNTIME = "node"
IDS = {_RULE: "What starts the apps on Node is in their images"}

# What every image of Node has.
_THERE = frozenset(
    [
        "node",
        "npm",
        "sh",
        "ash",
        "echo",
        "cd",
        "mkdir",
        "rm",
        "cp",
        "mv",
        "cat",
        "true",
        "false",
        "sleep",
        "exec",
        "test",
        "export",
        "wait",
        "set",
        "ls",
        "[",
        ".",
        "printf",
        "touch",
        "chmod",
        "ln",
        "find",
        "sed",
        "grep",
        "trap",
        "kill",
        "nice",
        "ulimit",
        "source",
        "if",
        "then",
        "fi",
    ]
)
_NOT_IN_ALPINE = frozenset({"bash", "curl", "git", "python", "python3", "make"})
_NOT_IN_SLIM = frozenset({"curl", "git", "python", "python3", "make"})
_MANAGERS = frozenset({"pnpm", "pnpx", "yarn", "bun", "bunx"})
# Node's options with a module as their value.
_MODULES = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader"})


def find(subject: Subject) -> Iterator[Finding]:
    """What the start script, or the command set by hand, runs."""
    for app in subject.of("node"):
        package = subject.package(app)
        if app.site or (app.command == ("node", "server.js") and app.kind != "node"):
            continue
        for command, line in _commands(app, package):
            for certain, what, mend in _faults(subject, app, package, command):
                path = package.path if line is not None else None
                place = f"{where(path, line)}: " if path else ""
                yield Finding(_RULE, certain, f"{place}{what}", mend, path, line)
                break


def _commands(app: App, package: Package) -> list[tuple[Command, int | None]]:
    name = node_scripts.script_of(app.command)
    if name is None:
        text = " ".join(app.command)
        scripts = package.table("scripts")
        known = next((key for key in scripts if scripts[key] == text), None)
        line = package.lines.get(("scripts", known)) if known else None
        if line is None and package.content.get("main") in app.command:
            line = package.lines.get(("main",))
        return [(Command("", app.command, text), line)]
    found = node_scripts.commands(package, name)
    return [(command, package.lines.get(("scripts", command.script))) for command in found]


def _faults(
    subject: Subject, app: App, package: Package, command: Command
) -> Iterator[tuple[bool, str, str]]:
    """What is wrong with one command: whether that is certain, the sentence, what to do."""
    if not command.words:
        return
    first, program = command.words[0], command.program
    key = f"{app.kind}.command"
    yield from _runners(package, command, key)
    if stays := _in_background(package, command):
        yield (
            True,
            f"`{command.text}` starts the app in the background and ends, and its container ends "
            "with it.",
            f'Write "{stays}" in that script.',
        )
        return
    manager = program if program in _MANAGERS else command.through
    if manager in _MANAGERS and not _has_manager(app, manager):
        yield (
            True,
            f"`{command.text}` is run by {manager}, which the final image does not hold.",
            "Write it with npm in the start script (`npm run NAME`, `npx PROGRAM`), or set "
            f'--set {key}="{_built(subject, app, package)}".',
        )
        return
    if program in {"node", "nodejs"} or (program == "bun" and _holds_bun(app)):
        yield from _of_node(subject, app, package, command)
        return
    if program in _MANAGERS:
        return
    own = node_scripts.package_of(program)
    held = {**package.table("dependencies"), **package.table("optionalDependencies")}
    if own in package.table("devDependencies") and own not in held:
        yield (
            True,
            f"`{command.text}` runs {program}, and {own} is a development dependency, which the "
            "image does not hold.",
            f"{_instead(subject, app, package, command)}, or move {own} to "
            '"dependencies" in package.json.',
        )
    elif node_scripts.serves_development(command):
        yield (
            False,
            f"`{command.text}` starts a server of development: it may write into its own folder, "
            "which is read-only, and serves nobody but its own machine.",
            f"{_instead(subject, app, package, command)}.",
        )
    elif "/" in first and not first.startswith("/") and "node_modules" not in first:
        if not subject.tree.has(join(app.directory, first.removeprefix("./"))) and not _is_built(
            app, first
        ):
            yield (
                True,
                f"`{command.text}` runs {first}, which is not there.",
                f"Write the file that starts the app there, or set --set {key}=COMMAND.",
            )
    elif program in _lacking(app):
        yield (
            True,
            f"`{command.text}` runs {program}, which the image {app.build.image} does not have.",
            f"Do without it (`sh` is there), or set --set {app.kind}.image=IMAGE to one with it.",
        )
    elif own not in held and program not in _THERE and not first.startswith("/"):
        yield (
            False,
            f"`{command.text}` runs {program}, which no dependency of package.json brings.",
            f"Add it: {app.build.tool.add if isinstance(app.build, NodeBuild) else 'npm install'} "
            f"{own}.",
        )


def _runners(package: Package, command: Command, key: str) -> Iterator[tuple[bool, str, str]]:
    """What stands in front of the program, as in `cross-env NODE_ENV=production node …`."""
    held = package.table("dependencies")
    for word in command.text.split():
        own = node_scripts.package_of(word)
        if word in {"cross-env", "cross-env-shell", "dotenv", "dotenvx", "env-cmd"} and (
            own not in held
        ):
            yield (
                own in package.table("devDependencies"),
                f"`{command.text}` runs {word}, and {own} is no dependency that the image holds.",
                f"Leave {word} out, as the image and .env set the variables, or move {own} to "
                '"dependencies" in package.json.',
            )
            return


_STAYS = frozenset({"--no-daemon", "logs", "attach", "monit", "log"})


def _in_background(package: Package, command: Command) -> str | None:
    """The command that stays, in place of one of pm2 or forever that does not; else None."""
    words = command.words
    if words[1:2] not in {("start",), ("restart",), ("reload",), ("startOrRestart",)}:
        return None
    whole = str(package.table("scripts").get(command.script) or command.text)
    if _STAYS.intersection(whole.split()):
        return None
    rest = " ".join(words[2:])
    if command.program == "pm2":
        # pm2-runtime is pm2's own for containers (pm2.keymetrics.io/docs, "Docker").
        return f"pm2-runtime start {rest}".strip()
    return f"node {rest}" if command.program == "forever" else None


def _of_node(
    subject: Subject, app: App, package: Package, command: Command
) -> Iterator[tuple[bool, str, str]]:
    words = list(command.words[1:])
    if words[:1] == ["run"]:
        words = words[1:]
    held, tools = package.table("dependencies"), package.table("devDependencies")
    key = f"{app.kind}.command"
    while words and words[0].startswith("-"):
        option, _, value = words.pop(0).partition("=")
        if option in {*_MODULES, "--env-file", "-C", "--conditions", "-e", "-p"} and not value:
            value = words.pop(0) if words else ""
        if option == "--env-file" and matching(value.rpartition("/")[2]):
            yield (
                True,
                f"`{command.text}` reads {value}, which the image does not hold: its variables "
                "come from outside.",
                f"Leave {option} out of that script, or write --env-file-if-exists={value}.",
            )
        if option in _MODULES:
            own = _package_of_module(value)
            if own in tools and own not in held:
                yield (
                    True,
                    f"`{command.text}` loads {value}, and {own} is a development dependency, which "
                    "the image does not hold.",
                    f"{_instead(subject, app, package, command)}, or move {own} to "
                    '"dependencies" in package.json.',
                )
        if option in {"-e", "-p", "--eval", "--print"}:
            return
        if option in {"--watch", "--hot"}:
            yield (
                False,
                f"`{command.text}` watches its files, which do not change in an image.",
                f'Set --set {key}="{_built(subject, app, package)}".',
            )
    if not words:
        return
    name = words[0].removeprefix("./")
    if command.program == "node" and re.search(r"\.[cm]?tsx?$", name) and not _knows_types(app):
        yield (
            True,
            f"`{command.text}` runs TypeScript, which Node does not before version 22.18.",
            f"{_instead(subject, app, package, command)}.",
        )
    elif not _is_there(subject, app, name) and not _is_built(app, name):
        yield (
            True,
            f"`{command.text}` runs {name}, which is not there, and nothing builds it.",
            f"Write the file that starts the app in its place, or set --set {key}=COMMAND.",
        )


def _is_there(subject: Subject, app: App, name: str) -> bool:
    if name.startswith(("/", "..", "node_modules/")):
        return True
    path = join(app.directory, name)
    endings = ("", ".js", ".mjs", ".cjs", ".json", "/index.js", "/index.mjs", "/package.json")
    return any(subject.tree.has(path.rstrip("/") + ending) for ending in endings) or name == "."


def _is_built(app: App, name: str) -> bool:
    """Whether a build may make a file; source is made by none."""
    has_build = isinstance(app.build, NodeBuild) and app.build.build is not None
    return has_build and not re.match(r"(\./)?src/|.*\.sh$", name)


def _knows_types(app: App) -> bool:
    tag = ImageReference.parse(app.build.image).tag or ""
    version = leading_version(tag)
    return version is None or version.major >= 22


def _package_of_module(name: str) -> str:
    parts = name.split("/")
    return "/".join(parts[:2]) if name.startswith("@") else parts[0]


def _holds_bun(app: App) -> bool:
    return isinstance(app.build, NodeBuild) and app.build.runs_tool


def _has_manager(app: App, program: str) -> bool:
    build = app.build
    if not isinstance(build, NodeBuild):
        return False
    if build.runs_tool and build.manager in {program, program.replace("x", "")}:
        return True
    major = leading_version(ImageReference.parse(build.image).tag or "")
    # Node's images have Yarn 1 up to version 24.
    return program == "yarn" and major is not None and major.major < 25


def _lacking(app: App) -> frozenset[str]:
    tag = ImageReference.parse(app.build.image).tag or ""
    if "alpine" in tag:
        return _NOT_IN_ALPINE
    return _NOT_IN_SLIM if "slim" in tag else frozenset()


def _built(subject: Subject, app: App, package: Package) -> str:
    """A command that starts what a build makes, as a proposal."""
    main = package.content.get("main")
    if isinstance(main, str) and main.startswith(("dist", "build", "./dist", "./build")):
        return f"node {main.removeprefix('./')}"
    entries = FRAMEWORKS[app.kind].entries(subject.tree, app.directory)
    stem = re.sub(r"\.\w+$", "", entries[0].rpartition("/")[2]) if entries else "index"
    return f"node dist/{stem}.js"


def _instead(subject: Subject, app: App, package: Package, command: Command) -> str:
    """What to start in place of a tool of development."""
    key = f"{app.kind}.command"
    if command.program in {"vite", "ng", "react-scripts", "vue-cli-service", "webpack", "gatsby"}:
        return "Serve the files that its build makes with a server of static files"
    if command.program == "next":
        return 'Write "start": "next start"'
    build = "" if "build" in package.table("scripts") else "Add a build script, and s"
    return f'{build or "S"}et --set {key}="{_built(subject, app, package)}"'
