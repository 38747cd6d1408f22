"""What source code says, by its text alone; nothing is run or imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable

from .errors import ProjectError
from .tree import MEGABYTE, Tree

ENDINGS = (".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".prisma")
_GOOGLE_FONTS = re.compile(r"""["']next/font/google["']|["']@next/font/google["']""")
_PUBLIC = re.compile(
    r"""(?:src|href|poster|url)\s*[=:(]\s*\{?\s*["'](/[\w./@-]+\.(?:png|jpe?g|gif|svg|webp|avif|ico"""
    r"""|woff2?|mp4|webm|pdf|json|txt))["']"""
)
# String literals are consumed as well, so that what looks like a comment in one stays.
_COMMENT = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
# SQL that is no statement: comments, strings, bodies of functions. The tag of `$tag$` is repeated.
_SQL_NOISE = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$.*?\$\1\$""", re.DOTALL
)
_OWN_TRANSACTION = re.compile(
    r"(?:^|;)\s*(BEGIN|COMMIT|ROLLBACK|END|START\s+TRANSACTION)"
    r"(?:\s+(?:TRANSACTION|WORK))?\s*(?=;|$)",
    re.IGNORECASE,
)
_OUTSIDE_TRANSACTION = re.compile(
    r"(?:^|;)\s*(CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY|DROP\s+INDEX\s+CONCURRENTLY|VACUUM"
    r"|CREATE\s+DATABASE|ALTER\s+SYSTEM)\b",
    re.IGNORECASE,
)


def without_comments(text: str) -> str:
    """JavaScript or TypeScript with its comments blanked: positions stay as they are."""
    return _COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)


def parse(path: str, text: str) -> ast.Module:
    """Python's syntax tree.

    Raises:
        ProjectError: It is not valid Python, or nested more deeply than can be read.
    """
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ProjectError(f"{path}, line {line} is not valid Python: mend it first.") from None
    except (RecursionError, MemoryError):
        raise ProjectError(f"{path} is nested too deeply to be read: make it simpler.") from None


def parse_file(tree: Tree, path: str) -> ast.Module:
    """Python's syntax tree of a file, which is parsed once.

    Raises:
        ProjectError: As `parse`; or it cannot be read, or is larger than source is.
    """
    key = ("python", path)
    if key not in tree.kept:
        try:
            tree.kept[key] = parse(path, text_of(tree, path))
        except ProjectError as error:
            tree.kept[key] = error
    found: ast.Module | ProjectError = tree.kept[key]
    if isinstance(found, ProjectError):
        raise found
    return found


def text_of(tree: Tree, path: str) -> str:
    """The text of a source file, which is read once.

    Raises:
        ProjectError: It cannot be read, or is larger than source is.
    """
    key = ("text", path)
    if key not in tree.kept:
        tree.kept[key] = tree.read(path, MEGABYTE)
    found: str = tree.kept[key]
    return found


def code_of(path: str, text: str) -> str:
    """The source without its comments, and Python's without docstrings, which run nothing."""
    if not path.endswith(".py"):
        return without_comments(text)
    try:
        module = parse(path, text)
    except ProjectError:
        return text
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)] or [
                ast.Pass()
            ]
    try:
        return ast.unparse(module)
    except RecursionError:
        return text


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def downloads_fonts(text: str) -> bool:
    """Whether `next build` fetches fonts from Google for this module (`next/font/google`)."""
    return bool(_GOOGLE_FONTS.search(text))


def public_references(text: str) -> set[str]:
    """Files that a page expects in `public/`, without the leading `/`."""
    return {path.lstrip("/") for path in _PUBLIC.findall(text)}


def names_read(text: str, names: Collection[str]) -> set[str]:
    """Those of the names that occur as words, in capitals or as pydantic's fields may be written.

    A prefix counts: `env_prefix="POSTGRES_"` makes fields of the rest.
    """
    words = set(re.findall(r"\w+", text))
    lower = {word.lower() for word in words}
    prefixes = {word for word in words if word.isupper() and word.endswith("_") and len(word) > 3}
    return {
        name
        for name in names
        if name in words
        or name.lower() in lower
        or any(name.startswith(prefix) for prefix in prefixes)
    }


def local_urls(text: str, schemes: Iterable[str]) -> list[str]:
    """Schemes of the URLs that lead to this very machine, such as `redis://localhost`."""
    return [
        scheme
        for scheme in schemes
        if re.search(
            rf"\b{scheme}(?:\+\w+)?://(?:[^\s\"'@/]*@)?(?:localhost|127\.0\.0\.1|\[::1\])", text
        )
    ]


def sql_problem(text: str) -> str | None:
    """What keeps an SQL file from running in a transaction that others open, or None."""
    code = _SQL_NOISE.sub(" ", text).strip()
    if match := _OWN_TRANSACTION.search(code):
        return f"holds its own {' '.join(match[1].upper().split())}"
    if match := _OUTSIDE_TRANSACTION.search(code):
        return f"holds {' '.join(match[1].upper().split())}, which no transaction takes"
    return None
