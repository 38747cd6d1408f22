"""The modules of a Python app as one program: who imports whom, and what names and texts mean."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from .python_source import Module, called_name, import_base, is_main_guard, statements
from .tree import Tree

# What a name stands for: a module, or an attribute of one.
Reference = tuple[str, str | None]
_DEEPEST = 20


@dataclass(frozen=True)
class Import:
    """One import: the module, as far as it is named absolutely, and the line it stands on.

    Attributes:
        name: The module's dotted name, or that of what is imported from it.
        line: Its line.
        fallible: It stands where its failure is handled, or is only for type checkers.
        late: It stands in a function, so it happens when that is called.
    """

    name: str
    line: int
    fallible: bool
    late: bool


class Program:
    """All modules of an app.

    Args:
        modules: The app's source (`python_source.parse_modules`).
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules: Mapping[str, Module] = {module.name: module for module in modules}
        self._names: dict[str, dict[str, Reference]] = {}
        self._imports: dict[str, list[Import]] = {}
        self._constants: dict[str, dict[str, ast.expr]] = {}

    def imports(self, module: Module) -> list[Import]:
        """What a module imports, in its order."""
        if module.name not in self._imports:
            found = _imports(module, module.body.body, fallible=False, late=False)
            self._imports[module.name] = list(found)
        return self._imports[module.name]

    def reached(self, *names: str, surely: bool = False) -> frozenset[str]:
        """Names of the modules that these import, at any depth, themselves among them.

        Args:
            names: Where to begin.
            surely: Only what is imported for certain when these are.
        """
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            for name in _with_packages(waiting.pop()):
                if name in self.modules and name not in seen:
                    seen.add(name)
                    found = self.imports(self.modules[name])
                    waiting += [i.name for i in found if not (surely and (i.fallible or i.late))]
        return frozenset(seen)

    def names(self, module: Module) -> Mapping[str, Reference]:
        """What a module's own names stand for, where they were imported from the app."""
        if module.name not in self._names:
            found: dict[str, Reference] = {}
            for node in _import_statements(module.body):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        top = alias.name.split(".")[0]
                        found[alias.asname or top] = (alias.name if alias.asname else top, None)
                else:
                    base = import_base(module, node)
                    for alias in node.names:
                        dotted = f"{base}.{alias.name}" if base else alias.name
                        is_module = dotted in self.modules
                        reference = (dotted, None) if is_module else (base, alias.name)
                        found[alias.asname or alias.name] = reference
            self._names[module.name] = found
        return self._names[module.name]

    def resolve(self, module: Module, node: ast.expr) -> Reference | None:
        """What an expression stands for, imports followed to where it is made; None for unknown."""
        if isinstance(node, ast.Name):
            reference = self.names(module).get(node.id)
            return self._followed(reference) if reference else (module.name, node.id)
        if isinstance(node, ast.Attribute):
            base = self.resolve(module, node.value)
            if base is None or base[1] is not None:
                return None
            dotted = f"{base[0]}.{node.attr}"
            if dotted in self.modules or base[0] not in self.modules:
                return dotted, None
            return self._followed((base[0], node.attr))
        return None

    def _followed(self, reference: Reference) -> Reference:
        for _ in range(_DEEPEST):
            name, attribute = reference
            module = self.modules.get(name)
            further = self.names(module).get(attribute) if module and attribute else None
            if further is None or further == reference:
                break
            reference = further
        return reference

    def text(self, module: Module, node: ast.expr | None, depth: int = 0) -> str | None:
        """The text that an expression has, as far as constants and defaults tell; else None."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.JoinedStr):
            parts = [
                self.text(
                    module, part.value if isinstance(part, ast.FormattedValue) else part, depth + 1
                )
                for part in node.values
            ]
            known = [part for part in parts if part is not None]
            return "".join(known) if len(known) == len(parts) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left = self.text(module, node.left, depth + 1)
            right = self.text(module, node.right, depth + 1)
            return None if left is None or right is None else left + right
        if isinstance(node, ast.Call):
            return self.text(module, _default(node), depth + 1)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            return self.text(module, node.values[-1], depth + 1)
        if isinstance(node, ast.Name | ast.Attribute):
            reference = self.resolve(module, node)
            if reference and reference[1] and (owner := self.modules.get(reference[0])):
                value = self.constants(owner).get(reference[1])
                if value is not None:
                    return self.text(owner, value, depth + 1)
            if isinstance(node, ast.Attribute):
                return self._field(node.attr, depth)
        return None

    def texts(self, module: Module, node: ast.expr | None, depth: int = 0) -> list[str] | None:
        """The texts of a list, as far as constants and defaults tell; None where one is unknown."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            found = [self.text(module, item) for item in node.elts]
            known = [text for text in found if text is not None]
            return known if len(known) == len(found) else None
        if isinstance(node, ast.Name):
            reference = self.resolve(module, node)
            owner = self.modules.get(reference[0]) if reference else None
            value = self.constants(owner).get(reference[1] or "") if owner and reference else None
            return self.texts(owner, value, depth + 1) if owner and value is not node else None
        if isinstance(node, ast.Attribute):
            fields = self._fields.get(node.attr, [])
            return self.texts(*fields[0], depth + 1) if len(fields) == 1 else None
        return None

    def constants(self, module: Module) -> dict[str, ast.expr]:
        """What the names of a module are set to when it is imported, the last one counts."""
        if module.name not in self._constants:
            self._constants[module.name] = dict(_assignments(module.body.body))
        return self._constants[module.name]

    def fields(self, name: str) -> list[tuple[Module, ast.expr]]:
        """The defaults of all fields of that name, each with the module of its class."""
        return self._fields.get(name, [])

    def _field(self, name: str, depth: int) -> str | None:
        """The default of a field of that name, where all classes of the app agree on it."""
        values = {
            self.text(module, value, depth + 1) for module, value in self._fields.get(name, ())
        }
        return values.pop() if len(values) == 1 else None

    @cached_property
    def _fields(self) -> dict[str, list[tuple[Module, ast.expr]]]:
        found: dict[str, list[tuple[Module, ast.expr]]] = {}
        for module in self.modules.values():
            for node in module.body.body:
                if isinstance(node, ast.ClassDef):
                    for name, value in _assignments(node.body):
                        found.setdefault(name, []).append((module, value))
        return found


