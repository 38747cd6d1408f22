"""uv (docs.astral.sh/uv), with a lockfile."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packaging.utils import canonicalize_name

from .. import package_registries, python_locks
from ..origins import Fields, Found
from ..package_registries import Registry
from ..python_dependencies import (
    Packages,
    find_locked,
    groups,
    is_for_development,
    read_toml,
    table,
)
from ..tree import Tree, join

RUNTIME = "python"
RANK = 0
LOCKFILES = ("uv.lock",)
LOCK = "uv lock"


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What its lockfile holds, beside a pyproject.toml or at the top of its workspace."""
    place = _lockfile(tree, folder)
    if place is None:
        return None
    packages = find_locked(tree, folder, "uv", place, relevant)
    if packages is None:
        return None
    _, own = _top(folder, place)
    listed = read_toml(tree, join(folder, place)).get("package")
    locked = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
    mine = next((one for one in locked if own in _places(one).values()), {})
    manifests = packages.manifests
    if place != LOCKFILES[0]:
        manifests = ["pyproject.toml", *_of_workspace(tree, folder, place, locked)]
    return replace(
        packages,
        manifests=manifests,
        packaged="virtual" not in _places(mine),
        more={**packages.more, **_groups(tree, folder)},
    )


def _lockfile(tree: Tree, folder: str) -> str | None:
    """The lockfile that fixes the versions of what is in a folder, relative to it."""
    for depth in range(folder.count("/") + 2 if folder != "." else 1):
        place = "../" * depth + LOCKFILES[0]
        path = join(folder, place)
        if not tree.has(path):
            continue
        _, own = _top(folder, place)
        listed = read_toml(tree, path).get("package") if depth else ()
        if not depth or any(
            isinstance(one, dict) and own in _places(one).values()
            for one in (listed if isinstance(listed, list) else ())
        ):
            return place
    return None


def _top(folder: str, lockfile: str) -> tuple[str, str]:
    """The folder that a lockfile lies in, and the way from there to an app's."""
    top = posixpath.dirname(join(folder, lockfile)) or "."
    return top, posixpath.relpath(folder, top)


def _places(package: Mapping[str, Any]) -> dict[str, str]:
    """Where in the project a locked package lies, by how it is installed."""
    source = package.get("source")
    found = source.items() if isinstance(source, dict) else ()
    kinds = {"editable", "virtual", "directory"}
    return {kind: posixpath.normpath(str(place)) for kind, place in found if kind in kinds}


def _of_workspace(
    tree: Tree, folder: str, lockfile: str, locked: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What an installation of one member reads of its workspace: folders of what it depends on.

    uv looks at the description of each member before it trusts the lockfile
    (docs.astral.sh/uv/concepts/projects/workspaces).
    """
    up = lockfile.removesuffix(LOCKFILES[0])
    top, own = _top(folder, lockfile)
    yield lockfile
    yield f"{up}pyproject.toml"
    needed = python_locks.installed(tree, folder, "uv", lockfile) or frozenset()
    for package in locked:
        for place in _places(package).values():
            if place in {".", own}:
                continue
            if canonicalize_name(str(package.get("name"))) in needed:
                yield f"{up}{place}/"
            elif tree.has(join(top, f"{place}/pyproject.toml")):
                yield f"{up}{place}/pyproject.toml"


def _groups(tree: Tree, folder: str) -> Fields:
    """`groups`: those of `default-groups` that are not for development, and production's."""
    path = join(folder, "pyproject.toml")
    document = read_toml(tree, path)
    default = table(table(document, "tool"), "uv").get("default-groups")
    if default == "all":
        default = list(table(document, "dependency-groups"))
    serving = groups(tree, folder)
    if not isinstance(default, list):
        return serving
    kept = [one for one in default if isinstance(one, str) and not is_for_development(one)]
    kept += [name for one in serving.values() for name in one.value if name not in kept]
    return {"groups": Found(kept, "default-groups", path)}


def registries(tree: Tree, folder: str, manifests: Sequence[str]) -> Iterator[Registry]:
    """The indexes of pyproject.toml (docs.astral.sh/uv/concepts/indexes, "Authentication")."""
    path = join(folder, "pyproject.toml")
    indexes = table(table(read_toml(tree, path), "tool"), "uv").get("index")
    yield package_registries.of_indexes(path, indexes, "UV_INDEX")


def problem(tree: Tree, folder: str) -> str | None:
    """None: without a lockfile its projects are pip's, too."""
    return None


def test_install(manifests: Sequence[str], requirements: Sequence[str]) -> str:
    """All extras and groups, as tests may stand in any."""
    return "uv sync --locked --all-extras --all-groups"
