"""Poetry (python-poetry.org/docs)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .. import package_registries
from ..package_registries import Registry
from ..python_dependencies import Packages, find_locked, read_toml, table
from ..tree import Tree, join

RUNTIME = "python"
RANK = 1
LOCKFILES = ("poetry.lock",)
LOCK = "poetry lock"


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What its lockfile holds, beside a pyproject.toml."""
    return find_locked(tree, folder, "poetry", LOCKFILES[0], relevant)


def registries(tree: Tree, folder: str, manifests: Sequence[str]) -> Iterator[Registry]:
    """The sources of pyproject.toml (python-poetry.org/docs/repositories)."""
    path = join(folder, "pyproject.toml")
    sources = table(table(read_toml(tree, path), "tool"), "poetry").get("source")
    yield package_registries.of_indexes(path, sources, "POETRY_HTTP_BASIC")


def problem(tree: Tree, folder: str) -> str | None:
    """Dependencies that stand in its own table, which only its lockfile makes readable."""
    path = join(folder, "pyproject.toml")
    if not tree.has(path) or "poetry" not in table(read_toml(tree, path), "tool"):
        return None
    return f"{join(folder, LOCKFILES[0])} is missing: run `{LOCK}` and commit it."


def test_install(manifests: Sequence[str], requirements: Sequence[str]) -> str:
    """All extras and groups, as tests may stand in any."""
    return "uvx poetry sync --all-extras --all-groups"
