"""Reads generated guides as Markdown: headings, and what stands below each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A piece of a section.

    Attributes:
        kind: `text`, `list` (one item), `row` (of a table), `bash` or other fenced `code`.
        text: Its text; a row's cells are separated by tabs.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next heading of any level.

    Attributes:
        level: 1 for the document's title.
        title: The heading.
        blocks: What stands below it.
    """

    level: int
    title: str
    blocks: tuple[Block, ...]


def sections(document: str) -> list[Section]:
    """Take a document apart at its headings."""
    found: list[Section] = []
    fence = re.compile(r"^ *```", re.MULTILINE)
    # A line that begins with # inside a fence is a comment of the shell.
    starts = [
        match
        for match in re.finditer(r"^(#+) (.+)$", document, re.MULTILINE)
        if len(fence.findall(document, 0, match.start())) % 2 == 0
    ]
    for match, following in zip(starts, [*starts[1:], None], strict=True):
        begin, end = match.end(), following.start() if following else len(document)
        blocks = tuple(_blocks(document[begin:end].splitlines()))
        found.append(Section(len(match[1]), match[2], blocks))
    return found


def _blocks(lines: list[str]) -> Iterator[Block]:
    rows = iter(lines)
    paragraph: list[str] = []
    kind, in_table = "text", False
    for line in rows:
        fence = re.match(r"^( *)```(\w*)$", line)
        item = re.match(r"^- (.*)$", line)
        cells = re.match(r"^\| (.*) \|$", line)
        if paragraph and (not line.strip() or fence or item or cells):
            yield Block(kind, _plain(" ".join(paragraph)))
            paragraph, kind = [], "text"
        if not cells:
            in_table = False
        if fence:
            code = []
            for inside in rows:
                if inside.strip() == "```":
                    break
                code.append(inside.removeprefix(fence[1]))
            yield Block("bash" if fence[2] == "bash" else "code", "\n".join(code))
        elif item:
            paragraph, kind = [item[1]], "list"
        elif cells:
            row = "\t".join(_plain(cell.strip()) for cell in cells[1].split(" | "))
            # The rows down to the rule are the head.
            if set(row) <= set("-:\t "):
                in_table = True
            elif in_table:
                yield Block("row", row)
        elif line.strip():
            paragraph.append(line.strip())
    if paragraph:
        yield Block(kind, _plain(" ".join(paragraph)))


def _plain(text: str) -> str:
    """Links become their text."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)
