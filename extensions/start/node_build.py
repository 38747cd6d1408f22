"""What keeps apps on Node from being built in their image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import javascript, node_scripts, source_text
from ..apps import nextjs
from ..finding import Finding, where
from ..model import App, NodeBuild
from ..node_scripts import Command
from ..node_source import Package
from ..subject import Subject
from ..tree import join

_RULE = "start.node_build"
RUNTIME = "node"
IDS = {_RULE: "Builds of the apps on Node have the files and variables that they need"}

_MOST_NAMES = 5


def find(subject: Subject) -> Iterator[Finding]:
    """Files outside of what is built, and variables that the build itself reads."""
    for app in subject.of("node"):
        package = subject.package(app)
        yield from _outside(subject, app)
        yield from _programs(app, package)
        yield from _aliases(subject, app, package)
        yield from _platforms(app, package)
        if app.kind == "nextjs":
            yield from _variables(subject, app, package)


# What a platform runs in place of the build script (devcenter.heroku.com, "Node.js Support";
# cloud.google.com/docs/buildpacks/nodejs; vercel.com/docs/builds).
_IN_PLACE = {"heroku-postbuild": "Heroku", "gcp-build": "Google Cloud", "vercel-build": "Vercel"}


def _platforms(app: App, package: Package) -> Iterator[Finding]:
    """What one platform alone builds."""
    built = {command.words for command in node_scripts.commands(package, "build")}
    built |= {command.words for command in node_scripts.install_commands(package)}
    for name, platform in _IN_PLACE.items():
        commands = node_scripts.commands(package, name)
        more = [c for c in commands if c.words not in built and not _installs(c)]
        if not more or app.site:
            continue
        line = package.lines.get(("scripts", name))
        text = package.table("scripts")[name]
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{where(package.path or '', line)}: {platform} alone runs {name}, and the image "
            f"is built without `{more[0].text}`.",
            mend=f'Write "build": "{text}" in package.json.',
            path=package.path,
            line=line,
        )
        return


def _installs(command: Command) -> bool:
    """Whether it only installs what the image has anyway."""
    words = command.words
    return words[:1] in {("npm",), ("yarn",), ("pnpm",)} and words[1:] in {
        (), ("install",), ("ci",), ("i",),
    }  # fmt: skip


def _outside(subject: Subject, app: App) -> Iterator[Finding]:
    """Imports of what lies above the app's folder, which alone enters the image."""
    if app.directory == ".":
        return
    top = app.directory + "/"
    inside = app.built_from
    for script in javascript.scripts(subject.tree, app.directory):
        ups = "../" * (script.path.removeprefix(top).count("/") + 1)
        if ups not in script.text:
            continue
        for name in javascript.imports(script):
            target = javascript.resolve(subject.tree, app.directory, script.path, name)
            if name.startswith(ups) and target and not target.startswith(inside):
                line = script.text[: script.text.index(name)].count("\n") + 1
                yield Finding(
                    _RULE,
                    certain=True,
                    seen=f"{where(script.path, line)}: it imports {target}, and {top} alone enters "
                    "the image.",
                    mend=f"Move {target} into {top} and import it from there.",
                    path=script.path,
                    line=line,
                )
                return


# What makes paths of aliases, or leaves no import.
_RESOLVE = frozenset({"tsc-alias", "tscpaths", "tspath", "resolve-tspaths"})
_PATHS = re.compile(r'"paths"\s*:\s*\{([^}]*)\}')


