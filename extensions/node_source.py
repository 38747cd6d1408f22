"""What every app on Node says of itself: package.json, lockfile, tests; its source, as text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from . import package_managers, package_registries, source_text
from .errors import ProjectError
from .origins import Fields, Found, line_at
from .tree import MEGABYTE, Tree, join

T = TypeVar("T")

_DEFAULT_MANAGER = "npm"
_SOURCE_ENDINGS = (".ts", ".js", ".mjs", ".cjs")


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
        document = json.loads(text := tree.read(path, MEGABYTE))
    except json.JSONDecodeError as error:
        raise ProjectError(
            f"{path}, line {error.lineno} is not valid JSON: mend it first."
        ) from None
    except RecursionError:
        raise ProjectError(f"{path} is nested too deeply to be read: make it simpler.") from None
    if not isinstance(document, dict):
        raise ProjectError(f"{path} is not a JSON object: mend it first.")
    return Package(path, document, _key_lines(text))


class Engine(NamedTuple):
    """One entry of `devEngines`: its name, its range, and whether a tool may refuse another."""

    name: str
    version: str
    binding: bool


def development_engines(package: Package, kind: str) -> list[Engine]:
    """What `devEngines` names of a kind, `runtime` or `packageManager` (docs.npmjs.com).

    Of several, any is enough: none of them binds.
    """
    found = package.table("devEngines").get(kind)
    listed = found if isinstance(found, list) else [found]
    return [
        Engine(
            str(one.get("name") or ""),
            str(one.get("version") or ""),
            str(one.get("onFail") or "error") not in {"ignore", "warn"} and len(listed) == 1,
        )
        for one in listed
        if isinstance(one, dict)
    ]


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


# Not where it only calls another script, as in `bun run build && node dist`.
_RUN_BY_BUN = re.compile(r"(?:[A-Z_]+=\S+\s+)*bun\s+(?:run\s+)?(?:-\S+\s+)*\S*[./]\S*$")


def read_packages(tree: Tree, folder: str, package: Package) -> Fields:
    """How the dependencies in `folder` are installed.

    Returns:
        `manager` (`npm`, `pnpm`, `yarn` or `bun`), `manager_version` (empty for the image's own
        npm), `lockfile` (or None) and `manifests` (the files an installation reads; none with a
        login in it), and the facts of `package_registries.fields`.
    """
    managers = package_managers.of("node")
    # npm's wins last: it may be left of the time before another was taken.
    by_lockfile = {
        lockfile: name
        for name in sorted(managers, key=lambda name: name == _DEFAULT_MANAGER)
        for lockfile in managers[name].LOCKFILES
    }
    lockfile = next((name for name in by_lockfile if tree.has(join(folder, name))), None)
    empty = lockfile is not None and fixes_nothing(tree, join(folder, lockfile))
    key, declared, version = "packageManager", "", ""
    if named := package.content.get(key):
        declared, _, version = str(named).partition("@")
    elif engine := next(iter(development_engines(package, key)), None):
        key, declared = "devEngines", engine.name if engine.name in managers else ""
        # Other ranges may have the image's own, or none that is known.
        version = engine.version if re.fullmatch(r"[~^]?\d[\w.]*", engine.version) else ""
        version = "" if declared == _DEFAULT_MANAGER else version
    if lockfile:
        manager = Found(by_lockfile[lockfile], "lockfile", join(folder, lockfile))
    elif declared:
        manager = package.found(declared, key, key)
    elif _RUN_BY_BUN.match(str(package.table("scripts").get("start", ""))):
        manager = package.found("bun", "the start script runs it", "scripts", "start")
    else:
        manager = Found(_DEFAULT_MANAGER, "no lockfile and no packageManager")
    if manager.value not in managers:
        raise ProjectError(
            f"{join(folder, 'package.json')}: package manager {manager.value} is not known."
        )
    if declared == manager.value and version:
        pinned = version.partition("+")[0]
        found = package.found(pinned, key, key)
    else:
        found = managers[manager.value].find_version(tree, folder)
    configuration = [name for module in managers.values() for name in module.CONFIGURATION]
    present = [name for name in configuration if tree.has(join(folder, name))]
    registries = [
        package_registries.read_file(path, tree.read(path))
        for name in present
        if name in package_registries.FILES and (path := join(folder, name))
    ]
    secret = {registry.path for registry in registries if registry.login}
    present = [name for name in present if join(folder, name) not in secret]
    if empty:
        lockfile = None
    manifests = ["package.json", *([lockfile] if lockfile else []), *present]
    # Its own releases, plugins and patches.
    own = managers[manager.value].FOLDER
    if own and any(tree.below(join(folder, own))):
        manifests.append(own)
    return {
        "manager": manager,
        "manager_version": found,
        "lockfile": replace(manager, value=lockfile) if lockfile else Found(None, "no lockfile"),
        "manifests": package.found(manifests, "declares the dependencies"),
        **package_registries.fields(registries, folder),
    }


def fixes_nothing(tree: Tree, path: str) -> bool:
    """Whether a lockfile of npm is one that npm never wrote: it has not even the app itself."""
    if not path.endswith(".json"):
        return False
    try:
        document = json.loads(tree.read(path))
    except (ValueError, RecursionError, ProjectError):
        return False
    return isinstance(document, dict) and document.get("packages") == {}


# What often is imported and has its types in another package (github.com/DefinitelyTyped).
_UNTYPED = (
    *("bcrypt", "bcryptjs", "body-parser", "compression", "connect-redis", "cookie-parser", "cors"),
    *("express", "express-session", "jsonwebtoken", "lodash", "morgan", "multer", "node-cron"),
    *("nodemailer", "passport", "passport-jwt", "passport-local", "pg", "sanitize-html"),
    *("swagger-jsdoc", "swagger-ui-express", "ws"),
)


def find_untyped(tree: Tree, folder: str, package: Package) -> Found[list[str]]:
    """Dependencies whose types the compiler asks for and nobody installs: it stops at TS7016."""
    path = join(folder, "tsconfig.json")
    settings = source_text.without_comments(tree.read(path)) if tree.has(path) else ""
    strict = re.search(r'"strict"\s*:\s*true', settings)
    any_is_error = re.search(r'"noImplicitAny"\s*:\s*(true|false)', settings)
    if not (any_is_error[1] == "true" if any_is_error else strict):
        return Found([], "no tsconfig.json that asks for types")
    installed = package.table("dependencies").keys() | package.table("devDependencies").keys()
    missing = {n for n in _UNTYPED if n in installed and f"@types/{n}" not in installed}
    found: dict[str, Found[str]] = {}
    for source in app_sources(tree, folder):
        if not source.path.endswith(".ts"):
            continue
        for name in re.findall(r"""declare\s+module\s+['"]([^'"]+)['"]""", source.code):
            missing.discard(name)
        for match in re.finditer(r"""\bfrom\s+['"]([^'"]+)['"]""", source.code):
            found.setdefault(match[1], source.found(match[1], "import", match.start(1)))
    names = sorted(missing & found.keys())
    if not names:
        return Found([], "no import of a package without types")
    first = found[names[0]]
    return Found(names, first.reason, first.path, first.line)


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


@dataclass(frozen=True)
class Source:
    """A source file as it is, and with its comments blanked: positions are the same in both."""

    path: str
    text: str
    code: str

    def found(self, value: T, reason: str, position: int) -> Found[T]:
        """A value that stands at a position of the text."""
        return Found(value, reason, self.path, line_at(self.text, position))


def app_sources(tree: Tree, folder: str) -> list[Source]:
    """The source files in a folder, but tests."""
    return [
        read_source(tree, path)
        for path in tree.below(folder)
        if path.endswith(_SOURCE_ENDINGS)
        and not re.search(r"(^|/)(tests?|__tests__)/|\.test\.", path)
    ]


def read_source(tree: Tree, path: str) -> Source:
    """One source file."""
    text = tree.read(path)
    return Source(path, text, source_text.without_comments(text))
