"""What a Node or Next.js app says of itself: package.json, lockfile, configuration, routes."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeVar

from .errors import ProjectError
from .origins import Fields, Found, either, line_at
from .tree import Tree, join

T = TypeVar("T")

# In the order in which they win where several are there.
_LOCKFILES = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
# What Yarn 2 and later write into their lockfile, by the major version (yarnpkg/berry).
_YARN_LOCKFILES = {"4": "2", "5": "3", "6": "3"}
_INSTALL_SETTINGS = (".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml", "bunfig.toml")
_DEFAULT_VERSIONS = {"npm": "", "pnpm": "10", "yarn": "1", "bun": "1"}
_NEXT_CONFIGS = tuple(f"next.config.{ending}" for ending in ("js", "mjs", "cjs", "ts", "mts"))
_ENTRIES = tuple(
    f"{folder}{name}.{ending}"
    for folder in ("src/", "")
    for name in ("index", "server", "main", "app")
    for ending in ("ts", "js", "mjs", "cjs")
)
_SOURCE_ENDINGS = (".ts", ".js", ".mjs", ".cjs")
_HEALTH_PATHS = ("/health", "/healthz", "/livez", "/api/health", "/ping")


@dataclass(frozen=True)
class Package:
    """A package.json: its path, its content, and the line of each key by the keys down to it."""

    path: str | None
    content: dict[str, Any]
    lines: dict[tuple[str, ...], int]

    def table(self, key: str) -> dict[str, Any]:
        """The object under a key at the top; empty where it is not there or of another type."""
        value = self.content.get(key)
        return value if isinstance(value, dict) else {}

    def found(self, value: T, reason: str, *keys: str) -> Found[T]:
        """A value that the line of these keys says."""
        return Found(value, reason, self.path, self.lines.get(keys))


NO_PACKAGE = Package(None, {}, {})


def read_package_json(tree: Tree, folder: str) -> Package | None:
    """The package.json of `folder`, or None where there is none.

    Raises:
        ProjectError: It is not a JSON object.
    """
    path = join(folder, "package.json")
    if not tree.has(path):
        return None
    try:
        document = json.loads(text := tree.read(path))
    except json.JSONDecodeError as error:
        raise ProjectError(
            f"{path}, line {error.lineno} is not valid JSON: mend it first."
        ) from None
    if not isinstance(document, dict):
        raise ProjectError(f"{path} is not a JSON object: mend it first.")
    return Package(path, document, _key_lines(text))


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key of a valid JSON document, by the keys that lead to it."""
    lines: dict[tuple[str, ...], int] = {}
    above: list[str] = []
    key = ""
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"(\s*:)?|[{}\[\]]', text):
        if token[1]:
            key = json.loads(token[0].removesuffix(token[1]))
            lines[(*above[1:], key)] = line_at(text, token.start())
        elif token[0] in {"{", "["}:
            above.append(key)
        elif token[0] in {"}", "]"}:
            above.pop()
    return lines


def find_entry(tree: Tree, folder: str) -> str | None:
    """The source file that a plain Node app starts from, or None: then there is no such app."""
    return tree.first(folder, *_ENTRIES)


def find_next(tree: Tree, folder: str) -> Found[str] | None:
    """The folder, if its package.json can be read and depends on Next.js."""
    try:
        package = read_package_json(tree, folder) or NO_PACKAGE
    except ProjectError:
        return None
    if "next" not in package.table("dependencies"):
        return None
    return package.found(folder, "depends on next", "dependencies", "next")


