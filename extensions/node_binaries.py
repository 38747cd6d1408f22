"""Packages of Node whose binaries are compiled or fetched by a script of their installation."""

from __future__ import annotations

import re
from collections.abc import Collection

from packaging.version import Version

from .versions import leading_version

# Packages that node-gyp compiles where a prebuilt binary is missing or cannot be fetched: for musl
# many have none, and the others come from git hosts.
COMPILED = frozenset(
    {
        "argon2", "bcrypt", "better-sqlite3", "canvas", "cpu-features", "deasync", "isolated-vm",
        "kerberos", "libpq", "microtime", "node-pty", "node-rdkafka", "node-sass", "re2", "sodium",
        "sqlite3", "zeromq", "zlib-sync", "@discordjs/opus", "libxmljs", "libxmljs2",
    }
)  # fmt: skip
# From these versions on, the package itself holds binaries for glibc and musl.
HOLDS_BINARIES = {"bcrypt": Version("6"), "argon2": Version("0.41")}


def is_whole(name: str, version: str) -> bool:
    """Whether a package of that version or range holds its binaries."""
    least = HOLDS_BINARIES.get(name)
    found = leading_version(version.lstrip("^~>=v "))
    return least is not None and found is not None and found >= least


def locked_names(text: str, names: Collection[str]) -> set[str]:
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
