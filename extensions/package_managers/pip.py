"""pip's files (pip.pypa.io): requirements, or a pyproject.toml without a lockfile.

It is uv that installs them.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from .. import package_registries, python_project, quoting
from ..errors import ProjectError
from ..origins import Found
from ..package_registries import Registry
from ..python_dependencies import Packages, declared, local_place, names, read_toml, table
from ..python_dependencies import extras as extras_of
from ..python_dependencies import groups as groups_of
from ..tree import Tree, join
from . import uv

RUNTIME = "python"
# After those that lock.
RANK = 9
LOCKFILES = ()
LOCK = None

# Tools of development, which no image gets: their names as a pattern, in lines for a Dockerfile.
DEVELOPMENT_TOOLS = (
    "autopep8|bandit|black|coverage|flake8[a-z_-]*|ipdb|ipykernel|ipython|isort|",
    "jupyter[a-z_-]*|mypy|nbconvert|notebook|nox|pip-tools|pre-commit|pylint[a-z_-]*|pyright|",
    "pytest[a-z_-]*|ruff|tox|twine|types-[a-z_-]*|uv",
)
# A file for production wins over the mixed one.
_REQUIREMENTS = (
    "requirements.prod.txt",
    "requirements-prod.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements.txt",
    "requirements/base.txt",
    "requirements/requirements.txt",
    "requirements/common.txt",
    "requirements/main.txt",
    # What pip-tools would compile.
    "requirements.in",
    "requirements/base.in",
)
# A path in place of a name (pip.pypa.io, "Requirements File Format"), or behind `NAME @ file:`.
_LOCAL = re.compile(
    r"\s*(?P<editable>(?:-e|--editable)[\s=]+)?(?:[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*)?(?:file:)?"
    r"(?P<path>\.(?=[\s\[]|$)|\.{0,2}/?(?!.*://)[\w.-]+(?:/[\w.-]+)+|(?<=\s)[\w-]+(?=[\s\[]|$))"
)
# Archives that are found in a folder by their names, in place of an index.
_LINKS = re.compile(r"\s*(?:-f|--find-links)[\s=]+(?P<path>(?!\w+://)\S+)")
_ARCHIVES = (".whl", ".gz", ".zip")
# What lists dependencies where there are no requirements.
DESCRIPTIONS = ("pyproject.toml", "setup.py", "setup.cfg")


def find(tree: Tree, folder: str, relevant: Collection[str]) -> Packages | None:
    """What a requirements file or `[project]` lists.

    Raises:
        ProjectError: A file includes one that is not there, or lies outside of the app's folder.
    """
    if requirements := tree.first(folder, *_REQUIREMENTS):
        return _of_requirements(tree, folder, requirements)
    if (packages := _of_description(tree, folder)) is not None:
        return packages
    elsewhere = _elsewhere(tree, folder)
    return _of_requirements(tree, folder, elsewhere) if elsewhere else None


def _elsewhere(tree: Tree, folder: str) -> str | None:
    """The list of an app whose folder has none: in the package of its code, or above it."""
    if folder == "." or tree.first(folder, *DESCRIPTIONS, "Pipfile"):
        return None
    inner = {path.split("/")[folder.count("/") + 1] for path in tree.below(folder, ".py")}
    below = [
        path for name in sorted(inner) if (path := tree.first(join(folder, name), *_REQUIREMENTS))
    ]
    if len(below) == 1:
        return below[0]
    while (folder := posixpath.dirname(folder) or ".") and not below:
        if path := tree.first(folder, *_REQUIREMENTS):
            return path
        if folder == "." or tree.first(folder, *DESCRIPTIONS):
            return None
    return None


def _words(value: object) -> list[str]:
    """A text, or a list of some."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]


