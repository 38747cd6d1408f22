"""Paths in a Python app's source, as they are in its container."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection
from pathlib import PurePosixPath

from .python_program import Program
from .python_source import Module, called_name
from .tree import Tree, join

# Where apps are, and what they are started in.
ROOT = "/app"
# Stands for a part that only running code knows.
UNKNOWN = "…"
_DEEPEST = 20


class Paths:
    """Evaluates paths.

    Args:
        program: The app's modules.
        directory: The app's folder in the project.
        given: Variables that the stack sets: what else they would be is never used.
    """

    def __init__(self, program: Program, directory: str, given: Collection[str]) -> None:
        self.program = program
        self.directory = directory
        self.given = given
        self._locals: dict[str, dict[str, list[ast.expr]]] = {}

    def absolute(self, module: Module, node: ast.expr | None) -> str | None:
        """A path in the container, with `…` for parts that nobody knows; None for unknown."""
        path = self.text(module, node)
        if not path or path.startswith(UNKNOWN) or "://" in path or path.startswith("~"):
            return None
        return posixpath.normpath(posixpath.join(ROOT, path))

    def text(self, module: Module, node: ast.expr | None, depth: int = 0) -> str | None:
        """The text of a path as it is written."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.JoinedStr):
            return "".join(self._part(module, part, depth) for part in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = self.text(module, node.left, depth + 1)
            right = self.text(module, node.right, depth + 1) or UNKNOWN
            return None if left is None else posixpath.join(left, right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left = self.text(module, node.left, depth + 1)
            return None if left is None else left + self._part(module, node.right, depth)
        if isinstance(node, ast.Call):
            return self._call(module, node, depth)
        if isinstance(node, ast.Name):
            return self._name(module, node, depth)
        if isinstance(node, ast.Subscript):
            return self._parents(module, node, depth)
        if isinstance(node, ast.Attribute):
            if node.attr == "parent":
                inner = self.text(module, node.value, depth + 1)
                return posixpath.dirname(inner) if inner else None
            if node.attr.upper() in self.given:
                return None
            reference = self.program.resolve(module, node)
            if reference and reference[1] and (owner := self.program.modules.get(reference[0])):
                value = self.program.constants(owner).get(reference[1])
                return self.text(owner, value, depth + 1)
            fields = self.program.fields(node.attr)
            values = {self.text(owner, value, depth + 1) for owner, value in fields}
            return values.pop() if len(values) == 1 else None
        return None

    def _part(self, module: Module, node: ast.expr, depth: int) -> str:
        value = node.value if isinstance(node, ast.FormattedValue) else node
        return self.text(module, value, depth + 1) or UNKNOWN

    def _name(self, module: Module, node: ast.Name, depth: int) -> str | None:
        if node.id == "__file__":
            return f"{ROOT}/{PurePosixPath(module.path).relative_to(self.directory)}"
        if node.id.upper() in self.given:
            return None
        reference = self.program.resolve(module, node)
        owner = self.program.modules.get(reference[0]) if reference else None
        if owner is None or reference is None or reference[1] is None:
            return None
        value = self.program.constants(owner).get(reference[1])
        if value is None and owner is module:
            inner = self._assigned(module).get(node.id, [])
            value = inner[0] if len(inner) == 1 else None
        return self.text(owner, value, depth + 1) if value is not node else None

    def _assigned(self, module: Module) -> dict[str, list[ast.expr]]:
        if module.name not in self._locals:
            found: dict[str, list[ast.expr]] = {}
            for node in ast.walk(module.body):
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            found.setdefault(target.id, []).append(node.value)
            self._locals[module.name] = found
        return self._locals[module.name]

    def _parents(self, module: Module, node: ast.Subscript, depth: int) -> str | None:
        """`Path(…).parents[1]`, or `os.environ["NAME"]`, which nobody knows."""
        if isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            inner = self.text(module, node.value.value, depth + 1)
            if inner and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
                for _ in range(min(node.slice.value, _DEEPEST) + 1):
                    inner = posixpath.dirname(inner)
                return inner
        return None

    def _call(self, module: Module, call: ast.Call, depth: int) -> str | None:
        name = called_name(call)
        first = call.args[0] if call.args else None
        if name in {"join", "Path", "PurePath", "joinpath"}:
            parts = list(call.args)
            if name == "joinpath" and isinstance(call.func, ast.Attribute):
                parts.insert(0, call.func.value)
            if not parts:
                return "."
            head = self.text(module, parts[0], depth + 1)
            rest = [self.text(module, part, depth + 1) or UNKNOWN for part in parts[1:]]
            # "".join(…) is another one.
            is_text = (
                name == "join"
                and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Constant)
            )
            return None if head is None or is_text else posixpath.join(head, *rest)
        if name in {"dirname"} and first:
            inner = self.text(module, first, depth + 1)
            return posixpath.dirname(inner) if inner else None
        if name in {"abspath", "realpath", "str", "fspath", "normpath", "expanduser"} and first:
            return self.text(module, first, depth + 1)
        if name in {"resolve", "absolute", "as_posix", "expanduser"} and not call.args:
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            return self.text(module, owner, depth + 1)
        if name in {"cwd", "getcwd"}:
            return ROOT
        if name in {"getenv", "get", "config", "env", "Field"}:
            if isinstance(first, ast.Constant) and str(first.value).upper() in self.given:
                return None
            return self.program.text(module, call)
        return None


def beside(tree: Tree, folder: str, module: Module, path: str) -> tuple[str, int] | None:
    """Where a path leads that holds in the folder of the code alone, and not in the app's.

    Args:
        tree: The project's files.
        folder: The app's.
        module: The module that names it.
        path: The path in the container.

    Returns:
        The file or folder in the project, and how many folders it is above the module's; None
        where it is in the app's folder, or nowhere.
    """
    if not path.startswith(f"{ROOT}/"):
        return None
    inner = path.removeprefix(f"{ROOT}/")

    def is_there(place: str) -> bool:
        return tree.has(place) or any(tree.below(place))

    if is_there(join(folder, inner)):
        return None
    top = "" if folder == "." else folder
    at, above = posixpath.dirname(module.path), 0
    while at and at != top:
        if is_there(found := f"{at}/{inner}"):
            return found, above
        at, above = posixpath.dirname(at), above + 1
    return None
