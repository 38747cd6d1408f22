"""Settings of Next.js that its image or the proxy do not go along with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import javascript, node_mode, node_scripts
from ..apps import nextjs
from ..finding import Finding, where
from ..javascript import Script
from ..model import App
from ..subject import Subject
from ..tree import join

_RULE = "start.nextjs"
RUNTIME = "node"
IDS = {_RULE: "Next.js' settings go along with its standalone output and a read-only image"}


def concerns(subject: Subject) -> bool:
    """Where there is such an app."""
    return any(app.kind == "nextjs" for app in subject.stack.apps)


def find(subject: Subject) -> Iterator[Finding]:
    """What its configuration and pages say."""
    for app in subject.stack.apps:
        if app.kind == "nextjs":
            config = nextjs.configuration(subject.tree, app.directory)
            yield from _server(subject, app)
            yield from _worker(subject, app)
            if config:
                yield from _settings(app, config)


def _told(certain: bool, path: str, line: int | None, what: str, mend: str) -> Finding:
    return Finding(_RULE, certain, f"{where(path, line)}: {what}", mend, path, line)


def _settings(app: App, config: Script) -> Iterator[Finding]:
    folder = nextjs.constant(config, "distDir")
    if folder and folder.value.strip("./") != "next":
        yield _told(
            True,
            config.path,
            folder.line,
            f"the build goes to {folder.value}, and the image takes it from .next/.",
            "Leave distDir out.",
        )
    assets = nextjs.constant(config, "assetPrefix")
    if assets and assets.value.strip("/"):
        yield _told(
            False,
            config.path,
            assets.line,
            f"pages load their scripts from {assets.value} (assetPrefix), where nothing puts them.",
            "Leave assetPrefix out, or upload .next/static there with each version.",
        )
    if nextjs.constant(config, "basePath") is None:
        for place in config.finds("basePath"):
            if config.tokens[place + 1].text not in {":", ","} or config.tokens[
                place - 1
            ].text not in {"{", ","}:
                continue
            value = "".join(config.texts(range(place + 2, place + 8)))
            if re.match(r"(undefined|null|\"\"|'')[,}]", value) or "process.env" not in config.text:
                continue
            yield _told(
                False,
                config.path,
                config.line(place),
                f"basePath is no constant, so the health check asks at {app.health or 'the port'}.",
                f"spinbox build --prod --set {app.kind}.health=PATH, with the base path in front",
            )
            break


def _worker(subject: Subject, app: App) -> Iterator[Finding]:
    """A worker beside it, which the standalone output leaves out."""
    package = subject.package(app)
    begins = nextjs.entries(subject.tree, app.directory)
    worker = node_mode.find_worker(subject.tree, app.directory, package, begins)
    if worker and worker.path:
        yield _told(
            False,
            worker.path,
            worker.line,
            f"nothing runs `{worker.value}`, as the image of Next.js holds its server alone.",
            "Move the worker into an app on Node of its own, beside this one.",
        )


def _server(subject: Subject, app: App) -> Iterator[Finding]:
    """A server of the project's own, which the standalone output leaves out."""
    if app.command != ("node", "server.js"):
        return
    package = subject.package(app)
    for command in node_scripts.commands(package, "start"):
        file = next((word for word in command.words[1:] if not word.startswith("-")), "")
        if command.program not in {"node", "tsx", "ts-node"} or "standalone" in file:
            continue
        name = re.sub(r"\.\w+$", "", file.removeprefix("./"))
        path = next(
            (
                found
                for ending in javascript.ENDINGS
                for stem in (name, name.replace("dist/", ""), name.replace("dist/", "src/"))
                if subject.tree.has(found := join(app.directory, stem + ending))
            ),
            None,
        )
        script = javascript.read(subject.tree, path) if path else None
        if path and script and re.search(r"""["']next["']""", script.text):
            yield _told(
                False,
                path,
                None,
                "the app has a server of its own, and Next.js' standalone output, which the image "
                "runs, has another one in its place: what yours adds is not there.",
                "Move what it adds into route handlers or middleware; WebSockets and the like "
                "need an app of their own.",
            )
            return
