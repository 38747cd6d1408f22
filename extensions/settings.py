"""`--set KEY=VALUE`: what can be set by hand, and how a value is laid over the facts."""

from __future__ import annotations

import copy
import difflib
import re
import shlex
from collections.abc import Mapping
from typing import Any

from . import apps, choices
from .choice import is_line
from .errors import ProjectError, shown
from .migrations import NAMES as MIGRATIONS
from .own_variables import REQUIRED
from .services import KINDS, NAMES
from .setting import Setting
from .tree import PLAIN_PATH

OFF = "off"
ON = "on"
EXTERNAL = "external"
COMPONENTS = (*apps.NAMES, *NAMES)


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
    *(setting for framework in apps.FRAMEWORKS.values() for setting in framework.SETTINGS),
    *(setting for name in KINDS for setting in _service(name)),
)
# Choices are answers of their own; --set takes them too.
CHOICES: tuple[Setting, ...] = tuple(
    Setting(choice.key, choice.kind, choice.setting)
    for choice in choices.CHOICES.values()
    if choice.setting
)
# The form of lists of facts that have no key.
_DERIVED = {"addresses": re.compile(r"[A-Za-z_]\w*=[a-z-]+(/[\w./~-]*)?", re.ASCII)}
_BY_KEY = {setting.key: setting for setting in (*SETTINGS, *CHOICES)}
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_IMAGE = re.compile(r"[a-z0-9][\w./:@-]*", re.IGNORECASE | re.ASCII)
# What stands in the path and query of an address (RFC 3986), so that no file takes it for more.
_URL_PATH = re.compile(r"/[\w.~!$&'()*+,;=:@%/?-]*", re.ASCII)
# It may lie beside the app's folder.
_MANIFEST = re.compile(rf"(?:\.\./)*{PLAIN_PATH.pattern}")
_VARIABLE = (re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "names of variables")
# What a key, or the last part of one, demands of its text.
_CAN_BE_OFF = frozenset(
    {"health", "worker", "scheduler", "lockfile", "port", "tests", "keep"}
    | {"build_secrets", "build_needs", "package", "fallback", "media"}
)
_PATTERNS = {
    "image": (_IMAGE, "an image reference"),
    "settings": (re.compile(r"\w+(\.\w+)*"), "a module, as in config.settings"),
    "media": (re.compile(r"/?[\w.-]+(/[\w.-]+)*"), "a folder"),
    "dir": (PLAIN_PATH, "a folder inside the project"),
    "health": (_URL_PATH, "the path of an address, which starts with /"),
    "source_root": (PLAIN_PATH, "a folder inside the app's"),
    "manager_version": (re.compile(r"[\w.^~<>=*-]+"), "a version"),
    "lockfile": (PLAIN_PATH, "a file of the app"),
    "extensions": (re.compile(r"[\w-]+"), "names of extensions"),
    "groups": (re.compile(r"\w[\w.-]*"), "names of groups"),
    "extras": (re.compile(r"\w[\w.-]*"), "names of extras"),
    "package": (PLAIN_PATH, "files of the app"),
    "variables": _VARIABLE,
    **dict.fromkeys(("build_secrets", "build_needs", "required", "optional", "ignored"), _VARIABLE),
    "keep": (PLAIN_PATH, "files of the app"),
    "volumes": (choices.UPLOADS.pattern, "absolute paths such as /app/data"),
    "paths": (_URL_PATH, "paths of addresses, which start with /"),
    "sources": (PLAIN_PATH, "paths inside the project"),
    "test_requirements": (PLAIN_PATH, "files of the app"),
    "manifests": (_MANIFEST, "paths inside the project"),
    "output": (PLAIN_PATH, "a folder of the app, or Next.js' setting"),
    "base": (re.compile(r"/[\w.~/-]*", re.ASCII), "the path of an address, which starts with /"),
    "fallback": (re.compile(r"\w[\w./-]*", re.ASCII), "a file of the built site"),
    "script": (re.compile(r"[\w:.@-]+", re.ASCII), "the name of a script"),
    "entry": (
        re.compile(r"[\w.]+:[\w.]+|[\w./-]+\.py"),
        "of the form module:name or a script's path",
    ),
    "python.entry": (
        re.compile(r"[\w./-]+\.py|\w+(\.\w+)*(:\w+(\.\w+)*)?"),
        "a script's path, a module, or of the form module:function",
    ),
}


