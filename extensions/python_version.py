"""The version of Python that a project asks for, and the image that has it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from .image_reference import ImageReference
from .origins import Found, only_line
from .python_dependencies import read_toml, table
from .tree import Tree

# Those that Docker's official images have and Python's developers mend: what images are chosen of.
SUPPORTED = range(10, 15)
# Mise's file in each of its places (mise.jdx.dev/configuration.html), and asdf's.
_PINNING = (
    *(".python-version", "runtime.txt", ".tool-versions"),
    *("mise.toml", ".mise.toml", ".mise/config.toml", ".config/mise.toml", "mise/config.toml"),
)
# A version, or bounds of one, as uv, pyenv and Heroku write them, without the implementation.
_REQUEST = re.compile(
    r"(?:python|cpython)?[-@ ]?"
    r"(?:(?P<version>3\.\d+)(?:\.\d+)?(?P<free>t|\+freethreaded)?(?:-\w[\w-]*)?"
    r"|(?P<bounds>[<>=!~][\d.,<>=!~*\s]+))$"
)


@dataclass(frozen=True)
class Wanted:
    """What a file says of the version.

    Attributes:
        path: The file.
        said: Its words.
        versions: Those that are meant; None for a free-threaded one, which no official image has.
        required: An installation may refuse another one.
    """

    path: str
    said: str
    versions: SpecifierSet | None
    required: bool = False

    def line(self, tree: Tree) -> int | None:
        """The line that says it."""
        return only_line(tree.read(self.path), re.escape(self.said))


def wanted(tree: Tree, folder: str) -> Iterator[Wanted]:
    """What the files of an app say, and those of the top folder, the strictest first."""
    if path := tree.first(folder, "pyproject.toml"):
        document = read_toml(tree, path)
        said = table(document, "project").get("requires-python")
        own = table(table(document, "tool"), "poetry")
        said = said or table(own, "dependencies").get("python")
        if isinstance(said, str) and (versions := _specifier(said)) is not None:
            yield Wanted(path, said, versions, required=True)
    if path := tree.first(folder, "setup.cfg"):
        match = re.search(r"(?m)^python_requires\s*=\s*(\S.*?)\s*$", tree.read(path))
        if match and (versions := _specifier(match[1])) is not None:
            yield Wanted(path, match[1], versions, required=True)
    if path := tree.first(folder, "Pipfile"):
        requires = table(read_toml(tree, path), "requires")
        said = requires.get("python_full_version") or requires.get("python_version")
        if isinstance(said, str) and (found := _request(path, said)):
            yield found
    for name in _PINNING:
        for place in dict.fromkeys((folder, ".")):
            if (path := tree.first(place, name)) and (found := _pinned(tree, path)):
                yield found


def fits(version: Version, allowed: SpecifierSet | None) -> bool:
    """Whether a version may be taken; one without a patch level, if any of its patches may."""
    if allowed is None:
        return False
    if len(version.release) > 2:
        return allowed.contains(version)
    return any(allowed.contains(f"{version.major}.{version.minor}.{p}") for p in range(30))


def fitting_image(
    tree: Tree, folder: str, image: Found[str | None], default: str
) -> Found[str | None]:
    """The image of `versions.conf`, or the one nearest to it that has what an app asks for.

    Args:
        tree: The project's files.
        folder: The app's.
        image: What `versions.conf` says; None for nothing.
        default: What is taken where it says nothing.

    Returns:
        `image` itself where it fits, is nobody's official one, or nothing official would fit.
    """
    reference = ImageReference.parse(image.value or default)
    version = reference.version
    if not reference.is_official("python") or version is None or reference.digest:
        return image
    minors, first = list(SUPPORTED), None
    for one in wanted(tree, folder):
        left = [minor for minor in minors if fits(Version(f"3.{minor}"), one.versions)]
        if not left:
            continue
        minors = left
        if first is None and not fits(version, one.versions):
            first = one
    if first is None:
        return image
    nearest = min(minors, key=lambda minor: (abs(minor - version.minor), -minor))
    _, dash, suffix = (reference.tag or "").partition("-")
    chosen = replace(reference, tag=f"3.{nearest}{dash}{suffix}")
    return Found(str(chosen), f"asks for Python {first.said}", first.path, first.line(tree))


def _pinned(tree: Tree, path: str) -> Wanted | None:
    text = tree.read(path)
    if path.endswith(".toml"):
        try:
            tools: Any = tomllib.loads(text).get("tools")
        except tomllib.TOMLDecodeError:
            return None
        said = tools.get("python") if isinstance(tools, dict) else None
        said = said[0] if isinstance(said, list) and said else said
        said = said.get("version") if isinstance(said, dict) else said
        return _request(path, said) if isinstance(said, str) else None
    if path.endswith(".tool-versions"):
        match = re.search(r"(?m)^python[ \t]+(\S+)", text)
        return _request(path, match[1]) if match else None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return _request(path, next(filter(None, lines), ""))


def _request(path: str, said: str) -> Wanted | None:
    match = _REQUEST.match(said.strip())
    if match is None:
        return None
    if match["bounds"]:
        versions = _specifier(match["bounds"])
        return Wanted(path, said.strip(), versions) if versions is not None else None
    if match["free"]:
        return Wanted(path, said.strip(), None)
    return Wanted(path, match["version"], SpecifierSet(f"=={match['version']}.*"))


def _specifier(text: str) -> SpecifierSet | None:
    """Also in Poetry's form, with `^` and `~` (python-poetry.org, "Dependency specification")."""
    parts = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        if match := re.fullmatch(r"([~^])\s*(\d+)(?:\.(\d+))?(\S*)", part):
            major, minor = int(match[2]), int(match[3] or 0)
            top = f"{major}.{minor + 1}" if match[1] == "~" and match[3] else f"{major + 1}"
            parts.append(f">={major}.{minor}{match[4]},<{top}")
        elif part != "*":
            parts.append(f"=={part}" if part[0].isdigit() else part)
    try:
        return SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return None
