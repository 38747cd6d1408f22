"""What the parsers of generated files make of them, and where two trees differ.

Each file is read by the parser of its kind, or by the rules of that parser's documentation. A text
that is data comes out as it went in, or in the form that `escapes` gives it.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml


@dataclass
class Words:
    """The plain words of one tree, and the text that each stands for in the other."""

    texts: dict[str, str] = field(default_factory=dict)

    def make(self, text: str) -> str:
        """A word for a text, with its slashes and dots, by which paths are taken apart."""
        parts = []
        for part in text.split("/"):
            if part in {"", "."}:
                parts.append(part)
                continue
            word = f"qz{len(self.texts):04}z" + (".zq" if "." in part else "")
            self.texts[word] = part
            parts.append(word)
        return "/".join(parts)

    def restored(self, text: str, escape: Callable[[str], str] = str) -> str:
        """A text of the plain tree, as the hostile one has to have it."""
        return re.sub(
            r"qz\d{4}z(\.zq)?",
            lambda match: escape(self.texts.get(match[0], self.texts.get(match[0][:7], match[0]))),
            text,
        )


# A `$` that is nothing but this character: what would be expanded keeps its own.
DOLLAR = "\ue000"
_SAFE = re.compile(r"[\w@%+=:,./-]")


def quoted(text: str) -> str:
    """A text as `shell_canon` gives it back where it is data."""
    return "".join(c if _SAFE.match(c) or c == "\n" else f"\\{c}" for c in text)


def shell_canon(script: str, *, docker: bool = False) -> str:
    """A script of a shell with every way of quoting in one form.

    A character that means nothing but itself has a backslash before it, unless it never means more.
    """
    out: list[str] = []
    heredocs: list[str] = []

    def literal(characters: str) -> None:
        out.append(quoted(characters))

    def double(start: int) -> int:
        at = start
        while script[at] != '"':
            if script[at] == "\\" and script[at + 1] in '$`"\\\n':
                if script[at + 1] != "\n":
                    literal(script[at + 1])
                at += 2
            elif script.startswith("$(", at) and not docker:
                out.append("$(")
                at = plain(at + 2, ")")
            elif script[at] in ("$" if docker else "$`"):
                out.append(script[at])
                at += 1
            else:
                literal(script[at])
                at += 1
        return at + 1

    def plain(start: int, end: str) -> int:
        at, depth, word_start = start, 0, True
        while at < len(script):
            c = script[at]
            if end and c == end and depth == 0:
                out.append(c)
                return at + 1
            if c == "\\":
                if script[at + 1 : at + 2] != "\n":
                    literal(script[at + 1 : at + 2])
                at += 2
                if script[at - 1] == "\n":
                    continue
            elif c in " \t":
                if not out or out[-1] not in {" ", "\n"}:
                    out.append(" ")
                at += 1
            elif c == "'":
                stop = script.index("'", at + 1)
                literal(script[at + 1 : stop])
                at = stop + 1
            elif c == '"':
                at = double(at + 1)
            elif c == "#" and word_start:
                stop = script.find("\n", at)
                stop = len(script) if stop < 0 else stop
                out.append(script[at:stop])
                at = stop
            elif heredoc := re.match(r"<<-?\s*(\\|'|\"|)(\w+)\1", script[at:]):
                heredocs.append(heredoc[2])
                out.append(heredoc[0])
                at += heredoc.end()
            elif c == "\n":
                out.append(c)
                at += 1
                while heredocs:
                    name = heredocs.pop(0)
                    end_of_it = re.compile(rf"^\s*{name}$", re.M).search(script, at)
                    assert end_of_it, script
                    out.append(script[at : end_of_it.end()])
                    at = end_of_it.end()
            else:
                depth += (c == "(") - (c == ")" and depth > 0)
                out.append(c)
                at += 1
            word_start = c in " \t\n;&|("
        return at

    plain(0, "")
    return "".join(out)


def _code(source: str) -> Any:
    """Python's or JavaScript's code, with the strings in it as they are read."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        strings = re.findall(r"'((?:[^'\\]|\\.)*)'", source)
        rest = re.sub(r"'(?:[^'\\]|\\.)*'", "''", source)
        return [rest, *(json.loads('"' + s.replace("\\'", "'") + '"') for s in strings)]
    return [
        *(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)),
        re.sub(r"value=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", "", ast.dump(tree)),
    ]


