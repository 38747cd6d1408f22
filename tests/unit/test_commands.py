"""Taking a shell script apart."""

from __future__ import annotations

from spinbox_wrapper.commands import split_commands


def test_continued_lines_are_one_command() -> None:
    script = "# a comment\nfirst --option \\\n    --more\nsecond\n"
    assert list(split_commands(script)) == ["first --option \\\n    --more", "second"]


def test_a_here_document_stays_with_its_command() -> None:
    script = "cat > x <<'END'\na\n\nb\nEND\nnext"
    assert list(split_commands(script)) == ["cat > x <<'END'\na\n\nb\nEND", "next"]


def test_a_loop_is_one_command() -> None:
    loop = "for a in b c; do\n    cat <<END\ndone\nEND\ndone"
    assert list(split_commands(loop + "\nnext")) == [loop, "next"]
