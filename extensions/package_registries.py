"""Registries that packages come from: the settings files that name them, and how one logs in.

Logins come by environment variables, whose names these files tell. They are secrets of the build:
the step that installs has them, and no image, layer or history does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .origins import Fields, Found, and_more, line_at

# Settings of package managers, which may hold a login themselves.
FILES = (".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", "pip.conf")

# `${NAME}`, with a fallback in Yarn's and npm's files; Bun's has `$NAME`, too (docs.npmjs.com,
# yarnpkg.com/configuration/yarnrc, bun.com/docs/runtime/bunfig).
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)[^}]*\}")
_BARE_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
# What every shell sets is no login.
_NO_LOGIN = frozenset({"HOME", "PATH", "PWD", "USER", "NODE_ENV", "PROJECT_ROOT"})
# The settings that hold a login, in any of those files; what is after a colon or an equals sign.
_LOGIN = re.compile(
    r"""(?ix) (?: \b_authToken | \b_auth | _password | \bnpmAuthToken | \bnpmAuthIdent
        | ^ \s* (?:token|password) | [{,] \s* (?:token|password) )
        ["']? \s* (?:[:=]|\s) \s* ["']? (?P<value>[^\s"',}]+)"""
)
# user:password@ in an address.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://(?P<value>[^/\s\"'@]+)@", re.IGNORECASE)
# Everybody's, without a login.
_PUBLIC_HOSTS = re.compile(
    r"(test\.)?pypi\.org|files\.pythonhosted\.org|download\.pytorch\.org|pypi\.nvidia\.com"
    r"|(.+\.)?github\.io"
)


# Those that give nothing to anybody without a login, as far as that is known by the host's name.
_WITH_LOGIN = re.compile(
    r"https?://(npm\.pkg\.github\.com|npm\.fontawesome\.com|pkgs\.dev\.azure\.com"
    r"|[\w.-]+\.pkgs\.visualstudio\.com|[\w.-]+-npm\.pkg\.dev"
    r"|[\w.-]+\.d\.codeartifact\.[\w.-]+\.amazonaws\.com|npm\.greensock\.com)(?=[/:\"'\s])"
)


@dataclass(frozen=True)
class Registry:
    """What a file says of registries.

    Attributes:
        path: The file, relative to the project's top folder.
        variables: The environment variables that a login there comes from.
        login: It holds a login itself, or what holds one is not read where images are built.
    """

    path: str
    variables: tuple[str, ...] = ()
    login: bool = False


def read_file(path: str, text: str) -> Registry:
    """What a settings file or a list of requirements says."""
    return Registry(path, tuple(variables(path, text)), holds_login(text))


def fields(registries: Iterable[Registry], folder: str) -> Fields:
    """The facts of an app.

    Returns:
        `build_secrets` (names of the variables that an installation needs to log in) and `logins`
        (files that hold a login themselves, relative to `folder`).
    """
    listed = list(registries)
    used = {name: one.path for one in listed if not one.login for name in one.variables}
    names = list(used)
    secrets: Found[list[str]] = Found([], "no private registry")
    if names:
        secrets = Found(names, f"takes a login from {names[0]}{and_more(names)}", used[names[0]])
    at = "" if folder == "." else f"{folder}/"
    files = [one.path.removeprefix(at) for one in listed if one.login]
    logins: Found[list[str]] = Found([], "no settings of a registry with a login")
    if files:
        logins = Found(files, f"login of a registry{and_more(files)}", at + files[0])
    return {"build_secrets": secrets, "logins": logins}


def variables(name: str, text: str) -> list[str]:
    """The environment variables that a settings file takes values from, in order, each once."""
    pattern = _BARE_VARIABLE if name.endswith("bunfig.toml") else _VARIABLE
    found = (match[1] for line in _lines(text) for match in pattern.finditer(line))
    return [variable for variable in dict.fromkeys(found) if variable not in _NO_LOGIN]


def holds_login(text: str) -> bool:
    """Whether a settings file or a list of requirements holds a password or token itself."""
    return any(
        "$" not in match["value"]
        for line in _lines(text)
        for pattern in (_LOGIN, _ADDRESS)
        for match in pattern.finditer(line)
        if pattern is _LOGIN or ":" in match["value"] or _looks_random(match["value"])
    )


def _looks_random(user: str) -> bool:
    """Whether what stands where a user's name does, alone, is a token: git@host is none."""
    return len(user) >= 16


def host_with_login(text: str) -> tuple[str, int] | None:
    """A host that a lockfile or a settings file names and that asks for a login, and its line."""
    found = _WITH_LOGIN.search(text)
    return (found[1], line_at(text, found.start())) if found else None


def of_index(name: object, prefix: str) -> tuple[str, str]:
    """The variables that hold the login of an index: `PREFIX_NAME_USERNAME` and `…_PASSWORD`."""
    upper = re.sub(r"[^A-Z0-9]", "_", str(name).upper())
    return f"{prefix}_{upper}_USERNAME", f"{prefix}_{upper}_PASSWORD"


def is_private(address: object) -> bool:
    """Whether an index may ask for a login: every one that is not known to be everybody's."""
    host = urlsplit(str(address)).hostname
    return host is not None and _PUBLIC_HOSTS.fullmatch(host) is None


def index_variables(indexes: object, prefix: str) -> list[str]:
    """The variables for the logins of all private indexes of a TOML array, by their names."""
    found: list[str] = []
    for index in indexes if isinstance(indexes, list) else []:
        if not isinstance(index, Mapping) or not index.get("name"):
            continue
        if index.get("authenticate") != "never" and is_private(index.get("url")):
            found += of_index(index["name"], prefix)
    return list(dict.fromkeys(found))


def of_indexes(path: str, indexes: object, prefix: str) -> Registry:
    """What a TOML array of indexes says, whose logins come by `PREFIX_NAME_USERNAME` and the like.

    Args:
        path: The file that it stands in.
        indexes: The array; anything else has no indexes.
        prefix: What the package manager's variables begin with.
    """
    names = tuple(index_variables(indexes, prefix))
    return Registry(path, names, holds_login(addresses(indexes)))


def addresses(indexes: object) -> str:
    """The addresses of the indexes of a TOML array, one on each line."""
    listed: list[Any] = indexes if isinstance(indexes, list) else []
    return "\n".join(str(index.get("url", "")) for index in listed if isinstance(index, Mapping))


def _lines(text: str) -> Iterator[str]:
    """The lines that are no comment."""
    return (line for line in text.splitlines() if not re.match(r"\s*[#;]", line))
