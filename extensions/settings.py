"""`--set KEY=VALUE`: what can be set by hand, and how a value is laid over the facts."""

from __future__ import annotations

import copy
import re
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import choices
from .errors import ProjectError
from .migrations import NAMES as MIGRATIONS
from .services import KINDS, NAMES

OFF = "off"
ON = "on"
EXTERNAL = "external"
COMPONENTS = ("fastapi", "python", "nextjs", "node", *NAMES)


@dataclass(frozen=True)
class Setting:
    """A fact that can be set by hand.

    Attributes:
        key: `name`, or `COMPONENT.FIELD`.
        kind: `text`, `number`, `boolean`, `list` (comma separated) or a `|`-joined set of words.
        help: What it is, for the README's table.
    """

    key: str
    kind: str
    help: str


def _app(kind: str, title: str) -> list[Setting]:
    return [
        Setting(f"{kind}.dir", "text", f"Folder of the {title} app; it is read anew from there"),
        Setting(f"{kind}.image", "text", "Base image"),
        Setting(f"{kind}.command", "text", "Command that runs the app (no shell)"),
        Setting(f"{kind}.port", "number", "Port it listens on"),
        Setting(f"{kind}.health", "text", "Path of its health check"),
        Setting(
            f"{kind}.sources", "list", "At the root: files and folders (ending in /) in the image"
        ),
        Setting(f"{kind}.variables", "list", "Names of its own variables, passed on from .env"),
        Setting(f"{kind}.manifests", "list", "Files that an installation of dependencies reads"),
    ]


def _python(kind: str, title: str) -> list[Setting]:
    return [
        *_app(kind, title),
        Setting(f"{kind}.manager", "uv|poetry|pdm|pip", "Package manager"),
        Setting(
            f"{kind}.libraries", "list", "Dependencies that need system packages, and the like"
        ),
        Setting(f"{kind}.source_root", "text", "Folder that modules are imported from"),
        Setting(f"{kind}.worker", "text", "Command of the background worker, or off"),
        Setting(f"{kind}.tests", "text", "Command that tests it, or off"),
        Setting(f"{kind}.test_requirements", "list", "Requirements files for tests alone"),
    ]


def _node(kind: str, title: str) -> list[Setting]:
    return [
        *_app(kind, title),
        Setting(f"{kind}.manager", "npm|pnpm|yarn|bun", "Package manager"),
        Setting(f"{kind}.manager_version", "text", "Its version"),
        Setting(f"{kind}.lockfile", "text", "Its lockfile, or off"),
        Setting(f"{kind}.tests", "text", "Script that tests it, or off"),
    ]


def _service(name: str) -> list[Setting]:
    kind = KINDS[name]
    whose = f"{kind.title}'" if kind.title.endswith("s") else f"{kind.title}'s"
    return [
        Setting(f"{name}.image", "text", f"{whose} image"),
        *_MIGRATIONS.get(name, ()),
        *(Setting(f"{name}.{field}", form, help_) for field, form, help_ in kind.settings),
    ]


_MIGRATIONS = {
    "postgres": (
        Setting("postgres.migrations", "|".join(MIGRATIONS), "What brings the schema up to date"),
    )
}
SETTINGS: tuple[Setting, ...] = (
    Setting("name", "text", "The project's name"),
    *(
        Setting(name, f"{ON}|{OFF}", "Whether the project has it")
        for name in COMPONENTS
        if name not in NAMES
    ),
    *(
        Setting(name, f"{ON}|{OFF}|{EXTERNAL}", "Whether the project has it, or uses one elsewhere")
        for name in NAMES
    ),
    *_python("fastapi", "FastAPI"),
    Setting("fastapi.entry", "text", "The FastAPI object or factory, as module:name"),
    Setting("fastapi.factory", "boolean", "The entry is an application factory"),
    Setting("fastapi.paths", "list", "Path prefixes that the proxy sends to it"),
    *_python("python", "Python"),
    Setting("python.entry", "text", "The script that runs"),
    Setting("python.mode", "job|service", "A script that ends, or one that serves or loops"),
    Setting("python.paths", "list", "Path prefixes that the proxy sends to it"),
    *_node("nextjs", "Next.js"),
    Setting("nextjs.output", "text", "Next.js' output setting"),
    Setting("nextjs.env_production", "boolean", "A committed .env.production enters the build"),
    *_node("node", "Node"),
    Setting("node.build", "boolean", "Run the build script"),
    *(setting for name in KINDS for setting in _service(name)),
)
# Choices are answers of their own; --set takes them too.
CHOICES: tuple[Setting, ...] = tuple(
    Setting(choice.key, choice.kind, choice.setting)
    for choice in choices.CHOICES.values()
    if choice.setting
)
_BY_KEY = {setting.key: setting for setting in (*SETTINGS, *CHOICES)}
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_IMAGE = re.compile(r"[a-z0-9][\w./:@-]*", re.IGNORECASE | re.ASCII)
_RELATIVE_PATH = re.compile(r"(?!/|.*(?:^|/)\.\.(?:/|$))[^\x00-\x1f]+")
# What the last part of a key demands of its text.
_CAN_BE_OFF = frozenset({"health", "worker", "lockfile", "port", "tests"})
_PATTERNS = {
    "image": (_IMAGE, "an image reference"),
    "dir": (_RELATIVE_PATH, "a folder inside the project"),
    "health": (re.compile(r"/[!-~]*"), "a path that starts with /"),
    "source_root": (_RELATIVE_PATH, "a folder inside the app's"),
    "manager_version": (re.compile(r"[\w.^~<>=*-]+"), "a version"),
    "lockfile": (_RELATIVE_PATH, "a file of the app"),
    "extensions": (re.compile(r"[\w-]+"), "names of extensions"),
    "variables": (re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "names of variables"),
    "paths": (re.compile(r"/[!-~]*"), "paths that start with /"),
    "sources": (_RELATIVE_PATH, "paths inside the project"),
    "test_requirements": (_RELATIVE_PATH, "files of the app"),
    "manifests": (_RELATIVE_PATH, "paths inside the project"),
    "entry": (
        re.compile(r"[\w.]+:[\w.]+|[\w./-]+\.py"),
        "of the form module:name or a script's path",
    ),
}


