"""uv (docs.astral.sh/uv), with a lockfile."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .. import package_registries
from ..package_registries import Registry
from ..python_dependencies import Packages, find_locked, read_toml, table
from ..tree import Tree, join

RUNTIME = "python"
RANK = 0
LOCKFILES = ("uv.lock",)
LOCK = "uv lock"


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What its lockfile holds, beside a pyproject.toml."""
    return find_locked(tree, folder, "uv", LOCKFILES[0], relevant)


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
