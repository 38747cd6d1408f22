"""What an installation without development groups brings: names, and what is said of versions."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from .errors import ProjectError
from .python_dependencies import read_toml, table
from .tree import Tree, join

_LISTS = (".txt", ".in")


@dataclass(frozen=True)
class Stated:
    """What a file says of the versions of a package.

    Attributes:
        versions: Those that may be installed.
        path: The file.
        line: Its line there; None where no single line says it.
    """

    versions: SpecifierSet
    path: str
    line: int | None = None

    def allows(self, minimum: str) -> bool:
        """Whether a release of that version or a later one may be installed."""
        least = Version(minimum)
        minors = range(least.minor, least.minor + 80)
        tried = ["99.0", minimum, *(f"{least.major}.{minor}.0" for minor in minors)]
        # What is named is no round one, as in ==2.5.3.
        named = (one.version for one in self.versions if "*" not in one.version)
        tried += [version for version in named if Version(version) >= least]
        return any(Version(version) >= least and version in self.versions for version in tried)


def stated(tree: Tree, folder: str, manifests: Sequence[str], name: str) -> Stated | None:
    """What the manifests say of a package; the lockfile's version before all else."""
    for file in reversed([one for one in manifests if not one.endswith("/")]):
        path = join(folder, file)
        if file.endswith(".lock"):
            for package in locked(tree, path):
                if canonicalize_name(str(package.get("name", ""))) == name:
                    return Stated(_exactly(str(package.get("version", ""))), path)
        for requirement, line in _requirements(tree, path):
            if canonicalize_name(requirement.name) == name:
                return Stated(requirement.specifier, path, line)
    return None


def names(tree: Tree, path: str) -> frozenset[str]:
    """All that a lockfile fixes, whatever it is for."""
    return frozenset(canonicalize_name(str(one.get("name", ""))) for one in locked(tree, path))


def _exactly(version: str) -> SpecifierSet:
    try:
        return SpecifierSet(f"=={version}")
    except InvalidSpecifier:
        return SpecifierSet()


def _requirements(tree: Tree, path: str) -> Iterator[tuple[Requirement, int | None]]:
    lines: list[tuple[str, int | None]] = []
    if path.endswith(_LISTS):
        lines = [(text, n) for n, text in enumerate(tree.read(path).splitlines(), start=1)]
    elif path.endswith("pyproject.toml"):
        found = table(read_toml(tree, path), "project").get("dependencies")
        lines = [(str(one), None) for one in found] if isinstance(found, list) else []
    for text, line in lines:
        try:
            yield Requirement(re.sub(r"(^|\s)(#|--hash).*|\s*\\$", "", text).strip()), line
        except InvalidRequirement:
            continue


def installed(
    tree: Tree, folder: str, manager: str, lockfile: str, groups: Collection[str] = ()
) -> frozenset[str] | None:
    """Names of all that is installed without development groups; None where that is not told.

    Args:
        tree: The project's files.
        folder: The app's.
        manager: Who locks: `uv`, `poetry` or `pdm`.
        lockfile: Its file, relative to `folder`.
        groups: Groups that are installed nevertheless, and extras of the project.
    """
    path = join(folder, lockfile)
    packages = list(locked(tree, path))
    if manager == "pipenv":
        return frozenset(canonicalize_name(str(package["name"])) for package in packages)
    if manager == "uv":
        own = posixpath.relpath(folder, posixpath.dirname(path) or ".")
        return _reached(packages, _own_of_uv(packages, own), groups)
    in_groups = [package for package in packages if isinstance(package.get("groups"), list)]
    if in_groups and len(in_groups) == len(packages):
        main = {"main", "default", *groups}
        kept = (package for package in in_groups if main.intersection(map(str, package["groups"])))
        return frozenset(canonicalize_name(str(package["name"])) for package in kept)
    if packages and all("category" in package for package in packages):
        kept = (package for package in packages if package["category"] == "main")
        return frozenset(canonicalize_name(str(package["name"])) for package in kept)
    return None


def pipfile_packages(tree: Tree, path: str) -> dict[str, dict[str, Any]]:
    """What a Pipfile.lock fixes for production, by name.

    Raises:
        ProjectError: It is not valid JSON.
    """
    try:
        document = json.loads(tree.read(path))
    except (ValueError, RecursionError):
        raise ProjectError(f"{path} is not valid JSON: mend it first.") from None
    default = document.get("default") if isinstance(document, dict) else None
    packages = default.items() if isinstance(default, dict) else ()
    return {name: package for name, package in packages if isinstance(package, dict)}


def locked(tree: Tree, path: str) -> Iterator[Mapping[str, Any]]:
    """What a lockfile holds, each with its name and version.

    Raises:
        ProjectError: It is not valid.
    """
    if path.endswith("Pipfile.lock"):
        for name, package in pipfile_packages(tree, path).items():
            yield {"name": name, "version": str(package.get("version", "")).lstrip("=")}
        return
    found = read_toml(tree, path).get("package") if tree.has(path) else None
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _own_of_uv(packages: Sequence[Mapping[str, Any]], place: str) -> str | None:
    for package in packages:
        source = package.get("source")
        if isinstance(source, dict) and place in source.values():
            return str(package.get("name"))
    return None


def _reached(
    packages: Sequence[Mapping[str, Any]], own: str | None, groups: Collection[str]
) -> frozenset[str] | None:
    by_name = {str(package.get("name")): package for package in packages}
    if own not in by_name:
        return None
    seen: set[str] = set()
    waiting = [own]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        package = by_name[name]
        listed = list(package.get("dependencies") or ())
        if name == own:
            for kind in ("dev-dependencies", "optional-dependencies"):
                named = package.get(kind)
                for group in groups:
                    listed += (named.get(group) if isinstance(named, dict) else None) or ()
        else:
            # Which extras are asked for is not followed: more than is installed does no harm here.
            for extra in (package.get("optional-dependencies") or {}).values():
                listed += extra
        waiting += [str(one.get("name")) for one in listed if isinstance(one, dict)]
    return frozenset(canonicalize_name(name) for name in seen)
