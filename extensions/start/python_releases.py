"""Releases of dependencies, or of Python, that lack what the code or another dependency uses.

From the release notes of each. What no line pins is taken to be the newest release.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from packaging.version import Version

from .. import package_managers, python_locks, python_releases, started
from ..finding import Finding, where
from ..image_reference import ImageReference
from ..model import App, PythonBuild
from ..python_releases import Gone
from ..python_source import is_main_guard
from ..subject import Subject
from ..tree import join

RUNTIME = "python"
_RULE = "start.releases"
IDS = {_RULE: "The releases that are installed have what the code uses"}


class _Releases:
    """What is known of the versions that an app's image gets."""

    def __init__(self, subject: Subject, app: App, build: PythonBuild) -> None:
        self.manifests = build.manifests
        self.main = join(app.directory, build.manifests[0])
        self.locked = any(name.endswith(".lock") for name in build.manifests)
        self.python = ImageReference.parse(build.image).version
        lockfile = next((name for name in build.manifests if name.endswith(".lock")), None)
        self.installed = (
            python_locks.installed(
                subject.tree,
                app.directory,
                build.manager or "",
                lockfile,
                (*(build.groups or ()), *build.extras),
            )
            if lockfile
            else None
        )
        self._stated: Callable[[str], python_locks.Stated | None] = lambda name: (
            python_locks.stated(subject.tree, app.directory, build.manifests, name)
        )

    def stated(self, name: str) -> python_locks.Stated | None:
        """What the project says of a dependency; None for nothing."""
        return self._stated(name)

    def may_be(self, name: str, since: str, *, by: str = "", bounded: bool = True) -> bool:
        """Whether a release since that one is installed; what nothing names comes with `by`."""
        if stated := self.stated(name):
            return stated.allows(since)
        if not by or self.locked:
            return False
        return self.is_newest(by) if bounded else self.stated(by) is not None

    def is_newest(self, name: str) -> bool:
        """Whether nothing keeps the newest release of a dependency from being installed."""
        stated = self.stated(name)
        return stated is not None and stated.allows("9999")

    def is_before(self, name: str, since: str) -> bool:
        """Whether a dependency is named, and only releases before that one are allowed."""
        stated = self.stated(name)
        return stated is not None and not stated.allows(since)


def find(subject: Subject) -> Iterator[Finding]:
    """What each Python app would miss, one finding for each kind."""
    for app in subject.of("python"):
        build = app.build
        if not isinstance(build, PythonBuild):
            continue
        if not ImageReference.parse(build.image).is_official("python"):
            continue
        yield from _standard(subject, app, build)
        if build.manager:
            releases = _Releases(subject, app, build)
            yield from _gone(subject, app, releases)
            yield from _calls(subject, app, releases)
            yield from _pairs(releases)
            yield from _wheels(subject, app, build, releases)