def read_packages(tree: Tree, folder: str, package: Package) -> Fields:
    """How the dependencies in `folder` are installed.

    Returns:
        `manager` (`npm`, `pnpm`, `yarn` or `bun`), `manager_version` (empty for the image's own
        npm), `lockfile` (or None) and `manifests` (the files an installation reads).
    """
    lockfile = next((name for name in _LOCKFILES if tree.has(join(folder, name))), None)
    declared, _, version = str(package.content.get("packageManager", "")).partition("@")
    if lockfile:
        manager = Found(_LOCKFILES[lockfile], "lockfile", join(folder, lockfile))
    elif declared:
        manager = package.found(declared, "packageManager", "packageManager")
    else:
        manager = Found("npm", "no lockfile and no packageManager")
    if manager.value not in _DEFAULT_VERSIONS:
        raise ProjectError(
            f"{join(folder, 'package.json')}: package manager {manager.value} is not known."
        )
    if declared == manager.value and version:
        pinned = version.partition("+")[0]
        found = package.found(pinned, "packageManager", "packageManager")
    elif manager.value == "yarn" and (modern := _modern_yarn(tree, folder)):
        found = modern
    else:
        default = _DEFAULT_VERSIONS[manager.value]
        found = Found(default, "Spinbox's default" if default else "the image's own npm")
    present = [name for name in _INSTALL_SETTINGS if tree.has(join(folder, name))]
    manifests = ["package.json", *([lockfile] if lockfile else []), *present]
    # Its own releases, plugins and patches.
    if manager.value == "yarn" and any(tree.below(join(folder, ".yarn"))):
        manifests.append(".yarn/")
    return {
        "manager": manager,
        "manager_version": found,
        "lockfile": replace(manager, value=lockfile) if lockfile else Found(None, "no lockfile"),
        "manifests": package.found(manifests, "declares the dependencies"),
    }


def _modern_yarn(tree: Tree, folder: str) -> Found[str] | None:
    """The version of Yarn 2 or later that the project was installed with; None for Yarn 1."""
    settings, lockfile = join(folder, ".yarnrc.yml"), join(folder, "yarn.lock")
    text = tree.read(settings) if tree.has(settings) else ""
    if match := re.search(r"^yarnPath:.*\byarn-(\d+\.\d+\.\d+)\.c?js\b", text, re.MULTILINE):
        return Found(match[1], "yarnPath", settings, line_at(text, match.start()))
    locked = tree.read(lockfile) if tree.has(lockfile) else ""
    if match := re.search(r"^__metadata:\n(?:  .*\n)*?  version: (\d+)", locked, re.MULTILINE):
        major = _YARN_LOCKFILES.get(match[1], "4")
        return Found(major, f"lockfile of Yarn {major}", lockfile, line_at(locked, match.start(1)))
    return Found("4", "settings of Yarn 2 or later", settings) if tree.has(settings) else None


def read_scripts(package: Package, entry: str | None) -> Fields:
    """`build`, whether there is such a script, and `command`, which starts the app.

    A start script that only calls `node` is taken apart, so that signals reach the app itself.
    """
    scripts = package.table("scripts")
    # The image sets NODE_ENV, and the port is PORT's.
    start = re.sub(r"^(?:(?:NODE_ENV|PORT)=\w+\s+)+", "", str(scripts.get("start", "")))
    if re.fullmatch(r"node(\s+[\w./@=:-]+)+", start):
        command: Found[str | None] = package.found(start, "start script", "scripts", "start")
    elif start:
        command = package.found("npm start", "start script", "scripts", "start")
    elif main := package.content.get("main"):
        command = package.found(f"node {shlex.quote(str(main))}", "main", "main")
    elif entry and not entry.endswith(".ts"):
        command = Found(f"node {shlex.quote(entry)}", "entry file", entry)
    else:
        command = package.found(None, "no start script, no main, no entry file in JavaScript")
    build = "build" in scripts
    reason = "build script" if build else "no build script"
    return {"build": package.found(build, reason, "scripts", "build"), "command": command}


_TEST_FILE = re.compile(
    r"((^|/)(tests?|__tests__)/.*\.|[._-](test|spec)\.)(js|jsx|ts|tsx|mjs|cjs|mts|cts)$"
)