@dataclass(frozen=True)
class Script:
    """A script of a shell, in the form of `shell_canon`."""

    canon: str


def words_of(command: list[Any], shell: Callable[[str], Script]) -> list[Any]:
    """A command, with the program among its words that its interpreter is given."""
    found: list[Any] = []
    for number, word in enumerate(command):
        before = command[number - 1] if number else ""
        if before in {"-c", "-ec", "-e"} and isinstance(word, str):
            inner = command[number - 2] if number > 1 else ""
            found.append(_code(word) if inner in {"python", "node"} else shell(word))
        elif before == "CMD-SHELL":
            found.append(shell(word))
        else:
            found.append(word)
    return found


_SCRIPTS = frozenset(
    {"run", "dockerCommand", "preDeployCommand", "startCommand", "release_command", "preDeploy"}
)


def _walk(node: Any, decode: Callable[[str], str], key: str = "") -> Any:
    if decode is _kubernetes and isinstance(node, str | list):
        decode = _kubernetes if key in {"args", "command", "value"} else _plain_dollars
    elif key in {"run", "script"} and not isinstance(node, dict):
        # In a script, nothing is expanded but GitHub's expressions: of these there are none.
        assert "${{" not in str(node), node
        decode = str
    if isinstance(node, dict):
        return {decode(str(k)): _walk(v, decode, str(k)) for k, v in node.items()}
    if isinstance(node, list):
        made = [_walk(item, decode, key if key == "script" else "") for item in node]
        return (
            words_of(made, lambda s: _shell(s)) if all(isinstance(i, str) for i in made) else made
        )
    if isinstance(node, str):
        decoded = decode(node)
        if key in _SCRIPTS or key in {"script", "processes"}:
            return _shell(decoded)
        return decoded
    return node


def _shell(script: str) -> Script:
    return Script(shell_canon(script.replace(DOLLAR, "$") if DOLLAR in script else script))


def _compose(node: str) -> str:
    return node.replace("$$", DOLLAR)


def _kubernetes(node: str) -> str:
    """As Kubernetes expands words of a command and values of variables (its `expansion.go`)."""
    return re.sub(r"\$\$|\$(?!\()", DOLLAR, node)


def _plain_dollars(node: str) -> str:
    return node.replace("$", DOLLAR)


def _github(node: str) -> str:
    """An expression that is nothing but a text is that text (docs.github.com, "Literals")."""
    return re.sub(r"\$\{\{ '((?:[^']|'')*)' \}\}", lambda m: m[1].replace("''", "'"), node)


def _gitlab(node: str) -> str:
    return node.replace("$$", DOLLAR)


def _yaml(decode: Callable[[str], str]) -> Callable[[str], Any]:
    return lambda text: [_walk(document, decode) for document in yaml.safe_load_all(text)]


def _fly(text: str) -> Any:
    found = tomllib.loads(text)
    for name, command in found.get("processes", {}).items():
        found["processes"][name] = _shell(command)
    return _walk(found, str)


