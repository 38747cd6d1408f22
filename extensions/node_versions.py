"""The version of Node that a project asks for: where it is said, and the image that has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from . import node_source
from .errors import ProjectError
from .image_reference import ImageReference
from .origins import Found
from .tree import Tree, join
from .version_ranges import takes
from .versions import leading_version

# What is maintained for longest, the newest first (github.com/nodejs/Release), and the names that
# version managers call them by.
MAINTAINED = (24, 22)
_NAMES = {"hydrogen": 18, "iron": 20, "jod": 22, "krypton": 24}
_FILES = (".nvmrc", ".node-version")
_MISE = ("mise.toml", ".mise.toml", ".config/mise.toml", ".tool-versions")


def asked(tree: Tree, folder: str) -> Iterator[Found[str]]:
    """What says which versions an app runs on, the most binding first, as ranges of npm's form.

    `devEngines`, which npm demands whatever it runs (docs.npmjs.com, "package.json"), and `engines`
    of package.json, `.nvmrc` and `.node-version`, Volta, mise and asdf: of the app's
    folder, then of those above.
    """
    places = folder.split("/") if folder != "." else []
    folders = ["/".join(places[:depth]) or "." for depth in range(len(places), -1, -1)]
    packages = [package for each in folders if (package := _package(tree, each))]
    for package in packages:
        for engine in node_source.development_engines(package, "runtime"):
            if engine.name == "node" and engine.binding and engine.version:
                yield package.found(engine.version, "devEngines", "devEngines", "runtime")
    for package in packages:
        if isinstance(wanted := package.table("engines").get("node"), str):
            yield package.found(wanted, "engines", "engines", "node")
    for each in folders:
        yield from _pinned(tree, each)


def _pinned(tree: Tree, folder: str) -> Iterator[Found[str]]:
    for name in _FILES:
        path = join(folder, name)
        if tree.has(path):
            text = _read(tree, path).strip().lower()
            named = _NAMES.get(text.removeprefix("lts/"))
            version = leading_version(text)
            if named or version:
                yield Found(str(named or version), name, path, 1)
    package = _package(tree, folder)
    volta = package.table("volta").get("node") if package else None
    if package and isinstance(volta, str) and leading_version(volta):
        yield package.found(volta, "volta", "volta", "node")
    for name in _MISE:
        path = join(folder, name)
        if not tree.has(path):
            continue
        pattern = r"""^"?node(?:js)?"?\s*(?:=\s*)?["']?v?(\d[\d.]*)"""
        for number, line in enumerate(_read(tree, path).splitlines(), 1):
            if match := re.match(pattern, line.strip()):
                yield Found(match[1], name, path, number)
                break


def _package(tree: Tree, folder: str) -> node_source.Package | None:
    try:
        return node_source.read_package_json(tree, folder)
    except ProjectError:
        return None


def _read(tree: Tree, path: str) -> str:
    try:
        return tree.read(path)
    except ProjectError:
        return ""


def fitting_image(
    tree: Tree, folder: str, image: Found[str | None], default: str
) -> Found[str | None]:
    """The image of `versions.conf`, or the same with the version that an app asks for.

    Args:
        tree: The project's files.
        folder: The app's.
        image: The image of `versions.conf`; its value is None where that names none.
        default: The one that is taken then.

    Returns:
        The image as it is where it satisfies the most binding word, and where that cannot be told:
        an image by digest, of another name, or a range that no version of Node is in. A version
        that is no longer maintained is taken only where `engines` asks for it.
    """
    reference = ImageReference.parse(image.value or default)
    version = leading_version(reference.tag or "")
    if reference.base_name != "node" or version is None or reference.digest:
        return image
    wanted = next(asked(tree, folder), None)
    if wanted is None or takes(wanted.value, version.major):
        return image
    major = nearest(wanted.value, version.major)
    if major is None or (wanted.reason != "engines" and major not in MAINTAINED):
        return image
    rest = (reference.tag or "").removeprefix(str(version))
    return replace(
        wanted,
        value=f"{reference.name}:{major}{rest}",
        reason=f"{wanted.reason} asks for {wanted.value}",
    )


def nearest(wanted: str, present: int) -> int | None:
    """The major version of a range that is nearest to the present one; a maintained one first.

    Upwards before downwards, as a newer Node runs what an older one does.
    """
    numbers = {int(number) for number in re.findall(r"(?<![.\d])(\d+)", wanted)}
    known = sorted(
        {*MAINTAINED, *range(16, 28, 2), *numbers},
        key=lambda n: (n not in MAINTAINED, n % 2, n < present, abs(n - present)),
    )
    return next((major for major in known if takes(wanted, major)), None)
