"""A Python app's source, parsed and never imported: what every framework looks through."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from .errors import ProjectError
from .source_text import parse_file, text_of
from .tree import Tree, join

# Folders whose modules are not the app.
_NOT_THE_APP = frozenset({"tests", "test", "examples", "docs", "scripts"})


@dataclass(frozen=True)
class Module:
    """One parsed source file: its path, dotted name and the folder it is imported from.

    Its text tells in a moment that a word is not in it, before its tree is walked.
    """

    path: str
    name: str
    source_root: str
    body: ast.Module
    text: str = ""


def parse_modules(
    tree: Tree, folder: str, skip: frozenset[str] = frozenset()
) -> tuple[list[Module], str | None]:
    """Parse every module of the app in `folder`, but those below the top-level folders in `skip`.

    Returns:
        The modules, and one sentence about the first file that is not valid Python, or None.
    """
    key = ("modules", "\0".join((folder, *sorted(skip))))
    if key not in tree.kept:
        tree.kept[key] = _parse_modules(tree, folder, skip)
    modules, problem = tree.kept[key]
    return list(modules), problem


def _parse_modules(
    tree: Tree, folder: str, skip: frozenset[str]
) -> tuple[list[Module], str | None]:
    # Tools for migrations read source themselves.
    from . import migrations

    others = _NOT_THE_APP | migrations.FOLDERS
    source_root = "src" if _is_source_layout(tree, folder) else "."
    modules, problem = [], None
    for path in tree.below(folder, ".py"):
        parts = PurePosixPath(path).relative_to(folder).parts
        if parts[0] in skip or others.intersection(parts[:-1]):
            continue
        root = source_root if parts[0] == "src" else "."
        dotted = parts[1:] if root == "src" else parts
        name = ".".join(dotted).removesuffix(".py").removesuffix(".__init__")
        try:
            body = parse_file(tree, path)
        except ProjectError as error:
            problem = problem or str(error)
            continue
        modules.append(Module(path, name, root, body, text_of(tree, path)))
    return modules, problem


def _is_source_layout(tree: Tree, folder: str) -> bool:
    return any(tree.below(join(folder, "src"), ".py")) and not tree.has(
        join(folder, "src/__init__.py")
    )


def import_themselves(tree: Tree, folder: str, modules: Iterable[Module]) -> bool:
    """Whether modules import others of their folder by its name, from the folder above it."""
    name = PurePosixPath(folder).name
    if tree.has(join(folder, f"{name}.py")) or any(tree.below(join(folder, name), ".py")):
        return False
    for module in modules:
        for node in statements(module.body.body) if name in module.text else ():
            named = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                named = [node.module or ""]
            if any(one.partition(".")[0] == name for one in named):
                return True
    return False


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those of `if`, `try` and the like too."""
    for node in body:
        yield node
        if is_main_guard(node):
            continue
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for field in ("body", "orelse", "handlers", "finalbody"):
                inner = getattr(node, field, None)
                for one in inner if isinstance(inner, list) else ():
                    if isinstance(one, ast.ExceptHandler):
                        yield from statements(one.body)
                    elif isinstance(one, ast.stmt):
                        yield from statements([one])


def is_main_guard(node: ast.AST) -> bool:
    """Whether it is `if __name__ == "__main__":`, which an import leaves out."""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    test = node.test
    names = [test.left, *test.comparators]
    is_name = any(isinstance(part, ast.Name) and part.id == "__name__" for part in names)
    return is_name and isinstance(test.ops[0], ast.Eq)


def import_base(module: Module, node: ast.ImportFrom) -> str:
    """The module that a `from` names, absolutely; empty where it names none."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    is_package = PurePosixPath(module.path).name == "__init__.py"
    up = node.level - (1 if is_package else 0)
    package = package[: len(package) - up] if up else package
    return ".".join([*package, *([node.module] if node.module else [])])


def assigned_calls(body: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Module-level `name = something(...)`, annotated or not."""
    for node in statements(body.body):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if isinstance(node.value, ast.Call):
            yield from ((t.id, node.value) for t in targets if isinstance(t, ast.Name))


def called_name(call: ast.Call) -> str:
    """What is called, without the module it is of; empty for what has no name."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def calls(
    node: ast.AST, sure: bool, is_script: bool, called: frozenset[str] = frozenset()
) -> Iterator[tuple[ast.Call, bool]]:
    """The calls below a node, and whether each happens for certain when it runs.

    Args:
        node: The node, such as a module's body.
        sure: It runs for certain.
        is_script: It is run itself, so that its `if __name__ == "__main__":` counts.
        called: Names of its functions that are called for certain.
    """
    for child in ast.iter_child_nodes(node):
        if is_main_guard(child) and not is_script:
            continue
        if isinstance(child, ast.Call):
            yield child, sure
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            outside = ast.Tuple([*child.decorator_list, *child.args.defaults])
            yield from calls(outside, sure, is_script, called)
            inside = ast.Module(child.body, [])
            yield from calls(inside, sure and child.name in called, is_script, called)
            continue
        late = isinstance(child, ast.Lambda | ast.If | ast.IfExp) or (
            isinstance(child, ast.Try) and bool(child.handlers)
        )
        still = sure and (not late or is_main_guard(child))
        yield from calls(child, still, is_script, called)
