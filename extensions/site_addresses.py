"""Variables of a site that hold the API's address: on a developer's machine, localhost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from . import env_example
from .environment_reads import Read
from .origins import Found
from .tree import Tree, join

# Settings of development, of which the first that sets a name counts.
_DEVELOPMENT = (".env.development", ".env.local.example", ".env.example")
_NAME = re.compile(r"(?:.*_)?(?:API|BACKEND|SERVER|WS|WEBSOCKET|SOCKET)(?:_\w+)?")
_END = re.compile(r".*_(?:URL|URI|ORIGIN|BASE|HOST|ENDPOINT|ROOT|API|BACKEND|SERVER|WS)")
# Names of the project's own API whatever their value.
_SURE = re.compile(r"[A-Z]+(?:_PUBLIC|_APP)?_(?:API|BACKEND)(?:_BASE)?_(?:URL|URI|ORIGIN)")
_HERE = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "backend", "api"})
_IN_PRODUCTION = {"http": "https://", "https": "https://", "ws": "wss://", "wss": "wss://"}
_PATH = re.compile(r"(?:/[\w.~-]+)*/?", re.ASCII)


def find(
    tree: Tree, folder: str, reads: Iterable[Read], prefixes: Iterable[str]
) -> Found[list[str]]:
    """Names with the form of their value in production, as in `VITE_API_URL=https:///api`.

    Args:
        tree: The project's files.
        folder: The site's.
        reads: Where its code reads variables.
        prefixes: How the names begin that are built in.

    Returns:
        Each as `NAME=SCHEME://PATH`; none that the site's own settings of production set.
    """
    set_there = {line.name for line in _settings(tree, folder, ".env.production")}
    values: dict[str, str] = {}
    places: dict[str, tuple[str, int]] = {}
    for name in _DEVELOPMENT:
        for line in _settings(tree, folder, name):
            if line.value:
                values.setdefault(line.name, line.value)
    for read in reads:
        if read.default is not None:
            values.setdefault(read.name, read.default)
        places.setdefault(read.name, (read.path, read.line))
    found = [
        f"{name}={form}"
        for name in sorted(places)
        if name.startswith(tuple(prefixes)) and name not in set_there
        if (form := _form(name, values.get(name))) is not None
    ]
    if not found:
        return Found([], "no variable holds the API's address")
    return Found(found, "reads the API's address", *places[found[0].partition("=")[0]])


def split(address: str) -> tuple[str, tuple[str, str]]:
    """The name, and what stands before and after the domain."""
    name, _, form = address.partition("=")
    scheme, slashes, path = form.partition("://")
    return name, (scheme + slashes, path)


def _form(name: str, value: str | None) -> str | None:
    if not (_NAME.fullmatch(name) and _END.fullmatch(name)):
        return None
    if value is None:
        return "https://" if _SURE.fullmatch(name) else None
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return None
    scheme = _IN_PRODUCTION.get(parts.scheme)
    # A path alone is the same everywhere, and another host is somebody else's.
    if scheme is None or host not in _HERE or parts.query or not _PATH.fullmatch(parts.path):
        return None
    return scheme + parts.path


def _settings(tree: Tree, folder: str, name: str) -> Iterator[env_example.Line]:
    if tree.has(path := join(folder, name)):
        yield from env_example.lines(tree.read(path))
