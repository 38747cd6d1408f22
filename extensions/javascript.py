"""JavaScript, TypeScript and JSX as tokens, and what of it runs when a module is loaded.

No parser: brackets are paired, functions are found, and that is all readers need. Text that is no
valid JavaScript gives tokens as well, so nothing here fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from .errors import ProjectError
from .origins import line_at
from .tree import MEGABYTE, Tree, join

ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_TEST = re.compile(
    r"(^|/)(tests?|__tests__|__mocks__|e2e|cypress|\.storybook)/|\.(test|spec|stories|e2e-spec)\."
    r"|\.d\.[cm]?ts$"
)

_TOKEN = re.compile(
    r"(?P<blank>\s+|//[^\n]*|/\*.*?\*/|\A\#![^\n]*)"
    r"|(?P<name>\#?[A-Za-z_$][\w$]*)"
    r"|(?P<number>\.?\d[\w.]*)"
    r"""|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"|(?P<punct>=>|\?\?=|\?\?|\?\.(?!\d)|\|\|=?|&&=?|[=!]==?|\.\.\.|\+\+|--|[<>+\-*/%]=|.)",
    re.DOTALL,
)
_TEMPLATE = re.compile(r"[`}](?:[^`\\$]|\\.|\$(?!\{))*(`|\$\{)", re.DOTALL)
_REGEX = re.compile(r"/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
# Behind these, a slash divides, or is JSX's.
_VALUES = frozenset({")", "]", "}", "<", ">", "++", "--"})
_BEFORE_REGEX = frozenset({
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do",
    "await", "yield", "instanceof",
})  # fmt: skip
_BEFORE_STRING = _BEFORE_REGEX | frozenset(["from", "import", "export", "as", "default", "extends"])
_APOSTROPHE = re.compile("'")
_CONTROL = frozenset({"if", "for", "while", "switch", "catch", "with", "await"})
_STATEMENTS = frozenset({
    "const", "let", "var", "export", "import", "function", "class", "if", "return", "async",
    "for", "while", "throw", "try", "switch",
})  # fmt: skip


class Token(NamedTuple):
    """A piece of code.

    A template is one token, or with `${…}` one for each piece of its text, as it is written, with
    those of its expressions between them.

    Attributes:
        kind: `name` (keywords too), `number`, `string`, `template`, `regex` or `punct`.
        text: As it is written.
        start: Its position in the file.
    """

    kind: str
    text: str
    start: int


def tokenize(text: str) -> list[Token]:
    """The tokens of a file; comments are none."""
    tokens: list[Token] = []
    # What is open: brackets, and `${`.
    open_: list[int] = []
    closed: dict[int, int] = {}
    position, end = 0, len(text)
    while position < end:
        char = text[position]
        kind = match = None
        if char == "`" or (char == "}" and open_ and tokens[open_[-1]].text.endswith("${")):
            kind, match = "template", _TEMPLATE.match(text, position)
        elif char == "'" and _is_apostrophe(tokens, position):
            kind, match = "punct", _APOSTROPHE.match(text, position)
        elif char == "/" and _begins_regex(tokens, closed):
            kind, match = "regex", _REGEX.match(text, position)
        if match is None:
            match = _TOKEN.match(text, position)
            assert match is not None  # The last alternative takes any character.
            kind = match.lastgroup
        if kind and kind != "blank":
            token = Token(kind, match[0], position)
            if _closes(token) and open_:
                closed[len(tokens)] = open_.pop()
            if _opens(token):
                open_.append(len(tokens))
            tokens.append(token)
        position = match.end()
    return tokens


def _is_apostrophe(tokens: list[Token], position: int) -> bool:
    """Whether it stands in a word of JSX's text, as in `Don't`: no string follows a name."""
    if not tokens or tokens[-1].start + len(tokens[-1].text) != position:
        return False
    return tokens[-1].kind == "name" and tokens[-1].text not in _BEFORE_STRING


def _begins_regex(tokens: list[Token], closed: dict[int, int]) -> bool:
    if not tokens:
        return True
    last = tokens[-1]
    if last.text == ")" and (opened := closed.get(len(tokens) - 1)):
        return tokens[opened - 1].text in _CONTROL
    if last.kind == "name":
        return last.text in _BEFORE_REGEX
    return last.kind == "punct" and last.text not in _VALUES


def _opens(token: Token) -> bool:
    if token.kind == "template":
        return token.text.endswith("${")
    return token.kind == "punct" and token.text in {"(", "[", "{"}


def _closes(token: Token) -> bool:
    if token.kind == "template":
        return token.text.startswith("}")
    return token.kind == "punct" and token.text in {")", "]", "}"}


class Function(NamedTuple):
    """A function: its name (empty for none), and the tokens of its parameters and of its body."""

    name: str
    parameters: range
    body: range


@dataclass(frozen=True)
class Script:
    """A source file.

    Attributes:
        path: Relative to the project's top folder.
        text: As it is.
    """

    path: str
    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        """Its tokens, with two empty ones behind the last, so that readers can look ahead."""
        end = len(self.text)
        return [*tokenize(self.text), Token("punct", "", end), Token("punct", "", end)]

    @cached_property
    def pairs(self) -> dict[int, int]:
        """For each bracket the one that it belongs to, both by their place in `tokens`."""
        pairs: dict[int, int] = {}
        open_: list[int] = []
        for place, token in enumerate(self.tokens):
            if _closes(token) and open_:
                pairs[place] = open_.pop()
                pairs[pairs[place]] = place
            if _opens(token):
                open_.append(place)
        return pairs

    def line(self, place: int) -> int:
        """The line of a token."""
        return line_at(self.text, self.tokens[place].start)

    def matches(self, place: int, *texts: str) -> bool:
        """Whether the tokens from there on are these."""
        found = self.tokens[max(place, 0) : place + len(texts)]
        return place >= 0 and [token.text for token in found] == list(texts)

    def finds(self, *texts: str) -> Iterator[int]:
        """Where these tokens stand, one behind the other."""
        first, count = texts[0], len(texts)
        for place, token in enumerate(self.tokens):
            if token.text == first and (count == 1 or self.matches(place, *texts)):
                yield place

    def texts(self, places: range) -> list[str]:
        """The tokens of a range, as they are written."""
        return [token.text for token in self.tokens[places.start : places.stop]]

    def string(self, place: int) -> str | None:
        """What a string or a template without expressions holds; None for another token."""
        kind, text, _ = self.tokens[place]
        if kind == "string" or (kind == "template" and text[0] == text[-1] == "`"):
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        return None

    def inside(self, place: int) -> range:
        """The tokens between a bracket and the one that closes it; empty where none does."""
        return range(place + 1, self.pairs.get(place, place + 1))

    def items(self, place: int) -> Iterator[range]:
        """The arguments of a call, or elements or fields of a literal, by its open bracket."""
        start, inner = place + 1, self.inside(place)
        at = inner.start
        while at < inner.stop:
            if self.tokens[at].text == ",":
                yield range(start, at)
                start = at + 1
            at = self.pairs.get(at, at) + 1 if self.pairs.get(at, at) > at else at + 1
        if start < inner.stop:
            yield range(start, inner.stop)

    def fields(self, place: int) -> Iterator[tuple[str, range]]:
        """The fields of an object by its open brace: name and tokens of the value."""
        for item in self.items(place):
            first = self.tokens[item.start]
            name = self.string(item.start) or (first.text if first.kind == "name" else "")
            if name and len(item) > 2 and self.tokens[item.start + 1].text == ":":
                yield name, range(item.start + 2, item.stop)
            elif name and len(item) == 1:
                yield name, item

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods; a class counts as one."""
        return [found for place in range(len(self.tokens)) if (found := self._function(place))]

    def _function(self, place: int) -> Function | None:
        """The function whose body begins at a token."""
        token = self.tokens[place]
        before = self.tokens[place - 1].text if place else ""
        if token.text == "{" and token.kind == "punct" and place in self.pairs:
            if before == "=>":
                return self._arrow(place - 1, self.inside(place))
            closing = self._parameters_end(place)
            if closing is not None:
                return self._named(closing, self.inside(place))
            return Function("", range(0), self.inside(place)) if self._is_class(place) else None
        if before == "=>" and place:
            return self._arrow(place - 1, range(place, self._expression_end(place)))
        return None

    def _arrow(self, arrow: int, body: range) -> Function:
        closing = self._before_type(arrow)
        if closing is None and self.tokens[arrow - 1].kind == "name":
            closing = start = arrow - 1
            parameters = range(start, arrow)
        else:
            closing = arrow - 1 if closing is None else closing
            start = self.pairs.get(closing, closing)
            parameters = range(start + 1, closing)
        if start and self.tokens[start - 1].text == "async":
            start -= 1
        named = start > 1 and self.tokens[start - 1].text == "="
        name = self.tokens[start - 2].text if named else ""
        return Function(name, parameters, body)

    def _named(self, closing: int, body: range) -> Function:
        opening = self.pairs[closing]
        name, before = self.tokens[opening - 1], self.tokens[opening - 2].text
        is_declared = name.kind == "name" and before in {"function", "*"}
        return Function(name.text if is_declared else "", range(opening + 1, closing), body)

    def _parameters_end(self, brace: int) -> int | None:
        """The parenthesis before a function's body, with or without a type between them."""
        closing = self._before_type(brace)
        if closing is None or closing not in self.pairs:
            return None
        before = self.tokens[self.pairs[closing] - 1].text if self.pairs[closing] else ""
        return None if before in _CONTROL else closing

    def _before_type(self, place: int) -> int | None:
        """The `)` before a place, or before the type that stands there (`): Promise<void> {`)."""
        at = place - 1
        if at >= 0 and self.tokens[at].text == ")":
            return at
        for _ in range(24):
            if at < 1:
                return None
            token = self.tokens[at]
            if token.text == ":":
                return at - 1 if self.tokens[at - 1].text == ")" else None
            if _closes(token) and at in self.pairs:
                at = self.pairs[at]
            elif token.kind == "punct" and token.text not in {"<", ">", ".", "|", "&", ","}:
                return None
            at -= 1
        return None

    def _is_class(self, brace: int) -> bool:
        for at in range(brace - 1, max(brace - 24, -1), -1):
            token = self.tokens[at]
            if token.text == "class":
                return True
            if token.text in {"{", "}", ";", "=", ")"}:
                return False
        return False

    def _expression_end(self, start: int) -> int:
        """The token behind an expression without braces around it."""
        at = start
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.text in {",", ";", ""} or (_closes(token) and self.pairs.get(at, at) < start):
                return at
            if token.text in _STATEMENTS and at > start and self._begins_line(at):
                return at
            at = max(self.pairs.get(at, at), at) + 1
        return at

    def _begins_line(self, place: int) -> bool:
        before = self.tokens[place - 1]
        return "\n" in self.text[before.start + len(before.text) : self.tokens[place].start]

    @cached_property
    def _deferred(self) -> list[range]:
        """What does not run when the module is loaded: functions that it does not call itself."""
        deferred = [f for f in self.functions if not self._calls_at_once(f)]
        while True:
            ranges = [function.body for function in deferred]
            named = {function.name for function in deferred if function.name}
            called = {
                token.text
                for place, token in enumerate(self.tokens)
                if token.text in named
                and self.tokens[place + 1].text == "("
                and self.tokens[place - 1].text not in {"function", ".", "?.", "*"}
                and not any(place in places for places in ranges)
            }
            if not called:
                return ranges
            deferred = [function for function in deferred if function.name not in called]

    def _calls_at_once(self, function: Function) -> bool:
        end = function.body.stop
        if self.tokens[end].text == "}":
            end += 1
        return self.matches(end, ")", "(") or (self.tokens[end].text == "(" and not function.name)

    def loads(self, place: int) -> bool:
        """Whether a token is run when the module is loaded."""
        return not any(place in places for places in self._deferred)

    def around(self, place: int) -> Function | None:
        """The innermost function that a token is in."""
        holding = [function for function in self.functions if place in function.body]
        return min(holding, key=lambda function: len(function.body), default=None)


def is_source(path: str) -> bool:
    """Whether a file is code that runs in production: no test, no types alone."""
    return path.endswith(ENDINGS) and not _TEST.search(path)


def read(tree: Tree, path: str) -> Script | None:
    """A source file, which is read once; None where it is no text, or larger than source is."""
    key = ("javascript", path)
    if key not in tree.kept:
        try:
            tree.kept[key] = Script(path, tree.read(path, MEGABYTE))
        except ProjectError:
            tree.kept[key] = None
    script: Script | None = tree.kept[key]
    return script


def scripts(tree: Tree, folder: str) -> list[Script]:
    """The source files in a folder, but tests, and packages of their own in it."""
    key = ("javascript of a folder", folder)
    if key not in tree.kept:
        own = join(folder, "package.json")
        others = tuple(
            path.removesuffix("package.json")
            for path in tree.below(folder, "/package.json")
            if path != own
        )
        paths = (p for p in tree.below(folder) if is_source(p) and not p.startswith(others))
        tree.kept[key] = [script for p in paths if (script := read(tree, p)) is not None]
    found: list[Script] = tree.kept[key]
    return found


_IMPORT = re.compile(
    r"""(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*["'`]([^"'`\n]+)["'`]"""
)


def imports(script: Script) -> list[str]:
    """What a file imports, as it is written there."""
    return _IMPORT.findall(script.text)


class Files(Protocol):
    """What has files by their paths: the project's tree, or another view of it."""

    def has(self, path: str) -> bool:
        """Whether the file is there."""


def resolve(files: Files, folder: str, path: str, name: str) -> str | None:
    """The file of the project that an import means; None for a package.

    Args:
        files: The project's files.
        folder: The app's.
        path: The file that imports.
        name: What it imports: relative to it, or by one of the usual aliases of the app's source.
    """
    for base in places(folder, path, name):
        plain = re.sub(r"\.[cm]?jsx?$", "", base)
        for stem in (base, plain, f"{base}/index"):
            if stem.endswith(ENDINGS) and files.has(stem):
                return stem
            for ending in ENDINGS:
                if files.has(stem + ending):
                    return stem + ending
    return None


def places(folder: str, path: str, name: str) -> list[str]:
    """The paths that an import may mean, with or without their ending; as for `resolve`."""
    top = "" if folder == "." else folder + "/"
    if name.startswith("."):
        return [_normal(path.rpartition("/")[0], name)]
    if name.startswith(("@/", "~/", "#/")):
        return [f"{top}src/{name[2:]}", f"{top}{name[2:]}", f"{top}app/{name[2:]}"]
    return [f"{top}{name}", f"{top}src/{name}"]


def _normal(folder: str, name: str) -> str:
    parts = folder.split("/") if folder else []
    for part in name.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def reachable(tree: Tree, folder: str, entries: list[str]) -> set[str]:
    """The files that are loaded with the entries: themselves, and what they import."""
    found: set[str] = set()
    left = list(entries)
    while left:
        path = left.pop()
        if path in found or (script := read(tree, path)) is None:
            continue
        found.add(path)
        left += [
            target
            for name in imports(script)
            if (target := resolve(tree, folder, path, name)) is not None
        ]
    return found
