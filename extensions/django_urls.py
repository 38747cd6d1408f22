"""What a Django project's URLconf serves (docs.djangoproject.com, "URL dispatcher")."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .django_settings import Settings, path_of
from .errors import ProjectError
from .python_routes import Route, Routes
from .python_source import called_name
from .source_text import parse_file
from .tree import Tree

_DEEPEST = 6
_PLAIN = re.compile(r"\^?([\w/.-]*)\$?")


def read(tree: Tree, settings: Settings) -> Routes:
    """Its routes; those whose path only running code knows are the start of a path."""
    value = settings.values.get("ROOT_URLCONF")
    root = value.constant if value else None
    path = path_of(tree, settings.base, root) if isinstance(root, str) else None
    if path is None:
        return Routes((), ())
    return Routes(tuple(_of(tree, settings, path, "", 0)), ())


def _of(tree: Tree, settings: Settings, path: str, prefix: str, depth: int) -> Iterator[Route]:
    try:
        body = parse_file(tree, path)
    except ProjectError:
        return
    for node in ast.walk(body):
        if not isinstance(node, ast.Call) or called_name(node) not in {"path", "re_path", "url"}:
            continue
        if not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        text = node.args[0].value
        if not isinstance(text, str):
            continue
        if called_name(node) != "path":
            plain = _PLAIN.fullmatch(text)
            if plain is None:
                continue
            text = plain[1]
        here = f"{prefix}/{text.lstrip('/')}" if text else f"{prefix}/"
        target = node.args[1] if len(node.args) > 1 else None
        if isinstance(target, ast.Call) and called_name(target) == "include":
            inner = _included(tree, settings, target)
            if inner and depth < _DEEPEST:
                yield from _of(tree, settings, inner, here.rstrip("/"), depth + 1)
            else:
                yield Route(here, "", False, False, path, node.lineno)
            continue
        # The admin's and the like have more below.
        whole = not (isinstance(target, ast.Attribute) and target.attr == "urls")
        yield Route(here, "GET", whole, whole and "<" not in here, path, node.lineno)


def _included(tree: Tree, settings: Settings, call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Tuple) and first.elts:
        first = first.elts[0]
    name = first.value if isinstance(first, ast.Constant) else None
    return path_of(tree, settings.base, name) if isinstance(name, str) else None
