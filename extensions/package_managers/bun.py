"""Bun (bun.com/docs), as a package manager."""

from __future__ import annotations

from ..model import NodeTool
from ..origins import Found
from ..tree import Tree

RUNTIME = "node"
RANK = 3
LOCKFILES = ("bun.lock", "bun.lockb")
LOCK = "bun install --lockfile-only"
CONFIGURATION = ("bunfig.toml",)
FOLDER = None


def find_version(tree: Tree, folder: str) -> Found[str]:
    """The default."""
    return Found("1", "Spinbox's default")


def define(version: str, locked: bool) -> NodeTool:
    """Its commands."""
    return NodeTool(
        package=f"bun@{version}" if version else None,
        install="bun install --frozen-lockfile" if locked else "bun install",
        # The project's own scripts call what is no longer there; those of dependencies run.
        prune="npm pkg delete scripts && rm -rf node_modules && bun install --production",
        add="bun add",
        cache="/root/.bun/install/cache",
        cache_setting="BUN_INSTALL_CACHE_DIR",
        cached_by_github=False,
    )