def _standard(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """Modules that left Python."""
    version = ImageReference.parse(build.image).version
    if version is None:
        return
    known = {one.rpartition("/")[2].partition(".")[0] for one in subject.tree.files}
    run = started.of(subject, app)
    for module in run.modules:
        for name, _, line in _imports(module.body.body, module.name in run.scripts):
            top = name.partition(".")[0]
            since, brings = python_releases.LEFT_PYTHON.get(top, (99, ()))
            if version.minor < since or version.major != 3 or top in known:
                continue
            if any(_is_declared(subject, app, build, one) for one in brings):
                continue
            mend = f"Add {brings[0]} to the dependencies, or t" if brings else "T"
            yield Finding(
                _RULE,
                module.name in run.surely,
                f"{where(module.path, line)} imports {top}, which left Python in 3.{since}; the "
                f"image has {version}.",
                f"{mend}ake an earlier image: spinbox build --prod --set "
                f"{app.kind}.image=python:3.{since - 1}-slim",
                module.path,
                line,
            )
            return


def _is_declared(subject: Subject, app: App, build: PythonBuild, name: str) -> bool:
    if not build.manager:
        return False
    found = package_managers.get(build.manager).find(subject.tree, app.directory, frozenset({name}))
    return found is not None and any(one.value == name for one in found.dependencies)


def _gone(subject: Subject, app: App, releases: _Releases) -> Iterator[Finding]:
    """Names that a dependency no longer has."""
    run = started.of(subject, app)
    told: set[Gone] = set()
    for module in run.modules:
        for name, names, line in _imports(module.body.body, module.name in run.scripts):
            for one in python_releases.GONE.get(name.partition(".")[0], ()):
                below = name == one.module or (not one.names and name.startswith(f"{one.module}."))
                lost = sorted(names & one.names)
                if not below or (one.names and not lost) or one in told:
                    continue
                if not releases.may_be(one.package, one.since, by=one.by):
                    continue
                told.add(one)
                what = f"{lost[0]} from {name}" if lost else name
                yield Finding(
                    _RULE,
                    module.name in run.surely,
                    f"{where(module.path, line)} imports {what}, which {one.title} no longer has "
                    f"since {one.since}.",
                    f"{one.mend} Or write {one.package}<{one.since} into {releases.main}.",
                    module.path,
                    line,
                )


def _calls(subject: Subject, app: App, releases: _Releases) -> Iterator[Finding]:
    """Calls that the newest releases refuse."""
    run = started.of(subject, app)
    told: set[str] = set()
    for module in run.modules:
        for one in python_releases.CALLS:
            if one.key in told or one.word not in module.text:
                continue
            if any(map(releases.stated, one.unless)) or (
                one.having and not any(map(releases.stated, one.having))
            ):
                continue
            node = next((n for n in ast.walk(module.body) if one.matches(n)), None)
            if node is None or not releases.may_be(
                one.package, one.since, by=one.by, bounded=one.bounded
            ):
                continue
            told.add(one.key)
            line: int = getattr(node, "lineno", 1)
            yield Finding(
                _RULE,
                False,
                f"{where(module.path, line)}: {one.seen}",
                one.mend.format(main=releases.main),
                module.path,
                line,
            )


def _pairs(releases: _Releases) -> Iterator[Finding]:
    """A release that is pinned, with what it does not work with."""
    if releases.locked:
        return
    told: set[str] = set()
    for one in python_releases.PAIRS:
        if one.package in told:
            continue
        stated = releases.stated(one.package)
        if stated is None or (one.before and not releases.is_before(one.package, one.before)):
            continue
        if (saved := python_releases.SAVED_BY.get(one.package)) and releases.stated(saved):
            continue
        if one.since and not stated.allows(one.since):
            continue
        if one.partner == "python":
            python = releases.python
            if python is None or python < Version(one.partner_since):
                continue
            other = f"Python {python}"
        else:
            other_stated = releases.stated(one.partner)
            if other_stated and not other_stated.allows(one.partner_since):
                continue
            other = f"{one.partner} {one.partner_since} or newer, which nothing keeps out"
        told.add(one.package)
        yield Finding(
            _RULE,
            one.certain,
            f"{where(stated.path, stated.line)} has {one.package}"
            f"{f' before {one.before}' if one.before else ''}, which does not work with {other}: "
            f"{one.fails}",
            f"Write {one.mend} into {stated.path}.",
            stated.path,
            stated.line,
        )


def _wheels(
    subject: Subject, app: App, build: PythonBuild, releases: _Releases
) -> Iterator[Finding]:
    """Releases that come as source for the image's Python: most do not compile with a newer one."""
    python = releases.python
    if python is None or python.major != 3:
        return
    for name, first in python_releases.WHEELS.items():
        since = first.get(python.minor)
        stated = releases.stated(name)
        if since is None or stated is None or stated.allows(since):
            continue
        if releases.installed is not None and name not in releases.installed:
            continue
        earlier = [minor for minor, one in first.items() if stated.allows(one)]
        earlier = [minor for minor in earlier if minor < python.minor]
        image = (
            f", or take an earlier Python: spinbox build --prod --set {app.kind}.image="
            f"python:3.{max(earlier)}-slim"
            if earlier
            else ""
        )
        yield Finding(
            _RULE,
            False,
            f"{where(stated.path, stated.line)} pins {name} before {since}, which has no package "
            f"for Python {python}: the image would have to compile it, without a compiler.",
            f"Take {name} {since} or newer{image}",
            stated.path,
            stated.line,
        )
        return


def _imports(
    body: Iterable[ast.stmt], is_script: bool
) -> Iterator[tuple[str, frozenset[str], int]]:
    """What is imported with its names, but where a failure is handled."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, frozenset(), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = frozenset(alias.name for alias in node.names)
            yield node.module, names, node.lineno
            yield from ((f"{node.module}.{name}", frozenset(), node.lineno) for name in names)
        elif isinstance(node, ast.Try) and not node.handlers:
            yield from _imports([*node.body, *node.finalbody], is_script)
        elif is_script and isinstance(node, ast.If) and is_main_guard(node):
            yield from _imports(node.body, is_script)