def find_tests(tree: Tree, folder: str, package: Package) -> Found[str | None]:
    """The name of the script that tests the app, if there are tests.

    npm's placeholder is none, and test runners fail where they find nothing, as in what Spinbox
    writes at first.
    """
    script = str(package.table("scripts").get("test", ""))
    if not script or "no test specified" in script:
        return Found(None, "no test script")
    if not any(_TEST_FILE.search(path) for path in tree.below(folder)):
        return Found(None, "a test script, but no test file", package.path)
    return package.found("test", "test script", "scripts", "test")


def read_next_config(tree: Tree, folder: str) -> Fields:
    """Next.js' `output` setting as far as the configuration says it in a constant."""
    path = tree.first(folder, *_NEXT_CONFIGS)
    if path is None:
        return {"output": Found(None, "no next.config file")}
    config = _read_source(tree, path)
    match = re.search(r"""(?<![\w.])['"]?output['"]?\s*:\s*['"`](\w+)['"`]""", config.code)
    if match is None:
        return {"output": Found(None, "no output that is a constant", path)}
    return {"output": config.found(match[1], "output", match.start())}


def next_health_path(tree: Tree, folder: str) -> Found[str]:
    """The app's own health route, or its start page."""
    for name in ("health", "healthz"):
        for source in ("src/", ""):
            for ending in ("ts", "js", "tsx", "jsx"):
                candidates = (f"app/api/{name}/route.{ending}", f"pages/api/{name}.{ending}")
                if path := tree.first(folder, *(source + candidate for candidate in candidates)):
                    return Found(f"/api/{name}", "file of the route", path)
    return Found("/", "start page, as there is no api/health or api/healthz route")


def node_health_path(tree: Tree, folder: str) -> Found[str | None]:
    """The first well-known health path in a `.get('…')` of the app's source, or None."""
    served: dict[str, Found[str]] = {}
    for source in _app_sources(tree, folder):
        for match in re.finditer(r"""\.get\(\s*['"`](/[^'"`]*)['"`]""", source.code):
            served.setdefault(match[1], source.found(match[1], "GET route", match.start(1)))
    missing = Found(None, f"no {either(_HEALTH_PATHS)} in the source")
    return next((served[path] for path in _HEALTH_PATHS if path in served), missing)


_PORTS = {
    r"process\.env\.PORT\b[^;\n]*?(?:\?\?|\|\|)\s*['\"]?(\d{2,5})": "what PORT falls back to",
    r"\.listen\(\s*(?:\{[^}]*?\bport\s*:\s*)?(\d{2,5})": "port that it listens on",
    r"\b(?:const|let|var)\s+(?:port|PORT)\s*=\s*(\d{2,5})\b": "constant of that name",
}


def node_port(tree: Tree, folder: str) -> Found[int]:
    """The port the source falls back to, or listens on; 3000 where it does not say."""
    entry = find_entry(tree, folder)
    first = [_read_source(tree, entry)] if entry else []
    for sources in (first, _app_sources(tree, folder)):
        for (pattern, reason), source in product(_PORTS.items(), sources):
            if match := re.search(pattern, source.code):
                return source.found(int(match[1]), reason, match.start(1))
    return Found(3000, "Node's usual port")


@dataclass(frozen=True)
class _Source:
    """A source file as it is, and with its comments blanked: positions are the same in both."""

    path: str
    text: str
    code: str

    def found(self, value: T, reason: str, position: int) -> Found[T]:
        return Found(value, reason, self.path, line_at(self.text, position))


def _app_sources(tree: Tree, folder: str) -> list[_Source]:
    return [
        _read_source(tree, path)
        for path in tree.below(folder)
        if path.endswith(_SOURCE_ENDINGS)
        and not re.search(r"(^|/)(tests?|__tests__)/|\.test\.", path)
    ]


# String literals are consumed as well, so that what looks like a comment in one stays.
_COMMENT = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)


def _read_source(tree: Tree, path: str) -> _Source:
    text = tree.read(path)
    code = _COMMENT.sub(lambda match: match[1] or " " * len(match[0]), text)
    return _Source(path, text, code)
