"""System packages that dependencies on Node need: what compiles them, and what they load."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .errors import ProjectError
from .node_binaries import COMPILED, HOLDS_BINARIES, is_whole, locked_names
from .node_source import Package
from .tree import Tree, join

GIT = "git"
COMPILER = "compiler"


class Need(NamedTuple):
    """What a need stands for in Alpine and in Debian, while building and while running."""

    alpine_build: tuple[str, ...]
    debian_build: tuple[str, ...]
    alpine_run: tuple[str, ...] = ()
    debian_run: tuple[str, ...] = ()


NEEDS: Mapping[str, Need] = {
    GIT: Need(("git",), ("git", "ca-certificates")),
    # node-gyp's (github.com/nodejs/node-gyp, "Installation").
    COMPILER: Need(("python3", "make", "g++"), ("python3", "make", "g++")),
    # github.com/Automattic/node-canvas, "Compiling".
    "canvas": Need(
        ("pkgconf", "cairo-dev", "pango-dev", "jpeg-dev", "giflib-dev", "librsvg-dev"),
        ("pkg-config", "libcairo2-dev", "libpango1.0-dev", "libjpeg-dev", "libgif-dev",
         "librsvg2-dev"),
        ("cairo", "pango", "libjpeg-turbo", "giflib", "librsvg"),
        ("libcairo2", "libpangocairo-1.0-0", "libjpeg62-turbo", "libgif7", "librsvg2-2"),
    ),
    "kerberos": Need(("krb5-dev",), ("libkrb5-dev",), ("krb5-libs",), ("libgssapi-krb5-2",)),
    "libpq": Need(("libpq-dev",), ("libpq-dev",), ("libpq",), ("libpq5",)),
    "zmq": Need(("zeromq-dev",), ("libzmq3-dev",), ("libzmq",), ("libzmq5",)),
}  # fmt: skip
_MORE = {"canvas": "canvas", "kerberos": "kerberos", "libpq": "libpq", "pg-native": "libpq",
         "zeromq": "zmq"}  # fmt: skip
_TABLES = ("dependencies", "devDependencies", "optionalDependencies")
_GIT = re.compile(r"git\+|git:|git@|(?:github|gitlab|bitbucket|gist):|[\w-]+/[\w.-]+(?:#.+)?$")
_LOCKED_GIT = re.compile(
    r"git\+(?:https?|ssh|file)://|codeload\.github\.com/[^\s\"']+/tar\.gz/"
    r"|resolution: \{[^}]*type: git"
)


def is_git(version: str) -> bool:
    """Whether the version of a dependency names a git repository."""
    local = ("npm:", "file:", "link:", "portal:", "workspace:", "catalog:", "patch:", "http")
    return not version.startswith(local) and _GIT.match(version) is not None


def find(tree: Tree, base: str, lockfile: str | None, packages: Iterable[Package]) -> list[str]:
    """What the dependencies of an app need: keys of `NEEDS`.

    Args:
        tree: The project's files.
        base: The folder where they are installed.
        lockfile: Its lockfile, which names the dependencies of dependencies.
        packages: Each package.json that is installed with the app.
    """
    versions = {
        name: str(version)
        for package in packages
        for table in _TABLES
        for name, version in package.table(table).items()
    }
    names = {name for name, version in versions.items() if not is_whole(name, version)}
    text = ""
    if lockfile and not lockfile.endswith(".lockb"):
        try:
            text = tree.read(join(base, lockfile))
        except ProjectError:
            text = ""
    locked = locked_names(text, {*COMPILED, *_MORE} - HOLDS_BINARIES.keys())
    needs: dict[str, None] = {}
    if any(is_git(version) for version in versions.values()) or _LOCKED_GIT.search(text):
        needs[GIT] = None
    if not COMPILED.isdisjoint(names | locked) or not names.isdisjoint(_MORE):
        needs[COMPILER] = None
    for name in sorted((names | locked) & set(_MORE)):
        needs[COMPILER] = None
        needs[_MORE[name]] = None
    return list(needs)


def packages(needs: Iterable[str], image: str, *, run: bool) -> tuple[str, ...]:
    """The system packages of an image for needs, each once; unknown needs are none."""
    alpine = "alpine" in image
    found: dict[str, None] = {}
    for need in needs:
        if (entry := NEEDS.get(need)) is None:
            continue
        build = entry.alpine_build if alpine else entry.debian_build
        found |= dict.fromkeys((entry.alpine_run if alpine else entry.debian_run) if run else build)
    return tuple(found)
