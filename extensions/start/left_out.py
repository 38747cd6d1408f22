"""Front ends that the stack leaves out, as nothing of it serves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from .. import node_scripts, node_source
from ..apps import node, static
from ..errors import ProjectError
from ..finding import Finding, where
from ..subject import Subject

_RULE = "start.left_out"
IDS = {_RULE: "Every app of the project is part of the stack"}

_DEPTH = 2


def find(subject: Subject) -> Iterator[Finding]:
    """Folders with a package.json of a front end that no app of the stack is in."""
    tree = subject.tree
    folders = {app.directory for app in subject.stack.apps}
    scripts = [
        str(package.table("scripts"))
        for folder in folders
        if (package := _package(subject, folder))
    ]
    for path in tree.below(".", "package.json"):
        folder = str(PurePosixPath(path).parent)
        parts = PurePosixPath(folder).parts
        if PurePosixPath(path).name != "package.json" or folder in folders or len(parts) > _DEPTH:
            continue
        # apps/docs is an app.
        never = static.NEVER - {"docs"} if parts[:1] == ("apps",) else static.NEVER
        if not never.isdisjoint(parts) or any(part.startswith(".") for part in parts):
            continue
        package = _package(subject, folder)
        # The build of an app may build it, too; nothing runs scripts of other folders.
        if package is None or (parts and any(f" {folder}" in text for text in scripts)):
            continue
        if any(app in parts[:-1] for app in folders - {"."}):
            continue
        yield from _of(subject, folder, package)


def _package(subject: Subject, folder: str) -> node_source.Package | None:
    try:
        return node_source.read_package_json(subject.tree, folder)
    except ProjectError:
        return None


def _of(subject: Subject, folder: str, package: node_source.Package) -> Iterator[Finding]:
    place = "the top folder" if folder == "." else f"{folder}/"
    has_next = "nextjs" in subject.facts
    if "next" in package.table("dependencies") and not has_next:
        line = package.lines.get(("dependencies", "next"))
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{where(package.path or '', line)}: {place} holds a Next.js app, which is not "
            "part of the stack, as USE_NEXTJS is not true in .config/project.conf.",
            mend=f"spinbox build --prod --set nextjs.dir={folder}",
            path=package.path,
            line=line,
        )
        return
    other = next((app for app in subject.of("node") if app.directory != folder), None)
    if "next" in package.table("dependencies") and other and other.kind == "nextjs":
        line = package.lines.get(("dependencies", "next"))
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{where(package.path or '', line)}: {place} holds another Next.js app than "
            f"{other.directory}/, which alone is part of the stack.",
            mend=f"spinbox build --prod --set nextjs.dir={folder}, to deploy it in its place; or "
            "deploy it from a project of its own.",
            path=package.path,
            line=line,
        )
        return
    held = package.table("dependencies")
    server = next((name for name in node.SERVERS if name in held), None)
    if server and "start" in package.table("scripts") and node.find_server(subject.tree, folder):
        line = package.lines.get(("dependencies", server))
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{where(package.path or '', line)}: {place} starts a server on Node, which "
            "is not part of the stack.",
            mend=f"spinbox build --prod --set node.dir={folder}, or deploy it from a project of "
            "its own.",
            path=package.path,
            line=line,
        )
        return
    if (use := node.find_use(subject.tree, folder, package)) is None:
        return
    line = package.lines.get((use.table, use.builder.package))
    beside = next((app for app in subject.stack.web_apps if not app.routes and not app.site), None)
    top = _package(subject, ".") or node_source.NO_PACKAGE
    started = node_scripts.commands(top, "start")
    whole = any(node_scripts.entered(c) == f"{beside.directory}/" for c in started) if beside else 0
    if whole:
        mend = "spinbox build --prod --set node.dir=. (the scripts of the top folder do both)"
    elif beside and subject.stack.site is None:
        mend = (
            f"Serve its files from the {beside.title} app (built into that app's folder), or "
            "publish them on a host of static files."
        )
    else:
        mend = f"spinbox build --prod --set static.dir={folder} (one site is part of the stack)"
    yield Finding(
        _RULE,
        certain=False,
        seen=f"{where(package.path or '', line)}: {place} holds an app that "
        f"{use.builder.title} builds to static files, and nothing of the stack builds or serves "
        "them.",
        mend=mend,
        path=package.path,
        line=line,
    )
