"""pnpm (pnpm.io/cli)."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from ..model import Member, NodeTool
from ..node_binaries import COMPILED, locked_names
from ..origins import Found, line_at
from ..tree import Tree, join
from ..version_ranges import takes
from . import anew

RUNTIME = "node"
RANK = 1
LOCKFILES = ("pnpm-lock.yaml",)
LOCK = "pnpm install --lockfile-only"
CONFIGURATION = ("pnpm-workspace.yaml", ".pnpmfile.cjs")
FOLDER = None


# What reads the lockfile of a version (pnpm/spec, "lockfile"): the newest that does.
_LOCKFILE_VERSIONS = {"5.3": "6", "5.4": "7", "6.0": "8", "6.1": "8"}


def find_version(tree: Tree, folder: str) -> Found[str]:
    """The version that the lockfile was written by, where newer ones do not read it."""
    path = join(folder, "pnpm-lock.yaml")
    locked = tree.read(path) if tree.has(path) else ""
    match = re.search(r"^lockfileVersion: ['\"]?([\d.]+)", locked, re.MULTILINE)
    if match and match[1] in _LOCKFILE_VERSIONS:
        reason = f"lockfileVersion {match[1]}"
        return Found(_LOCKFILE_VERSIONS[match[1]], reason, path, line_at(locked, match.start()))
    if wanted := _engine(tree, folder):
        return wanted
    if match and not approvals(tree, folder) and (names := locked_names(locked, COMPILED)):
        # From 10 on, it runs the scripts of none that is not approved (pnpm.io/cli/approve-builds).
        reason = f"builds {min(names)} without approval"
        return Found("9", reason, path, line_at(locked, match.start()))
    return Found("10", "Spinbox's default")


def _engine(tree: Tree, folder: str) -> Found[str] | None:
    """The newest major version that `engines` takes, where it does not take the default."""
    path = join(folder, "package.json")
    text = tree.read(path) if tree.has(path) else ""
    match = re.search(r'"engines"\s*:\s*\{[^}]*"pnpm"\s*:\s*"([^"]+)"', text)
    if match is None:
        return None
    majors = (major for major in (10, 9, 8, 7, 6) if takes(match[1], major))
    major = next(majors, 10)
    return (
        None if major == 10 else Found(str(major), "engines", path, line_at(text, match.start(1)))
    )


_APPROVALS = ("onlyBuiltDependencies", "allowBuilds", "dangerouslyAllowAllBuilds")


def approvals(tree: Tree, folder: str) -> bool:
    """Whether the project says which packages may run scripts of their installation."""
    paths = (join(folder, name) for name in ("pnpm-workspace.yaml", "package.json", ".npmrc"))
    texts = [tree.read(path) for path in paths if tree.has(path)]
    names = (*_APPROVALS, "dangerously-allow-all-builds")
    return any(name in text for text in texts for name in names)


def define(version: str, locked: bool) -> NodeTool:
    """Its commands."""
    old = re.match(r"[~^]?[1-6](\D|$)", version) is not None
    return NodeTool(
        package=f"pnpm@{version}" if version else None,
        install="pnpm install --frozen-lockfile" if locked else "pnpm install",
        # The project's own scripts call what is no longer there.
        prune="pnpm prune --prod" + ("" if old else " --ignore-scripts"),
        add="pnpm add",
        cache="/root/.local/share/pnpm/store",
        cache_setting="npm_config_store_dir",
    )


def in_workspace(tool: NodeTool, member: Member, names: tuple[str, ...]) -> NodeTool:
    """The same for one member: it, what it needs, and what the top needs.

    `pnpm prune` knows no workspaces (pnpm.io/cli/prune): what production needs is installed anew.
    """
    own = names[-1] if names and names[-1] else f"{{{member.folder}}}"
    only = "" if member.folder == "." else f" --filter {shlex.quote(own + '...')} --filter ."
    install = tool.install + only
    production = f"{tool.install} --prod{only}"
    return replace(tool, install=install, prune=f"{anew(member)} \\\n    && {production}")


def run_in(folder: str, script: str) -> str:
    """Command that runs a script of a member, in the workspace's top folder."""
    return f"pnpm --dir {shlex.quote(folder)} run {script}"
