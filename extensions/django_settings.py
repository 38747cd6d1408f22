"""What a Django project's settings say, by their syntax (docs.djangoproject.com, "Settings").

The settings module is the one that production takes: what `wsgi.py` names, or the module beside it
that is called production.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .environment_reads import Read, is_given
from .errors import ProjectError
from .python_source import called_name, statements
from .source_text import parse_file
from .tree import Tree, join

_NAMED = re.compile(r"""DJANGO_SETTINGS_MODULE["'\]]+\s*[,=]\s*["']([\w.]+)["']""")
DEVELOPMENT = frozenset({"local", "dev", "development", "test", "testing", "tests", "debug"})
_PRODUCTION = ("production", "prod", "live", "deploy", "deployment")
_DEEPEST = 8


@dataclass(frozen=True)
class Value:
    """What a setting is set to.

    Attributes:
        node: The expression.
        path: Its file.
        line: Its line.
    """

    node: ast.expr
    path: str
    line: int

    @property
    def variable(self) -> str | None:
        """The environment variable that it is read from, None where it is none, or several."""
        names = list(dict.fromkeys(_variables(self.node)))
        return names[0] if len(names) == 1 else None

    @property
    def constant(self) -> object:
        """What it is where nothing has to run for that; else `...`."""
        try:
            return ast.literal_eval(self.node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return ...

    @property
    def default(self) -> str | None:
        """The text that holds where the variable is not set."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call) and _read_name(node):
                given = {keyword.arg: keyword.value for keyword in node.keywords}
                value = given.get("default") or (node.args[1] if len(node.args) > 1 else None)
                if isinstance(value, ast.Constant) and value.value is not None:
                    return str(value.value)
        return None


@dataclass
class Settings:
    """A Django project.

    Attributes:
        manage: `manage.py`, relative to the project's top folder.
        base: Its folder.
        module: The settings module for production.
        path: The file of that.
        values: What is set, by name.
        texts: The source of all settings files that it consists of, by path.
        bodies: The same, parsed.
    """

    manage: str
    base: str
    module: str
    path: str
    values: dict[str, Value] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, ast.Module] = field(default_factory=dict)

    def mentions(self, word: str) -> bool:
        """Whether any of its files has that word."""
        return any(word in text for text in self.texts.values())

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether any of its files has what matches."""
        return any(pattern.search(text) for text in self.texts.values())

    def variable(self, name: str) -> str | None:
        """The environment variable that a setting is read from."""
        value = self.values.get(name)
        return value.variable if value else None

    def reads(self) -> Iterator[Read]:
        """Variables that its files read, whatever file makes the reader that they use."""
        for path, body in self.bodies.items():
            for node in body.body:
                for one in ast.walk(node):
                    if not isinstance(one, ast.Call | ast.Subscript):
                        continue
                    if (name := _read_name(one)) and not is_given(name):
                        sure = isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr)
                        required = sure and self._fails(name, one)
                        yield Read(name, path, one.lineno, required)

    def _fails(self, name: str, node: ast.Call | ast.Subscript) -> bool:
        if isinstance(node, ast.Subscript):
            return True
        has_default = len(node.args) > 1 or any(k.arg == "default" for k in node.keywords)
        if has_default or ast.unparse(node.func).endswith(("environ.get", "getenv")):
            return False
        # django-environ: defaults of the reader itself.
        made = self.values.get("env")
        scheme = made.node.keywords if made and isinstance(made.node, ast.Call) else []
        return name not in {keyword.arg for keyword in scheme}

    def folder(self, name: str) -> str | None:
        """The folder that a setting names, relative to the folder of `manage.py`; else None."""
        value = self.values.get(name)
        return self._folder(value.node) if value else None

    def _folder(self, node: ast.expr, depth: int = 0) -> str | None:
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            first, second = self._folder(node.left, depth + 1), _text(node.right)
            return None if first is None or second is None else _joined(first, second)
        if isinstance(node, ast.Call):
            name = called_name(node)
            if name in {"str", "Path", "abspath", "resolve", "normpath"} and node.args:
                return self._folder(node.args[0], depth + 1)
            if name in {"join", "path", "joinpath"}:
                owner = node.func.value if isinstance(node.func, ast.Attribute) else None
                parts = list(node.args)
                if name in {"path", "joinpath"} and owner is not None:
                    parts.insert(0, owner)
                if isinstance(node.func, ast.Name) and name != "join":
                    return None
                first = self._folder(parts[0], depth + 1) if parts else None
                more = [_text(part) for part in parts[1:]]
                if first is None or None in more:
                    return None
                return _joined(first, *(text or "" for text in more))
        if isinstance(node, ast.Name) and (value := self.values.get(node.id)):
            ups = _ups(value.node)
            if ups is None:
                return self._folder(value.node, depth + 1)
            above = PurePosixPath(value.path).parts[:-ups] if ups else ()
            place = "/".join(above) or "."
            if place == self.base:
                return "."
            prefix = "" if self.base == "." else f"{self.base}/"
            if place.startswith(prefix) and place != ".":
                return place.removeprefix(prefix)
        return None


def find(tree: Tree, folder: str) -> Settings | None:
    """The Django project in an app's folder, or None."""
    key = ("django", folder)
    if key not in tree.kept:
        tree.kept[key] = _find(tree, folder)
    found: Settings | None = tree.kept[key]
    return found


def _find(tree: Tree, folder: str) -> Settings | None:
    for base, manage in _programs(tree, folder):
        match = _NAMED.search(tree.read(manage))
        module = _module(tree, base, match[1]) if match else ""
        path = path_of(tree, base, module) if module else None
        if path is None:
            continue
        found = Settings(manage, base, module, path)
        _gather(tree, found, path, 0)
        return found
    return None


