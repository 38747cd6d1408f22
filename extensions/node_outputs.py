"""Which files `swc` and `esbuild` write, by their command lines.

Source of the rules: github.com/swc-project/pkgs, "@swc/cli" (from 0.3 on, the folders of the source
are kept below the output's), and esbuild.github.io/api ("Outdir", "Outbase").
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from packaging.version import Version

from .node_scripts import Command
from .tree import Tree, join

_SOURCE = re.compile(r"(?<!\.d)\.([cm]?)[jt]sx?$")
_TESTS = re.compile(r"\.(test|spec)\.[cm]?[jt]sx?$")
# Options of swc that take the word after them.
_WITH_VALUE = frozenset(
    {
        "-d", "--out-dir", "-o", "--out-file", "-C", "--config", "--config-file", "--ignore",
        "--only", "--extensions", "--workers", "--env-name", "--out-file-extension", "-s",
        "--source-maps", "--source-map-target", "--source-root", "-f", "--filename",
    }
)  # fmt: skip
_KEEPS_FOLDERS = Version("0.3")


def written(tree: Tree, folder: str, command: Command, swc: Version | None) -> dict[str, str]:
    """Each file that the command writes, by its path in the project, and its source.

    Args:
        tree: The project's files.
        folder: The app's.
        command: A command of its build script.
        swc: The version of @swc/cli; None where it cannot be told.

    Returns:
        Nothing for other programs, and for options that are not followed here.
    """
    if command.program == "swc" and swc is not None:
        return _of_swc(tree, folder, command.words[1:], swc)
    if command.program == "esbuild":
        return _of_esbuild(tree, folder, command.words[1:])
    return {}


def keeps_folders(command: Command) -> bool:
    """Whether it writes below the names of the source's folders, as it is not told otherwise."""
    return command.program == "swc" and "--strip-leading-paths" not in command.words


def _of_swc(tree: Tree, folder: str, words: Sequence[str], version: Version) -> dict[str, str]:
    target, inputs = None, list[str]()
    left = iter(words)
    for word in left:
        name, is_set, value = word.partition("=")
        if name in _WITH_VALUE:
            value = value if is_set else next(left, "")
        if name in {"-o", "--out-file", "--out-file-extension", "--filename", "-f"}:
            return {}
        if name in {"-d", "--out-dir"}:
            target = value
        elif not word.startswith("-") and word != "compile":
            inputs.append(posixpath.normpath(word))
    if not target or any(name.startswith(("..", "/")) or "*" in name for name in inputs):
        return {}
    strips = version < _KEEPS_FOLDERS or "--strip-leading-paths" in words
    found = {}
    for path in (path for name in inputs for path in tree.below(join(folder, name))):
        inner = path if folder == "." else path.removeprefix(f"{folder}/")
        if _SOURCE.search(inner) and not _TESTS.search(inner):
            name = inner.partition("/")[2] or inner if strips else inner
            found[_script(join(folder, target), name)] = path
    return found


def _of_esbuild(tree: Tree, folder: str, words: Iterable[str]) -> dict[str, str]:
    options = dict(w.partition("=")[::2] for w in words if w.startswith("-"))
    entries = [posixpath.normpath(word) for word in words if not word.startswith("-")]
    paths = [join(folder, entry) for entry in entries]
    if not paths or not all(map(tree.has, paths)) or "--entry-names" in options:
        return {}
    if file := options.get("--outfile"):
        return {join(folder, file): paths[0]}
    target = options.get("--outdir")
    if not target or any(name.startswith("--out-extension") for name in options):
        return {}
    base = options.get("--outbase") or posixpath.commonpath(
        [posixpath.dirname(entry) for entry in entries]
    )
    names = [posixpath.relpath(entry, base or ".") for entry in entries]
    return {_script(join(folder, target), n): p for n, p in zip(names, paths, strict=True)}


def _script(target: str, name: str) -> str:
    return posixpath.join(target, _SOURCE.sub(lambda match: f".{match[1]}js", name))
