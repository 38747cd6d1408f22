"""How code writes the value of a variable that is a list: as JSON, or with commas or spaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from .environment_reads import Read
from .errors import ProjectError
from .tree import Tree

JSON, COMMA, SPACE, ONE = "json", "comma", "space", "one"
# pydantic decodes such fields as JSON (docs.pydantic.dev, "Parsing environment variable values"),
# but not what may be a text as well.
_COMPLEX = re.compile(r"\b(?:list|set|tuple|frozenset|sequence|collection|iterable)\b", re.I)
_SPLIT = r"""\.split\(\s*(?:%s)"""
_BY_COMMA = re.compile(_SPLIT % r"""(?:sep\s*=\s*)?["'`],|/[^/]*,""")
_BY_SPACE = re.compile(_SPLIT % r"""\)|(?:sep\s*=\s*)?["'`] ["'`]|/\\s""")

# A list that the value is the one item of.
_ALONE = re.compile(r"\[\s*(?:os\.)?(?:environ\b|getenv\(|config\(|env\(|process\.env\.)")


def statement(tree: Tree, read: Read) -> str:
    """The statement that reads a variable, on one line; empty where it cannot be told."""
    try:
        text = tree.read(read.path)
    except ProjectError:
        return ""
    if read.path.endswith(".py"):
        node = _python_statement(text, read.line)
        return ast.unparse(node) if node else ""
    return _script_statement(text.splitlines(), read.line - 1)


def form(tree: Tree, reads: Sequence[Read], example: str) -> str:
    """`json`, `comma` or `space`; `one` for a single value.

    Args:
        tree: The project's files.
        reads: Where the variable is read.
        example: Its value in an example file.
    """
    for read in reads:
        if found := _told(tree, read):
            return found
    if example.lstrip().startswith("["):
        return JSON
    if not reads or reads[0].name.endswith("S"):
        return COMMA
    return ONE


def _told(tree: Tree, read: Read) -> str | None:
    try:
        text = tree.read(read.path)
    except ProjectError:
        return None
    if not read.path.endswith(".py"):
        return _of_text(_script_statement(text.splitlines(), read.line - 1), _uses(text, read.name))
    node = _python_statement(text, read.line)
    if node is None:
        return None
    if isinstance(node, ast.AnnAssign) and read.name.lower() not in ast.unparse(node).lower():
        # A field below a prefix, by an alias.
        return _of_annotation(text, node)
    if isinstance(node, ast.AnnAssign) and not _reads_itself(node):
        return _of_annotation(text, node) or _of_text("", _uses(text, ast.unparse(node.target)))
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    later = _uses(text, ast.unparse(target)) if isinstance(target, ast.Name) else ()
    return _of_text(ast.unparse(node), later)


def _reads_itself(node: ast.AnnAssign) -> bool:
    return (
        node.value is not None
        and re.search(r"environ|getenv|\benv\b", ast.unparse(node.value)) is not None
    )


def _of_annotation(text: str, node: ast.AnnAssign) -> str | None:
    written = ast.unparse(node.annotation)
    if not _COMPLEX.search(written):
        return None
    # `list[str] | str` and `NoDecode` pass a text on as it is.
    if re.search(r"\bstr\b|\bAny\b", _without_items(written)) or "NoDecode" in written:
        return COMMA
    if re.search(r"enable_decoding\s*=\s*False", text):
        return COMMA
    return JSON


def _without_items(annotation: str) -> str:
    """An annotation without what stands in the brackets of its lists."""
    while True:
        shorter = re.sub(
            r"\b(?:\w+\.)*(?:list|List|set|Set|tuple|Tuple|frozenset|FrozenSet|Sequence)\[[^\[\]]*\]",
            "",
            annotation,
        )
        if shorter == annotation:
            return shorter
        annotation = shorter


def _of_text(read: str, later: Iterable[str]) -> str | None:
    for text in (read, *later):
        if re.search(r"\bjson\.loads\(|JSON\.parse\(|literal_eval\(|\.json\(", text):
            return JSON
        if _BY_COMMA.search(text) or re.search(r"\bCsv\(|\.list\(|CommaSeparatedStrings", text):
            return COMMA
        if _BY_SPACE.search(text):
            return SPACE
        if _ALONE.search(text):
            return ONE
    return None


def _uses(text: str, name: str) -> list[str]:
    """The lines that use a name."""
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return [line for line in text.splitlines() if pattern.search(line)]


def _python_statement(text: str, line: int) -> ast.stmt | None:
    """The innermost statement that a line is in."""
    try:
        body = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    found: ast.stmt | None = None
    for node in ast.walk(body):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if found is None or node.lineno >= found.lineno:
                found = node
    return found


def _script_statement(lines: Sequence[str], place: int) -> str:
    """A line of JavaScript, with those that belong to it."""
    if not 0 <= place < len(lines):
        return ""
    first = last = place
    while first > 0 and place - first < 3 and re.search(r"[=(,:?]\s*$|\|\||\?\?", lines[first - 1]):
        if lines[first - 1].rstrip().endswith(","):
            break
        first -= 1
    while last + 1 < len(lines) and last - place < 4:
        if not re.match(r"\s*(?:\.|\?|\)|\|\||&&)", lines[last + 1]):
            break
        last += 1
    return " ".join(line.strip() for line in lines[first : last + 1])
