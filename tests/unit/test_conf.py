"""The `.conf` files of Spinbox: parsed like Bash would, never executed."""

import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.conf import is_true, parse_conf
from extensions.errors import ProjectError

from .support import few, values

VALUES = st.text(
    st.one_of(
        st.sampled_from("'\"\\$`#!*?~ =;&|<>(){}[]%@:/\t\u00e9\u4e16\U0001f600"),
        st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]),
    ),
    max_size=12,
)


def in_bash(conf: Path, *keys: str) -> list[str]:
    """What Bash itself makes of the file."""
    script = 'source "$1"; shift; for key; do printf "%s\\0" "${!key}"; done'
    command = ["bash", "--norc", "-c", script, "bash", str(conf), *keys]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    return result.stdout.split("\0")[:-1]


def parsed(text: str) -> dict[str, str]:
    """The values of a file, by key."""
    return values(parse_conf(text, "project.conf"))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('KEY="two words"', "two words"),
        ("KEY='two words'", "two words"),
        ("KEY=word", "word"),
        ("KEY=", ""),
        ('KEY=""', ""),
        ("KEY=''", ""),
        ('export KEY="value"', "value"),
        ("  KEY=value  ", "value"),
        ('KEY="value" # comment', "value"),
        ("KEY=value # comment", "value"),
        ("KEY=a#b", "a#b"),
        ('KEY="a # b"', "a # b"),
        ('KEY="a=b"', "a=b"),
        (r'KEY="a\"b"', 'a"b'),
        (r'KEY="a\\b"', r"a\b"),
        (r'KEY="a\$b"', "a$b"),
        (r'KEY="a\nb"', r"a\nb"),
        (r"KEY='a\b'", r"a\b"),
        ('KEY="it\'s"', "it's"),
        ("KEY='say \"hi\"'", 'say "hi"'),
        (r"KEY=a\ b", "a b"),
        ("""KEY='it'"'"'s'""", "it's"),
        ('KEY=postgres:"15"', "postgres:15"),
    ],
)
def test_quoting_reads_as_in_bash(line: str, value: str, tmp_path: Path) -> None:
    """Every way to write a value gives what Bash gives."""
    conf = tmp_path / "project.conf"
    conf.write_text(f"{line}\n")
    assert in_bash(conf, "KEY") == [value]
    assert parsed(f"{line}\n") == {"KEY": value}


@few
@given(st.lists(VALUES, min_size=1, max_size=8))
def test_quoted_values_read_back_the_same(values: list[str]) -> None:
    """Values written with shlex.quote read back the same, here and in Bash."""
    keys = [f"KEY_{number}" for number in range(len(values))]
    text = "".join(f"{k}={shlex.quote(v)}\n" for k, v in zip(keys, values, strict=True))
    with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        assert in_bash(Path(file.name), *keys) == values
    assert list(parsed(text).values()) == values


@few
@given(st.lists(VALUES, min_size=1, max_size=8))
def test_bash_quoted_values_read_back_the_same(values: list[str]) -> None:
    """Values in double quotes, with Bash's four escapes, read back the same."""
    keys = [f"KEY_{number}" for number in range(len(values))]
    escapes = str.maketrans({character: f"\\{character}" for character in '\\"$`'})
    text = "".join(f'{k}="{v.translate(escapes)}"\n' for k, v in zip(keys, values, strict=True))
    assert list(parsed(text).values()) == values


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_line_feeds_end_a_line(character: str) -> None:
    """What Python takes for a line end, and Bash does not, stays inside the value."""
    text = f"KEY='a{character}b'\nNEXT=c\n"
    assert parsed(text) == {"KEY": f"a{character}b", "NEXT": "c"}


@pytest.mark.parametrize(
    "text",
    [
        'A="1"\r\nB="2"\r\n',
        "A=1\r\nB=2\r\n",
        '\ufeffA="1"\nB="2"\n',
        '# comment\n\nA="1"\n   # another\n\n\nB="2"',
        'A="0"\nA="1"\nB="2"\n',
    ],
    ids=["crlf", "crlf-unquoted", "bom", "comments", "last-wins"],
)
def test_layout_of_the_file_does_not_matter(text: str) -> None:
    """Line ends, a BOM, comments, blank lines and repeated keys are read as Bash would."""
    assert parsed(text) == {"A": "1", "B": "2"}


def test_an_empty_file_has_no_values() -> None:
    """Missing keys are just not there."""
    assert parsed("# nothing\n") == {}


@pytest.mark.parametrize(
    "value", ["$(touch pwned)", "`touch pwned`", "${HOME}", "$HOME", "$((1+1))", "~"]
)
@pytest.mark.parametrize("quote", ['"', "'"])
def test_nothing_is_expanded(
    value: str, quote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Substitutions are plain text and run nothing."""
    monkeypatch.chdir(tmp_path)
    assert parsed(f"KEY={quote}{value}{quote}\n") == {"KEY": value}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('USE_BACKEND="true"', "USE_FASTAPI"),
        ('USE_FRONTEND="true"', "USE_NEXTJS"),
        ('USE_DATABASE="true"', "USE_POSTGRESQL"),
    ],
)
def test_legacy_keys_come_under_their_present_name(line: str, key: str) -> None:
    """Key names of older Spinbox versions still count."""
    assert parsed(line) == {key: "true"}


@pytest.mark.parametrize("order", [("USE_FASTAPI", "USE_BACKEND"), ("USE_BACKEND", "USE_FASTAPI")])
def test_present_keys_win_over_legacy_ones(order: tuple[str, str]) -> None:
    """Where both are there, the present key counts."""
    values = {"USE_FASTAPI": "false", "USE_BACKEND": "true"}
    text = "".join(f'{key}="{values[key]}"\n' for key in order)
    assert parsed(text)["USE_FASTAPI"] == "false"


@pytest.mark.parametrize(
    "line",
    [
        "KEY",
        "KEY = value",
        "1KEY=value",
        "KEY-NAME=value",
        "=value",
        'KEY="open',
        "KEY='open",
        'KEY="open\\"',
        "echo hello",
        "source other.conf",
        "<<<<<<< HEAD",
    ],
)
def test_broken_lines_are_named(line: str) -> None:
    """An error says which line of which file has to be mended."""
    with pytest.raises(ProjectError, match=r"project\.conf, line 3\b"):
        parse_conf(f"# first\nA=1\n{line}\nB=2\n", "project.conf")


@pytest.mark.parametrize("value", ["true", "TRUE", "True", "yes", "on", "1", " true "])
def test_true_values(value: str) -> None:
    """What switches something on."""
    assert is_true(value)


@pytest.mark.parametrize("value", ["false", "FALSE", "no", "off", "0", "", "truely", "2"])
def test_false_values(value: str) -> None:
    """What does not."""
    assert not is_true(value)
