"""Dependencies that the list has from somebody's own machine, and that Linux does not take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..finding import Finding, where
from ..model import App, NodeBuild, PythonBuild
from ..python_dependencies import read_toml, table
from ..subject import Subject
from ..tree import Tree, join

_RULE = "start.other_systems"
IDS = {_RULE: "The apps' dependencies are there for Linux"}

# Packages of PyPI for one system alone: no file is for Linux, and no source that it can build.
_WINDOWS = frozenset(
    {
        *("pywin32", "pypiwin32", "pywinpty", "windows-curses", "win10toast", "winsdk"),
        *("python-magic-bin", "tensorflow-intel", "triton-windows"),
    }
)
_MACOS = frozenset({"pyobjc", "pyobjc-core", "tensorflow-macos", "tensorflow-metal"})
# What pip writes for a package that conda installed, or that was a wheel on a disk. PDM's
# ${PROJECT_ROOT} is the project itself.
_ON_DISK = re.compile(r"\s*(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*@\s*file:/+(?!/|\$\{)\S+")
_NPM_SYSTEM = re.compile(
    r"(?:^|[-/])(?P<system>darwin|win32|windows|macos)-(?:x64|arm64|ia32|universal)(?:-msvc)?$"
    r"|^(?P<fsevents>fsevents)$"
)


def find(subject: Subject) -> Iterator[Finding]:
    """Packages for macOS or Windows, and files of another machine."""
    for app in subject.of("python"):
        if isinstance(app.build, PythonBuild) and app.build.manager:
            yield from _python(subject.tree, app, app.build)
    for app in subject.of("node"):
        if isinstance(app.build, NodeBuild):
            yield from _node(subject, app, app.build)


def _python(tree: Tree, app: App, build: PythonBuild) -> Iterator[Finding]:
    """One finding of a kind for each list, as such lists have dozens of them."""
    for name in build.manifest_lists:
        path = join(app.directory, name)
        lines = list(_requirements(tree, path))
        on_disk = [(number, match["name"]) for number, text in lines
                   if (match := _ON_DISK.match(text))]  # fmt: skip
        if on_disk:
            number, first = on_disk[0]
            more = f" and {len(on_disk) - 1} more" if on_disk[1:] else ""
            yield Finding(
                _RULE,
                True,
                f"{where(path, number)} takes {first}{more} from files of the machine that wrote "
                "the list, which no image has.",
                f"Write versions in their place, as in {first}==1.2.3: pip list --format=freeze",
                path,
                number,
            )
        for system, marker in (("Windows", "win32"), ("macOS", "darwin")):
            theirs = [(n, Requirement(text).name) for n, text in lines if _system(text) == system]
            if theirs:
                number, first = theirs[0]
                names = ", ".join(one for _, one in theirs)
                yield Finding(
                    _RULE,
                    True,
                    f"{where(path, number)} installs {names}, for {system} alone: the image is "
                    "not built.",
                    f"Add to {'it' if not theirs[1:] else 'each'}: ; sys_platform == '{marker}'",
                    path,
                    number,
                )


def _requirements(tree: Tree, path: str) -> Iterator[tuple[int, str]]:
    """The requirements of a list, and of a pyproject.toml, each with its line."""
    text = tree.read(path)
    lines = text.splitlines()
    if not path.endswith(".toml"):
        for number, line in enumerate(lines, start=1):
            yield number, line.partition(" #")[0].split(" --")[0].rstrip("\\ ").strip()
        return
    listed = table(read_toml(tree, path), "project").get("dependencies")
    for one in listed if isinstance(listed, list) else ():
        number = next((n for n, line in enumerate(lines, start=1) if str(one) in line), 1)
        yield number, str(one)


def _system(text: str) -> str | None:
    """The one system that a requirement is for, where it is asked for on Linux too."""
    try:
        one = Requirement(text)
    except InvalidRequirement:
        return None
    name = canonicalize_name(one.name)
    # One with a marker may be for no machine.
    if one.marker:
        return None
    if name in _WINDOWS or name.startswith("winrt-"):
        return "Windows"
    return "macOS" if name in _MACOS or name.startswith("pyobjc-framework-") else None


def _node(subject: Subject, app: App, build: NodeBuild) -> Iterator[Finding]:
    package = subject.package(app)
    for kind in ("dependencies", "devDependencies"):
        for name in package.table(kind):
            if package.path and (match := _NPM_SYSTEM.search(name)):
                windows = (match["system"] or "").startswith("win")
                line = package.lines.get((kind, name))
                yield Finding(
                    _RULE,
                    build.manager == "npm",
                    f"{where(package.path, line)} has {name}, which is for "
                    f"{'Windows' if windows else 'macOS'} alone: {build.manager} does not install "
                    "it on Linux.",
                    "Move it to optionalDependencies, or take it out, and write the lockfile anew.",
                    package.path,
                    line,
                )
