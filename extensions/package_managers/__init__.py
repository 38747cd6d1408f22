"""The package managers: one module each, found by being here.

A module has

- `RUNTIME`: the name of the language that it installs for, `python` or `node`;
- `RANK`: its place among those of the language, whose lockfiles win in this order (but npm's,
  which comes with Node, win last);
- `LOCKFILES`: names of the files that fix every version;
- `LOCK`: the command that makes the first of them, or None where it has none;

for Python

- `find(tree, folder, relevant)`: the `Packages` that it installs in that folder, or None; the names
  in `relevant` are those of the dependencies to report;
- `registries(tree, folder, manifests)`: what its files say of private registries, a `Registry` for
  each;
- `problem(tree, folder)`: why it cannot install what only it could, as a sentence, or None;
- `test_install(manifests, requirements)`: command that installs everything, with the tests' tools,
  into `.venv`;
- a partial `template/_partials/package_managers/NAME.jinja` that installs in a Dockerfile;

for Node

- `CONFIGURATION`: names of its settings files; `FOLDER`: the folder of its releases and patches,
  ending in a slash, or None; an installation reads both;
- `find_version(tree, folder)`: the version to take where package.json names none, or "";
- `define(version, locked)`: its `NodeTool`, with or without a lockfile;
- `in_workspace(tool, member, names)`: the same where a `Member` of a workspace is installed;
  `names` are those of the packages in `member.built`, empty for none;
- `run_in(folder, script)`: the command that runs a member's script in the top folder.

Nothing else has to be edited to add one.
"""

from __future__ import annotations

import shlex
from typing import Any

from .. import registry
from ..model import Locking, Member


def without(key: str, member: Member) -> str:
    """Command that takes a key out of the package.json of the top and of what is built."""
    folders = " ".join(map(shlex.quote, dict.fromkeys((".", *member.built))))
    return f'for folder in {folders}; do (cd "$folder" && npm pkg delete {key}); done'


def anew(member: Member) -> str:
    """Command that removes what is installed, and the scripts that would call some of it."""
    remove = "find . -name node_modules -prune -exec rm -rf {} +"
    return f"{remove} \\\n    && {without('scripts', member)}"


_MODULES = registry.modules(__name__)


def of(runtime: str) -> dict[str, Any]:
    """The modules of a language's package managers by their name, in their order."""
    ranked = sorted(_MODULES, key=lambda name: (_MODULES[name].RANK, name))
    return {name: _MODULES[name] for name in ranked if runtime == _MODULES[name].RUNTIME}


def get(name: str) -> Any:
    """The module of a package manager."""
    return _MODULES[name]


def locking(runtime: str, name: str | None) -> Locking:
    """How a package manager of a language fixes versions; None for no dependencies at all."""
    names = tuple(lockfile for module in of(runtime).values() for lockfile in module.LOCKFILES)
    if name is None or not get(name).LOCK:
        return Locking(names)
    makes = get(name).LOCKFILES[0] if runtime == "node" else "lockfile"
    return Locking(names, makes, get(name).LOCK)
