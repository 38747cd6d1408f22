"""Files that a Python app writes where its container lets it write nothing."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .. import finding, framework, started
from ..finding import Finding
from ..model import App
from ..python_paths import ROOT, UNKNOWN, Paths, beside
from ..python_program import Program
from ..python_source import Module, called_name
from ..subject import Subject
from ..tree import Tree, join

RUNTIME = "python"
IDS = {"start.files": "What the apps write has a place in their containers"}

_WRITABLE = ("/tmp", "/dev", "/run/secrets", "/proc")
_WORDS = re.compile(
    r"sqlite|makedirs|mkdir|open\(|write_text|write_bytes|\.touch\(|FileHandler|basicConfig"
    r"|logger\.add|PersistentClient|persist_directory|TinyDB|SqliteDict|shelve|diskcache"
    r"|S(?:qlite|QLite)\w+\(|QdrantClient|duckdb|lancedb|torch\.save|StaticFiles|joblib|to_csv|to_parquet|savefig"
)
# Of SQLAlchemy and those like it, or with two slashes, of Tortoise.
_SQLITE = re.compile(r"sqlite(?:\+\w+)?://(?:/(?P<path>[^?]+)|(?P<relative>[^/?:][^?]*))")
_HANDLERS = re.compile(r"\w*FileHandler")
# What writes, by the function's name: what that is, and its argument (place, name) with the path.
_WRITERS: dict[str, tuple[str, int, str]] = {
    "makedirs": ("folder", 0, "name"),
    "basicConfig": ("log", 9, "filename"),
    "PersistentClient": ("store", 0, "path"),
    "Chroma": ("store", 9, "persist_directory"),
    "TinyDB": ("database", 0, "path"),
    "SqliteDatabase": ("database", 0, "database"),
    "SqliteExtDatabase": ("database", 0, "database"),
    "SQLiteEngine": ("database", 0, "path"),
    "QdrantClient": ("store", 9, "path"),
    "SqliteDict": ("database", 0, "filename"),
    "StaticFiles": ("static", 9, "directory"),
    "to_csv": ("file", 0, "path_or_buf"),
    "to_parquet": ("file", 0, "path"),
    "savefig": ("file", 0, "fname"),
}
# The same of functions that are only these where they belong to a module.
_OF_MODULES: dict[tuple[str, str], tuple[str, int, str]] = {
    ("os", "mkdir"): ("folder", 0, "path"),
    ("sqlite3", "connect"): ("database", 0, "database"),
    ("aiosqlite", "connect"): ("database", 0, "database"),
    ("duckdb", "connect"): ("database", 0, "database"),
    ("lancedb", "connect"): ("store", 0, "uri"),
    ("torch", "save"): ("file", 1, "f"),
    ("shelve", "open"): ("database", 0, "filename"),
    ("dbm", "open"): ("database", 0, "file"),
    ("diskcache", "Cache"): ("store", 0, "directory"),
    ("joblib", "dump"): ("file", 1, "filename"),
    ("logger", "add"): ("log", 0, "sink"),
}
_OPENS = frozenset({"aiofiles", "io", "codecs", "gzip", "anyio"})
_OF_PATHS = {"write_text": "file", "write_bytes": "file", "touch": "file", "mkdir": "folder"}
_VERBS = {
    "database": "keeps data in",
    "store": "keeps data in",
    "folder": "makes the folder",
    "file": "writes",
    "log": "writes its log to",
    "static": "serves the folder",
}
_DEEPEST = 5
_STORES = (f"{ROOT}/data", f"{ROOT}/storage")


@dataclass(frozen=True)
class _Place:
    """Where an app's files may go.

    Attributes:
        app: The app.
        free: Folders that can be volumes as they are, as no file of the project lies in them.
        store: The volume for what lies elsewhere.
        is_there: That is a volume, or one of those folders.
    """

    app: App
    free: tuple[str, ...]
    store: str
    is_there: bool


@dataclass(frozen=True)
class _Write:
    """Something that is written: what, where to, where that stands, and whether at the start.

    Of an address it is the text, and the setting that takes its place.
    """

    kind: str
    path: str
    module: Module
    line: int
    sure: bool
    text: str = ""
    setting: str = ""

    @property
    def folder(self) -> str:
        """The folder that has to be writable."""
        known = self.path.partition(UNKNOWN)[0]
        whole = known == self.path
        if self.kind in {"folder", "static", "store"} and whole:
            return self.path
        return posixpath.dirname(known) if whole else known.rstrip("/") or "/"


def find(subject: Subject) -> Iterator[Finding]:
    """What each Python app writes outside of its volumes, each folder once."""
    for app in subject.of("python"):
        yield from _of(subject, app)


def _of(subject: Subject, app: App) -> Iterator[Finding]:
    mounts = [*(volume.path for volume in app.volumes), *(one.path for one in app.tmpfs)]
    writable = (*_WRITABLE, *mounts)
    by_folder: dict[tuple[bool, str], list[_Write]] = {}
    for write in _writes(subject, app):
        inside = any(f"{write.path}/".startswith(f"{place}/") for place in writable)
        if inside or (write.kind in {"folder", "static"} and _is_there(subject.tree, app, write)):
            continue
        # What lies beside the code is told by `start.sources`.
        if write.kind == "static" and beside(subject.tree, app.directory, write.module, write.path):
            continue
        by_folder.setdefault((write.kind == "log", write.folder), []).append(write)
    # A folder that is made for logs is theirs.
    for folder in [one for is_log, one in by_folder if is_log and (False, one) in by_folder]:
        by_folder[True, folder] += by_folder.pop((False, folder))
    folders = [folder for is_log, folder in by_folder if not is_log]
    free = [one for one in folders if one != ROOT and not _has_files(subject.tree, app, one)]
    free = [one for one in free if not any(one.startswith(f"{other}/") for other in free)]
    has = next((volume.path for volume in app.volumes if volume.kept), None)
    usual = next(
        one for one in _STORES if not _has_files(subject.tree, app, one) or one == _STORES[-1]
    )
    free.sort()
    place = _Place(app, tuple(free), has or (free[0] if free else usual), bool(has or free))
    for (is_log, folder), group in by_folder.items():
        first = min(group, key=lambda write: not write.sure)
        at = finding.where(first.module.path, first.line)
        what = f"{_VERBS[first.kind]} {_shown(first)}"
        missing = first.kind == "static"
        why = "which the image lacks" if missing else "but no file in its container can change"
        yield Finding(
            "start.files",
            certain=first.sure,
            seen=f"{at} {what}, {why}{': the start fails' if first.sure else ''}.",
            mend=_mend(first, is_log, folder, place),
            path=first.module.path,
            line=first.line,
        )


def _mend(write: _Write, is_log: bool, folder: str, place: _Place) -> str:
    if is_log:
        return "Log to the console (logging.StreamHandler), which Docker keeps, or below /tmp."
    if any(f"{folder}/".startswith(f"{one}/") for one in place.free):
        return framework.volumes_command(place.app, *place.free)
    name = posixpath.basename(write.path) if UNKNOWN not in write.path else ""
    moved = posixpath.join(place.store, name)
    address = re.sub(r"///[^?]*", lambda _: f"///{moved}", write.text, count=1)
    there = place.free or not place.is_there
    new = place.free or ((place.store,) if not place.is_there else ())
    then = f", and run {framework.volumes_command(place.app, *new)}" if there else ""
    if write.setting:
        return f"Set {write.setting}={address or moved} in .env{then or '.'}"
    return f"Keep it in a volume, as in {address or moved}{then}; what may be lost, below /tmp."


def _shown(write: _Write) -> str:
    path = write.path.removeprefix(f"{ROOT}/")
    slash = "/" if write.kind in {"folder", "static", "store"} and not path.endswith("/") else ""
    return f"{path}{slash} ({write.text})" if write.text else f"{path}{slash}"


def _is_there(tree: Tree, app: App, write: _Write) -> bool:
    """Whether the image has a folder, so that making it again, or serving it, does nothing."""
    return _has_files(tree, app, write.path)


def _has_files(tree: Tree, app: App, folder: str) -> bool:
    if not folder.startswith(f"{ROOT}/"):
        return False
    return any(tree.below(join(app.directory, folder.removeprefix(f"{ROOT}/"))))


def _writes(subject: Subject, app: App) -> Iterator[_Write]:
    run = started.of(subject, app)
    given = {env.name for env in app.environment} | {name for name, _ in app.filled}
    for service in subject.stack.backing:
        if service.name in app.backing:
            given |= set(service.urls)
    paths = Paths(run.program, app.directory, given)
    for module in run.modules:
        if not _WORDS.search(module.text):
            continue
        for call, sure in run.calls(module):
            if found := _written(paths, module, call):
                kind, node = found
                path = paths.absolute(module, node)
                if path and not (kind == "database" and ":memory:" in path):
                    setting = _setting(run.program, module, node, app)
                    yield _Write(kind, path, module, call.lineno, sure, setting=setting)
        if "postgres" not in app.backing:
            yield from _sqlite(paths, module, app)
        yield from _log_settings(paths, module)


def _setting(
    program: Program, module: Module, node: ast.expr | None, app: App, depth: int = 0
) -> str:
    """The app's own variable that a path is read from; empty for none."""
    if isinstance(node, ast.Call) and node.args and depth < _DEEPEST:
        first = node.args[0]
        if isinstance(first, ast.Constant):
            return str(first.value) if first.value in app.passed_on else ""
        return _setting(program, module, first, app, depth + 1) if len(node.args) == 1 else ""
    if isinstance(node, ast.Attribute) and node.attr.upper() in app.passed_on:
        return node.attr.upper()
    reference = (
        program.resolve(module, node) if isinstance(node, ast.Name | ast.Attribute) else None
    )
    owner = program.modules.get(reference[0]) if reference else None
    if reference and owner and depth < _DEEPEST:
        value = program.constants(owner).get(reference[1] or "")
        return _setting(program, owner, value, app, depth + 1)
    return ""


