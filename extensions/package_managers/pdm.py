"""PDM (pdm-project.org)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .. import package_registries
from ..package_registries import Registry
from ..python_dependencies import Packages, find_locked, read_toml, table
from ..tree import Tree, join

RUNTIME = "python"
RANK = 2
LOCKFILES = ("pdm.lock",)
LOCK = "pdm lock"


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What its lockfile holds, beside a pyproject.toml."""
    return find_locked(tree, folder, "pdm", LOCKFILES[0], relevant)


def registries(tree: Tree, folder: str, manifests: Sequence[str]) -> Iterator[Registry]:
    """The sources of pyproject.toml, whose addresses name variables (pdm-project.org, "Configure
    the private registries").
    """
    path = join(folder, "pyproject.toml")
    sources = table(table(read_toml(tree, path), "tool"), "pdm").get("source")
    yield package_registries.read_file(path, package_registries.addresses(sources))


def problem(tree: Tree, folder: str) -> str | None:
    """None: without a lockfile its projects are pip's, too."""
    return None


def test_install(manifests: Sequence[str], requirements: Sequence[str]) -> str:
    """All groups, as tests may stand in any."""
    return "uvx pdm sync --group :all"
