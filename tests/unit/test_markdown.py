"""Taking the generated guide apart."""

from __future__ import annotations

from spinbox_wrapper.markdown import Block, as_lines, sections, split_commands

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


def test_continued_lines_are_one_command() -> None:
    assert sections(DOCUMENT)[1].commands == ("first --option \\\n    --more", "second")


def test_a_here_document_stays_with_its_command() -> None:
    script = "cat > x <<'END'\na\n\nb\nEND\nnext"
    assert list(split_commands(script)) == ["cat > x <<'END'\na\n\nb\nEND", "next"]


def test_a_loop_is_one_command() -> None:
    loop = "for a in b c; do\n    cat <<END\ndone\nEND\ndone"
    assert list(split_commands(loop + "\nnext")) == [loop, "next"]


def test_text_is_wrapped_and_commands_are_not() -> None:
    long = "word " * 40
    command = "command " * 40
    (section,) = sections(f"# A\n\n{long}\n\n```bash\n{command}\n```\n")
    lines = as_lines(section)
    assert all(len(line) <= 80 for line in lines[:-1])
    assert lines[-1] == "  " + command.rstrip()