def check_key(key: str) -> Setting:
    """The setting of that key.

    Raises:
        ProjectError: There is none.
    """
    if key in choices.RETIRED:
        raise ProjectError(choices.RETIRED[key].sentence)
    if key not in _BY_KEY:
        near = difflib.get_close_matches(key, _BY_KEY, cutoff=0.7)
        meant = f"did you mean {' or '.join(near)}?" if near else "the README lists them all."
        raise ProjectError(f"{shown(key)} is not a key of --set: {meant}")
    return _BY_KEY[key]


def parse_setting(key: str, text: str) -> Any:
    """Turn the text of `--set key=text` into the value that is stored.

    Raises:
        ProjectError: No such key, or the text does not fit it.
    """
    setting = check_key(key)
    _check_line(key, text)
    if text == OFF and key.rpartition(".")[2] in _CAN_BE_OFF:
        return OFF
    if setting.kind == "number":
        if not _NUMBER.fullmatch(text) or int(text) > 65535:
            raise ProjectError(f"{key} must be a number from 1 to 65535, not {shown(text)}.")
        return int(text)
    if setting.kind == "boolean":
        if text not in {"true", "false"}:
            raise ProjectError(f"{key} must be true or false, not {shown(text)}.")
        return text == "true"
    if setting.kind == "list":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        for part in parts:
            _check_form(key, part)
        return parts
    if setting.kind != "text" and text not in setting.kind.split("|"):
        raise ProjectError(
            f"{key} must be {' or '.join(setting.kind.split('|'))}, not {shown(text)}."
        )
    _check_form(key, text)
    return text


def _check_line(key: str, text: str) -> None:
    if not is_line(text):
        raise ProjectError(f"The value of {key} must be one line without control characters.")


def _check_form(key: str, text: str) -> None:
    field = key.rpartition(".")[2]
    if key in choices.CHOICES:
        choices.check(key, text)
        return
    pattern, form = _PATTERNS.get(key, _PATTERNS.get(field, (None, "")))
    if pattern and not pattern.fullmatch(text):
        raise ProjectError(f"{key} must be {form}, not {shown(text)}.")
    if field in {"command", "worker", "scheduler", "tests"}:
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
            is_switch = str(key) in _BY_KEY and f"{ON}|{OFF}" in _BY_KEY[str(key)].kind
            words = (ON, OFF) if is_switch else ("true", "false")
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
    if not is_line(facts["name"]):
        raise ProjectError("The project's name has control characters: use --set name=NAME.")
    for component, fields in facts.items():
        if component == "name":
            continue
        if component not in COMPONENTS or not isinstance(fields, Mapping):
            raise ProjectError(
                "The stored facts of the project are broken: restore the answers file."
            )
        for field, value in fields.items():
            for part in value if isinstance(value, list) else [value]:
                if not is_line(str(part)):
                    raise ProjectError(
                        f"The name {part!a} has control characters, or is not UTF-8: rename that "
                        "file, or have git ignore it."
                    )
            if field in _DERIVED and not all(
                isinstance(part, str) and _DERIVED[field].fullmatch(part) for part in value or ()
            ):
                raise ProjectError(f"{component}.{field} is broken: restore the answers file.")
            setting = _BY_KEY.get(f"{component}.{field}")
            if setting is None or value is None:
                continue
            if isinstance(value, list) != (setting.kind == "list"):
                raise ProjectError(f"{setting.key} is broken: restore the answers file.")
            for part in value if isinstance(value, list) else [value]:
                text = str(part).lower() if isinstance(part, bool) else str(part)
                if isinstance(value, list):
                    # As it is: a name may hold a comma.
                    _check_line(setting.key, text)
                    _check_form(setting.key, text)
                elif text:
                    parse_setting(setting.key, text)


def hints(overrides: Mapping[str, Any]) -> dict[str, str]:
    """What detection has to know: folders to look in, and what was chosen to run, and how."""
    fields = (".dir", ".entry", ".mode", ".command", ".port")
    return {key: str(value) for key, value in overrides.items() if key.endswith(fields)}


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
        elif component in result and field == REQUIRED:
            # What was found stays: `optional` takes it back.
            found = result[component].get(field) or []
            result[component][field] = list(dict.fromkeys([*found, *value]))
        elif component in result:
            result[component][field] = None if value == OFF else value
    return result