def _programs(tree: Tree, folder: str) -> list[tuple[str, str]]:
    """Each `manage.py` in an app's folder, or in one below it, after its own folder."""
    depth = 0 if folder == "." else folder.count("/") + 1
    paths = [path for path in tree.below(folder, "manage.py") if path.count("/") <= depth + 1]
    named = [path for path in paths if path.rpartition("/")[2] == "manage.py"]
    ranked = sorted(named, key=lambda path: (path.count("/"), path))
    return [(path.rpartition("/")[0] or ".", path) for path in ranked]


def _module(tree: Tree, base: str, named: str) -> str:
    """The settings for production: those of `wsgi.py`, unless they are for development."""
    for path in servers(tree, base, "wsgi.py") + servers(tree, base, "asgi.py"):
        if match := _NAMED.search(tree.read(path)):
            named = match[1]
            break
    package, _, last = named.rpartition(".")
    if last in DEVELOPMENT and package:
        for name in _PRODUCTION:
            if path_of(tree, base, f"{package}.{name}"):
                return f"{package}.{name}"
    own = path_of(tree, base, named)
    if own and own.endswith("/__init__.py") and not tree.read(own).strip():
        for name in _PRODUCTION:
            if path_of(tree, base, f"{named}.{name}"):
                return f"{named}.{name}"
    return named


def servers(tree: Tree, base: str, name: str) -> list[str]:
    """Files of that name, `wsgi.py` or `asgi.py`, that make an application."""
    depth = 0 if base == "." else base.count("/") + 1
    return [
        path
        for path in tree.below(base, name)
        if path.endswith(f"/{name}")
        and path.count("/") == depth + 1
        and "_application" in tree.read(path)
    ]


def path_of(tree: Tree, base: str, module: str) -> str | None:
    """The file of a module that is imported from `base`."""
    place = join(base, module.replace(".", "/"))
    return next((p for p in (f"{place}.py", f"{place}/__init__.py") if tree.has(p)), None)


def _gather(tree: Tree, found: Settings, path: str, depth: int) -> None:
    if depth > _DEEPEST or path in found.texts:
        return
    try:
        body = parse_file(tree, path)
    except ProjectError:
        return
    found.texts[path], found.bodies[path] = tree.read(path), body
    for node in statements(body.body):
        inner = _imported(tree, found.base, path, node)
        if inner:
            _gather(tree, found, inner, depth + 1)
        for name, value in _set(node):
            found.values[name] = Value(value, path, node.lineno)


def _set(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
    elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def _imported(tree: Tree, base: str, path: str, node: ast.stmt) -> str | None:
    """The file whose names `from … import *` takes over."""
    if not isinstance(node, ast.ImportFrom) or node.names[0].name != "*":
        return None
    if not node.level:
        return path_of(tree, base, node.module or "")
    place = PurePosixPath(path).parent
    for _ in range(node.level - 1):
        place = place.parent
    relative = (node.module or "").replace(".", "/")
    inner = f"{place.as_posix()}/{relative}" if relative else place.as_posix()
    return next((p for p in (f"{inner}.py", f"{inner}/__init__.py") if tree.has(p)), None)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _joined(first: str, *more: str) -> str:
    parts = [part.strip("/") for part in (first, *more) if part.strip("/") not in {"", "."}]
    return "/".join(parts) or "."


def _ups(node: ast.expr) -> int | None:
    """How many folders an expression of `__file__` goes up; None where it is no such."""
    if not any(isinstance(n, ast.Name) and n.id == "__file__" for n in ast.walk(node)):
        return None
    ups = 0
    for one in ast.walk(node):
        if isinstance(one, ast.BinOp) and _text(one.right):
            return None
        ups += _up(one)
    return ups


def _up(node: ast.AST) -> int:
    match node:
        case ast.Attribute(attr="parent"):
            return 1
        case ast.Call() if called_name(node) == "dirname":
            return 1
        case ast.Subscript(value=ast.Attribute(attr="parents"), slice=ast.Constant(value=int(n))):
            return n + 1
    return 0


def _variables(node: ast.expr) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call | ast.Subscript) and (name := _read_name(one)):
            yield name


_READERS = frozenset({"get", "getenv", "config", "env", "bool", "list", "str", "int", "tuple"})


def _read_name(node: ast.Call | ast.Subscript) -> str | None:
    """The variable that an expression reads, as in `os.environ["X"]`, `env.bool("X")`."""
    if isinstance(node, ast.Subscript):
        whole = ast.unparse(node.value)
        return _text(node.slice) if whole.endswith("environ") or whole == "env" else None
    whole = ast.unparse(node.func)
    is_reader = (
        whole.endswith(("environ.get", "getenv"))
        or whole in {"env", "config", "environ"}
        or (whole.partition(".")[0] in {"env", "config"} and called_name(node) in _READERS)
    )
    name = _text(node.args[0]) if is_reader and node.args else None
    return name if name and re.fullmatch(r"[A-Za-z_]\w*", name) else None


def off(value: Value) -> str:
    """What a variable has to be for a switch to be off, by the way that it is read.

    `0` is off for django-environ, decouple, environs and `int(…)`; for a comparison with anything
    but its own word, and for a list of words for on. `bool("0")` is on.
    """
    for node in ast.walk(value.node):
        match node:
            case ast.Call(func=ast.Name(id="bool"), args=[ast.Call() | ast.Subscript() as inner]):
                if _read_name(inner):
                    return ""
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            words = list(_words(node.comparators[0]))
            if isinstance(node.ops[0], ast.NotEq | ast.NotIn) and words:
                return words[0]
    return "0"


def _words(node: ast.expr) -> Iterator[str]:
    items: Sequence[ast.expr] = (
        node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node]
    )
    for item in items:
        if (text := _text(item)) is not None:
            yield text
