"""Bun (bun.com/docs), as a package manager."""

from __future__ import annotations

import re

from ..model import NodeTool
from ..origins import Found
from ..tree import Tree, join

RUNTIME = "node"
RANK = 3
LOCKFILES = ("bun.lock", "bun.lockb")
LOCK = "bun install --lockfile-only"
CONFIGURATION = ("bunfig.toml",)
FOLDER = None


def find_version(tree: Tree, folder: str) -> Found[str]:
    """The default; one that writes the binary lockfile, where the project has that."""
    path = join(folder, "bun.lockb")
    if tree.has(path) and not tree.has(join(folder, "bun.lock")):
        return Found("1.1", "lockfile of Bun 1.1", path)
    return Found("1", "Spinbox's default")


def define(version: str, locked: bool) -> NodeTool:
    """Its commands."""
    # The project's own scripts call what is no longer there; those of dependencies run.
    production = "npm pkg delete scripts && rm -rf node_modules && bun install --production"
    if re.match(r"[~^]?1\.[01](\D|$)", version):
        # The binary lockfile has the scripts, too: without them it would be another one.
        production = (
            "rm -rf node_modules && (bun install --production "
            "|| bun install --production --ignore-scripts)"
        )
    return NodeTool(
        package=f"bun@{version}" if version else None,
        install="bun install --frozen-lockfile" if locked else "bun install",
        prune=production,
        add="bun add",
        cache="/root/.bun/install/cache",
        cache_setting="BUN_INSTALL_CACHE_DIR",
        cached_by_github=False,
    )
