"""npm, which comes with Node (docs.npmjs.com/cli)."""

from __future__ import annotations

from ..model import NodeTool
from ..origins import Found
from ..tree import Tree

RUNTIME = "node"
RANK = 0
LOCKFILES = ("package-lock.json", "npm-shrinkwrap.json")
LOCK = "npm install --package-lock-only"
CONFIGURATION = (".npmrc",)
FOLDER = None


def find_version(tree: Tree, folder: str) -> Found[str]:
    """None but the image's own."""
    return Found("", "the image's own npm")


def define(version: str, locked: bool) -> NodeTool:
    """Its commands; `ci` takes exactly what the lockfile has."""
    return NodeTool(
        package=f"npm@{version}" if version else None,
        install=f"npm {'ci' if locked else 'install'} --no-audit --no-fund",
        prune="npm prune --omit=dev --no-audit --no-fund",
        add="npm install",
        cache="/root/.npm",
        cache_setting="npm_config_cache",
    )
