"""Start commands of compiled apps whose file TypeScript's compiler writes elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from .. import node_outputs, node_scripts, tsconfig
from ..finding import Finding, where
from ..model import App, NodeBuild
from ..node_scripts import Command
from ..node_source import Package
from ..origins import only_line
from ..subject import Subject
from ..tree import join
from ..tsconfig import Config, Output
from ..versions import leading_version

_RULE = "start.node_output"
RUNTIME = "node"
IDS = {_RULE: "The compiler writes the file that starts the app where it is started from"}

# Beside the compiler, these write no file of the app's code.
_QUIET = frozenset(
    {
        "rimraf", "rm", "cp", "mkdir", "mv", "echo", "copyfiles", "cpx", "cpy", "shx", "del-cli",
        "prisma", "eslint", "prettier", "tsc-alias", "resolve-tspaths", "true", "exit", "chmod",
        "drizzle-kit",
    }
)  # fmt: skip

# With these, tsc writes no code.
_NO_CODE = frozenset({"--noEmit", "--emitDeclarationOnly"})


def find(subject: Subject) -> Iterator[Finding]:
    """One for each app, where the build compiles and does no more."""
    for app in subject.of("node"):
        if isinstance(app.build, NodeBuild) and app.build.build and not app.build.outputs:
            yield from _of(subject, app, subject.package(app))


def _of(subject: Subject, app: App, package: Package) -> Iterator[Finding]:
    config = _config(subject, app, package)
    started = _started(app, package)
    if config is None or started is None:
        if started:
            yield from _of_a_bundler(subject, app, package, *started)
        return
    name, text, line = started
    written = tsconfig.output(subject.tree, config, _seen(subject, app), version=_version(package))
    if written is None:
        return
    path = join(app.directory, name) if app.directory != "." else posixpath.normpath(name)
    endings = ("", ".js", ".cjs", ".mjs", "/index.js")
    if any(path + ending in written.files or subject.tree.has(path + ending) for ending in endings):
        return
    file = path if re.search(r"\.[cm]?js$", path) else f"{path}.js"
    base = posixpath.basename(file)
    alike = [one for one in written.files if posixpath.basename(one) == base]
    if not alike:
        return
    ours = min(alike, key=lambda one: (one.count("/"), one))
    yield _finding(subject, app, config, written, file, ours, text, package.path or "", line)


def _of_a_bundler(
    subject: Subject, app: App, package: Package, name: str, text: str, line: int | None
) -> Iterator[Finding]:
    """The same where swc or esbuild does it alone: both write what their command line says."""
    build = node_scripts.commands(package, "build")
    makers = [c for c in build if c.program in {"swc", "esbuild"}]
    others = [c for c in build if c not in makers and c.program not in _QUIET]
    if len(makers) != 1 or any(c.program != "tsc" for c in others):
        return
    if any(not _NO_CODE.intersection(c.words) for c in others):
        return
    versions = {**package.table("dependencies"), **package.table("devDependencies")}
    swc = leading_version(str(versions.get("@swc/cli", "")).lstrip("^~>=v "))
    written = node_outputs.written(subject.tree, app.directory, makers[0], swc)
    path = join(app.directory, name)
    endings = ("", ".js", ".cjs", ".mjs", "/index.js")
    if not written or any(path + e in written or subject.tree.has(path + e) for e in endings):
        return
    base = re.sub(r"(?<!\.js)$", ".js", posixpath.basename(path), count=1)
    alike = [one for one in written if posixpath.basename(one) == base] or list(written)
    top = "" if app.directory == "." else f"{app.directory}/"
    made = min(alike, key=lambda one: (one.count("/"), one)).removeprefix(top)
    if len(alike) > 1 and posixpath.basename(made) != base:
        return
    mend = f'Start {made} in package.json, or set --set {app.kind}.command="node {made}".'
    if node_outputs.keeps_folders(makers[0]):
        mend = f"Add --strip-leading-paths to `{makers[0].text}`, or start {made}."
    where_ = f"{where(package.path or '', line)}: " if line else ""
    yield Finding(
        _RULE,
        certain=True,
        seen=f"{where_}`{text}` runs {name}, and `{makers[0].text}` writes it to {made}.",
        mend=mend,
        path=package.path if line else None,
        line=line,
    )


def _finding(
    subject: Subject,
    app: App,
    config: Config,
    written: Output,
    file: str,
    ours: str,
    text: str,
    path: str,
    line: int | None,
) -> Finding:
    top = "" if app.directory == "." else f"{app.directory}/"
    target = config.folder("outDir")
    below = target is not None and file.startswith(f"{target}/")
    option = "outDir" if not below else "rootDir"
    home = config.homes.get(option, config.path)
    line_there = only_line(subject.tree.read(home), rf'"{option}"')
    why = f"{option} of {where(home, line_there)}"
    if option not in config.options:
        why = f"{home} says no {option}"
        if written.above and below:
            why = f"{written.above} is compiled as well, and {home} says no rootDir"
    started, made = file.removeprefix(top), ours.removeprefix(top)
    seen = f"`{text}` runs {started}, and the build writes that file to {made}: {why}."
    return Finding(
        _RULE,
        not below,
        f"{where(path, line)}: {seen}" if line else seen,
        f'Start {made} in package.json, or set --set {app.kind}.command="node {made}".',
        path if line else None,
        line,
    )


def _config(subject: Subject, app: App, package: Package) -> Config | None:
    """The configuration of the one compiler that the build script runs."""
    found: list[str] = []
    for command in node_scripts.commands(package, "build"):
        if command.program == "tsc":
            if {"--noEmit", "-b", "--build", "--outDir", "--rootDir"}.intersection(command.words):
                return None
            found.append(_named(command, ("-p", "--project")) or "tsconfig.json")
        elif command.program == "nest" and command.words[1:2] == ("build",):
            name = _of_nest(subject, app, command)
            if name is None:
                return None
            found.append(name)
        elif command.program not in _QUIET:
            return None
    if len(set(found)) != 1:
        return None
    path = join(app.directory, found[0].removeprefix("./"))
    path = path if path.endswith(".json") else f"{path}/tsconfig.json"
    return tsconfig.read(subject.tree, path)


def _named(command: Command, options: tuple[str, ...]) -> str | None:
    words = command.words
    return next((words[n + 1] for n, w in enumerate(words[:-1]) if w in options), None)


def _of_nest(subject: Subject, app: App, command: Command) -> str | None:
    """Nest's: with its own compiler, and no project of a workspace."""
    if len(command.words) > 2:
        return None
    settings = join(app.directory, "nest-cli.json")
    text = subject.tree.read(settings) if subject.tree.has(settings) else ""
    if re.search(r'"(?:builder|webpack|monorepo|tsConfigPath)"', text):
        return None
    build = "tsconfig.build.json"
    return build if subject.tree.has(join(app.directory, build)) else "tsconfig.json"


