"""npm, which comes with Node (docs.npmjs.com/cli)."""

from __future__ import annotations

import shlex
from dataclasses import replace

from ..model import Member, NodeTool
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


def in_workspace(tool: NodeTool, member: Member, names: tuple[str, ...]) -> NodeTool:
    """The same for one member: what it needs, and what the top needs."""
    if member.folder == ".":
        return tool
    only = f" --workspace={shlex.quote(member.folder)} --include-workspace-root"
    return replace(tool, install=tool.install + only, prune=tool.prune + only)


def run_in(folder: str, script: str) -> str:
    """Command that runs a script of a member, in the workspace's top folder."""
    return f"npm run {script} --workspace={shlex.quote(folder)}"