def _dockerfile(text: str) -> Any:
    """Instructions as BuildKit reads them (docs.docker.com, "Dockerfile reference")."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "\x01")
    found: list[Any] = []
    for line in joined.split("\n"):
        instruction, _, rest = line.strip("\x01 ").partition(" ")
        rest = rest.replace("\x01", "\\\n").strip()
        if not instruction:
            continue
        if instruction in {"CMD", "ENTRYPOINT"}:
            found.append([instruction, words_of(json.loads(rest), _shell)])
        elif instruction == "HEALTHCHECK" and "CMD [" in rest:
            options, _, words = rest.partition("CMD ")
            found.append([instruction, options, words_of(json.loads(words), _shell)])
        elif instruction == "COPY":
            found.append([instruction, *_copied(rest)])
        elif instruction == "RUN":
            found.append([instruction, Script(shell_canon(rest))])
        else:
            assert re.fullmatch(r"FROM|ARG|ENV|WORKDIR|LABEL|USER|EXPOSE|HEALTHCHECK", instruction)
            found.append([instruction, Script(shell_canon(rest, docker=True))])
    return found


def _copied(rest: str) -> list[str]:
    flags = []
    while match := re.match(r"--\w+(?:=\S*)?\s+", rest):
        flags.append(match[0])
        rest = rest[match.end() :]
    words = json.loads(rest) if rest.startswith("[") else rest.split()
    *sources, destination = [_lexed(word) for word in words]
    return [*flags, *map(_pattern, sources), destination]


def _lexed(word: str) -> str:
    """A word of COPY as BuildKit's lexer leaves it, in either form; an expansion is an error."""
    assert not re.search(r"(?<!\\)(\\\\)*['\"$]", word), word
    return re.sub(r"\\(.)", r"\1", word)


def _pattern(source: str) -> str:
    """The one path that a pattern of Go's `filepath.Match` fits."""
    # Seen with BuildKit: `[*]` and `[?]` match nothing, in silence.
    literal = source.replace("[[]", "\x02[")
    assert not re.search("(?<!\x02)[*?\\[]|\\\\", literal), source
    return literal.replace("\x02", "")


def _ignore(text: str) -> Any:
    """Patterns as moby's `patternmatcher` has them: what stands for itself is escaped."""
    lines = []
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            lines.append(line.strip())
    return [re.sub(r"\\([^\\*?\[\]!])", r"\1", line) for line in lines]


def _typescript(text: str) -> Any:
    found: list[Any] = []
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|//[^\n]*|[^"/]+|/', text):
        part = token[0]
        if part.startswith('"'):
            value = json.loads(part)
            before = found[-1] if found else ""
            script = isinstance(before, str) and re.search(r"(start|preDeploy): $", before)
            found.append(_shell(value) if script else value)
        else:
            found.append(part)
    return found


def _caddyfile(text: str) -> Any:
    """Tokens, with or without the quotes that make them whole."""
    return re.sub(r'"((?:[^"\\]|\\.)*)"', r"\1", text).split("\n")


def _dotenv(text: str) -> Any:
    # Headings are padded to one width.
    return [line.rstrip("-") for line in text.split("\n")]


def _markdown(text: str) -> Any:
    """Blocks of code by their language, and what of the rest is code; nothing else holds values."""
    found: list[Any] = []
    blocks = re.split(r"^( *)(`{3,}|~{3,})(\w*)\n(.*?)^ *\2$", text, flags=re.M | re.S)
    for number in range(0, len(blocks), 5):
        prose = " ".join(blocks[number].split())
        spans = re.findall(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", prose)
        rest = re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "``", prose)
        found.append(Rest(rest))
        found += [Code(_span(content)) for _, content in spans]
        if number + 4 < len(blocks):
            language, code = blocks[number + 3], blocks[number + 4]
            read_code = _shell if language in {"bash", "sh"} else _mermaid
            found.append([language, read_code(code)])
    return found


def _mermaid(code: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), code)


def _span(content: str) -> str:
    content = content.replace("\\|", "|")
    return content[1:-1] if content[:1] == content[-1:] == " " and content.strip() else content


@dataclass(frozen=True)
class Code:
    """A span of code in Markdown: white space counts once."""

    text: str


@dataclass(frozen=True)
class Rest:
    """Prose, which holds no value but as code."""

    text: str


