"""Environment variables that a Python app reads, as its syntax tree says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..errors import ProjectError
from ..python_command import named
from ..python_source import Module
from ..secret_files import matching
from ..tree import Tree, join
from . import Read, is_given
from .python_scan import MAIN, Block, Call, Scan, argument, keyword, literal, scan, scan_file
from .python_settings import Classes

# Modules without any of these words are looked into only where something calls them.
_WORDS = re.compile(
    r"environ|getenv|decouple|starlette\.config|dynaconf|envvar|\benv[.(]|\bconfig\(|openai|groq"
)
# What a file beside the modules is called, which nothing imports.
_BESIDE = "a file beside"
# What makes an object that reads variables, by its name in full.
_READERS = {
    "decouple.AutoConfig": "decouple",
    "decouple.Config": "decouple",
    "starlette.config.Config": "starlette",
    "environs.Env": "environs",
    "environs.FileAwareEnv": "environs",
    "environ.Env": "django",
    "environ.FileAwareEnv": "django",
    "dynaconf.Dynaconf": "dynaconf",
    "dynaconf.LazySettings": "dynaconf",
}
# The same, made by the library itself.
_MADE = {
    "decouple.config": "decouple",
    "environs.env": "environs",
    "dynaconf.settings": "dynaconf",
}
# Clients that end without a key, which they read themselves where none is given.
_CLIENTS = {
    "openai.OpenAI": "OPENAI_API_KEY",
    "openai.AsyncOpenAI": "OPENAI_API_KEY",
    "langchain_openai.ChatOpenAI": "OPENAI_API_KEY",
    "langchain_openai.OpenAIEmbeddings": "OPENAI_API_KEY",
    "groq.Groq": "GROQ_API_KEY",
    "groq.AsyncGroq": "GROQ_API_KEY",
}
_GIVES_KEY = frozenset({None, "api_key", "openai_api_key"})
# Methods of such objects that read no variable.
_NO_READS = frozenset(
    {
        "read_env", "prefixed", "seal", "dump", "add_parser", "parser_for", "parse_value", "items",
        "read_envfile", "validators", "register", "setenv", "configure", "reload", "as_dict",
        "from_env", "load_file", "update", "find_parent_proxy",
    }
)  # fmt: skip
# django-environ's methods whose variable need not be named.
_USUAL = {
    "db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL", "cache_url": "CACHE_URL",
    "email": "EMAIL_URL", "email_url": "EMAIL_URL", "search_url": "SEARCH_URL",
    "channels": "CHANNELS_URL", "channels_url": "CHANNELS_URL",
}  # fmt: skip


def reads(
    tree: Tree,
    folder: str,
    modules: Sequence[Module],
    commands: Iterable[Sequence[str]],
    scripts: Iterable[str] = (),
) -> list[Read]:
    """Every place where the app reads a variable that is its own setting.

    Args:
        tree: The project's files.
        folder: The app's.
        modules: Its source.
        commands: The command lines that run it, such as its server's and its worker's: what is
            imported from there on tells what is required. Without any, nothing is.
        scripts: Files beside its modules that are run as well, such as a migration tool's.
    """
    program = _Program(tree, folder, modules)
    for path in scripts:
        program.run_file(path)
    for words in commands:
        program.run_command(words)
    return program.found()


class _Program:
    """An app's modules, and what of them runs when it starts."""

    def __init__(self, tree: Tree, folder: str, modules: Sequence[Module]) -> None:
        self.tree = tree
        self.folder = folder
        self.modules = {module.name: module for module in modules}
        self.files: list[Scan] = []
        self.classes = Classes(self.resolve)
        # What has run, and whether that is sure: by module and function.
        self.ran: dict[tuple[str, str], bool] = {}
        self.failing: set[tuple[str, str, int]] = set()
        self.made: dict[str, list[ast.Call | None]] = {}
        self.written: set[str] = set()

    # --- What starts ------------------------------------------------------------------------------

    def run_command(self, words: Sequence[str]) -> None:
        """What a command line names: a module, an object in one, or a script."""
        for one in named(self.modules, self.folder, words):
            self.load(one.module.name, sure=True)
            found = self.scan(one.module.name)
            if one.is_script and MAIN in found.functions:
                self.run(found, MAIN, sure=True)
            if one.attribute in found.functions:
                self.run(found, one.attribute, sure=True)

    def run_file(self, path: str) -> None:
        """A file that is no module of the app; one that is no valid Python runs nothing."""
        try:
            found = scan_file(self.tree, path, _BESIDE)
        except ProjectError:
            return
        self.files.append(found)
        self.run(found, "", sure=True)

    def load(self, name: str, *, sure: bool) -> None:
        """A module, its packages before it."""
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            module = ".".join(parts[:depth])
            if module in self.modules:
                self.run(self.scan(module), "", sure=sure)

    def run(self, found: Scan, function: str, *, sure: bool) -> None:
        """A module's statements, or a function's, and what they call."""
        key = (found.module.path, function)
        if key in self.ran and (self.ran[key] or not sure):
            return
        self.ran[key] = sure
        block = found.block(function)
        if sure:
            self.written |= found.written
            for access in block.accesses:
                if access.sure and access.fails:
                    self.failing.add((found.module.path, access.name, access.line))
        for name, always in block.imports:
            self.load(name, sure=sure and always)
        for call in block.calls:
            self._call(found, call, sure=sure and call.sure)

    def _call(self, found: Scan, call: Call, *, sure: bool) -> None:
        if sure:
            for read, fails in self._reader(found, call):
                if fails:
                    self.failing.add((read.path, read.name, read.line))
        target = self.resolve(call.target)
        if target is None:
            return
        into, rest = target
        if rest in into.functions and rest:
            self.run(into, rest, sure=sure)
        elif rest in into.classes:
            for method in ("__init__", "__post_init__", "__new__"):
                if f"{rest}.{method}" in into.functions:
                    self.run(into, f"{rest}.{method}", sure=sure)
            if sure:
                self._make(f"{into.module.name}.{rest}", call.node)

    def _make(self, name: str, call: ast.Call | None) -> None:
        """A settings class is made, and with it those that fill its fields."""
        of = self.classes.find(name)
        if of is None or self.classes.version(of) is None:
            return
        known = self.made.setdefault(of.name, [])
        known.append(call)
        if len(known) == 1:
            for field in self.classes.fields(of):
                if field.made:
                    self._make(field.made, None)

    # --- Names ------------------------------------------------------------------------------------

    def scan(self, name: str) -> Scan:
        """A module of the app."""
        return scan(self.tree, self.modules[name])

    def resolve(self, name: str, depth: int = 0) -> tuple[Scan, str] | None:
        """The module of the app that has a name, and what is left of the name; else None."""
        parts = name.split(".")
        for length in range(len(parts) - 1, 0, -1):
            module = ".".join(parts[:length])
            if module not in self.modules and module != _BESIDE:
                continue
            found = self.files[0] if module == _BESIDE else self.scan(module)
            first, rest = parts[length], parts[length + 1 :]
            elsewhere = found.names.get(first)
            if elsewhere is None and depth < 8:
                for star in found.stars:
                    if there := self.resolve(".".join([star, first, *rest]), depth + 1):
                        return there
            if elsewhere and elsewhere != f"{module}.{first}" and depth < 8:
                return self.resolve(".".join([elsewhere, *rest]), depth + 1)
            return found, ".".join([first, *rest])
        return None

    def _library(self, name: str, depth: int = 0) -> str:
        """What a name stands for outside the app, as far as the app gives it on."""
        target = self.resolve(name)
        if target is None:
            return name
        found, rest = target
        first, _, more = rest.partition(".")
        elsewhere = found.names.get(first, "")
        if depth < 8 and elsewhere and not elsewhere.startswith(f"{found.module.name}."):
            return self._library(f"{elsewhere}.{more}".rstrip("."), depth + 1)
        return name

    # --- Objects that read ------------------------------------------------------------------------

    def _reader(self, found: Scan, call: Call) -> Iterator[tuple[Read, bool]]:
        """What a call reads by a library or a function of the app, and whether it fails without."""
        yield from self._through(found, call)
        if client := _CLIENTS.get(self._library(call.target)):
            if _GIVES_KEY.isdisjoint(k.arg for k in call.node.keywords):
                yield Read(client, found.module.path, call.node.lineno, False), True
            return
        known = self._object(call.target)
        if known is None:
            return
        kind, made, method, home = known
        node, path = call.node, found.module.path
        if method in _NO_READS or kind == "dynaconf":
            return
        name = found.constant(argument(node, 0, "option" if kind == "decouple" else "key"))
        name = name or found.constant(argument(node, 0, "name" if kind == "environs" else "var"))
        if name is None and kind == "django":
            name = _USUAL.get(method)
        if name is None:
            return
        prefix = call.prefix
        place = 1
        if kind == "starlette" and made:
            prefix += home.constant(argument(made, 2, "env_prefix")) or ""
            place = 2 if not method else 1
        elif kind == "environs" and made:
            prefix += home.constant(keyword(made, "prefix")) or ""
        elif kind == "django" and not method:
            place = 2
        default = argument(node, place, "default")
        text, fails = literal(default), default is None
        if kind == "django" and made and default is None:
            scheme = next((k.value for k in made.keywords if k.arg == name), None)
            if isinstance(scheme, ast.Tuple) and len(scheme.elts) > 1:
                text, fails = literal(scheme.elts[-1]), False
        if self._in_file(kind, made, home, name):
            fails = False
        yield Read(prefix + name, path, node.lineno, False, text), fails

    def _through(self, found: Scan, call: Call) -> Iterator[tuple[Read, bool]]:
        """What a function reads whose name it is given: `def need(name): return environ[name]`."""
        target = self.resolve(call.target)
        if target is None or target[1] not in target[0].parameters:
            return
        into, function = target
        texts = {}
        for place, (parameter, _) in enumerate(into.parameters[function]):
            text = found.constant(argument(call.node, place, parameter))
            if text is not None:
                texts[parameter] = text
        if not texts or not _WORDS.search(into.text):
            return
        line = call.node.lineno
        for access in into.called(function, call.node, texts).accesses:
            if access.name in texts.values():
                read = Read(access.name, found.module.path, line, False, access.default)
                yield read, access.sure and access.fails

    def _object(self, target: str) -> tuple[str, ast.Call | None, str, Scan] | None:
        """Kind, making call, called method and module of an object that reads; or None."""
        for name, method in ((target, ""), target.rpartition(".")[::2]):
            if not name:
                continue
            if kind := _MADE.get(self._library(name)):
                return kind, None, method, next(iter(self._any()))
            there = self.resolve(name)
            made = there and there[0].made.get(there[1])
            if there and made and (kind := _READERS.get(self._library(made[0]))):
                return kind, made[1], method, there[0]
        return None

    def _any(self) -> Iterator[Scan]:
        for name in self.modules:
            yield self.scan(name)
        yield from self.files

    def _in_file(self, kind: str, made: ast.Call | None, home: Scan, name: str) -> bool:
        """Whether a file that enters the image, and that the object reads, has the variable."""
        files = ["settings.ini"] if kind == "decouple" else []
        if kind == "starlette" and made and (file := home.constant(argument(made, 0, "env_file"))):
            files.append(file)
        return any(name in self._set_in(file) for file in files)

    def _set_in(self, file: str) -> set[str]:
        """The variables that a settings file of the app has; none where no image gets it."""
        path = join(self.folder, file)
        if not self.tree.has(path) or matching(path):
            return set()
        try:
            text = self.tree.read(path)
        except ProjectError:
            return set()
        return set(re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", text, re.MULTILINE))

    # --- What was found ---------------------------------------------------------------------------

    def found(self) -> list[Read]:
        """All reads, in the order of files and lines."""
        settings = self._settings_classes()
        self._instances(settings)
        found: dict[tuple[str, int, str], Read] = {}
        for one in self._reads(settings):
            key = (one.path, one.line, one.name)
            known = found.get(key)
            if is_given(one.name) or not re.fullmatch(r"[A-Za-z_]\w*", one.name, re.ASCII):
                continue
            fails = (one.path, one.name, one.line) in self.failing
            required = (fails or one.required) and one.name not in self.written
            one = replace(one, required=required)
            if known is None or (required and not known.required):
                found[key] = one
        return [found[key] for key in sorted(found)]

    def _reads(self, settings: Mapping[str, bool]) -> Iterator[Read]:
        for each in self._any():
            path = each.module.path
            blocks: Iterable[Block] = each.blocks().values() if _WORDS.search(each.text) else ()
            for block in blocks or (each.block(),):
                for access in block.accesses:
                    yield Read(access.name, path, access.line, False, access.default)
                for call in block.calls:
                    for read, _ in self._reader(each, call):
                        yield read
            if "dynaconf" in each.text:
                yield from self._dynaconf(each)
        for name, is_base in settings.items():
            of = self.classes.find(name)
            if of is None or (is_base and name not in self.made):
                continue
            calls = self.made.get(name, [])
            files = {v for file in self.classes.files(of) for v in self._set_in(file)}
            for field in self.classes.fields(of):
                given = [_gives(call, field.key) for call in calls]
                needed = field.needed and not all(given) and not files.intersection(field.names)
                for place, variable in enumerate(field.names):
                    required = needed and bool(calls) and place == 0
                    yield Read(
                        variable, field.scan.module.path, field.line, required, field.default
                    )

    def _settings_classes(self) -> dict[str, bool]:
        """The settings classes in full, and whether others are made of them."""
        found = {}
        bases = set()
        for each in list(self._any()):
            for name in each.classes:
                of = self.classes.find(f"{each.module.name}.{name}")
                if of and self.classes.version(of):
                    found[of.name] = False
                    bases |= {above.name for above in self.classes.bases(of)}
        return {name: name in bases for name in found}

    def _instances(self, settings: Mapping[str, bool]) -> None:
        """Settings that a function makes of a module that runs, whoever calls it, and when."""
        words = {name.rpartition(".")[2] for name in settings}
        for each in list(self._any()):
            if not self.ran.get((each.module.path, "")):
                continue
            if not any(word in each.text for word in words):
                continue
            for name, block in list(each.blocks().items()):
                if name == MAIN and (each.module.path, MAIN) not in self.ran:
                    continue
                for call in block.calls:
                    there = self.resolve(call.target) if call.sure else None
                    if there and f"{there[0].module.name}.{there[1]}" in settings:
                        full = f"{there[0].module.name}.{there[1]}"
                        if call.node not in self.made.get(full, []):
                            self._make(full, call.node)

    def _dynaconf(self, each: Scan) -> Iterator[Read]:
        """What the module's Dynaconf object has to be given (`Validator(…, must_exist=True)`)."""
        for name, (target, made) in each.made.items():
            if _READERS.get(target) != "dynaconf":
                continue
            given = keyword(made, "envvar_prefix")
            prefix = each.constant(given)
            if literal(given) == "False":
                prefix = ""
            start = "DYNACONF_" if prefix is None else f"{prefix.upper()}_" if prefix else ""
            for node in ast.walk(made):
                if isinstance(node, ast.Call) and str(each.full_name(node.func)).endswith(
                    "dynaconf.Validator"
                ):
                    has_default = keyword(node, "default") is not None
                    exists = literal(keyword(node, "must_exist")) == "True"
                    files = each.constants(keyword(made, "settings_files"))
                    for each_name in (each.constant(value) for value in node.args):
                        if not each_name:
                            continue
                        set_there = any(each_name in self._text(file) for file in files)
                        required = exists and not has_default and not set_there
                        runs = bool(self.ran.get((each.module.path, "")))
                        variable = start + each_name.upper().replace(".", "__")
                        yield Read(variable, each.module.path, node.lineno, required and runs)
            for other in self._any():
                if name not in other.text:
                    continue
                for node in ast.walk(other.module.body):
                    if isinstance(node, ast.Attribute) and node.attr.isupper():
                        owner = self.resolve(str(other.full_name(node.value)))
                        if owner and owner[0] is each and owner[1] == name:
                            yield Read(start + node.attr, other.module.path, node.lineno, False)

    def _text(self, file: str) -> str:
        path = join(self.folder, file)
        return self.tree.read(path) if self.tree.has(path) and not matching(path) else ""


def _gives(call: ast.Call | None, key: str) -> bool:
    """Whether a call of a settings class gives a field, or may."""
    return call is not None and any(k.arg is None or k.arg == key for k in call.keywords)