def check_key(key: str) -> Setting:
    """The setting of that key.

    Raises:
        ProjectError: There is none.
    """
    if key in choices.RETIRED:
        raise ProjectError(choices.RETIRED[key])
    if key not in _BY_KEY:
        raise ProjectError(f"{key!r} is not a key of --set: the README lists them all.")
    return _BY_KEY[key]


def parse_setting(key: str, text: str) -> Any:
    """Turn the text of `--set key=text` into the value that is stored.

    Raises:
        ProjectError: No such key, or the text does not fit it.
    """
    setting = check_key(key)
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise ProjectError(f"The value of {key} must be one line without control characters.")
    if text == OFF and key.rpartition(".")[2] in _CAN_BE_OFF:
        return OFF
    if setting.kind == "number":
        if not _NUMBER.fullmatch(text) or int(text) > 65535:
            raise ProjectError(f"{key} must be a number from 1 to 65535, not {text!r}.")
        return int(text)
    if setting.kind == "boolean":
        if text not in {"true", "false"}:
            raise ProjectError(f"{key} must be true or false, not {text!r}.")
        return text == "true"
    if setting.kind == "list":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        for part in parts:
            _check_form(key, part)
        return parts
    if setting.kind != "text" and text not in setting.kind.split("|"):
        raise ProjectError(f"{key} must be {' or '.join(setting.kind.split('|'))}, not {text!r}.")
    _check_form(key, text)
    return text


def _check_form(key: str, text: str) -> None:
    field = key.rpartition(".")[2]
    choice = choices.CHOICES.get(key)
    if choice is not None:
        choices.check(key, text)
        return
    pattern, form = _PATTERNS.get(field, (None, ""))
    if pattern and not pattern.fullmatch(text):
        raise ProjectError(f"{key} must be {form}, not {text!r}.")
    if field in {"command", "worker", "tests"}:
        try:
            shlex.split(text)
        except ValueError:
            raise ProjectError(f"{key} has a quote without its end: close it.") from None


def check_overrides(overrides: object) -> dict[str, Any]:
    """Check stored overrides, which may have been written by hand.

    Raises:
        ProjectError: Not a mapping of known keys to fitting values.
    """
    if not isinstance(overrides, Mapping):
        raise ProjectError("`overrides` must be a mapping of keys to values.")
    checked = {}
    for key, value in overrides.items():
        if isinstance(value, bool):
            # YAML reads a bare on or off as a boolean, too.
            words = (ON, OFF) if key in COMPONENTS else ("true", "false")
            text = words[0] if value else words[1]
        elif isinstance(value, list):
            text = ",".join(str(part) for part in value)
        else:
            text = str(value)
        checked[str(key)] = parse_setting(str(key), text)
    return checked


def check_facts(facts: Mapping[str, Any]) -> None:
    """Check facts as strictly as what is set by hand: they come from files of the project.

    Raises:
        ProjectError: A file name, image or version has a form that nothing generated could quote.
    """
    if not isinstance(facts.get("name"), str):
        raise ProjectError("The stored facts of the project are broken: restore the answers file.")
    for component, fields in facts.items():
        if component == "name":
            continue
        if component not in COMPONENTS or not isinstance(fields, Mapping):
            raise ProjectError(
                "The stored facts of the project are broken: restore the answers file."
            )
        for field, value in fields.items():
            setting = _BY_KEY.get(f"{component}.{field}")
            if setting is None or value is None:
                continue
            if isinstance(value, list) != (setting.kind == "list"):
                raise ProjectError(f"{setting.key} is broken: restore the answers file.")
            for part in value if isinstance(value, list) else [value]:
                text = str(part).lower() if isinstance(part, bool) else str(part)
                if text:
                    parse_setting(setting.key, text)


def hints(overrides: Mapping[str, Any]) -> dict[str, str]:
    """What detection has to know: folders to look in, and the entry that was chosen of several."""
    return {key: value for key, value in overrides.items() if key.endswith((".dir", ".entry"))}


def lay_over(facts: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with what was set by hand in their place; neither argument is changed."""
    result: dict[str, Any] = copy.deepcopy(dict(facts))
    for key in sorted(overrides, key=lambda key: "." in key):
        value = overrides[key]
        component, _, field = key.partition(".")
        if key in COMPONENTS:
            if value == OFF:
                result.pop(key, None)
            else:
                result.setdefault(key, {})
                if value == EXTERNAL:
                    result[key]["external"] = True
        elif not field:
            result[key] = value
        elif component in result:
            result[component][field] = None if value == OFF else value
    return result
