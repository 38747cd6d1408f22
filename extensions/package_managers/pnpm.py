"""pnpm (pnpm.io/cli)."""

from __future__ import annotations

from ..model import NodeTool
from ..origins import Found
from ..tree import Tree

RUNTIME = "node"
RANK = 1
LOCKFILES = ("pnpm-lock.yaml",)
LOCK = "pnpm install --lockfile-only"
CONFIGURATION = ("pnpm-workspace.yaml",)
FOLDER = None


def find_version(tree: Tree, folder: str) -> Found[str]:
    """The default."""
    return Found("10", "Spinbox's default")


def define(version: str, locked: bool) -> NodeTool:
    """Its commands."""
    return NodeTool(
        package=f"pnpm@{version}" if version else None,
        install="pnpm install --frozen-lockfile" if locked else "pnpm install",
        prune="pnpm prune --prod",
        add="pnpm add",
        cache="/root/.local/share/pnpm/store",
        cache_setting="npm_config_store_dir",
    )
