"""Tools of Node's world that an image does without, or does otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from .. import javascript, node_source, node_workspace
from ..errors import ProjectError
from ..finding import Finding, where
from ..model import App, NodeBuild
from ..node_source import Package
from ..subject import Subject
from ..tree import Tree, join

_RULE = "start.node_tools"
RUNTIME = "node"
IDS = {_RULE: "Tools of the apps on Node do in their images what they do elsewhere"}

_DEPTH = 2
# The packages that drive a browser, and an image with Node and what they need.
_BROWSERS = {
    "puppeteer": "ghcr.io/puppeteer/puppeteer",
    "playwright": "mcr.microsoft.com/playwright",
    "playwright-chromium": "mcr.microsoft.com/playwright",
    "playwright-core": "mcr.microsoft.com/playwright",
}


def find(subject: Subject) -> Iterator[Finding]:
    """Plug'n'Play, Lerna, moon, browsers, Expo."""
    for app in subject.of("node"):
        package = subject.package(app)
        if isinstance(app.build, NodeBuild):
            yield from _plug_and_play(subject.tree, app, app.build)
            yield from _moon(subject.tree, app, app.build, package)
            yield from _lerna(subject.tree, app, app.build, package)
        yield from _browsers(subject.tree, app, package)
    yield from _expo(subject)


def _told(path: str, line: int | None, what: str, mend: str, *, certain: bool = False) -> Finding:
    return Finding(_RULE, certain, f"{where(path, line)}: {what}", mend, path, line)


def _plug_and_play(tree: Tree, app: App, build: NodeBuild) -> Iterator[Finding]:
    """Yarn 2 and later without node_modules, which no final image could take over."""
    if build.manager != "yarn" or not build.tool.variables:
        return
    path = join(app.base, ".yarnrc.yml")
    settings = node_workspace.read_yaml(tree, path) if tree.has(path) else {}
    linker = settings.get("nodeLinker", "pnp")
    runtime = tree.first(app.base, ".pnp.cjs", ".pnp.js")
    cache = next(tree.below(join(app.base, ".yarn/cache"), ".zip"), None)
    if linker != "pnp" or not (runtime or cache or "nodeLinker" in settings):
        return
    seen = runtime or (path if tree.has(path) else str(cache))
    zero = ", and downloads them in place of those in .yarn/cache" if cache else ""
    yield _told(
        seen,
        None,
        "Yarn installs without node_modules here (Plug'n'Play), and the image is built with "
        f"node_modules{zero}: what no package.json names may be found there.",
        "Nothing has to be done; to have the same in development, write nodeLinker: node-modules "
        f"into {path}.",
    )


def _moon(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """Moon's own tasks are no scripts of package.json."""
    path = tree.first(app.directory, "moon.yml", "moon.yaml")
    if path is None or "build" in package.table("scripts"):
        return
    tasks = node_workspace.read_yaml(tree, path).get("tasks")
    if isinstance(tasks, dict) and "build" in tasks:
        yield _told(
            path,
            None,
            "moon builds it by a task of this file, and the image is built by scripts of "
            "package.json.",
            f'Write the task\'s command as "build" into the scripts of {package.path}.',
        )


def _lerna(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """Lerna before 7 linked packages itself, which no package manager does."""
    if not tree.has("lerna.json") or build.member or node_workspace.patterns(tree, "."):
        return
    names = {
        str(inner.content.get("name"))
        for path in tree.below(".", "/package.json")
        if (inner := _package(tree, str(PurePosixPath(path).parent)))
    }
    for name in package.table("dependencies"):
        if name in names:
            yield _told(
                "lerna.json",
                1,
                f"Lerna links {name} into {app.directory}/, and no workspace of a package manager "
                "does: the installation of the image does not find it.",
                'Write "workspaces" into the package.json of the top, as Lerna 7 and later do: '
                "npx lerna repair",
                certain=True,
            )
            return


def _browsers(tree: Tree, app: App, package: Package) -> Iterator[Finding]:
    held = package.table("dependencies")
    for name, image in _BROWSERS.items():
        if name not in held:
            continue
        for script in javascript.scripts(tree, app.directory):
            if name not in javascript.imports(script) or re.search(
                r"\.(connect|connectOverCDP)\(|executablePath", script.text
            ):
                continue
            line = script.text[: script.text.index(name)].count("\n") + 1
            version = re.sub(r"[^\d.]", "", str(held[name]))
            tag = f"v{version}-noble" if "playwright" in image else version or "latest"
            yield _told(
                script.path,
                line,
                f"{name} starts a browser, and the image {app.build.image} has none.",
                f"Connect to one that runs elsewhere, or set --set {app.kind}.image={image}:{tag}",
            )
            return


def _expo(subject: Subject) -> Iterator[Finding]:
    apps = {app.directory: app for app in subject.of("node")}
    for path in subject.tree.below(".", "package.json"):
        folder = str(PurePosixPath(path).parent)
        if PurePosixPath(path).name != "package.json" or folder.count("/") >= _DEPTH:
            continue
        package = _package(subject.tree, folder)
        if package is None or "expo" not in package.table("dependencies"):
            continue
        line = package.lines.get(("dependencies", "expo"))
        app = apps.get(folder)
        if app and "expo" not in str(package.table("scripts").get("start")):
            continue
        yield _told(
            path,
            line,
            "it is an Expo app, for phones, which no server runs"
            + (": its start script serves developers." if app else ", so the stack leaves it out."),
            f"Leave it out with --set {app.kind}=off, and build it with `eas build`."
            if app
            else "Build it with `eas build`; it reaches the stack at its public address.",
            certain=app is not None,
        )


def _package(tree: Tree, folder: str) -> Package | None:
    try:
        return node_source.read_package_json(tree, folder)
    except ProjectError:
        return None