def _written(paths: Paths, module: Module, call: ast.Call) -> tuple[str, ast.expr | None] | None:
    name = called_name(call)
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    entry = _WRITERS.get(name)
    if isinstance(owner, ast.Name):
        entry = _OF_MODULES.get((owner.id, name), entry)
    if entry is None and _HANDLERS.fullmatch(name):
        entry = ("log", 0, "filename")
    if entry:
        kind, place, keyword = entry
        if name == "StaticFiles" and "packages" in given:
            return None
        return kind, call.args[place] if len(call.args) > place else given.get(keyword)
    if name == "open":
        return _opened(call, owner, given)
    if name in _OF_PATHS and owner is not None:
        return _OF_PATHS[name], owner
    return None


def _opened(
    call: ast.Call, owner: ast.expr | None, given: dict[str | None, ast.expr]
) -> tuple[str, ast.expr | None] | None:
    is_function = owner is None or (isinstance(owner, ast.Name) and owner.id in _OPENS)
    place = 1 if is_function else 0
    mode = call.args[place] if len(call.args) > place else given.get("mode")
    if not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)):
        return None
    if not re.fullmatch(r"[rwaxbt+]+", mode.value) or not set(mode.value) & set("wax+"):
        return None
    return "file", (call.args[0] if call.args else given.get("file")) if is_function else owner


