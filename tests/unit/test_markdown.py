"""Taking a generated guide apart."""

from __future__ import annotations

from tests.markdown import Block, sections

DOCUMENT = """\
# Title

Some text
that goes on, with a [link](#there).

## Part

| Setting | Where |
| --- | --- |
| `A` | from you |

- one
  and more
- two

```bash
# a comment
first --option \\
    --more
second
```
"""


def test_headings_part_a_document() -> None:
    assert [(s.level, s.title) for s in sections(DOCUMENT)] == [(1, "Title"), (2, "Part")]


def test_a_comment_in_a_fence_is_no_heading() -> None:
    assert len(sections("# A\n\n```bash\n# b\n```\n")) == 1


def test_blocks_are_told_apart() -> None:
    assert sections(DOCUMENT)[0].blocks == (Block("text", "Some text that goes on, with a link."),)
    assert [block.kind for block in sections(DOCUMENT)[1].blocks] == ["row", "list", "list", "bash"]
    assert sections(DOCUMENT)[1].blocks[0].text == "`A`\tfrom you"