def _aliases(subject: Subject, app: App, package: Package) -> Iterator[Finding]:
    """Imports by an alias of tsconfig.json, which tsc leaves as they are."""
    tree, path = subject.tree, join(app.directory, "tsconfig.json")
    if app.kind != "node" or not isinstance(app.build, NodeBuild) or not tree.has(path):
        return
    programs = [c.program for c in node_scripts.commands(package, "build")]
    held = {**package.table("dependencies"), **package.table("devDependencies")}
    started = " ".join(app.command) + str(package.table("scripts").get("start", ""))
    if set(programs) - {"tsc", "rm", "rimraf", "mkdir", "cp", "echo"} or "tsc" not in programs:
        return
    if "module-alias" in held or re.search(r"tsconfig-paths|tsx|ts-node|bun", started):
        return
    paths = _PATHS.search(source_text.without_comments(tree.read(path)))
    aliases = re.findall(r'"([^"*]+)\*?"\s*:', paths[1]) if paths else []
    own = package.table("imports")
    for script in javascript.scripts(tree, app.directory):
        for name in javascript.imports(script):
            alias = next((a for a in aliases if name.startswith(a) and not own.get(a + "*")), None)
            if alias is None or name.startswith(".") or _types_only(script.text, name):
                continue
            line = script.text[: script.text.index(name)].count("\n") + 1
            add = app.build.tool.add + (" --save-dev" if app.build.manager == "npm" else " --dev")
            folder = "" if app.directory == "." else f"cd {app.directory} && "
            build = package.table("scripts").get("build")
            yield Finding(
                _RULE,
                certain=True,
                seen=f"{where(script.path, line)}: it imports {name} by an alias of {path}, which "
                "tsc leaves as it is: Node does not find it.",
                mend=f'{folder}{add} tsc-alias, and write "build": "{build} && tsc-alias" in '
                "package.json.",
                path=script.path,
                line=line,
            )
            return


def _types_only(text: str, name: str) -> bool:
    """Whether nothing of an import is left when types are gone."""
    pattern = rf"""import\s+(type\b)?[^;'"]*from\s*['"]{re.escape(name)}['"]"""
    found = re.findall(pattern, text)
    return bool(found) and all(found)


def _programs(app: App, package: Package) -> Iterator[Finding]:
    """Programs of the build script that no image of Node's has."""
    build = "build" if app.kind == "nextjs" or getattr(app.build, "build", None) else ""
    for command in node_scripts.commands(package, build):
        line = package.lines.get(("scripts", command.script))
        text = str(package.table("scripts").get(command.script, ""))
        missing = command.program in {"git", "python", "python3", "make", "bash", "docker"}
        if missing and "slim" not in app.build.image and "alpine" not in app.build.image:
            missing = command.program == "docker"
        if missing and command.program == "bash" and "alpine" not in app.build.image:
            missing = False
        if missing:
            yield Finding(
                _RULE,
                certain="||" not in text,
                seen=f"{where(package.path or '', line)}: `{command.text}` runs "
                f"{command.program}, which the image {app.build.image} does not have.",
                mend="Do without it in the build script (`sh` and `node` are there), or set "
                f"--set {app.kind}.image=IMAGE to one with it.",
                path=package.path,
                line=line,
            )
            return


def _variables(subject: Subject, app: App, package: Package) -> Iterator[Finding]:
    """What `next build` loads and what fails without a variable: its settings, pages and routes."""
    given = {argument.name for argument in app.build_arguments} | set(app.build_needs)
    given |= set(subject.facts[app.kind].get("build_needs") or ())
    files: dict[str, list[tuple[str, int]]] = {}
    for read in nextjs.build_reads(subject.tree, app.directory):
        if read.name not in given:
            files.setdefault(read.path, []).append((read.name, read.line))
    for path, found in files.items():
        names = list(dict.fromkeys(name for name, _ in found))
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        line = found[0][1]
        yield Finding(
            _RULE,
            certain=True,
            seen=f"{where(path, line)}: `next build` fails without {', '.join(names[:_MOST_NAMES])}"
            f"{more}, and the build of the image is given no setting of the container.",
            mend=_mend(subject, package, path),
            path=path,
            line=line,
        )


def _mend(subject: Subject, package: Package, path: str) -> str:
    script = javascript.read(subject.tree, path)
    text = script.text if script else ""
    if "SKIP_ENV_VALIDATION" in text:
        build = package.table("scripts").get("build", "next build")
        return f'Write "build": "SKIP_ENV_VALIDATION=1 {build}" in package.json.'
    return (
        "Check it where a request needs it, or not while building: "
        "if (process.env.NEXT_PHASE !== 'phase-production-build') { … }."
    )
