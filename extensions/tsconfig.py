"""Where TypeScript's compiler writes what: `outDir`, `rootDir` and the files that it compiles.

Source of the rules: typescriptlang.org/tsconfig; since version 6 `rootDir` is the folder of
tsconfig.json where nothing else is said.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from . import javascript
from .errors import ProjectError
from .tree import Tree

_SOURCE = re.compile(r"(?<!\.d)\.([cm]?)tsx?$")
# How many configurations one reads that extend each other.
_DEPTH = 4
_ALWAYS_LEFT_OUT = ("node_modules", "bower_components", "jspm_packages")
# A text, or what is no part of JSON.
_TOKEN = re.compile(
    r"""("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])""", re.DOTALL
)


@dataclass(frozen=True)
class Config:
    """A tsconfig.json, with what it extends.

    Attributes:
        path: The file, relative to the project's top folder.
        options: Its compiler options.
        homes: The file that each of them stands in.
        content: Its `files`, `include` and `exclude`, with the folder that they are relative to.
    """

    path: str
    options: dict[str, Any] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    content: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    def folder(self, option: str) -> str | None:
        """The folder that an option names, from the project's top."""
        value = self.options.get(option)
        if not isinstance(value, str):
            return None
        return _join(posixpath.dirname(self.homes[option]), value)


@dataclass(frozen=True)
class Output:
    """What is compiled, by the file that is written.

    Attributes:
        files: By each file that is written, its source.
        root: The folder whose layout the written files have.
        above: A source because of which that is no folder further down; None where it is said.
    """

    files: dict[str, str]
    root: str
    above: str | None


def read(tree: Tree, path: str, depth: int = 0) -> Config | None:
    """A configuration; None where it, or what it extends, cannot be told."""
    if not tree.has(path) or depth > _DEPTH:
        return None
    try:
        content = json.loads(_TOKEN.sub(lambda match: match[1] or "", tree.read(path)))
    except (ProjectError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    found = Config(path)
    extended = content.get("extends") or []
    for name in [extended] if isinstance(extended, str) else extended:
        if not str(name).startswith("."):
            # Those of this organization say nothing of folders.
            if str(name).startswith("@tsconfig/"):
                continue
            return None
        above = _join(posixpath.dirname(path), str(name))
        base = read(tree, above if above.endswith(".json") else f"{above}.json", depth + 1)
        if base is None:
            return None
        found.options.update(base.options)
        found.homes.update(base.homes)
        found.content.update(base.content)
    options = content.get("compilerOptions") or {}
    found.options.update(options)
    found.homes.update(dict.fromkeys(options, path))
    for key in ("files", "include", "exclude"):
        if isinstance(content.get(key), list):
            found.content[key] = (posixpath.dirname(path), [str(one) for one in content[key]])
    return found


def extended(tree: Tree, path: str, depth: int = 0) -> list[str]:
    """What a configuration extends, and what that does: names of packages, and files.

    Files begin with a dot, and are relative to the folder of `path`.
    """
    if not tree.has(path) or depth > _DEPTH:
        return []
    try:
        content = json.loads(_TOKEN.sub(lambda match: match[1] or "", tree.read(path)))
    except (ProjectError, ValueError):
        return []
    named = content.get("extends") or [] if isinstance(content, dict) else []
    found: dict[str, None] = {}
    for name in [named] if isinstance(named, str) else named:
        if not str(name).startswith("."):
            found[str(name)] = None
            continue
        file = str(name) if str(name).endswith(".json") else f"{name}.json"
        found[f"./{_join('', file)}"] = None
        for inner in extended(tree, _join(posixpath.dirname(path), file), depth + 1):
            beside = posixpath.join(posixpath.dirname(file), inner)
            found[f"./{_join('', beside)}" if inner.startswith(".") else inner] = None
    return list(found)


def output(
    tree: Tree, config: Config, files: Collection[str], *, version: int | None
) -> Output | None:
    """What a build writes; None where nothing is written, or into one file.

    Args:
        tree: The project's files.
        config: The configuration.
        files: Those of the project that the build sees.
        version: TypeScript's major version; None where it cannot be told.
    """
    options = config.options
    if options.get("noEmit") or options.get("emitDeclarationOnly") or options.get("outFile"):
        return None
    home = posixpath.dirname(config.path)
    inputs = _inputs(config, files, home)
    # What is imported is compiled as well.
    folder = home or "."
    more = javascript.reachable(tree, folder, [path for path in inputs if _SOURCE.search(path)])
    inputs |= {path for path in more if _SOURCE.search(path) and path in files}
    everything = set(inputs)
    if options.get("resolveJsonModule"):
        everything |= _json(tree, inputs)
    if not everything:
        return None
    root, above = config.folder("rootDir"), None
    if root is None and (options.get("composite") or (version is not None and version >= 6)):
        root = home
    elif root is None and version is None:
        return None
    if root is None:
        root = posixpath.commonpath([posixpath.dirname(path) for path in everything] or [""])
        above = min(everything, key=lambda path: (path.count("/"), path))
    target = config.folder("outDir")
    written = {}
    for path in inputs:
        inner = posixpath.relpath(path, root or ".")
        if inner.startswith(".."):
            return None
        name = _SOURCE.sub(lambda match: f".{match[1]}js", inner)
        written[_join(root if target is None else target, name)] = path
    return Output(written, root, above)


def _inputs(config: Config, files: Iterable[str], home: str) -> set[str]:
    left_out = [_join(home, name) for name in _ALWAYS_LEFT_OUT]
    if target := config.folder("outDir"):
        left_out.append(target)
    if "exclude" in config.content:
        base, globs = config.content["exclude"]
        left_out = [_join(base, glob) for glob in globs]
    listed = {_join(*_pair(config, name)) for name in config.content.get("files", ("", []))[1]}
    base, globs = config.content.get("include", (home, [] if listed else ["**/*"]))
    wanted = [_pattern(_join(base, glob)) for glob in globs]
    refused = [_pattern(glob) for glob in left_out]
    prefix = f"{home}/" if home else ""
    found = set()
    for path in files:
        if not _SOURCE.search(path) or "node_modules/" in path:
            continue
        hidden = "/." in f"/{path.removeprefix(prefix)}"
        if path in listed or (
            not hidden
            and any(one.fullmatch(path) for one in wanted)
            and not any(one.fullmatch(path) for one in refused)
        ):
            found.add(path)
    return found


def _pair(config: Config, name: str) -> tuple[str, str]:
    return config.content["files"][0], name


def _pattern(glob: str) -> re.Pattern[str]:
    """A glob of `include`: `**/` for any folders, and a folder for all that is in it."""
    parts = []
    for piece in re.split(r"(\*\*/|\*\*$|\*|\?)", glob):
        kinds = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
        parts.append(kinds.get(piece, re.escape(piece)))
    return re.compile("".join(parts).rstrip("/") + r"(?:/.*)?")


def _json(tree: Tree, inputs: Iterable[str]) -> set[str]:
    found = set()
    for path in inputs:
        script = javascript.read(tree, path)
        for name in javascript.imports(script) if script and ".json" in script.text else ():
            if name.startswith(".") and name.endswith(".json"):
                target = _join(posixpath.dirname(path), name)
                if tree.has(target):
                    found.add(target)
    return found


def _join(folder: str, name: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder or ".", name.replace("${configDir}/", "")))
    return "" if joined == "." else joined
