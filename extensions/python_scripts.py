"""The script that a Python app without a framework begins with, in the forms that people start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .origins import Found
from .python_dependencies import read_toml
from .python_source import Module, is_main_guard
from .tree import Tree, join

# Names of scripts, the most usual first.
USUAL = ("main.py", "app.py", "run.py", "__main__.py")
_MORE = (
    "bot.py",
    "worker.py",
    "server.py",
    "start.py",
    "cli.py",
    "index.py",
    "job.py",
    "script.py",
)
# What is in the top folder of a project, but never its app.
_TOOLS = re.compile(r"setup|conftest|manage|noxfile|fabfile|tasks|dodo|test_.*|.*_test|gunicorn.*")
# The line of a Procfile, by what is run first (devcenter.heroku.com, "The Procfile").
_PROCESSES = ("web", "worker", "bot", "main", "app")


@dataclass(frozen=True)
class Entry:
    """What is run.

    Attributes:
        name: A file relative to the app's folder (`main.py`), a module (`bot.main`), or a function
            in one (`bot.cli:main`): what `python.entry` holds.
        module: Its module; None where it is not valid Python.
    """

    name: str
    module: Module | None


def command(name: str) -> tuple[str, ...]:
    """The command line that runs an entry, as it is named in `Entry`."""
    if name.endswith(".py"):
        return ("python", name)
    module, _, function = name.partition(":")
    if not function:
        return ("python", "-m", module)
    # What a script of [project.scripts] does (packaging.python.org, "Entry points specification").
    top = function.partition(".")[0]
    return ("python", "-c", f"import sys; from {module} import {top}; sys.exit({function}())")


def find(tree: Tree, folder: str, modules: Sequence[Module]) -> Found[Entry] | None:
    """The entry of the app in a folder; None where there is none, or several that are alike.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    scripts = _Scripts(folder, modules)
    if usual := scripts.first(USUAL):
        return usual
    if path := tree.first(folder, *USUAL):
        # It is not valid Python, which others tell.
        return Found(Entry(PurePosixPath(path).name, None), "the app's script", path)
    return (
        _of_procfile(tree, folder, scripts)
        or _of_pyproject(tree, folder, scripts)
        or scripts.package()
        or scripts.guarded()
        or scripts.first(_MORE)
        or scripts.inner()
        or scripts.only()
    )


def named(folder: str, modules: Sequence[Module], name: str) -> Found[Entry] | None:
    """The entry that was named by hand; None where the app has no such module."""
    entry = _Scripts(folder, modules).named(name)
    if entry is None or entry.module is None:
        return None
    return Found(entry, "the app's script", entry.module.path)


class _Scripts:
    """The modules of an app as scripts."""

    def __init__(self, folder: str, modules: Sequence[Module]) -> None:
        self.paths: Mapping[str, Module] = {
            PurePosixPath(module.path).relative_to(folder).as_posix(): module for module in modules
        }
        self.names: Mapping[str, Module] = {module.name: module for module in modules}

    def named(self, name: str) -> Entry | None:
        """The entry of a name, as `Entry` has it; None where the app has none."""
        dotted = name.partition(":")[0]
        module = self.paths.get(name.removeprefix("./"))
        module = module or self.names.get(f"{dotted}.__main__") or self.names.get(dotted)
        return Entry(name, module) if module else None

    @property
    def top(self) -> list[str]:
        """Files of the app's folder itself that may be the app."""
        return [
            path
            for path in self.paths
            if "/" not in path and not _TOOLS.fullmatch(path.removesuffix(".py"))
        ]

    def first(self, names: Sequence[str]) -> Found[Entry] | None:
        """The first of some files in the app's folder."""
        path = next((name for name in names if name in self.paths), None)
        return self._file(path, "the app's script") if path else None

    def package(self) -> Found[Entry] | None:
        """The one package that can be run itself, by its `__main__.py`."""
        found = [m for m in self.paths.values() if re.fullmatch(r"\w+\.__main__", m.name)]
        if len(found) != 1:
            return None
        name = found[0].name.removesuffix(".__main__")
        return Found(Entry(name, found[0]), "package that runs itself", found[0].path)

    def guarded(self) -> Found[Entry] | None:
        """The one file that is run itself, as it asks for its `__name__`."""
        found = [path for path in self.top if _has_guard(self.paths[path])]
        return self._file(found[0], "the one script that runs itself") if len(found) == 1 else None

    def inner(self) -> Found[Entry] | None:
        """The one script of a usual name in a folder of the app: in a package, a module."""
        for name in USUAL[:3]:
            found = [
                module
                for path, module in self.paths.items()
                if re.fullmatch(rf"(src/)?(\w+/)?{re.escape(name)}", path) and "/" in path
            ]
            if len(found) == 1:
                module = found[0]
                if "." in module.name and module.name.rpartition(".")[0] in self.names:
                    return Found(Entry(module.name, module), "the package's script", module.path)
                path = next(path for path, one in self.paths.items() if one == module)
                return self._file(path, "the app's script")
        return None

    def only(self) -> Found[Entry] | None:
        """The one file of the app's folder."""
        return self._file(self.top[0], "the only script") if len(self.top) == 1 else None

    def _file(self, path: str, reason: str) -> Found[Entry]:
        return Found(Entry(path, self.paths[path]), reason, self.paths[path].path)


def _of_procfile(tree: Tree, folder: str, scripts: _Scripts) -> Found[Entry] | None:
    path = join(folder, "Procfile")
    if not tree.has(path):
        return None
    lines = dict(re.findall(r"(?m)^(\w+):[ \t]*(.+)$", tree.read(path)))
    for process in _PROCESSES:
        try:
            words = shlex.split(lines.get(process, ""))
        except ValueError:
            continue
        if words[:1] not in (["python"], ["python3"]):
            continue
        rest = [word for word in words[1:] if word != "-u"]
        name = rest[1] if rest[:1] == ["-m"] and len(rest) > 1 else (rest or [""])[0]
        if found := scripts.named(name):
            return Found(found, f"{process} of the Procfile", path)
    return None


def _of_pyproject(tree: Tree, folder: str, scripts: _Scripts) -> Found[Entry] | None:
    """The one script of `[project.scripts]`, or of Poetry's table."""
    path = join(folder, "pyproject.toml")
    if not tree.has(path):
        return None
    content = read_toml(tree, path)
    tables = [content.get("project"), (content.get("tool") or {}).get("poetry")]
    for table in tables:
        listed = table.get("scripts") if isinstance(table, dict) else None
        if not isinstance(listed, dict):
            continue
        found = {
            target.strip()
            for target in listed.values()
            if isinstance(target, str) and target.partition(":")[0].strip() in scripts.names
        }
        if len(found) == 1 and re.fullmatch(r"[\w.]+:[\w.]+", name := found.pop()):
            module = scripts.names[name.partition(":")[0]]
            # A module that runs itself is named as one would type it.
            entry = Entry(module.name if _has_guard(module) else name, module)
            return Found(entry, "the script of pyproject.toml", path)
    return None


def _has_guard(module: Module) -> bool:
    return any(is_main_guard(node) for node in module.body.body)