def _of_requirements(tree: Tree, folder: str, requirements: str) -> Packages:
    paths = list(dict.fromkeys(_with_includes(tree, requirements, ())))
    dependencies = [found for path in paths for found in _required(tree, path)]
    manifests = [posixpath.relpath(path, folder) for path in paths]
    places = [(path, *found) for path in paths for found in local_paths(tree, folder, path)]
    manifests += dict.fromkeys(place for _, place, _ in places if place not in {None, "."})
    pip = Found("pip", "requirements file", requirements)
    itself = next(((path, line) for path, place, line in places if place == "."), None)
    if itself is None:
        return Packages(pip, manifests, tuple(dependencies))
    manifests += [name for name in _descriptions(tree, folder) if name not in manifests]
    dependencies += _described(tree, folder)
    asked, line = itself
    named = re.search(r"\.\[([^\]]*)\]", tree.read(asked).splitlines()[line - 1])
    extras = [name.strip() for name in named[1].split(",")] if named else []
    more = {"extras": Found(extras, "extras of the project", asked, line)} if extras else {}
    return Packages(pip, manifests, tuple(dependencies), asked=asked, more=more)


def _of_description(tree: Tree, folder: str) -> Packages | None:
    path = join(folder, "pyproject.toml")
    document = read_toml(tree, path) if tree.has(path) else {}
    project = table(document, "project")
    more = {**extras_of(tree, folder), **groups_of(tree, folder)} if project else {}
    if "dependencies" in _words(project.get("dynamic")):
        tools = table(document, "tool")
        hooks = table(table(table(tools, "hatch"), "metadata"), "hooks")
        listed = table(table(table(tools, "setuptools"), "dynamic"), "dependencies").get("file")
        listed = listed or table(hooks, "requirements_txt").get("files")
        files = [join(folder, one) for one in _words(listed)]
        if len(files) == 1 and tree.has(files[0]):
            return _of_requirements(tree, folder, files[0])
    if "dependencies" in project or more:
        pip = Found("pip", "dependencies without a lockfile", path)
        manifests = ["pyproject.toml", *_sources(tree, folder, document)]
        return Packages(pip, manifests, tuple(declared(tree, folder)), more=more)
    for name in ("setup.py", "setup.cfg"):
        path = join(folder, name)
        if tree.has(path) and "install_requires" in tree.read(path):
            pip = Found("pip", "dependencies without a lockfile", path)
            manifests = [name, *(one for one in _descriptions(tree, folder) if one != name)]
            return Packages(pip, manifests, tuple(_described(tree, folder)), asked=path)
    return None


def _descriptions(tree: Tree, folder: str) -> list[str]:
    """Files that a build of the project itself reads, which is asked for its dependencies."""
    fields = python_project.find(tree, folder, asked="")
    return list(fields["package"].value) if fields else []


def _described(tree: Tree, folder: str) -> Iterator[Found[str]]:
    """Dependencies that the project's own description names."""
    if tree.has(join(folder, "pyproject.toml")):
        yield from declared(tree, folder)
    for name in ("setup.cfg", "setup.py"):
        path = join(folder, name)
        text = tree.read(path) if tree.has(path) else ""
        if match := re.search(r"(?s)install_requires\s*=(.*?)(?:\n\S|\n\n|\]|$)", text):
            for word in re.split(r"[\n\[\]]+|[\"'],", match[1]):
                for found in names(word.strip().strip("\"'")):
                    yield Found(found, "dependency", path)


def _sources(tree: Tree, folder: str, document: dict[str, Any]) -> list[str]:
    """What `[tool.uv.sources]` takes of the project's own folders."""
    sources = table(table(table(document, "tool"), "uv"), "sources").values()
    places = [one.get("path") for one in sources if isinstance(one, dict)]
    found = (local_place(tree, folder, place) for place in places if isinstance(place, str))
    return [place for place in found if place]


def registries(tree: Tree, folder: str, manifests: Sequence[str]) -> Iterator[Registry]:
    """Addresses in requirements, which name variables (pip.pypa.io, "Requirements File Format").

    pip.conf, which can name none, is pip's own: uv does not read it.
    """
    for name in manifests:
        path = join(folder, name)
        if not tree.has(path) or name.endswith(_ARCHIVES):
            continue
        if name == "pyproject.toml":
            yield from uv.registries(tree, folder, manifests)
        else:
            yield package_registries.read_file(path, tree.read(path))
    settings = join(folder, "pip.conf")
    if tree.has(settings) and re.search(r"(?m)^\s*(extra-)?index-url\s*=", tree.read(settings)):
        yield Registry(settings, login=True)


