"""Pages of Next.js that ask a database, or the stack itself, while `next build` renders them.

Source of the rules: nextjs.org, "Static and Dynamic Rendering", "getStaticProps".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from .. import javascript
from ..apps import nextjs
from ..finding import Finding, where
from ..javascript import Script
from ..model import App
from ..origins import line_at
from ..subject import Subject
from ..tree import Tree

_RULE = "start.nextjs_pages"
RUNTIME = "node"
IDS = {_RULE: "Pages that are rendered while the image is built ask nobody who is not there"}

_PAGE = re.compile(r"(?:src/)?(?:app/(?:.+/)?page|pages/(?!api/|_).+)\.[jt]sx?")
_DATABASES = re.compile(
    r"pg|postgres|@prisma/client|.*/generated/prisma(/.+)?|mongoose|mongodb|drizzle-orm/.+|mysql2(/.+)?"
    r"|ioredis|redis|kysely|knex|sequelize|typeorm|@vercel/postgres|@neondatabase/serverless"
)
# Rendered for each request, by what is said or asked for.
_DYNAMIC = re.compile(
    r"""dynamic\s*=\s*["']force-dynamic["']|\brevalidate\s*=\s*0\b|\b(?:unstable_)?noStore\s*\("""
    r"""|\b(?:connection|cookies|headers|draftMode)\s*\(|\bsearchParams\b|["']no-store["']"""
    r"""|revalidate\s*:\s*0\b|\bauth\s*\(|\bgetServerSession\s*\(|\bcurrentUser\s*\("""
)
_CLIENT = re.compile(r"""\A\s*(?:(?://[^\n]*|/\*.*?\*/)\s*)*["']use client["']""", re.DOTALL)
_OTHER_MODEL = re.compile(r"\b(cacheComponents|dynamicIO|ppr)\s*:\s*(true|[\"'])")
_IMPORTS = re.compile(r"""\bimport\s+(?!type\b)([\w$*\s{},]+?)\s+from\s*["']([^"'\n]+)["']""")
_LOCAL = re.compile(r"""\bfetch\s*\(\s*["'`]https?://(localhost|127\.0\.0\.1)\b""")


def concerns(subject: Subject) -> bool:
    """Where there is such an app."""
    return any(app.kind == "nextjs" for app in subject.stack.apps)


def find(subject: Subject) -> Iterator[Finding]:
    """The first page of each app: one line in its layout may mend them all."""
    for app in subject.stack.apps:
        if app.kind == "nextjs":
            config = nextjs.configuration(subject.tree, app.directory)
            if config is None or not _OTHER_MODEL.search(config.text):
                yield from islice(_of(subject, app), 1)


def _of(subject: Subject, app: App) -> Iterator[Finding]:
    tree, folder = subject.tree, app.directory
    top = "" if folder == "." else f"{folder}/"
    for path in tree.below(folder):
        inner = path.removeprefix(top)
        page = javascript.read(tree, path) if _PAGE.fullmatch(inner) else None
        if page is None:
            continue
        by_pages = re.match(r"(src/)?pages/", inner) is not None
        if by_pages and "getStaticProps" not in page.text:
            continue
        if not by_pages and ("[" in inner and "generateStaticParams" not in page.text):
            continue
        begins = [path] if by_pages else [path, *_layouts(tree, path)]
        if not by_pages and _CLIENT.search(page.text):
            begins = begins[1:]
        others = javascript.reachable(tree, folder, begins).difference(begins)
        loaded = [
            script
            for one in (*begins, *sorted(others))
            if (script := javascript.read(tree, one)) and not _CLIENT.search(script.text)
        ]
        if not by_pages and any(_DYNAMIC.search(script.text) for script in loaded):
            continue
        for script in loaded:
            if asked := _asks(tree, folder, script):
                yield _told(script, page, asked, by_pages=by_pages)
                break


def _layouts(tree: Tree, page: str) -> Iterator[str]:
    """The layouts around a page."""
    parts = page.split("/")[:-1]
    while parts:
        if found := tree.first("/".join(parts), *(f"layout.{e}" for e in ("tsx", "jsx", "js"))):
            yield found
        if parts[-1] == "app":
            return
        parts.pop()


def _asks(tree: Tree, folder: str, script: Script) -> tuple[str, int] | None:
    """What a component or page waits for, and the line; None for nothing, or where it catches."""
    if not script.path.endswith((".tsx", ".jsx", ".js")) or re.search(
        r"\b(try|catch)\b", script.text
    ):
        return None
    if "await" not in script.text:
        return None
    if match := _LOCAL.search(script.text):
        return f"http://{match[1]}", line_at(script.text, match.start())
    for match in _IMPORTS.finditer(script.text):
        target = javascript.resolve(tree, folder, script.path, match[2])
        if target is None or not _reaches_database(tree, folder, target):
            continue
        for name in re.findall(r"[\w$]+(?=\s*(?:,|\}|$))", match[1]):
            used = re.search(
                rf"\bawait\s+(?:Promise\.\w+\(\s*\[[^\]]*?)?{re.escape(name)}\s*[.(`]", script.text
            )
            if used:
                return "a database", line_at(script.text, used.start())
    return None


def _reaches_database(tree: Tree, folder: str, path: str) -> bool:
    return any(
        _DATABASES.fullmatch(name)
        for one in javascript.reachable(tree, folder, [path])
        if (script := javascript.read(tree, one))
        for name in javascript.imports(script)
    )


def _told(script: Script, page: Script, asked: tuple[str, int], *, by_pages: bool) -> Finding:
    what, line = asked
    of = "the page" if script is page else f"{page.path}, or a part of it,"
    mend = f'Add export const dynamic = "force-dynamic" to {page.path}.'
    if by_pages:
        mend = "Write getServerSideProps in place of getStaticProps."
    return Finding(
        _RULE,
        False,
        f"{where(script.path, line)}: {of} is rendered while the image is built, where {what} "
        "does not answer.",
        mend,
        script.path,
        line,
    )
