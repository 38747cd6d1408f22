"""Quoting: whatever a value holds, the parser of the file it lands in gives it back."""

import ast
import json
import re
import shlex
import shutil
import subprocess

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from extensions import quoting

from .support import few, many

HOSTILE = [
    "", " ", "a", "a b", " a ", "1", "01", "1.5", ".5", ".5e3", ".inf", ".NaN", "0x1F",
    "1_000", "1:30", "true", "False", "yes", "No", "on", "OFF", "null", "~", "y", "N", "-",
    "- a", "?", ":", "a: b", "a:", ":a", "a #b", "#a", "&a", "*a", "!a", "!!str a", "|",
    ">", "%a", "@a", "`a`", "{a}", "[a]", "a,b", "'", '"', "it's", 'say "hi"', "\\",
    "a\\nb", "$", "$$", "$HOME", "${HOME}", "${A:-b}", "$(id)", "$$$", "<<", "=", "---",
    "...", ".", "..", "./a", "/a/b", "2001-01-01", "12e03", "é", "世界", "\U0001f600",
    "\u00a0", "\ufeffa", "{{ x }}", "{% x %}", "a@sha256:12", "0.0.0.0:80", "\x7f", "\x85",
    "\u2028",
]  # fmt: skip

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=15
)
WORDS = st.lists(TEXTS, min_size=1, max_size=4)
HAVE_NODE = shutil.which("node") is not None


@pytest.mark.parametrize("text", HOSTILE)
def test_yaml_gives_hostile_values_back(text: str) -> None:
    """As text, whatever they look like."""
    assert yaml.safe_load(f"key: {quoting.yaml(text)}\n") == {"key": text}


@many
@given(TEXTS)
def test_yaml_gives_any_value_back(text: str) -> None:
    """In a mapping, in a list, and in a flow list."""
    quoted = quoting.yaml(text)
    document = f"a: {quoted}\nb:\n  - {quoted}\nc: [{quoted}, {quoted}]\n"
    assert yaml.safe_load(document) == {"a": text, "b": [text], "c": [text, text]}


@many
@given(TEXTS)
def test_yaml_values_stay_on_their_line(text: str) -> None:
    """No value starts a line of its own."""
    assert len(quoting.yaml(text).splitlines()) == 1


@pytest.mark.parametrize("value", [8000, 1.5, True])
def test_yaml_of_other_types_is_text(value: object) -> None:
    """An environment holds text only."""
    assert yaml.safe_load(quoting.yaml(value)) == str(value)


