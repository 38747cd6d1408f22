"""uv (docs.astral.sh/uv), with a lockfile."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..python_dependencies import Packages, find_locked
from ..tree import Tree

RUNTIME = "python"
RANK = 0
LOCKFILES = ("uv.lock",)
LOCK = "uv lock"


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What its lockfile holds, beside a pyproject.toml."""
    return find_locked(tree, folder, "uv", LOCKFILES[0], relevant)


def problem(tree: Tree, folder: str) -> str | None:
    """None: without a lockfile its projects are pip's, too."""
    return None


def test_install(manifests: Sequence[str], requirements: Sequence[str]) -> str:
    """All extras and groups, as tests may stand in any."""
    return "uv sync --locked --all-extras --all-groups"
