"""Bun (bun.com/docs), as a package manager."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from ..model import Member, NodeTool
from ..origins import Found
from ..tree import Tree, join
from . import anew

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


def in_workspace(tool: NodeTool, member: Member, names: tuple[str, ...]) -> NodeTool:
    """The same for one member, where Bun can filter: from 1.2 on."""
    package = tool.package or ""
    folders = ("./", *(f"./{folder}" for folder in member.built))
    only = "".join(f" --filter {shlex.quote(folder)}" for folder in folders)
    if re.match(r"bun@[~^]?1\.[01](\D|$)", package):
        rest = tool.prune.partition(" && ")[2]
        return replace(tool, prune=f"{_REMOVE} && {rest}")
    if member.folder == ".":
        only = ""
    return replace(
        tool,
        install=tool.install + only,
        prune=f"{anew(member)} \\\n    && bun install --production{only}",
    )


_REMOVE = "find . -name node_modules -prune -exec rm -rf {} +"


def run_in(folder: str, script: str) -> str:
    """Command that runs a script of a member, in the workspace's top folder."""
    return f"bun run --cwd {shlex.quote(folder)} {script}"
