"""Programs of the system that a Python app's code calls, and the Debian packages that have them."""

from __future__ import annotations

import ast
import posixpath
import shlex
from collections.abc import Iterable, Iterator

from .origins import Found
from .python_dependencies import PROGRAM_PACKAGES, program_library
from .python_source import Module, called_name

# What is given a command line, or a program's name: by the module that has it.
_CALLS = {
    "subprocess": frozenset(
        {"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"}
    ),
    "os": frozenset({"system", "popen"}),
    "shutil": frozenset({"which"}),
    "asyncio": frozenset({"create_subprocess_exec", "create_subprocess_shell"}),
}
_ALL = frozenset().union(*_CALLS.values())


def find(modules: Iterable[Module]) -> Iterator[Found[str]]:
    """Each program that is known once, by its name among an app's libraries."""
    seen = set()
    for module in modules:
        if not any(name in module.text for name in _CALLS):
            continue
        for node in ast.walk(module.body):
            name = _program(module, node)
            if name in PROGRAM_PACKAGES and name not in seen:
                seen.add(name)
                line: int = getattr(node, "lineno", 1)
                yield Found(program_library(name), f"calls {name}", module.path, line)


def _program(module: Module, node: ast.AST) -> str | None:
    """The program that a call names, or a list that is a command line."""
    if isinstance(node, ast.Call) and _is_call(module, node) and node.args:
        return _first_word(node.args[0])
    if isinstance(node, ast.List) and len(node.elts) > 1 and "subprocess" in module.text:
        name = _first_word(node.elts[0])
        # A list of programs is no command line.
        return None if _first_word(node.elts[1]) in PROGRAM_PACKAGES else name
    return None


def _is_call(module: Module, node: ast.Call) -> bool:
    name = called_name(node)
    if name not in _ALL:
        return False
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value
        return isinstance(owner, ast.Name) and name in _CALLS.get(owner.id, ())
    return f"import {name}" in module.text or f", {name}" in module.text


def _first_word(node: ast.expr) -> str | None:
    if isinstance(node, ast.List | ast.Tuple) and node.elts:
        return _first_word(node.elts[0])
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    try:
        words = shlex.split(node.value)
    except ValueError:
        words = node.value.split()
    return posixpath.basename(words[0]) if words else None
