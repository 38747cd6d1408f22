"""One Python module: what it reads, imports and calls, and whether it always does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..python_source import Module, import_base, is_main_guard
from ..source_text import parse_file
from ..tree import Tree

MAIN = "__main__"
_TOP = ""
# What fails where it is given None.
_NEED_TEXT = frozenset({"int", "float", "len", "json.loads", "ast.literal_eval", "bytes.fromhex"})
_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit"})
# What an unset variable is never met by.
_OTHER_ERRORS = frozenset(
    {
        "ImportError", "ModuleNotFoundError", "AttributeError", "OSError", "IOError",
        "FileNotFoundError", "PermissionError", "ConnectionError", "TimeoutError", "IndexError",
        "UnicodeDecodeError", "NameError", "KeyboardInterrupt",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Access:
    """A read of `os.environ`, or a test of it.

    Attributes:
        name: The variable.
        line: The line.
        default: As in `Read`.
        sure: It is met whenever its block runs.
        fails: The block ends there where the variable is not set.
    """

    name: str
    line: int
    default: str | None
    sure: bool
    fails: bool


@dataclass(frozen=True)
class Call:
    """A call of something with a name: that name in full, and what environs' `prefixed` adds."""

    target: str
    node: ast.Call
    sure: bool
    prefix: str


@dataclass
class Block:
    """The statements of a module, or of one function."""

    accesses: list[Access] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    imports: list[tuple[str, bool]] = field(default_factory=list)


@dataclass
class Scan:
    """A module as far as it was looked at: a function only once it matters.

    Attributes:
        module: The module.
        text: Its source.
        names: What its global names stand for, in full, as in `os.environ`.
        stars: Modules that all names are imported of.
        classes: Its classes by name.
        made: What global names were set to by a call: the call's target and the call.
        texts: Global names that stand for a text, or for several.
        written: Variables that it sets itself.
        functions: The bodies of its functions, as `function` or `Class.method`.
        parameters: The parameters of its functions, each with its default.
        nothing: Names that stand for None just now.
        empty: Global names that are empty where variables are not set: name and line of each.
    """

    module: Module
    text: str
    names: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    made: dict[str, tuple[str, ast.Call]] = field(default_factory=dict)
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    functions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    parameters: dict[str, list[tuple[str, ast.expr | None]]] = field(default_factory=dict)
    nothing: set[str] = field(default_factory=set)
    empty: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    _blocks: dict[str, Block] = field(default_factory=dict)

    def block(self, name: str = _TOP) -> Block:
        """What a function does, or the module itself (no name)."""
        if name not in self._blocks:
            block = self._blocks[name] = Block()
            body = self.functions.get(name, [])
            _Visitor(self, block, name).statements(body, sure=True)
        return self._blocks[name]

    def called(self, name: str, call: ast.Call, texts: Mapping[str, str]) -> Block:
        """What a function does in a call, where some of its parameters are texts."""
        known, block = dict(self.texts), Block()
        given = {keyword.arg for keyword in call.keywords}
        for place, (parameter, default) in enumerate(self.parameters[name]):
            if place >= len(call.args) and parameter not in given and _is_none(default):
                self.nothing.add(parameter)
        self.texts |= {parameter: (text,) for parameter, text in texts.items()}
        _Visitor(self, block, name).statements(self.functions[name], sure=True)
        self.texts = known
        self.nothing.clear()
        return block

    def blocks(self) -> dict[str, Block]:
        """All of them, by their names."""
        while left := [name for name in self.functions if name not in self._blocks]:
            for name in left:
                self.block(name)
        return self._blocks

    def full_name(self, node: ast.expr) -> str | None:
        """What a name or an attribute stands for, in full; None for anything else."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.full_name(node.value)
            return f"{owner}.{node.attr}" if owner else None
        return None

    def constants(self, node: ast.expr | None) -> tuple[str, ...]:
        """The texts that an expression gives: one, or those of a tuple or list; else none."""
        if isinstance(node, ast.Constant):
            return (node.value,) if isinstance(node.value, str) else ()
        if isinstance(node, ast.Name):
            return self.texts.get(node.id, ())
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = [self.constants(element) for element in node.elts]
            return tuple(p[0] for p in parts) if all(len(p) == 1 for p in parts) else ()
        if isinstance(node, ast.JoinedStr):
            pieces = [
                self.constants(v.value if isinstance(v, ast.FormattedValue) else v)
                for v in node.values
            ]
            return ("".join(p[0] for p in pieces),) if all(len(p) == 1 for p in pieces) else ()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.constants(node.left), self.constants(node.right)
            return (left[0] + right[0],) if len(left) == len(right) == 1 else ()
        return ()

    def constant(self, node: ast.expr | None) -> str | None:
        """The text that an expression gives, or None."""
        found = self.constants(node)
        return found[0] if len(found) == 1 else None


def scan(tree: Tree, module: Module) -> Scan:
    """A module, whose own statements are looked at, each file once."""
    key = ("environment", module.path)
    if key not in tree.kept:
        found = Scan(module, tree.read(module.path))
        found.functions[_TOP] = list(module.body.body)
        for node in module.body.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.names[node.name] = f"{module.name}.{node.name}"
        found.block()
        tree.kept[key] = found
    known: Scan = tree.kept[key]
    return known


def scan_file(tree: Tree, path: str, name: str) -> Scan:
    """A file that is no module of the app, such as a migration tool's.

    Raises:
        ProjectError: As `source_text.parse_file`.
    """
    return scan(tree, Module(path, name, ".", parse_file(tree, path)))


def literal(node: ast.expr | None) -> str | None:
    """The text of a constant as the environment would have it; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return str(node.value)
    return None


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """An argument by its place or its name; None where it is not given."""
    return call.args[place] if len(call.args) > place else keyword(call, name)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """An argument by its name; None where it is not given."""
    return next((k.value for k in call.keywords if k.arg == name), None)


