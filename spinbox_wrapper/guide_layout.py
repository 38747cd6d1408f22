"""The text of a guide in 80 columns: paragraphs, lists, tables; commands as they are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WIDTH = 80
_INDENT = "  "


@dataclass(frozen=True)
class Block:
    """A piece of a section.

    Attributes:
        kind: `text`, `bash`, or other `code`.
        text: Its lines; those of a text are Markdown.
    """

    kind: str
    text: str


def as_lines(blocks: Iterable[Block]) -> list[str]:
    """All of it, as people read it; commands are indented, never broken."""
    lines: list[str] = []
    before = ""
    for kind, text in _pieces(blocks):
        if lines and not (kind == before and kind in {"item", "row"}):
            lines.append("")
        lines += _lines(kind, text)
        before = kind
    return lines


def as_paragraphs(blocks: Iterable[Block]) -> str:
    """All but the commands, with an empty line between any two pieces."""
    texts = (block for block in blocks if block.kind != "bash")
    return "\n\n".join("\n".join(_lines(kind, text)) for kind, text in _pieces(texts))


# A kind, `text`, `item`, `row` or those of code, and its text; a row's cells are parted by tabs.
_Piece = tuple[str, str]


def _pieces(blocks: Iterable[Block]) -> Iterator[_Piece]:
    for block in blocks:
        if block.kind == "text":
            yield from _of_markdown(block.text)
        else:
            yield block.kind, block.text


def _of_markdown(text: str) -> Iterator[_Piece]:
    kind, words, in_table = "text", "", False
    for line in [*text.splitlines(), ""]:
        is_row, is_item = line.startswith("| "), line.startswith("- ")
        if words and (is_row or is_item or not line.strip()):
            yield kind, words
            kind, words = "text", ""
        if is_row:
            cells = "\t".join(line.strip("| ").split(" | "))
            # The rows down to the rule are the head.
            if in_table:
                yield "row", cells
            in_table = in_table or set(cells) <= set("-\t")
        else:
            in_table = False
        if is_item:
            kind, words = "item", line.removeprefix("- ")
        elif not is_row and line.strip():
            words = f"{words} {line.strip()}".lstrip()


def _lines(kind: str, text: str) -> list[str]:
    if kind == "text":
        return _wrapped(text, "", "")
    if kind in {"item", "row"}:
        return _wrapped(text.replace("\t", ": ", 1), "- ", _INDENT)
    return [f"{_INDENT}{line}".rstrip() for line in text.splitlines()]


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
