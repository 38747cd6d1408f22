"""Routes of an API that a browser would not reach, since they go to the frontend."""

from __future__ import annotations

from collections.abc import Iterator

from .. import finding, python_program, python_web, route_prefixes
from ..apps import fastapi
from ..finding import Finding
from ..model import App
from ..python_routes import Route, Routes
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.routes": "The proxy sends the API's routes to it"}


def find(subject: Subject) -> Iterator[Finding]:
    """Routes that no prefix of the API covers, beside a frontend."""
    for app in subject.of("python"):
        if app.routes and app.kind == "fastapi":
            yield from _fastapi(subject, app)
        elif app.routes:
            target = subject.facts[app.kind].get("entry")
            tree, modules = subject.tree, subject.modules(app)
            routes = python_web.routes(tree, app.directory, app.kind, modules, target)
            if routes:
                yield from _of(subject, app, routes, {route.path for route in routes.listed})


def _fastapi(subject: Subject, app: App) -> Iterator[Finding]:
    program = python_program.of(subject.tree, app.directory, subject.modules(app))
    entry = fastapi.find_entry(program, subject.facts[app.kind].get("entry"))
    if entry is None:
        return
    routes = fastapi.read_routes(program, entry)
    yield from _of(subject, app, routes, set(fastapi.served_paths(program, entry, routes)))


def _of(subject: Subject, app: App, routes: Routes, served: set[str]) -> Iterator[Finding]:
    prefixes = [prefix.rstrip("/*") for prefix in app.routes]
    lost = [
        route
        for route in routes.listed
        if route.path in served
        and not route_prefixes.is_inside(route.path)
        and not any(route_prefixes.covers(prefix, route.path) for prefix in prefixes)
    ]
    pages = route_prefixes.pages(subject.tree, app.directory)
    by_top: dict[str, list[Route]] = {}
    for route in lost:
        by_top.setdefault(route_prefixes.top(route.path), []).append(route)
    for top, group in by_top.items():
        yield _lost(app, top, group, pages)
    for file, line in routes.unknown[:1]:
        place = finding.where(file, line)
        yield Finding(
            "start.routes",
            certain=False,
            seen=f"{place} adds routes whose paths only the running app knows: those outside of "
            f"{', '.join(app.routes)} go to the frontend.",
            mend=f"spinbox build --prod --set {app.kind}.paths={','.join([*prefixes, '/PATH'])}",
            path=file,
            line=line,
        )


def _lost(app: App, top: str, group: list[Route], pages: list[str]) -> Finding:
    first = group[0]
    more = f" and {len(group) - 1} more below {top}" if len(group) > 1 else ""
    what = f"{first.method or 'What is at'} {first.path}"
    place = finding.where(first.file, first.line)
    page = next((page for page in pages if route_prefixes.covers(top, page)), None)
    seen = f"{place} serves {what}{more}, but the proxy sends it to the frontend"
    if top == "/" or page:
        why = f", which has a page at {page}" if page else ", as it does all other paths"
        mend = (
            "Give the API's routes a prefix of their own, as in "
            'app.include_router(router, prefix="/api/v1"), and let the frontend ask there.'
        )
        return Finding("start.routes", False, f"{seen}{why}.", mend, first.file, first.line)
    paths = ",".join([*app.routes, top])
    mend = f"spinbox build --prod --set {app.kind}.paths={paths}"
    return Finding("start.routes", False, f"{seen}.", mend, first.file, first.line)
