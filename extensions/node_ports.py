"""The port of a server on Node: what the environment's PORT falls back to, or what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

from .node_source import Source, app_sources, read_source
from .origins import Found, line_at
from .runtimes import node
from .tree import Tree, join

_NUMBER = r"['\"`]?(\d{2,5})\b"
_FALLBACK = rf"(?:\?\?|\|\||\bdefault\()\s*{_NUMBER}"
# Names of variables that hold a server's own port, not that of a service.
_NAMES = "APP|SERVER|API|HTTP|NODE|SERVICE|BACKEND|WEB|LISTEN|LISTENING|EXPRESS|NEST|APPLICATION"
_PORTS = {
    r"process\.env\.PORT\b[^;\n]*?(?:\?\?|\|\|)\s*['\"]?(\d{2,5})": "what PORT falls back to",
    r"\.listen\(\s*(?:\{[^}]*?\bport\s*:\s*)?(\d{2,5})": "port that it listens on",
    r"\b(?:const|let|var)\s+(?:port|PORT)\s*=\s*(\d{2,5})\b": "constant of that name",
}
# Where nothing reads PORT, which the image sets: these hold whatever it says.
_FIXED = {
    # @apollo/server's standalone server, Bun.serve, Hono's serve, ws, what Bun serves by default.
    r"(?:\blisten\s*:|\bserve\(|\bnew\s+\w*Server\(|\bexport\s+default)\s*\{[^{}]*?\bport\s*:\s*"
    r"(\d{2,5})\b": "port that it listens on",
    # Socket.IO without a server of HTTP beside it.
    r"\bnew\s+(?:Server|WebSocketServer|SocketIO)\(\s*(\d{2,5})\b": "port that it listens on",
    rf"\benv\.(?:{_NAMES})_PORT\b[^;\n]*?{_FALLBACK}": "what its variable falls back to",
}
_STANDALONE = re.compile(r"\bstartStandaloneServer\s*\((?![^;]*\blisten\b)")
_READS_PORT = re.compile(r"\bPORT\b")
# What a module of settings calls it, and where a server gets it from there.
_KEPT = re.compile(rf"\bport\s*[:=]\s*(?:[^,;\n]*?{_FALLBACK}|{_NUMBER})")
_CONFIGURED = re.compile(
    r"\.listen\(\s*(?:\{[^{}]*?\bport\s*:\s*)?[\w$.]*?(?:[cC]onfig|[sS]ettings|env|options|constants)"
    r"\w*(?:\.(?:get|has)(?:<\w+>)?\(\s*[\"'`]([\w.]+)[\"'`]|\.([\w.]+))"
)
_SETTINGS = re.compile(r"(^|/)(config|configs|settings|constants|env|environment)(\.\w+)?[./]")
_SETTINGS_FILES = (
    "config/production.json", "config/default.json", "config.json", "config/config.json",
    "src/config.json", "src/config/config.json", "settings.json", "src/config/default.json",
)  # fmt: skip
# The usual ports of services, which an app connects to.
_SERVICES = frozenset({25, 465, 587, 1025, 2525, 3306, 5432, 5672, 6379, 9092, 9200, 11211, 27017})


def find(tree: Tree, folder: str, entry: str | None) -> Found[int]:
    """The port the source falls back to, or listens on; 3000 where it does not say.

    Args:
        tree: The project's files.
        folder: The app's.
        entry: The file that it begins with, which counts before the others.
    """
    first = [read_source(tree, entry)] if entry else []
    every = app_sources(tree, folder)
    if not any(_READS_PORT.search(re.sub(r"\bconst\s+PORT\b", "", one.code)) for one in every):
        for sources in (first, every):
            if found := _match(sources, {**_FIXED, **_PORTS}) or _standalone(sources):
                return found
        if found := _configured(tree, folder, every):
            return found
    for sources in (first, every):
        if found := _match(sources, _PORTS):
            return found
    return Found(node.DEFAULT_PORT, "Node's usual port")


def _match(sources: list[Source], patterns: dict[str, str]) -> Found[int] | None:
    for (pattern, reason), source in product(patterns.items(), sources):
        if match := re.search(pattern, source.code):
            return source.found(int(match[1]), reason, match.start(1))
    return None


def _standalone(sources: list[Source]) -> Found[int] | None:
    """Apollo's own (apollographql.com, "startStandaloneServer"): 4000, whatever PORT says."""
    for source in sources:
        if match := _STANDALONE.search(source.code):
            return source.found(4000, "usual port of Apollo's standalone server", match.start())
    return None


def _configured(tree: Tree, folder: str, every: list[Source]) -> Found[int] | None:
    """The port that a module or a file of settings holds under the name that is listened on."""
    for source in every:
        match = _CONFIGURED.search(source.code)
        if match is None:
            continue
        parts = (match[1] or match[2]).split(".")
        if parts[-1].lower() != "port":
            continue
        for path in (join(folder, name) for name in _SETTINGS_FILES):
            if tree.has(path) and (found := _of_json(path, tree.read(path), parts)):
                return found
        for other in every:
            if not _SETTINGS.search(other.path):
                continue
            for kept in _KEPT.finditer(other.code):
                port = int(kept[1] or kept[2])
                if port not in _SERVICES:
                    return other.found(port, "port of its settings", kept.start())
    return None


def _of_json(path: str, text: str, parts: list[str]) -> Found[int] | None:
    """`server.port` of a file of settings; the app's own name for the file may stand before it."""
    with suppress(ValueError, RecursionError):
        document = json.loads(text)
        for keys in _ways(parts):
            value = document
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, int) and 0 < value < 65536:
                return Found(value, "port of its settings", path, line_at(text, text.find("port")))
    return None


def _ways(parts: list[str]) -> Iterator[list[str]]:
    for start in range(len(parts)):
        yield parts[start:]
