"""A guide's text in 80 columns."""

from __future__ import annotations

from spinbox_wrapper.guide_layout import Block, as_lines, as_paragraphs

TEXT = """
Some text
that goes on.

| Setting | Where |
| --- | --- |
| `A` | from you |
| `B` | from elsewhere |

- one
  and more
- two
"""
BASH = Block("bash", "# why\nfirst --option \\\n    --more\n")


def test_lines_of_a_paragraph_an_item_and_a_row_are_joined() -> None:
    assert as_lines([Block("text", TEXT)]) == [
        "Some text that goes on.",
        "",
        "- `A`: from you",
        "- `B`: from elsewhere",
        "",
        "- one and more",
        "- two",
    ]


def test_text_is_wrapped_and_commands_are_not() -> None:
    long, command = "word " * 40, "command " * 40
    lines = as_lines([Block("text", f"{long}\n"), Block("bash", f"{command}\n")])
    assert all(len(line) <= 80 for line in lines[:-1])
    assert lines[-2:] == ["", "  " + command.rstrip()]


def test_a_command_of_several_lines_stays_as_it_is() -> None:
    assert as_lines([BASH]) == ["  # why", "  first --option \\", "      --more"]


def test_paragraphs_have_no_commands() -> None:
    blocks = [Block("text", "a\n\n- b\n- c\n"), BASH, Block("code", "d\n")]
    assert as_paragraphs(blocks) == "a\n\n- b\n\n- c\n\n  d"
