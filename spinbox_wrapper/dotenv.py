"""Settings files as Docker Compose and Kustomize read them; parsed, never run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_EDGES = " \t\v\f\r"
# Compose takes some of these away, too.
_ODD = "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ODD_EDGE = re.compile(f"[{_ODD}].*|.*[{_ODD}]", re.DOTALL)
_BETWEEN = re.compile(r"(?:[ \t\n\v\f\r]|#[^\n]*\n)*")
_NAME = re.compile(r"(?:export[ \t\f\r]+)?([^=:\n]*)([=:\n])")
_ESCAPE = re.compile(r'\\([abfnrtv$"\\0])')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}
_REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<braced>\{(?P<plain>[A-Za-z_]\w*)\}|\{[A-Za-z_]\w*:?[-+?][^\n]*\})|(?P<broken>\{))",
    re.ASCII,
)
_BRACED = re.compile(r"\{(\w+)(:?)([-+?])(.*)\}", re.DOTALL | re.ASCII)


class UnreadableError(ValueError):
    """A settings file that Compose refuses, or that nobody should have it read: one sentence."""


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file sets.

    Attributes:
        values: By name, as Docker Compose gives them to containers.
        unknown: Names that a `$NAME` without a default stands for, and nothing sets.
    """

    values: Mapping[str, str]
    unknown: frozenset[str]


def parse_env(content: bytes, environment: Mapping[str, str] | None = None) -> SettingsFile:
    """The variables that a file sets, by name, with the values that Docker Compose gives them.

    As `deploy/settings.awk` reads it for the scripts; the rules are those of `dotenv` and
    `template` in github.com/compose-spec/compose-go.

    Args:
        content: The file's.
        environment: What `$NAME` stands for before the file itself does.

    Raises:
        UnreadableError: Compose cannot read it, or the scripts would read it otherwise.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"line {line} is not in UTF-8.") from None
    reader = _Reader(text, environment or {})
    reader.read()
    return SettingsFile(reader.values, frozenset(reader.unknown))


def has_value(value: str | None) -> bool:
    """Whether a setting is set. What begins with a # is a comment, which Compose takes for a value.

    The scripts say so, too, before they start anything.
    """
    return bool(value) and not str(value).startswith("# ")


def contents(path: Path) -> bytes:
    """What a settings file holds.

    Raises:
        OSError: It cannot be read.
        UnreadableError: It is no file: a pipe, for example, would be waited for.
    """
    if path.exists() and not path.is_file():
        raise UnreadableError("is no file.")
    return path.read_bytes()


class _Reader:
    """One pass over a file."""

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        text = text.removeprefix("\ufeff")
        self.text = text if text.endswith("\n") else f"{text}\n"
        self.environment = environment
        self.values: dict[str, str] = {}
        self.unknown: set[str] = set()
        self.at = 0

    def read(self) -> None:
        while self._next_statement():
            start, name = self.at, _NAME.match(self.text, self.at)
            if name is None or not re.fullmatch(r"[A-Za-z0-9_.-]+", name[1].rstrip(_EDGES)):
                raise self._refused("is no setting of the form NAME=VALUE")
            key = name[1].rstrip(_EDGES)
            self.at = name.end()
            if name[2] != "\n":
                self.values[key] = self._value()
            elif self.at == len(self.text):
                self.at = start
                raise self._refused("is no setting of the form NAME=VALUE")
            elif self._is_set(key):
                self.values[key] = self._lookup(key)

    def _refused(self, why: str) -> UnreadableError:
        return UnreadableError(f"line {self.text.count(chr(10), 0, self.at) + 1} {why}.")

    def _next_statement(self) -> bool:
        between = _BETWEEN.match(self.text, self.at)
        self.at = between.end() if between else self.at
        return self.at < len(self.text)

    def _value(self) -> str:
        while self.text[self.at] in _EDGES:
            self.at += 1
        quote = self.text[self.at]
        if quote in "'\"":
            return self._quoted(quote)
        end = self.text.index("\n", self.at)
        value = self.text[self.at : end].partition(" #")[0].rstrip(_EDGES)
        if _ODD_EDGE.fullmatch(value):
            seen = "has an unusual space at an end of the value"
            raise self._refused(f"{seen}: put the value between single quotes")
        value = self._expand(value)
        self.at = end + 1
        return value

    def _quoted(self, quote: str) -> str:
        inside = re.compile(rf"((?:\\.|[^\\{quote}])*){quote}", re.DOTALL)
        match = inside.match(self.text, self.at + 1)
        if match is None:
            raise self._refused("has a quote that does not close")
        value = match[1]
        # Of a quote a backslash takes the meaning; before all else it stays.
        value = re.sub(r"\\(.)", lambda m: quote if m[1] == quote else m[0], value, flags=re.DOTALL)
        if quote == '"':
            if "0" in (escaped[1] for escaped in _ESCAPE.finditer(value)):
                seen = r"has \0 in double quotes"
                raise self._refused(f"{seen}: put the value between single quotes")
            value = self._expand(_ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), value))
        self.at = match.end()
        return value

    def _is_set(self, name: str) -> bool:
        return name in self.environment or name in self.values

    def _lookup(self, name: str) -> str:
        return self.environment.get(name, self.values.get(name, ""))

    def _expand(self, left: str) -> str:
        found = ""
        while match := _REFERENCE.search(left):
            found += left[: match.start()]
            left = left[match.end() :]
            if match["broken"]:
                seen = "has ${ that is no ${NAME}"
                raise self._refused(f"{seen}: put the value between single quotes")
            if match["braced"] and not match["plain"]:
                braced = match["braced"]
                end = _closing(braced)
                left = braced[end:] + left
                found += self._chosen(braced[:end])
            else:
                name = match["name"] or match["plain"]
                if name and not self._is_set(name):
                    self.unknown.add(name)
                found += self._lookup(name) if name else "$"
        return found + left

    def _chosen(self, braced: str) -> str:
        """The value of `{NAME:-word}` and its kind."""
        match = _BRACED.fullmatch(braced)
        assert match is not None
        name, colon, operator = match[1], match[2], match[3]
        word = self._expand(match[4])
        has = self._is_set(name) and not (colon and not self._lookup(name))
        if operator == "?" and not has:
            raise self._refused(f"needs {name}, which is not set")
        if operator == "+":
            return word if has else ""
        return self._lookup(name) if has or operator == "?" else word


def _closing(braced: str) -> int:
    """The length up to where the first brace closes, as Compose counts.

    The character after an opening one is not looked at.
    """
    opened, at = 0, 0
    while at < len(braced):
        if braced[at] == "}":
            opened -= 1
            if opened == 0:
                return at + 1
        elif braced[at] == "{":
            opened += 1
            at += 1
        at += 1
    return len(braced)


def parse_lines(text: str) -> dict[str, str]:
    """The variables of a file that Kustomize reads: values stand as they are, quotes too.

    kubectl.docs.kubernetes.io, "configMapGenerator".
    """
    lines = (line.lstrip() for line in text.splitlines())
    pairs = (line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))
    return dict(pairs)
