"""Where the pages of a site read variables, beside its scripts: components and templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .environment_reads import Read
from .environment_reads import javascript as environment_reads
from .origins import line_at
from .source_text import without_comments
from .tree import Tree

_COMPONENTS = (".vue", ".svelte", ".astro", ".mdx")
_SCRIPTS = (".js", ".ts", ".mjs", *_COMPONENTS)
_IN_CODE = re.compile(
    r"(?:import\.meta|process)\.env\.(?P<name>[A-Za-z_]\w*)"
    r"""(?:\s*(?:\?\?|\|\|)\s*(?P<quote>["'`])(?P<default>[^"'`\n]*)(?P=quote))?"""
)
# Vite puts them into its page; Create React App as well (vite.dev/guide/env-and-mode).
_IN_PAGE = re.compile(r"%(?P<name>[A-Z][A-Z0-9_]*_[A-Z0-9_]+)%")
# svelte.dev/docs/kit/$env-static-public; those that are private are built in, too.
_OF_SVELTEKIT = re.compile(
    r"""import\s*\{(?P<names>[^}]*)\}\s*from\s*["']\$env/static/(?:public|private)["']"""
)


def reads(tree: Tree, folder: str, prefixes: Iterable[str]) -> list[Read]:
    """All that begins with what the builder builds in, in the order of files and lines.

    Args:
        tree: The project's files.
        folder: The site's.
        prefixes: How the names begin.
    """
    starts = tuple(prefixes)
    found = [*environment_reads.reads(tree, folder), *_of_pages(tree, folder)]
    own = {(read.name, read.path, read.line): read for read in found}
    wanted = (read for read in own.values() if read.name.startswith(starts))
    return sorted(wanted, key=lambda read: (read.path, read.line, read.name))


def _of_pages(tree: Tree, folder: str) -> Iterator[Read]:
    for path in tree.below(folder):
        if path.endswith(_COMPONENTS):
            text = without_comments(tree.read(path))
            for match in _IN_CODE.finditer(text):
                line = line_at(text, match.start())
                yield Read(match["name"], path, line, required=False, default=match["default"])
        elif path.endswith(".html"):
            text = tree.read(path)
            for match in _IN_PAGE.finditer(text):
                line = line_at(text, match.start())
                yield Read(match["name"], path, line, required=False, default=None)
        if path.endswith(_SCRIPTS) and "$env/static" in (text := tree.read(path)):
            for match in _OF_SVELTEKIT.finditer(text):
                line = line_at(text, match.start())
                for name in re.findall(r"(\w+)(?:\s+as\s+\w+)?", match["names"]):
                    yield Read(name, path, line, required=False, default=None)