class _Visitor:
    """Walks the statements of one block. `sure`: they are met whenever it runs."""

    def __init__(self, scan: Scan, block: Block, name: str) -> None:
        self.scan = scan
        self.block = block
        self.name = name
        self.prefix = ""
        # Names that are empty where variables are not set, and those that are not empty then.
        self.empty = dict(scan.empty) if name else scan.empty
        self.missing: dict[str, list[tuple[str, int]]] = {}

    def statements(self, body: Iterable[ast.stmt], sure: bool) -> None:
        for node in body:
            self.statement(node, sure)
            if isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue):
                sure = False
            elif isinstance(node, ast.If) and _leaves(node.body):
                # What follows is met where the test did not hold, which no one can tell.
                sure = sure and self._raises(node.body)

    def statement(self, node: ast.stmt, sure: bool) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._function(node, sure)
        elif isinstance(node, ast.ClassDef):
            self._class(node, sure)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node, sure)
        elif isinstance(node, ast.If):
            self._if(node, sure)
        elif isinstance(node, ast.Try | ast.TryStar):
            caught = any(self._catches(handler) for handler in node.handlers)
            self.statements(node.body, sure and not caught)
            for handler in node.handlers:
                self.statements(handler.body, sure=False)
            self.statements(node.orelse, sure and not caught)
            self.statements(node.finalbody, sure)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self._with(node, sure)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._for(node, sure)
        elif isinstance(node, ast.While):
            self.expression(node.test, sure)
            self.statements([*node.body, *node.orelse], sure=False)
        elif isinstance(node, ast.Match):
            self.expression(node.subject, sure)
            for case in node.cases:
                self.statements(case.body, sure=False)
        elif isinstance(node, ast.Assert):
            self._demand(self._empty_without(node.test), sure)
            self.expression(node.test, sure)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None:
                self._assign(targets, node.value)
                self.expression(node.value, sure)
            for target in targets:
                self.expression(target, sure)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.expression(child, sure)

    # --- Statements -------------------------------------------------------------------------------

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, sure: bool) -> None:
        own = f"{self.name}.{node.name}" if self.name else node.name
        self.scan.functions.setdefault(own, node.body)
        self.scan.parameters.setdefault(own, _parameters(node.args))
        if not self.name:
            self.scan.names[node.name] = f"{self.scan.module.name}.{node.name}"
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.expression(part, sure)
            if (
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Attribute)
                and part.func.attr == "on_event"
                and self.scan.constant(argument(part, 0, "event_type")) == "startup"
            ):
                self._called(f"{self.scan.module.name}.{own}", part, sure)

    def _class(self, node: ast.ClassDef, sure: bool) -> None:
        if not self.name:
            self.scan.classes[node.name] = node
            self.scan.names[node.name] = f"{self.scan.module.name}.{node.name}"
        for part in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.expression(part, sure)
        before, self.name = self.name, f"{self.name}.{node.name}".lstrip(".")
        self.statements(node.body, sure)
        self.name = before

    def _import(self, node: ast.Import | ast.ImportFrom, sure: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.block.imports.append((alias.name, sure))
                top = alias.name.partition(".")[0]
                self.scan.names[alias.asname or top] = alias.name if alias.asname else top
            return
        base = import_base(self.scan.module, node)
        self.block.imports.append((base, sure))
        for alias in node.names:
            if alias.name == "*":
                self.scan.stars.append(base)
                continue
            full = f"{base}.{alias.name}".lstrip(".")
            self.block.imports.append((full, sure))
            self.scan.names[alias.asname or alias.name] = full

    def _if(self, node: ast.If, sure: bool) -> None:
        test = node.test
        if str(self.scan.full_name(test)).rpartition(".")[2] == "TYPE_CHECKING":
            self.statements(node.orelse, sure)
            return
        if is_main_guard(node):
            self.scan.functions.setdefault(MAIN, node.body)
            self.statements(node.orelse, sure=False)
            return
        if self._raises(node.body):
            self._demand(self._true_without(test), sure)
        self.expression(test, sure)
        self.statements(node.body, sure=False)
        self.statements(node.orelse, sure=False)

    def _with(self, node: ast.With | ast.AsyncWith, sure: bool) -> None:
        before = self.prefix
        inside = sure
        for item in node.items:
            self.expression(item.context_expr, sure)
            call = item.context_expr
            if isinstance(call, ast.Call):
                name = str(self.scan.full_name(call.func)).rpartition(".")[2]
                if name == "suppress":
                    inside = False
                elif name == "prefixed":
                    self.prefix += self.scan.constant(argument(call, 0, "prefix")) or ""
        self.statements(node.body, inside)
        self.prefix = before

    def _for(self, node: ast.For | ast.AsyncFor, sure: bool) -> None:
        self.expression(node.iter, sure)
        names = self.scan.constants(node.iter)
        if isinstance(node.target, ast.Name) and 0 < len(names) <= 50:
            for name in names:
                self.scan.texts[node.target.id] = (name,)
                self.statements(node.body, sure)
            self.scan.texts.pop(node.target.id, None)
        else:
            self.statements(node.body, sure=False)
        self.statements(node.orelse, sure=False)

    def _assign(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        for name in names:
            if texts := self.scan.constants(value):
                self.scan.texts[name] = texts
            if not self.name:
                alias = self.scan.full_name(value)
                own = f"{self.scan.module.name}.{name}"
                self.scan.names[name] = alias if alias and alias != name else own
                target = self.scan.full_name(value.func) if isinstance(value, ast.Call) else None
                if isinstance(value, ast.Call) and target:
                    self.scan.made[name] = (target, value)
            if found := self._empty_without(value):
                self.empty[name] = found
            if isinstance(value, ast.ListComp | ast.SetComp):
                self.missing[name] = self._lacking(value)

    # --- Expressions ------------------------------------------------------------------------------

    def expression(self, node: ast.expr, sure: bool, needed: bool = False) -> None:
        """Look at an expression; `needed`: None in its place fails."""
        if isinstance(node, ast.Constant | ast.Name):
            return
        if isinstance(node, ast.Call):
            self._call(node, sure, needed)
        elif isinstance(node, ast.Subscript):
            self._subscript(node, sure)
        elif isinstance(node, ast.Attribute):
            self.expression(node.value, sure, needed=True)
        elif isinstance(node, ast.Lambda):
            self.expression(node.body, sure=False)
        elif isinstance(node, ast.BoolOp):
            self.expression(node.values[0], sure)
            for value in node.values[1:]:
                self.expression(value, sure=False)
        elif isinstance(node, ast.IfExp):
            self.expression(node.test, sure)
            self.expression(node.body, sure=False)
            self.expression(node.orelse, sure=False)
        elif isinstance(node, ast.Compare):
            self._compare(node, sure)
        elif isinstance(node, ast.BinOp):
            adds = isinstance(node.op, ast.Add)
            self.expression(node.left, sure, needed=adds)
            self.expression(node.right, sure, needed=adds)
        elif isinstance(node, ast.NamedExpr):
            self._assign([node.target], node.value)
            self.expression(node.value, sure, needed)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            self.expression(node.generators[0].iter, sure)
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            parts += [test for generator in node.generators for test in generator.ifs]
            for name in self._looped(node.generators[0]):
                self.scan.texts[name[0]] = (name[1],)
                for part in parts:
                    self.expression(part, sure and not node.generators[0].ifs)
                self.scan.texts.pop(name[0], None)
            if not self._looped(node.generators[0]):
                for part in parts:
                    self.expression(part, sure=False)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.expression(child, sure)

    def _subscript(self, node: ast.Subscript, sure: bool) -> None:
        if self.scan.full_name(node.value) == "os.environ":
            if name := self.scan.constant(node.slice):
                if isinstance(node.ctx, ast.Load):
                    self._access(name, node.lineno, None, sure, fails=True)
                elif isinstance(node.ctx, ast.Store):
                    self.scan.written.add(name)
            return
        self.expression(node.value, sure, needed=isinstance(node.ctx, ast.Load))
        self.expression(node.slice, sure)

    def _compare(self, node: ast.Compare, sure: bool) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            tests = isinstance(operator, ast.In | ast.NotIn)
            if tests and self.scan.full_name(right) == "os.environ":
                for name in self.scan.constants(node.left):
                    self._access(name, node.lineno, None, sure, fails=False)
        for part in (node.left, *node.comparators):
            self.expression(part, sure)

    def _call(self, node: ast.Call, sure: bool, needed: bool) -> None:
        target = self.scan.full_name(node.func)
        for keyword in node.keywords:
            given = keyword.value
            if keyword.arg == "lifespan" and (name := self.scan.full_name(given)):
                self._called(name, node, sure)
            self.expression(given, sure)
            if keyword.arg == "envvar":
                for name in self.scan.constants(given):
                    self._access(name, node.lineno, None, sure=False, fails=False)
        for each in node.args:
            starred = isinstance(each, ast.Starred)
            value = each.value if isinstance(each, ast.Starred) else each
            self.expression(value, sure, needed=target in _NEED_TEXT or starred)
        if target is None:
            self.expression(node.func, sure)
            return
        if read := self._environment_call(node, target):
            name, default, given_default = read
            self._access(name, node.lineno, default, sure, fails=needed and not given_default)
            return
        if target.endswith(".from_envvar") and (name := self.scan.constant(_first(node))):
            silent = literal(argument(node, 1, "silent")) == "True"
            self._access(name, node.lineno, None, sure, fails=not silent)
        handles = target.endswith(".add_event_handler") and len(node.args) > 1
        if handles and self.scan.constant(node.args[0]) == "startup":
            self._called(str(self.scan.full_name(node.args[1])), node, sure)
        self._called(target, node, sure)

    def _environment_call(
        self, node: ast.expr, target: str | None
    ) -> tuple[str, str | None, bool] | None:
        """Name, default, and whether there is one, of a call of `os.getenv` or the like."""
        if not isinstance(node, ast.Call) or target is None:
            return None
        if target not in {"os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault"}:
            return None
        name = self.scan.constant(argument(node, 0, "key"))
        if name is None:
            return None
        default = argument(node, 1, "default")
        if target == "os.environ.setdefault":
            self.scan.written.add(name)
        is_nothing = isinstance(default, ast.Name) and default.id in self.scan.nothing
        has_default = default is not None and not _is_none(default) and not is_nothing
        if target == "os.environ.pop" and default is None:
            has_default = True
        return name, literal(default), has_default

    # --- What is wanted ---------------------------------------------------------------------------

    def _access(
        self, name: str, line: int, default: str | None, sure: bool, *, fails: bool
    ) -> None:
        self.block.accesses.append(Access(name, line, default, sure, fails))

    def _called(self, target: str, node: ast.Call, sure: bool) -> None:
        self.block.calls.append(Call(target, node, sure, self.prefix))

    def _demand(self, found: Iterable[tuple[str, int]], sure: bool) -> None:
        for name, line in found:
            self._access(name, line, None, sure, fails=True)

    def _empty_without(self, node: ast.expr) -> list[tuple[str, int]]:
        """The variables without any of which an expression is false: name and line of each."""
        if isinstance(node, ast.Name):
            return self.empty.get(node.id, [])
        if isinstance(node, ast.NamedExpr):
            return self._empty_without(node.value)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            return [found for value in node.values for found in self._empty_without(value)]
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            right, operator = node.comparators[0], node.ops[0]
            if isinstance(operator, ast.In) and self.scan.full_name(right) == "os.environ":
                return [(name, node.lineno) for name in self.scan.constants(node.left)]
            if isinstance(operator, ast.IsNot | ast.NotEq) and _is_nothing(right):
                return self._empty_without(node.left)
        if isinstance(node, ast.Call):
            target = self.scan.full_name(node.func)
            if read := self._environment_call(node, target):
                name, default, given = read
                return [(name, node.lineno)] if not given or default == "" else []
            if target == "all" and len(node.args) == 1:
                parts = node.args[0]
                if isinstance(parts, ast.List | ast.Tuple):
                    return [found for each in parts.elts for found in self._empty_without(each)]
        return []

    def _true_without(self, node: ast.expr) -> list[tuple[str, int]]:
        """The variables without any of which an expression is true."""
        if isinstance(node, ast.Name):
            return self.missing.get(node.id, [])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._empty_without(node.operand)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            return [found for value in node.values for found in self._true_without(value)]
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            right, operator = node.comparators[0], node.ops[0]
            if isinstance(operator, ast.NotIn) and self.scan.full_name(right) == "os.environ":
                return [(name, node.lineno) for name in self.scan.constants(node.left)]
            if isinstance(operator, ast.Is | ast.Eq) and _is_nothing(right):
                return self._empty_without(node.left)
        return []

    def _lacking(self, node: ast.ListComp | ast.SetComp) -> list[tuple[str, int]]:
        """The variables of a list of missing ones: `[n for n in NAMES if not getenv(n)]`."""
        found: list[tuple[str, int]] = []
        for variable, name in self._looped(node.generators[0]):
            self.scan.texts[variable] = (name,)
            for test in node.generators[0].ifs:
                found += self._true_without(test)
            self.scan.texts.pop(variable, None)
        return found

    def _looped(self, generator: ast.comprehension) -> list[tuple[str, str]]:
        """The loop's name with each text that it stands for."""
        names = self.scan.constants(generator.iter)
        if not isinstance(generator.target, ast.Name) or len(names) > 50:
            return []
        return [(generator.target.id, name) for name in names]

    def _raises(self, body: Sequence[ast.stmt]) -> bool:
        """Whether the program ends in these statements."""
        for node in body:
            if isinstance(node, ast.Raise):
                return True
            call = node.value if isinstance(node, ast.Expr) else None
            if isinstance(call, ast.Call) and self.scan.full_name(call.func) in _EXITS:
                return True
        return False

    def _catches(self, handler: ast.ExceptHandler) -> bool:
        """Whether a handler goes on where a variable is not set."""
        if self._raises(handler.body):
            return False
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(
            kind is None or str(self.scan.full_name(kind)).rpartition(".")[2] not in _OTHER_ERRORS
            for kind in kinds
        )


def _first(call: ast.Call) -> ast.expr | None:
    return call.args[0] if call.args else None


def _leaves(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Return | ast.Raise | ast.Continue | ast.Break) for n in body)


def _parameters(arguments: ast.arguments) -> list[tuple[str, ast.expr | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults = [*missing, *arguments.defaults]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    pairs = [*zip(positional, defaults, strict=True), *named]
    return [(parameter.arg, default) for parameter, default in pairs]


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, "")
