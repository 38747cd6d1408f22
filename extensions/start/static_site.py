"""What a static site has in development alone: the proxy of its server there, and variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import javascript, node_scripts, node_source, route_prefixes, site_builders
from ..finding import Finding, where
from ..javascript import Script
from ..model import App
from ..subject import Subject
from ..tree import join

_RULE = "start.static_site"
RUNTIME = "node"
IDS = {_RULE: "Requests of a static site reach in production what they reach in development"}
_PROXY_FILES = ("proxy.conf.json", "proxy.conf.js", "proxy.conf.mjs", "src/proxy.conf.json")
_REWRITES = frozenset({"rewrite", "pathRewrite"})
# Their pages are made while the site is built, and read what a server would.
_MAKE_PAGES = frozenset({"next", "astro", "@sveltejs/kit", "gatsby", "@11ty/eleventy", "nuxt"})


def find(subject: Subject) -> Iterator[Finding]:
    """Paths that the server of development passes on, and variables that the build is not given."""
    app = subject.stack.site
    if app is None:
        return
    yield from _proxied(subject, app)
    yield from _unread(subject, app)
    yield from _moved(subject, app)
    yield from _outside(subject, app)
    yield from _relative(subject, app)
    yield from _mode(subject, app)


def _mode(subject: Subject, app: App) -> Iterator[Finding]:
    """Settings of a mode of Vite's or Vue's own (`--mode NAME`), whose file enters no image."""
    package = subject.package(app)
    use = site_builders.find(subject.tree, app.directory, package)
    for command in node_scripts.commands(package, use.script) if use else ():
        words = " ".join(command.words).replace("=", " ").split()
        mode = words[words.index("--mode") + 1 :][:1] if "--mode" in words else []
        path = join(app.directory, f".env.{mode[0]}") if mode else ""
        if not mode or mode[0] == "production" or not subject.tree.has(path):
            continue
        seen = f"{path}: `{command.text}` reads it, and it does not enter the image."
        mend = f"Call it .env.production and leave --mode out, or set what {path} has in .env."
        yield _told(path, None, seen, mend)
        return


def _outside(subject: Subject, app: App) -> Iterator[Finding]:
    """Files that are written to another app's folder, where the image does not look for them."""
    package = subject.package(app)
    use = site_builders.find(subject.tree, app.directory, package)
    if use is None or app.site is None or "static.output" in subject.overrides:
        return
    if found := site_builders.outside(subject.tree, app.directory, package, use):
        place = where(found.path, found.line) if found.path else f"The script {use.script}"
        yield Finding(
            _RULE,
            True,
            f"{place}: the site is written to {found.value}, outside of the app's folder, and the "
            f"image takes it from {app.site.output}.",
            f"Write {app.site.output} there.",
            found.path,
            found.line,
        )


# Routers whose addresses are paths, not what follows `#`.
_ROUTERS = re.compile(
    r"\b(BrowserRouter|createBrowserRouter|createWebHistory|createBrowserHistory)\s*[(<>/\s]"
)


def _relative(subject: Subject, app: App) -> Iterator[Finding]:
    """Scripts that are looked for beside the page, where a router has pages in folders."""
    builder = site_builders.BUILDERS.get(subject.facts[app.kind].get("builder") or "")
    found = None
    if builder and builder.package == "react-scripts":
        package = subject.package(app)
        if package.content.get("homepage") in {".", "./"}:
            found = package.found("", "homepage", "homepage")
    elif builder and builder.base_key:
        config = site_builders.settings(subject.tree, app.directory, builder)
        base = site_builders.constant(config, builder.base_key) if config else None
        found = base if base and base.value in {"", ".", "./"} else None
    if found is None or found.path is None or app.site is None or not app.site.fallback:
        return
    for script in javascript.scripts(subject.tree, app.directory):
        if _ROUTERS.search(script.text):
            seen = (
                f"{where(found.path, found.line)}: scripts are looked for beside the page, so "
                f"addresses with more than one part, which the router in {script.path} has, show "
                "an empty page when they are reloaded."
            )
            mend = 'Write "/" there, or use a router whose addresses follow "#".'
            yield _told(found.path, found.line, seen, mend)
            return


