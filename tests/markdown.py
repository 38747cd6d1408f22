"""Markdown as the generated guide has it: headings, paragraphs, lists, tables, fenced code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_WIDTH = 80
_INDENT = "  "


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

    @property
    def commands(self) -> tuple[str, ...]:
        """The shell commands, a command of several lines as one, comments left out."""
        return tuple(
            command for b in self.blocks if b.kind == "bash" for command in split_commands(b.text)
        )

    @property
    def text(self) -> str:
        """Everything else, as paragraphs."""
        blocks = [block for block in self.blocks if block.kind != "bash"]
        return "\n".join(line for block in blocks for line in (*_lines(block), "")).strip()


def sections(document: str) -> list[Section]:
    """Take a document apart at its headings."""
    found: list[Section] = []
    fence = re.compile(r"^ *```", re.MULTILINE)
    begin = 0
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


def split_commands(script: str) -> Iterator[str]:
    """The commands of a script; continued lines, here-documents and loops stay together."""
    command: list[str] = []
    depth = 0
    end = None
    for line in script.splitlines():
        words = line.split()
        if not command and (not words or words[0].startswith("#")):
            continue
        command.append(line)
        if end is not None:
            end = None if words == [end] else end
        elif heredoc := re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line):
            end = heredoc[1]
        elif words:
            depth += words[0] in {"for", "while", "until", "if", "case"}
            depth -= words[0] in {"done", "fi", "esac"}
        if end is None and depth == 0 and not line.endswith("\\"):
            yield "\n".join(command)
            command = []
    if command:
        yield "\n".join(command)


def as_lines(section: Section) -> list[str]:
    """What stands below a heading, in 80 columns; commands are indented, never broken."""
    lines: list[str] = []
    before = ""
    for block in section.blocks:
        if lines and not (block.kind == before and block.kind in {"list", "row"}):
            lines.append("")
        lines += _lines(block)
        before = block.kind
    return lines


def _lines(block: Block) -> list[str]:
    if block.kind == "text":
        return _wrapped(block.text, "", "")
    if block.kind in {"list", "row"}:
        return _wrapped(block.text.replace("\t", ": ", 1), "- ", _INDENT)
    return [f"{_INDENT}{line}".rstrip() for line in block.text.splitlines()]


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


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
    """Links become their text; backticks stay, as they read well."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)