@pytest.mark.parametrize("text", ["app", "python:3.12-slim", "/data", "./deploy/Caddyfile"])
def test_yaml_of_plain_words_is_plain(text: str) -> None:
    """Generated files are read by people."""
    assert quoting.yaml(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_compose_interpolates_nothing(text: str) -> None:
    """Compose turns `$$` into `$`; no other `$` is left to it."""
    loaded = yaml.safe_load(f"key: {quoting.compose(text)}\n")["key"]
    assert "$" not in loaded.replace("$$", "")
    assert loaded.replace("$$", "$") == text


@many
@given(WORDS)
def test_json_arrays_read_back(words: list[str]) -> None:
    """The exec form is JSON, on one line."""
    text = quoting.json_array(words)
    assert json.loads(text) == words
    assert "\n" not in text


def words_in_shell(words: str) -> list[str]:
    """What a POSIX shell makes of the words."""
    script = f'set -- {words}\nfor word; do printf "%s\\0" "$word"; done'
    result = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    return result.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_of_yaml_gives_hostile_values_back(text: str) -> None:
    """As text, also where it is a command that looks like a mapping or has a comment."""
    for line in (text, f"cd {text}", f"cd '{text}'"):
        assert yaml.safe_load(f"- {quoting.yaml_line(line)}\n") == [line]


@pytest.mark.parametrize("text", ["cd backend", "npm install --global pnpm@10", ".shop"])
def test_a_plain_command_is_plain_in_yaml(text: str) -> None:
    """Generated files are read by people."""
    assert quoting.yaml_line(text) == text


@pytest.mark.parametrize("text", ["${{ github.token }}", "a${{b}}", "${{", "${${{ x }}", "}} '"])
def test_github_evaluates_no_value(text: str) -> None:
    """What is left of expressions are texts, whose value is `${{`."""
    loaded = yaml.safe_load(quoting.github(text))
    rest = loaded.replace("${{ '${{' }}", "\0")
    assert "${{" not in rest
    assert rest.replace("\0", "${{") == text


@pytest.mark.parametrize(
    "text", ["${{ github.token }}", "$[[ inputs.x ]]", "it's ${{ x", "a $[[[["]
)
def test_no_pipeline_finds_an_expression_in_a_word_of_a_shell(text: str) -> None:
    """The shell puts together again what a CI platform does not see."""
    quoted = quoting.shell(text)
    assert not re.search(r"\$(\{\{|\[\[)", quoted)
    assert words_in_shell(quoted) == [text]


@few
@given(WORDS)
def test_shell_gives_words_back(words: list[str]) -> None:
    """One by one, and all together."""
    assert words_in_shell(" ".join(quoting.shell(word) for word in words)) == words
    assert words_in_shell(quoting.shell_words(words)) == words


@pytest.mark.parametrize("text", HOSTILE)
def test_shell_gives_hostile_words_back(text: str) -> None:
    """Nothing is expanded or run."""
    assert words_in_shell(quoting.shell(text)) == [text]


def unquoted_by_docker(text: str) -> str:
    """Read a double-quoted word as BuildKit's shell lexer does; fail on an expansion."""
    assert text[0] == text[-1] == '"'
    result, characters = "", iter(text[1:-1])
    for character in characters:
        assert character not in '"$'
        if character == "\\":
            escaped = next(characters)
            result += escaped if escaped in '"$\\' else f"\\{escaped}"
        else:
            result += character
    return result


@many
@given(TEXTS)
def test_docker_gives_values_back(text: str) -> None:
    """Values of LABEL and ENV expand nothing."""
    assert unquoted_by_docker(quoting.docker(text)) == text


@many
@given(TEXTS)
def test_python_literals_read_back(text: str) -> None:
    """Parsed by Python itself."""
    assert ast.literal_eval(quoting.python(text)) == text


@pytest.mark.skipif(not HAVE_NODE, reason="needs node")
def test_javascript_literals_read_back() -> None:
    """Parsed by Node itself."""
    literals = ",".join(quoting.javascript(text) for text in HOSTILE)
    script = f"process.stdout.write(JSON.stringify([{literals}]))"
    result = subprocess.run(["node", "-e", script], capture_output=True, check=True, text=True)
    assert json.loads(result.stdout) == HOSTILE


@many
@given(TEXTS)
def test_javascript_literals_fit_into_double_quotes(text: str) -> None:
    """They begin and end with single quotes and hold no bare one."""
    literal = quoting.javascript(text)
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", literal)


PATHS = st.lists(
    st.text(st.sampled_from("ab.-_ *?[]!#$é{}"), min_size=1, max_size=6).filter(
        lambda name: name.strip() == name and name not in {".", ".."}
    ),
    min_size=1,
    max_size=3,
).map("/".join)


@pytest.mark.parametrize("path", ["#a", "a#b"])
def test_an_ignore_pattern_is_no_comment(path: str) -> None:
    """Where a line begins with it."""
    assert GitIgnoreSpec.from_lines([f"{quoting.ignore_pattern(path)}/tests"]).match_file(
        f"{path}/tests"
    )


@pytest.mark.parametrize("text", ["a", "a`b", "``", "`a", "a|b", " "])
def test_code_in_a_table_is_one_span(text: str) -> None:
    """Its fence stands nowhere in it (spec.commonmark.org, "Code spans")."""
    span = quoting.code_in_table(text)
    fence = re.match("`+", span)
    assert fence
    inside = span[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in inside
    assert inside.replace("\\|", "|").strip() == text.strip()


def test_a_label_of_mermaid_holds_no_markup() -> None:
    """Characters by their numbers."""
    assert quoting.mermaid('a"<b>') == "a#34;#60;b#62;"


@many
@given(PATHS, PATHS)
def test_ignore_patterns_are_literal(path: str, other: str) -> None:
    """A pattern matches its path and no other."""
    spec = GitIgnoreSpec.from_lines([f"/{quoting.ignore_pattern(path)}"])
    assert spec.match_file(path)
    assert spec.match_file(other) is (other == path or other.startswith(f"{path}/"))


def copied(arguments: str) -> list[str]:
    """The paths of COPY, as BuildKit reads them; fail on an expansion, a quote or a pattern."""
    assert not arguments.startswith("-")
    words = json.loads(arguments) if arguments.startswith("[") else arguments.split(" ")
    assert not any(re.search(r"""(?<!\\)(?:\\\\)*[$'"]""", word) for word in words)
    *sources, destination = [re.sub(r"\\(.)", r"\1", word) for word in words]
    literal = [source.replace("[[]", "\0[") for source in sources]
    assert not any(re.search("(?<!\0)[*?[]", source) for source in literal)
    return [*(source.replace("\0", "") for source in literal), destination]


@many
@given(st.lists(st.text(st.sampled_from("ab/._-$ '\"é,#[]"), min_size=1), min_size=1, max_size=3))
def test_copy_gives_paths_back(sources: list[str]) -> None:
    """Words where that is safe, else the JSON form."""
    assert copied(quoting.copy(sources, "./")) == [*sources, "./"]


def test_copy_of_plain_paths_is_plain() -> None:
    """Generated files are read by people."""
    assert quoting.copy("backend/", "./") == "backend/ ./"


@pytest.mark.parametrize(
    ("prefixes", "patterns"),
    [
        (("/api/v1",), ["/api/v1", "/api/v1/*"]),
        (("/api/",), ["/api", "/api/*"]),
        (("/api/*",), ["/api", "/api/*"]),
        (("/openapi.json",), ["/openapi.json"]),
        (("/docs", "/health"), ["/docs", "/docs/*", "/health", "/health/*"]),
        (("/",), ["/*"]),
    ],
)
def test_caddy_paths(prefixes: tuple[str, ...], patterns: list[str]) -> None:
    """A prefix and what lies below it, but not `/apiary` for `/api`."""
    assert quoting.caddy_paths(prefixes).split() == patterns


@many
@given(st.lists(st.text(st.sampled_from("ab /{}\"'#"), max_size=6), min_size=1, max_size=3))
def test_caddy_paths_are_whole_tokens(prefixes: list[str]) -> None:
    """A path is one token, and none opens a block, a comment or another line."""
    text = quoting.caddy_paths(tuple(f"/{prefix}" for prefix in prefixes))
    assert all(token.startswith("/") for token in shlex.split(text, comments=True))


@pytest.mark.parametrize(
    ("folder", "paths", "expected"),
    [
        (".", ("a", "b/c"), ["a", "b/c"]),
        ("backend", ("a", "b/c"), ["backend/a", "backend/b/c"]),
        ("backend", (), []),
    ],
)
def test_below(folder: str, paths: tuple[str, ...], expected: list[str]) -> None:
    """Paths of an app, seen from the project's top folder."""
    assert quoting.below(folder, paths) == expected