def _moved(subject: Subject, app: App) -> Iterator[Finding]:
    """A base path that the settings work out, so that nothing here knows it."""
    builder = site_builders.BUILDERS.get(subject.facts[app.kind].get("builder") or "")
    if builder is None or not builder.base_key or "static.base" in subject.overrides:
        return
    config = site_builders.settings(subject.tree, app.directory, builder)
    match = config and re.search(
        rf"\b{builder.base_key}\s*:\s*(?![\s\"'`]|undefined\b)", config.code
    )
    if config and match and app.site and app.site.base == "/":
        found = config.found(None, "", match.start())
        seen = (
            f"{where(config.path, found.line)}: {builder.base_key} is no constant, so the site is "
            "served as if it lay at /."
        )
        mend = "spinbox build --prod --set static.base=/PATH/ (or / where it lies there)"
        yield _told(config.path, found.line, seen, mend)


def _proxied(subject: Subject, app: App) -> Iterator[Finding]:
    api = next((other for other in subject.stack.web_apps if other.routes), None)
    for script, path, value in _entries(subject, app):
        line = script.line(value.start)
        rewrites = not _REWRITES.isdisjoint(script.texts(value))
        if api is None:
            seen = (
                f"{where(script.path, line)}: requests for {path} go to another server in "
                "development, and in production to the site, as no API is part of the stack."
            )
            yield _told(script.path, line, seen, "Name the server's own address in the code.")
        elif rewrites and not _is_served(path, api):
            mend = (
                f"Give the API's routes that prefix, as in APIRouter(prefix={path!r}), and take "
                "the rewrite out."
            )
            seen = (
                f"{where(script.path, line)}: in development the API gets requests for {path} "
                "rewritten, and in production they go to the site, as the API has no such route."
            )
            yield _told(script.path, line, seen, mend)
        elif not rewrites and not _is_served(path, api):
            paths = ",".join((*api.routes, path))
            seen = (
                f"{where(script.path, line)}: requests for {path} go to the API in development, "
                "and in production to the site, as no such route of the API was found."
            )
            mend = f"spinbox build --prod --set {api.kind}.paths={paths}"
            yield _told(script.path, line, seen, mend)


def _told(path: str, line: int | None, seen: str, mend: str) -> Finding:
    return Finding(_RULE, certain=False, seen=seen, mend=mend, path=path, line=line)


def _is_served(path: str, api: App) -> bool:
    """Whether the API gets requests for a path, or for what is below it."""
    bare = path.rstrip("/") or "/"
    for route in api.routes:
        prefix = route.rstrip("/*") or "/"
        if route_prefixes.covers(prefix, bare) or route_prefixes.covers(bare, prefix):
            return True
    return False


def _entries(subject: Subject, app: App) -> Iterator[tuple[Script, str, range]]:
    """The entries of the proxy's table: its file, the path, and what stands there."""
    tree, folder = subject.tree, app.directory
    builder = site_builders.BUILDERS.get(subject.facts[app.kind].get("builder") or "")
    names = [f"{builder.config}.{end}" for end in site_builders.ENDINGS] if builder else []
    path = tree.first(folder, *names) if builder and builder.config else None
    script = javascript.read(tree, path) if path else None
    if script:
        for place in script.finds("proxy", ":", "{"):
            yield from _table(script, place + 2)
    if file := tree.first(folder, *_PROXY_FILES):
        script = Script(file, node_source.read_source(tree, file).code)
        opening = next((at for at, token in enumerate(script.tokens) if token.text == "{"), None)
        if opening is not None:
            yield from _table(script, opening)


def _table(script: Script, opening: int) -> Iterator[tuple[Script, str, range]]:
    for name, value in script.fields(opening):
        path = name.removeprefix("^").removesuffix("/**").removesuffix("/*").removesuffix(".*")
        if path.startswith("/"):
            yield script, path, value


def _unread(subject: Subject, app: App) -> Iterator[Finding]:
    """A variable that is read while pages are made, and that no browser is meant to see."""
    builder = subject.facts[app.kind].get("builder")
    if builder not in _MAKE_PAGES:
        return
    given = {argument.name for argument in app.build_arguments}
    ignored = set(subject.facts[app.kind].get("ignored") or ())
    for read in subject.reads(app):
        if read.name in given | ignored or read.default is not None:
            continue
        seen = (
            f"{where(read.path, read.line)}: {read.name} is read while the site is built, and the "
            "build of the image is given no such variable."
        )
        mend = f"Set {read.name} in .env.production and commit that, if it is no secret."
        yield _told(read.path, read.line, seen, mend)
        return
