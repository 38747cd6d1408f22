"""Which path prefixes lead to an API that shares its domain with a frontend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from .errors import ProjectError
from .tree import MEGABYTE, Tree

# Next.js: files that answer at their folder's path (nextjs.org/docs, "Project structure").
_APP_PAGE = re.compile(r"(?:^|.*/)app/(?:(.+)/)?(?:page|route)\.(?:tsx?|jsx?|mdx?)")
_PAGES_PAGE = re.compile(r"(?:^|.*/)pages/(.+)\.(?:tsx?|jsx?|mdx?)")
_SCRIPTS = (".tsx", ".jsx", ".ts", ".js", ".vue")
_ROUTER = re.compile(r"""["'](?:react-router(?:-dom)?|vue-router|@angular/router)["']""")
_CLIENT_ROUTE = re.compile(r"""\bpath\s*[=:]\s*\{?\s*["']/?([\w/:.-]+)["']""")
_LITERAL = re.compile(r"[A-Za-z0-9._~-]+")
# What no browser asks for: Prometheus does, inside.
_INSIDE = frozenset({"metrics"})
_SHARED = "api"


def pages(tree: Tree, api_folder: str) -> list[str]:
    """Paths of the frontend's own pages and routes, up to their first parameter."""
    inside = "" if api_folder == "." else f"{api_folder}/"
    found: dict[str, None] = {}
    if not any(path.endswith("package.json") for path in tree.files):
        return []
    for path in tree.files:
        if inside and path.startswith(inside):
            continue
        match = _APP_PAGE.fullmatch(path) or _PAGES_PAGE.fullmatch(path)
        if match is None:
            continue
        parts = [part for part in (match[1] or "").split("/") if not re.match(r"\(.*\)$|@", part)]
        if parts and parts[-1] == "index":
            parts.pop()
        if parts and not any(part.startswith("_") for part in parts):
            found["/" + "/".join(_literal(parts))] = None
    for path in tree.files:
        if path.endswith(_SCRIPTS) and not (inside and path.startswith(inside)):
            found |= dict.fromkeys(_client_routes(tree, path))
    return [page for page in found if page != "/"]


def _client_routes(tree: Tree, path: str) -> list[str]:
    """Paths that React Router's or Vue Router's routes have in a browser."""
    try:
        text = tree.read(path, MEGABYTE)
    except ProjectError:
        return []
    if not _ROUTER.search(text):
        return []
    parts = (match[1].split("/") for match in _CLIENT_ROUTE.finditer(text))
    return ["/" + "/".join(_literal(part)) for part in parts]


def covers(prefix: str, path: str) -> bool:
    """Whether a path is a prefix's own, or below it."""
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def is_inside(path: str) -> bool:
    """Whether nobody outside is to see it: the top folder, which is the frontend's, too."""
    return path in {"", "/"} or PurePosixPath(path).parts[1] in _INSIDE


def top(path: str) -> str:
    """The first part of a path; `/` where that is a parameter."""
    return _joined(_literal(PurePosixPath("/", path).parts[1:2]))


def choose(paths: Iterable[str], taken: Sequence[str]) -> list[str]:
    """The fewest prefixes that lead to an API's paths, and to none of the frontend's.

    Args:
        paths: What the API serves, with parameters in braces.
        taken: The frontend's pages.

    Returns:
        Sorted prefixes. A path that no prefix can tell from the frontend's is left out.
    """
    groups: dict[str, dict[tuple[str, ...], None]] = {}
    for path in paths:
        parts = tuple(_literal(PurePosixPath("/", path).parts[1:]))
        if parts and parts[0] not in _INSIDE:
            groups.setdefault(parts[0], {})[parts] = None
    found: list[str] = []
    for first, served in groups.items():
        found += _prefixes(first, list(served), taken)
    return sorted(dict.fromkeys(found))


def _prefixes(first: str, served: list[tuple[str, ...]], taken: Sequence[str]) -> list[str]:
    depth = 1
    if first == _SHARED:
        # A version belongs to the prefix, as in /api/v1.
        depth = 2 if len({parts[:2] for parts in served}) == 1 else 1
    for length in range(depth, max(map(len, served)) + 1):
        tried = {_joined(parts[:length]) for parts in served}
        if not any(covers(prefix, page) for prefix in tried for page in taken):
            return list(tried)
    tried = {_joined(parts) for parts in served}
    return [prefix for prefix in tried if not any(covers(prefix, page) for page in taken)]


def _literal(parts: Iterable[str]) -> list[str]:
    """The parts up to the first that is a parameter."""
    found: list[str] = []
    for part in parts:
        if not _LITERAL.fullmatch(part):
            break
        found.append(part)
    return found


def _joined(parts: Iterable[str]) -> str:
    return "/" + "/".join(parts)