def of(tree: Tree, folder: str, modules: Iterable[Module]) -> Program:
    """The program of the modules of an app in that folder, which is made once."""
    key = ("program", folder)
    listed = list(modules)
    known: Program | None = tree.kept.get(key)
    if known is None or list(known.modules.values()) != listed:
        known = tree.kept[key] = Program(listed)
    return known


def _assignments(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in statements(body):
        if isinstance(node, ast.Assign):
            yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _default(call: ast.Call) -> ast.expr | None:
    """What a setting is where nobody sets it, as in `os.getenv("NAME", "default")`."""
    for keyword in call.keywords:
        if keyword.arg == "default":
            return keyword.value
    name = called_name(call)
    if name in {"getenv", "get", "config", "env", "str", "Path", "PurePath"} and call.args:
        if name in {"str", "Path", "PurePath"}:
            return call.args[0] if len(call.args) == 1 else None
        return call.args[1] if len(call.args) > 1 else None
    return call.args[0] if name == "Field" and call.args else None


def _with_packages(name: str) -> Iterator[str]:
    """A module and the packages that hold it, all of which are imported; or what it is part of."""
    parts = name.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _import_statements(body: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (n for n in ast.walk(body) if isinstance(n, ast.Import | ast.ImportFrom))


def _imports(
    module: Module, body: Iterable[ast.AST], fallible: bool, late: bool
) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, fallible, late)
        elif isinstance(node, ast.ImportFrom):
            base = import_base(module, node)
            for alias in node.names:
                name = base if alias.name == "*" else f"{base}.{alias.name}" if base else alias.name
                yield Import(name, node.lineno, fallible, late)
        elif isinstance(node, ast.Try):
            yield from _imports(module, node.body, bool(node.handlers) or fallible, late)
            for handler in node.handlers:
                yield from _imports(module, handler.body, True, late)
            yield from _imports(module, [*node.orelse, *node.finalbody], fallible, late)
        elif isinstance(node, ast.If):
            unsure = is_main_guard(node) or "TYPE_CHECKING" in ast.dump(node.test)
            yield from _imports(module, node.body, fallible or unsure, late)
            yield from _imports(module, node.orelse, True, late)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports(module, node.body, fallible, True)
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            inner = getattr(node, "body", None)
            if isinstance(inner, list):
                yield from _imports(module, inner, fallible, late)
            for other in ("orelse", "cases"):
                more = getattr(node, other, None)
                if isinstance(more, list):
                    yield from _imports(module, more, True, late)