def _sqlite(paths: Paths, module: Module, app: App) -> Iterator[_Write]:
    """Addresses of SQLite, but those that a variable of the stack takes the place of."""
    for node, name in _texts(module.body, ""):
        if name.upper() in paths.given:
            continue
        text = paths.text(module, node) or ""
        match = _SQLITE.match(text)
        place = (match["path"] or match["relative"]) if match else ":memory:"
        if ":memory:" not in place and not place.startswith(UNKNOWN):
            path = posixpath.normpath(posixpath.join(ROOT, place))
            setting = name.upper() if name.upper() in app.passed_on else ""
            yield _Write("database", path, module, node.lineno, False, text, setting)


def _texts(node: ast.AST, name: str) -> Iterator[tuple[ast.expr, str]]:
    """Texts that begin like an address of SQLite, and the name of what each is given to."""
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name | ast.Attribute):
            inner = ast.unparse(child.targets[0]).rpartition(".")[2]
        elif isinstance(child, ast.AnnAssign):
            inner = ast.unparse(child.target).rpartition(".")[2]
        elif isinstance(child, ast.Call) and child.args and isinstance(child.args[0], ast.Constant):
            first = child.args[0].value
            inner = first if isinstance(first, str) and first.isidentifier() else name
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.JoinedStr):
            start = child.values[0] if child.values else None
            if isinstance(start, ast.Constant) and str(start.value).startswith("sqlite"):
                yield child, inner
            continue
        if isinstance(child, ast.Constant) and str(child.value).startswith("sqlite"):
            yield child, inner
        yield from _texts(child, inner)


def _log_settings(paths: Paths, module: Module) -> Iterator[_Write]:
    """Handlers of `logging.config.dictConfig`."""
    for node in ast.walk(module.body):
        if isinstance(node, ast.Dict):
            given = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            kind = given.get("class")
            if not (isinstance(kind, ast.Constant) and str(kind.value).endswith("FileHandler")):
                continue
            if path := paths.absolute(module, given.get("filename")):
                yield _Write("log", path, module, node.lineno, False)