def _started(app: App, package: Package) -> tuple[str, str, int | None] | None:
    """The file that node is started with, as it is written, and the line of package.json."""
    name = node_scripts.script_of(app.command)
    if name is None:
        scripts = package.table("scripts")
        text = " ".join(app.command)
        known = next((key for key in scripts if text in str(scripts[key])), None)
        keys = ("scripts", known) if known else ("main",)
        commands = [(Command(known or "", app.command, text), package.lines.get(keys))]
    else:
        found = node_scripts.commands(package, name)
        commands = [(one, package.lines.get(("scripts", one.script))) for one in found]
    for command, line in commands:
        if command.program != "node":
            continue
        files = [w for w in command.words[1:] if not w.startswith("-") and "/" in w]
        if files and not files[0].startswith(("/", "..", "node_modules")):
            return files[0].removeprefix("./"), command.text, line
    return None


def _version(package: Package) -> int | None:
    for table in ("devDependencies", "dependencies"):
        if match := re.match(r"[\^~>=v\s]*(\d+)", str(package.table(table).get("typescript", ""))):
            return int(match[1])
    return None


def _seen(subject: Subject, app: App) -> frozenset[str]:
    """The files that enter the build."""
    if app.directory != ".":
        top = f"{app.directory}/"
        left_out = (f"{top}test/", f"{top}tests/")
        return frozenset(p for p in subject.tree.below(app.directory) if not p.startswith(left_out))
    tops = tuple(source for source in app.sources if source.endswith("/"))
    return frozenset(p for p in subject.tree.files if p.startswith(tops) or p in app.sources)