def problem(tree: Tree, folder: str) -> str | None:
    """None: what it does not find, another may."""
    return None


def fix_versions(manifests: Sequence[str], text: str, python: str, *, cpu_torch: bool) -> str:
    """The command that writes down the versions that an image would install.

    Args:
        manifests: The requirements file and what it includes, or pyproject.toml.
        text: What the first one holds.
        python: The image's version of Python.
        cpu_torch: Its PyTorch is the one without CUDA.
    """
    source, output = shlex.quote(manifests[0]), "requirements.prod.txt"
    compiler = f"uv pip compile --universal --python-version {python}"
    compiler += " --torch-backend cpu" if cpu_torch else ""
    pattern = f"^ *({''.join(DEVELOPMENT_TOOLS)}) *(?=[^a-z0-9_.-]|$)"
    found = re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE)
    tools = "|".join(sorted({match[1] for match in found}))
    if not tools or len(manifests) > 1 or not source.endswith(".txt"):
        return f"{compiler} {source} -o {output}"
    return f"grep -vE '^ *({tools})([^a-z0-9_.-]|$)' {source} | {compiler} - -o {output}"


def test_install(manifests: Sequence[str], requirements: Sequence[str]) -> str:
    """The manifest, and the files for tests beside it."""
    if manifests[0] in DESCRIPTIONS:
        return f"uv pip install --requirement {manifests[0]} --all-extras"
    files = (manifests[0], *requirements)
    return "uv pip install " + " ".join(f"--requirement {quoting.shell(file)}" for file in files)


def local_paths(tree: Tree, folder: str, path: str) -> Iterator[tuple[str | None, int]]:
    """What a requirements file installs of the project itself, each with its line.

    Returns:
        Paths relative to `folder`, those of folders ending in `/`, `.` for the app itself; None for
        what an installation in the image would not find.
    """
    for number, line in enumerate(tree.read(path).splitlines(), start=1):
        if match := _LINKS.match(line):
            place = local_place(tree, folder, match["path"])
            if place or posixpath.normpath(match["path"]) != ".":
                yield place, number
            continue
        if not (match := _LOCAL.match(line)):
            continue
        if posixpath.normpath(match["path"]) == ".":
            yield "." if tree.first(folder, *DESCRIPTIONS) else None, number
        elif place := local_place(tree, folder, match["path"]):
            yield place, number
        elif match["editable"] or match["path"].startswith("."):
            yield None, number


def _with_includes(tree: Tree, path: str, seen: tuple[str, ...]) -> Iterator[str]:
    """A requirements file and, in order, those it includes with `-r` or `-c`."""
    if path in seen:
        return
    yield path
    for line in tree.read(path).splitlines():
        match = re.match(r"\s*(?:-[rc][\s=]*|--(?:requirement|constraint)[\s=]+)(\S+)", line)
        if match and "://" not in match[1]:
            included = _normalize(join(str(PurePosixPath(path).parent), match[1]))
            if not tree.has(included):
                raise ProjectError(
                    f"{path} includes {match[1]}, which is missing or ignored by git."
                )
            yield from _with_includes(tree, included, (*seen, path))


def _normalize(path: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _required(tree: Tree, path: str) -> Iterator[Found[str]]:
    for number, line in enumerate(tree.read(path).splitlines(), start=1):
        text = re.sub(r"(^|\s)#.*", "", line).strip().rstrip("\\").strip()
        text = re.sub(r"^(-e|--editable)[\s=]*(?=git\+)", "", text)
        if text and not text.startswith("-"):
            for name in names(re.sub(r"\s+--hash.*", "", text)):
                yield Found(name, "requirement", path, number)
