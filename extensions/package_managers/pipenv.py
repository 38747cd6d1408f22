"""Pipenv (pipenv.pypa.io)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from packaging.utils import canonicalize_name

from .. import package_registries, python_locks
from ..origins import Found, only_line
from ..package_registries import Registry
from ..python_dependencies import CUDA, Packages, local_place, read_toml
from ..tree import Tree, join

RUNTIME = "python"
RANK = 3
LOCKFILES = ("Pipfile.lock",)
LOCK = "pipenv lock"


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What its lockfile holds for production, beside a Pipfile.

    Raises:
        ProjectError: The lockfile is not valid JSON.
    """
    path = join(folder, LOCKFILES[0])
    if not (tree.has(path) and tree.has(join(folder, "Pipfile"))):
        return None
    found: list[Found[str]] = []
    places, asked = [], None
    text = tree.read(path)
    for name, package in python_locks.pipfile_packages(tree, path).items():
        line = only_line(text, rf'^        "{name}": \{{')
        found.append(Found(canonicalize_name(name), "locked", path, line))
        if name.startswith("nvidia-"):
            found.append(Found(CUDA, "locked for a GPU", path, line))
        if "git" in package:
            found.append(Found("git", "locked from a repository", path, line))
        place = package.get("path") or package.get("file")
        if isinstance(place, str) and (local := local_place(tree, folder, place)):
            places.append(local)
        elif place in {".", "./"}:
            asked = path
    manifests = ["Pipfile", LOCKFILES[0], *sorted(places)]
    pipenv = Found("pipenv", "lockfile", path)
    return Packages(pipenv, manifests, tuple(found), asked=asked)


def registries(tree: Tree, folder: str, manifests: Sequence[str]) -> Iterator[Registry]:
    """The sources of Pipfile, whose addresses name variables (pipenv.pypa.io, "Credentials")."""
    path = join(folder, "Pipfile")
    sources = read_toml(tree, path).get("source")
    yield package_registries.read_file(path, package_registries.addresses(sources))


def problem(tree: Tree, folder: str) -> str | None:
    """A Pipfile alone, which nothing else reads."""
    path = join(folder, "Pipfile")
    if not tree.has(path) or tree.has(join(folder, "pyproject.toml")):
        return None
    return f"{join(folder, LOCKFILES[0])} is missing: run `{LOCK}` and commit it."


def test_install(manifests: Sequence[str], requirements: Sequence[str]) -> str:
    """With its development packages."""
    return (
        "uvx pipenv requirements --dev >.venv/requirements.txt"
        " && uv pip install --requirement .venv/requirements.txt"
    )