def read(path: str, content: str) -> Any:
    """What the parser of a file's kind makes of it."""
    name = PurePosixPath(path).name
    if name.endswith("Dockerfile") or re.fullmatch(r"Dockerfile.*\.prod", name):
        return _dockerfile(content)
    if name.endswith(".dockerignore"):
        return _ignore(content)
    if ".github/" in path or "ci/github/" in path:
        return _yaml(_github)(content)
    if "gitlab" in name:
        return _yaml(_gitlab)(content)
    if name in {"docker-compose.prod.yml", "stack.yml"}:
        return _yaml(_compose)(content)
    if "kubernetes/" in path and name.endswith(".yaml"):
        return _yaml(_kubernetes)(content)
    if name.endswith((".yml", ".yaml")):
        return _yaml(str)(content)
    if name.endswith(".toml"):
        return _fly(content)
    if name.endswith(".json"):
        return json.loads(content)
    if name.endswith(".ts"):
        return _typescript(content)
    if name == "Caddyfile":
        return _caddyfile(content)
    if name.endswith(".sh"):
        return Script(shell_canon(content))
    if name.endswith(".md"):
        return _markdown(content)
    return _dotenv(content)


def escapes(path: str) -> Callable[[str], str]:
    """How a text is given back by `read` where it is data."""
    name = PurePosixPath(path).name
    if name.endswith(".dockerignore"):
        return lambda text: re.sub(r"([\\*?\[\]!])", r"\\\1", text)
    if name in {"docker-compose.prod.yml", "stack.yml"} or "gitlab" in name:
        return lambda text: text.replace("$", DOLLAR)
    if "kubernetes/" in path and name.endswith(".yaml"):
        return lambda text: text.replace("$", DOLLAR)
    return str


def differences(
    plain: Any, hostile: Any, words: Words, escape: Callable[[str], str], at: str = ""
) -> list[str]:
    """Where the hostile tree is not the plain one with the texts in it; one line each."""
    if type(plain) is not type(hostile):
        return [f"{at}: {plain!r} -> {hostile!r}"]
    if isinstance(plain, dict):
        expected = {words.restored(key, escape): value for key, value in plain.items()}
        if expected.keys() != hostile.keys():
            return [f"{at}: keys {sorted(expected)} -> {sorted(hostile)}"]
        return [
            line
            for key in expected
            for line in differences(expected[key], hostile[key], words, escape, f"{at}.{key}")
        ]
    if isinstance(plain, list):
        if len(plain) != len(hostile):
            return [f"{at}: {len(plain)} items -> {len(hostile)}: {hostile!r}"]
        return [
            line
            for number, (one, other) in enumerate(zip(plain, hostile, strict=True))
            for line in differences(one, other, words, escape, f"{at}[{number}]")
        ]
    if isinstance(plain, Script):
        # A comment has a text as it stands.
        script = words.restored(plain.canon, quoted)
        return _compared(_uncommented(script), _uncommented(hostile.canon), at)
    if isinstance(plain, Code):
        if re.match(r"(curl|spinbox-deploy) ", plain.text):
            return differences(_shell(plain.text), _shell(hostile.text), words, escape, at)
        return _compared(
            " ".join(words.restored(plain.text).split()), " ".join(hostile.text.split()), at
        )
    if isinstance(plain, Rest):
        return _compared(plain.text, hostile.text, at)
    if isinstance(plain, str):
        return _compared(words.restored(plain, escape), hostile, at)
    return [] if plain == hostile else [f"{at}: {plain!r} -> {hostile!r}"]


def _uncommented(canon: str) -> str:
    return re.sub(r"(?:(?<=[\s;])|\A)#.*", "#", canon)


def _compared(expected: str, found: str, at: str) -> list[str]:
    if expected == found:
        return []
    start = next(
        (i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b),
        min(len(expected), len(found)),
    )
    window = slice(max(0, start - 60), start + 120)
    return [f"{at}: expected {expected[window]!r}, found {found[window]!r}"]
