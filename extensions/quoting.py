"""Quoting of values for the files they land in. Values from a project are data, nothing else."""

from __future__ import annotations

import json
import re
import shlex

_PLAIN_YAML = re.compile(r"(?:[A-Za-z_/]|\.{1,2}/)(?:[A-Za-z0-9_./@:-]*[A-Za-z0-9_./@-])?|\.")
_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def yaml(text: object) -> str:
    """A YAML scalar: plain where that is safe, else double-quoted (JSON is YAML: yaml.org/spec)."""
    string = str(text)
    if _PLAIN_YAML.fullmatch(string) and string.lower() not in _YAML_WORDS:
        return string
    quoted = json.dumps(string, ensure_ascii=False)
    # YAML takes these for line breaks, or not at all.
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff]", lambda m: f"\\u{ord(m[0]):04x}", quoted)


def yaml_string(text: object) -> str:
    """A YAML string that is always quoted, so that `8000` or `*` stays text."""
    # A space in front makes quotes necessary.
    quoted = yaml(f" {text}")
    return quoted[0] + quoted[2:]


def compose(text: object) -> str:
    """A YAML scalar for Compose, with `$` doubled so that nothing is interpolated."""
    return yaml(str(text).replace("$", "$$"))


def github_text(text: object) -> str:
    """Text of a GitHub workflow in which no expression is evaluated, outside of scripts."""
    return str(text).replace("${{", "${{ '${{' }}")


def github(text: object) -> str:
    """The same as a YAML scalar."""
    return yaml(github_text(text))


def gitlab(text: object) -> str:
    """A YAML scalar of a GitLab pipeline, outside of scripts, in which no variable is expanded."""
    return compose(text)


def yaml_line(text: object) -> str:
    """A YAML scalar in a block, such as a command: plain where that is safe."""
    string = str(text)
    words = re.fullmatch(r"[A-Za-z][\w./=@:$(){}\[\]<>&|;,\"'!*+^~-]* [ -~]*", string, re.ASCII)
    if words and not re.search(r": | #|[: ]$", string):
        return string
    if re.fullmatch(r"\.(?!inf|nan)[a-z][\w-]*", string, re.ASCII):
        return string
    return yaml(string)


def json_string(text: object) -> str:
    """A string in double quotes, as JSON, TOML and TypeScript read it alike.

    TOML allows no DEL (toml.io, "String").
    """
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def json_array(words: tuple[str, ...] | list[str]) -> str:
    """The exec form of Dockerfile instructions: a JSON array."""
    return json.dumps(list(words), ensure_ascii=False)


def shell(word: object) -> str:
    """One word for a POSIX shell; in a pipeline's script, CI platforms find nothing to expand."""
    # Between single quotes, so that these end and begin anew: `$''{{` is `${{` to a shell alone.
    return re.sub(r"\$(?=\{\{|\[\[)", "$''", shlex.quote(str(word)))


def sql_name(name: object) -> str:
    """An identifier of SQL (postgresql.org/docs, "Lexical Structure")."""
    return '"' + str(name).replace('"', '""') + '"'


def caddy_paths(prefixes: tuple[str, ...]) -> str:
    """Patterns of Caddy's `path` matcher: each prefix itself, and what lies below it."""
    patterns = []
    for prefix in prefixes:
        bare = prefix.rstrip("/*") or "/*"
        patterns.append(bare)
        if "." not in bare.rsplit("/", 1)[-1] and bare != "/*":
            patterns.append(f"{bare}/*")
    return " ".join(p if re.fullmatch(r"[\w./*-]+", p) else json.dumps(p) for p in patterns)


def ignore_pattern(path: object) -> str:
    r"""A literal path in a .dockerignore file (Go's filepath.Match: `\\` escapes)."""
    return re.sub(r"([\\*?\[\]!]|^#)", r"\\\1", str(path))


def copy(sources: list[str] | tuple[str, ...] | str, destination: str) -> str:
    """The arguments of COPY: plain words where that is safe, else the JSON form.

    The paths are `tree.PLAIN_PATH`'s.
    """
    paths = [sources] if isinstance(sources, str) else list(sources)
    if all(re.fullmatch(r"(?!-)[\w./@+-]+", path) for path in (*paths, destination)):
        return " ".join([*paths, destination])
    # A source is a pattern, and a word loses its quotes in both forms (docs.docker.com, "COPY").
    literal = [path.replace("[", "[[]") for path in paths]
    words = [re.sub(r"([\\$'\"])", r"\\\1", path) for path in (*literal, destination)]
    return json.dumps(words, ensure_ascii=False)


def docker(text: object) -> str:
    """A value of LABEL or ENV: in double quotes, with nothing left to expand."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", str(text)) + '"'


def shell_words(words: tuple[str, ...] | list[str]) -> str:
    """Words for a POSIX shell, one after the other."""
    return " ".join(map(shell, words))


def shell_lines(words: tuple[str, ...] | list[str], width: int = 74) -> str:
    """The same on several lines of at most `width` columns, where words are short enough."""
    lines: list[str] = []
    for word in map(shell, words):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return " \\\n".join(lines)


def code_in_table(text: object) -> str:
    """A span of code in a cell of a Markdown table (spec.commonmark.org, "Code spans")."""
    string = str(text).replace("|", "\\|")
    fence = "`"
    while fence in string:
        fence += "`"
    blank = " " if "`" in string[:1] + string[-1:] else ""
    return f"{fence}{blank}{string}{blank}{fence}"


def mermaid(text: object) -> str:
    """Text of a label in quotes: characters by their numbers (mermaid.js.org, "Entity codes")."""
    return re.sub(r"[^\w ./:@+-]", lambda match: f"#{ord(match[0])};", str(text))


def python(text: object) -> str:
    """A Python string literal."""
    return repr(str(text))


def javascript(text: object) -> str:
    """A JavaScript string literal, in single quotes."""
    return "'" + json.dumps(str(text))[1:-1].replace("'", "\\'") + "'"


def below(folder: str, paths: tuple[str, ...]) -> list[str]:
    """The paths, given relative to `folder`, relative to the project."""
    return [path if folder == "." else f"{folder}/{path}" for path in paths]


# What templates quote with, under `q`.
FUNCTIONS = (
    yaml,
    yaml_string,
    compose,
    github_text,
    github,
    gitlab,
    yaml_line,
    json_string,
    json_array,
    shell,
    sql_name,
    caddy_paths,
    ignore_pattern,
    copy,
    docker,
    shell_words,
    shell_lines,
    code_in_table,
    mermaid,
    python,
    javascript,
    below,
)
