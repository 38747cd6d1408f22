"""Yarn 1 (classic.yarnpkg.com), and Yarn 2 and later (yarnpkg.com)."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from packaging.version import Version

from ..model import Member, NodeTool
from ..origins import Found, line_at
from ..tree import Tree, join
from ..versions import leading_version
from . import without

RUNTIME = "node"
RANK = 2
LOCKFILES = ("yarn.lock",)
LOCK = "yarn install"
CONFIGURATION = (".yarnrc.yml", ".yarnrc")
FOLDER = ".yarn/"

# Which Yarn 2 and later write which version of the lockfile, each from the one given on
# (yarnpkg/berry, `LOCKFILE_VERSION`). Another one writes it anew, and `--immutable` refuses that.
_LOCKFILE_VERSIONS = {
    "4": Version("2"), "5": Version("3.1"), "6": Version("3.2"), "8": Version("4"),
    "9": Version("4.14"), "10": Version("4.15"),
}  # fmt: skip
# The newest that writes it, where another follows in the same major version.
_NEWEST = {"4": "2", "5": "~3.1.0", "6": "3", "8": "~4.13.0", "9": "~4.14.0"}
# Yarn 2 and later, whose settings these variables overrule (yarnpkg.com/configuration/yarnrc):
# dependencies in a folder that can be copied, what is downloaded outside of the project, and the
# Yarn that npm installed.
_MODERN_VARIABLES = (
    ("YARN_NODE_LINKER", "node-modules"),
    ("YARN_ENABLE_GLOBAL_CACHE", "true"),
    ("YARN_IGNORE_PATH", "true"),
)


_METADATA = re.compile(r"^__metadata:\n(?:  .*\n)*?  version: (\d+)", re.MULTILINE)


def find_version(tree: Tree, folder: str) -> Found[str]:
    """The version of Yarn 2 or later that the project was installed with, else Yarn 1."""
    settings, lockfile = join(folder, ".yarnrc.yml"), join(folder, "yarn.lock")
    text = tree.read(settings) if tree.has(settings) else ""
    if match := re.search(r"^yarnPath:.*\byarn-(\d+\.\d+\.\d+)\.c?js\b", text, re.MULTILINE):
        return Found(match[1], "yarnPath", settings, line_at(text, match.start()))
    locked = tree.read(lockfile) if tree.has(lockfile) else ""
    if match := _METADATA.search(locked):
        fitting = _NEWEST.get(match[1], "4")
        reason = f"lockfile of Yarn {fitting.strip('~').removesuffix('.0')}"
        return Found(fitting, reason, lockfile, line_at(locked, match.start(1)))
    if tree.has(settings):
        return Found("4", "settings of Yarn 2 or later", settings)
    return Found("1", "Spinbox's default")


def unfitting_lockfile(text: str, version: str) -> tuple[str, str] | None:
    """The version of a lockfile that this Yarn does not write, and the Yarn that does.

    None where it fits, and where either is not known.
    """
    match, own = _METADATA.search(text), leading_version(version)
    if match is None or match[1] not in _LOCKFILE_VERSIONS or own is None or len(own.release) < 2:
        return None
    since = [name for name, first in _LOCKFILE_VERSIONS.items() if first <= own]
    return (match[1], _NEWEST.get(match[1], "4")) if since and since[-1] != match[1] else None


def define(version: str, locked: bool) -> NodeTool:
    """Its commands, of the one or the other."""
    # Caches and states; releases, plugins and patches are what an installation reads.
    ignored = ("**/.yarn/cache", "**/.yarn/unplugged", "**/.yarn/*.gz", "**/.yarn/*.yml")
    version = version or "1"
    if re.match(r"[~^]?1(\D|$)", version):
        return NodeTool(
            package=f"yarn@{version}",
            install="yarn install --frozen-lockfile" if locked else "yarn install",
            prune="yarn install --production --ignore-scripts --prefer-offline",
            add="yarn add",
            cache="/usr/local/share/.cache/yarn",
            cache_setting="YARN_CACHE_FOLDER",
            in_images=True,
            ignored=ignored,
        )
    return NodeTool(
        package=f"@yarnpkg/cli-dist@{version}",
        install="yarn install --immutable" if locked else "yarn install",
        prune=_modern_prune(version),
        add="yarn add",
        cache="/root/.yarn/berry/cache",
        cache_setting="YARN_CACHE_FOLDER",
        in_images=True,
        variables=_MODERN_VARIABLES,
        leavings=("node_modules", ".yarn"),
        ignored=ignored,
    )


def _modern_prune(version: str) -> str:
    """The same for each version: `workspaces focus` is built in from 4 on, and runs scripts."""
    no_scripts = "--skip-builds" if version.lstrip("~^").startswith("2") else "--mode=skip-build"
    return f"npm pkg delete devDependencies && yarn install --no-immutable {no_scripts}"


def in_workspace(tool: NodeTool, member: Member, names: tuple[str, ...]) -> NodeTool:
    """The same for one member: `workspaces focus` is built in from Yarn 4 on.

    All is installed for the build, as `focus` would not keep to the lockfile. Yarn 1 leaves out
    those whose folders are not there.
    """
    package = tool.package or ""
    own = names[-1] if names and member.folder != "." else ""
    if package.startswith("yarn@"):
        others = " ".join(map(shlex.quote, member.others))
        return replace(tool, prune=f"rm -rf {others} && {tool.prune}" if others else tool.prune)
    if own and re.match(r"@yarnpkg/cli-dist@[~^]?([4-9]|\d\d)", package):
        prune = f"yarn workspaces focus --production {shlex.quote(own)}"
        return replace(tool, prune=f"{without('scripts', member)} \\\n    && {prune}")
    install = tool.prune.partition(" && ")[2]
    return replace(tool, prune=f"{without('devDependencies', member)} \\\n    && {install}")


def run_in(folder: str, script: str) -> str:
    """Command that runs a script of a member, in the workspace's top folder."""
    return f"(cd {shlex.quote(folder)} && yarn run {script})"
