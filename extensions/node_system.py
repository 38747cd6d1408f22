"""System packages that dependencies on Node need: what compiles them, and what they load."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from packaging.version import Version

from .errors import ProjectError
from .node_source import Package
from .tree import Tree, join
from .versions import leading_version

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
# Packages that node-gyp compiles where a prebuilt binary is missing or cannot be fetched: for musl
# many have none, and the others come from git hosts.
_COMPILED = frozenset(
    {
        "argon2", "bcrypt", "better-sqlite3", "canvas", "cpu-features", "deasync", "isolated-vm",
        "kerberos", "libpq", "microtime", "node-pty", "node-rdkafka", "node-sass", "re2", "sodium",
        "sqlite3", "zeromq", "zlib-sync", "@discordjs/opus", "libxmljs", "libxmljs2",
    }
)  # fmt: skip
# From these versions on, the package itself holds binaries for glibc and musl.
_HOLDS_BINARIES = {"bcrypt": Version("6"), "argon2": Version("0.41")}
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
    names = {name for name, version in versions.items() if not _is_whole(name, version)}
    text = ""
    if lockfile and not lockfile.endswith(".lockb"):
        try:
            text = tree.read(join(base, lockfile))
        except ProjectError:
            text = ""
    locked = _locked(text, {*_COMPILED, *_MORE} - _HOLDS_BINARIES.keys())
    needs: dict[str, None] = {}
    if any(is_git(version) for version in versions.values()) or _LOCKED_GIT.search(text):
        needs[GIT] = None
    if not _COMPILED.isdisjoint(names | locked) or not names.isdisjoint(_MORE):
        needs[COMPILER] = None
    for name in sorted((names | locked) & set(_MORE)):
        needs[COMPILER] = None
        needs[_MORE[name]] = None
    return list(needs)


def _is_whole(name: str, version: str) -> bool:
    least = _HOLDS_BINARIES.get(name)
    found = leading_version(version.lstrip("^~>=v "))
    return least is not None and found is not None and found >= least


def _locked(text: str, names: Collection[str]) -> set[str]:
    """Those of the names that a lockfile has as packages."""
    found = set()
    for name in names:
        if name not in text:
            continue
        quoted = re.escape(name)
        # npm, Bun; pnpm; Yarn.
        pattern = rf"node_modules/{quoted}\"|\"{quoted}\": *\[|^ +'?/?{quoted}[@/]\d|^\"?{quoted}@"
        if re.search(pattern, text, re.MULTILINE):
            found.add(name)
    return found


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
