"""What a Node or Next.js app says of itself: package.json, lockfile, configuration, routes."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from .errors import ProjectError
from .tree import Tree, join

# In the order in which they win where several are there.
_LOCKFILES = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
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


def read_package_json(tree: Tree, folder: str) -> dict[str, Any] | None:
    """The parsed package.json of `folder`, or None where there is none.

    Raises:
        ProjectError: It is not a JSON object.
    """
    path = join(folder, "package.json")
    if not tree.has(path):
        return None
    try:
        document = json.loads(tree.read(path))
    except json.JSONDecodeError as error:
        raise ProjectError(
            f"{path}, line {error.lineno} is not valid JSON: mend it first."
        ) from None
    if not isinstance(document, dict):
        raise ProjectError(f"{path} is not a JSON object: mend it first.")
    return document


def find_entry(tree: Tree, folder: str) -> str | None:
    """The source file that a plain Node app starts from, or None: then there is no such app."""
    return tree.first(folder, *_ENTRIES)


def depends_on_next(tree: Tree, folder: str) -> bool:
    """Whether the package.json in `folder`, if it can be read, depends on Next.js."""
    try:
        package = read_package_json(tree, folder) or {}
    except ProjectError:
        return False
    return "next" in _table(package, "dependencies")


def read_packages(tree: Tree, folder: str, package: dict[str, Any]) -> dict[str, Any]:
    """How the dependencies in `folder` are installed.

    Returns:
        `manager` (`npm`, `pnpm`, `yarn` or `bun`), `manager_version` (empty for the image's own
        npm), `lockfile` (or None) and `manifests` (the files an installation reads).
    """
    lockfile = next((name for name in _LOCKFILES if tree.has(join(folder, name))), None)
    declared, _, version = str(package.get("packageManager", "")).partition("@")
    manager = _LOCKFILES[lockfile] if lockfile else declared or "npm"
    if manager not in _DEFAULT_VERSIONS:
        raise ProjectError(
            f"{join(folder, 'package.json')}: package manager {manager} is not known."
        )
    if declared != manager or not version:
        version = _DEFAULT_VERSIONS[manager]
        if manager == "yarn" and tree.has(join(folder, ".yarnrc.yml")):
            version = "4"
    present = [name for name in _INSTALL_SETTINGS if tree.has(join(folder, name))]
    return {
        "manager": manager,
        "manager_version": version.partition("+")[0],
        "lockfile": lockfile,
        "manifests": ["package.json", *([lockfile] if lockfile else []), *present],
    }


def read_scripts(package: dict[str, Any], entry: str | None) -> dict[str, Any]:
    """Whether there is a `build` script, and the command that starts the app.

    A start script that only calls `node` is taken apart, so that signals reach the app itself.
    """
    scripts = _table(package, "scripts")
    # The image sets NODE_ENV, and the port is PORT's.
    start = re.sub(r"^(?:(?:NODE_ENV|PORT)=\w+\s+)+", "", str(scripts.get("start", "")))
    command: str | None = None
    if re.fullmatch(r"node(\s+[\w./@=:-]+)+", start):
        command = start
    elif start:
        command = "npm start"
    elif package.get("main"):
        command = f"node {shlex.quote(str(package['main']))}"
    elif entry and not entry.endswith(".ts"):
        command = f"node {shlex.quote(entry)}"
    return {"build": "build" in scripts, "command": command}


def read_next_config(tree: Tree, folder: str) -> dict[str, Any]:
    """Next.js' `output` setting as far as the configuration says it in a constant."""
    path = tree.first(folder, *_NEXT_CONFIGS)
    text = _without_comments(tree.read(path)) if path else ""
    match = re.search(r"""(?<![\w.])['"]?output['"]?\s*:\s*['"`](\w+)['"`]""", text)
    return {"output": match[1] if match else None}


def next_health_path(tree: Tree, folder: str) -> str:
    """The app's own health route, or its start page."""
    for name in ("health", "healthz"):
        for source in ("src/", ""):
            for ending in ("ts", "js", "tsx", "jsx"):
                candidates = (f"app/api/{name}/route.{ending}", f"pages/api/{name}.{ending}")
                if any(tree.has(join(folder, source + candidate)) for candidate in candidates):
                    return f"/api/{name}"
    return "/"


def node_health_path(tree: Tree, folder: str) -> str | None:
    """The first well-known health path in a `.get('…')` of the app's source, or None."""
    text = _source_text(tree, folder)
    served = set(re.findall(r"""\.get\(\s*['"`](/[^'"`]*)['"`]""", text))
    return next((path for path in _HEALTH_PATHS if path in served), None)


def node_port(tree: Tree, folder: str) -> int:
    """The port the source falls back to, or listens on; 3000 where it does not say."""
    entry = find_entry(tree, folder)
    texts = [_without_comments(tree.read(entry))] if entry else []
    for text in [*texts, _source_text(tree, folder)]:
        for pattern in (
            r"process\.env\.PORT\b[^;\n]*?(?:\?\?|\|\|)\s*['\"]?(\d{2,5})",
            r"\.listen\(\s*(?:\{[^}]*?\bport\s*:\s*)?(\d{2,5})",
            r"\b(?:const|let|var)\s+(?:port|PORT)\s*=\s*(\d{2,5})\b",
        ):
            match = re.search(pattern, text)
            if match:
                return int(match[1])
    return 3000


def _source_text(tree: Tree, folder: str) -> str:
    paths = [
        path
        for path in tree.below(folder)
        if path.endswith(_SOURCE_ENDINGS)
        and not re.search(r"(^|/)(tests?|__tests__)/|\.test\.", path)
    ]
    return "\n".join(_without_comments(tree.read(path)) for path in paths)


# String literals are consumed as well, so that what looks like a comment in one stays.
_COMMENT = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)


def _without_comments(text: str) -> str:
    return _COMMENT.sub(lambda match: match[1] or " ", text)


def _table(package: dict[str, Any], key: str) -> dict[str, Any]:
    value = package.get(key)
    return value if isinstance(value, dict) else {}
