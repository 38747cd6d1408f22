"""A Python project that is a package itself: whether its image installs it, and what that reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from . import python_builds
from .errors import ProjectError
from .origins import Fields, Found, line_at
from .python_dependencies import read_toml, table
from .python_source import called_name
from .secret_files import matching
from .source_text import parse
from .tree import Tree, join

# Files that say how it is built.
_DESCRIPTIONS = ("pyproject.toml", "setup.py", "setup.cfg", "MANIFEST.in")
# What takes the version of git's tags, which no image has.
_FROM_GIT = re.compile(
    r"setuptools[-_]scm|hatch-vcs|poetry-dynamic-versioning|versioningit|uv-dynamic-versioning"
    r"|setuptools-git-versioning|\bsource *= *[\"']scm[\"']"
)
# What build systems of other languages begin with, in the folder itself.
_NATIVE = {"maturin": "Cargo.toml", "scikit_build_core": "CMakeLists.txt"}
# Folders that setuptools takes for no package of a flat layout (setuptools' "Package Discovery").
_RESERVED = re.compile(
    r"[._].*|ci|bin|debian|docs?|documentation|manpages|news|newsfragments|changelog|tests?"
    r"|unit_?tests?|examples?|scripts|tools|utils?|python|build|benchmarks?|exercises?|htmlcov"
    r"|tasks|fabfile|site_scons|dist|node_modules"
)
_NO_MODULES = frozenset(
    {"setup", "conftest", "test", "tests", "example", "examples", "build", "toxfile", "noxfile"}
    | {"pavement", "dodo", "tasks", "fabfile"}
)


def find(tree: Tree, folder: str, *, asked: str | None = None, packaged: bool = True) -> Fields:
    """Whether the project itself is installed.

    Only where that works: it has a build system, and this one finds the package.

    Args:
        tree: The project's files.
        folder: The app's.
        asked: The file that says to install it, as a requirements file with `-e .`.
        packaged: What locks it takes it for a package.

    Returns:
        `package`: the files that an installation reads beside the source, relative to `folder`;
        `package_version`, where that comes from git. Nothing where it is not installed.
    """
    path = tree.first(folder, "pyproject.toml")
    document = read_toml(tree, path) if path else {}
    why, place = _reason(tree, folder, document, asked), asked or path
    if why is None or not packaged:
        return {}
    files = [name for name in _DESCRIPTIONS if tree.has(join(folder, name))]
    files += [name for name in _named(tree, folder, document) if name not in files]
    fields: Fields = {"package": Found(files, why, place)}
    if match := _FROM_GIT.search(_text(tree, folder)):
        fields["package_version"] = Found("git", f"its version comes from git ({match[0]})", path)
    return fields


def listed_packages(path: str, text: str) -> tuple[int, list[str]]:
    """Where a setup.py or setup.cfg lists the packages by their names, and their folders.

    Args:
        path: The file.
        text: What stands in it.

    Returns:
        The line, and folders relative to the file's; no folders where setuptools finds them.
    """
    if path.endswith(".cfg"):
        match = re.search(r"(?m)^packages\s*=((?:\s+[\w.]+)+)\s*$", text)
        names = match[1].split() if match else []
        return line_at(text, match.start()) if match else 1, [n.replace(".", "/") for n in names]
    try:
        calls = [node for node in ast.walk(parse(path, text)) if isinstance(node, ast.Call)]
    except ProjectError:
        return 1, []
    for call in calls:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        listed = given.get("packages")
        if called_name(call) != "setup" or not isinstance(listed, ast.List | ast.Tuple):
            continue
        if "package_dir" not in given:
            names = [str(one.value) for one in listed.elts if isinstance(one, ast.Constant)]
            return listed.lineno, [name.replace(".", "/") for name in names]
    return 1, []


def name_of(document: dict[str, Any]) -> str | None:
    """The name of a project, as its pyproject.toml says it."""
    tools = table(document, "tool")
    name = table(document, "project").get("name") or table(tools, "poetry").get("name")
    return name if isinstance(name, str) else None


def _reason(tree: Tree, folder: str, document: dict[str, Any], asked: str | None) -> str | None:
    """Why it is installed; None for not at all."""
    tools = table(document, "tool")
    off = (("uv", "package"), ("poetry", "package-mode"), ("pdm", "distribution"))
    if any(table(tools, tool).get(key) is False for tool, key in off):
        return None
    if asked is not None:
        return "installs the project itself"
    if python_builds.has_extensions(tree, folder):
        return "builds extensions"
    backend = str(table(document, "build-system").get("build-backend") or "")
    if "build-system" not in document:
        if table(tools, "uv").get("package") is not True:
            return None
        backend = "setuptools"
    name = name_of(document) or _module_of_flit(tools)
    if name is None and backend.startswith("setuptools"):
        name = "" if tree.first(folder, "setup.py", "setup.cfg") else None
    if name is None:
        return None
    found = _is_found(tree, folder, backend or "setuptools", tools, name)
    return "has a build system" if found else None


def _module_of_flit(tools: dict[str, Any]) -> str | None:
    name = table(table(tools, "flit"), "metadata").get("module")
    return name if isinstance(name, str) else None


def _is_found(tree: Tree, folder: str, backend: str, tools: dict[str, Any], name: str) -> bool:
    """Whether a build system finds the package, each by its own documentation."""
    module = canonicalize_name(name).replace("-", "_")
    names = dict.fromkeys((module, name, name.replace("-", "_")))
    kind = re.split(r"[.:]", backend)[0]

    def has(*places: str) -> bool:
        return any(
            tree.has(path) or any(tree.below(path))
            for place in places
            for one in names
            if one and (path := join(folder, place.format(one)))
        )

    if kind == "hatchling":
        build = table(table(tools, "hatch"), "build")
        wheel = table(table(build, "targets"), "wheel")
        keys = {"packages", "include", "only-include", "force-include", "bypass-selection"}
        if keys & {*build, *wheel}:
            return True
        return has("{}/__init__.py", "src/{}/__init__.py", "{}.py") or any(
            path.endswith(f"/{one}/__init__.py") and path.count("/") - _depth(folder) == 2
            for one in names
            for path in tree.below(folder, "/__init__.py")
        )
    if kind == "uv_build":
        own = table(table(tools, "uv"), "build-backend")
        root, modules = own.get("module-root", "src"), own.get("module-name") or module
        wanted = modules if isinstance(modules, list) else [modules]
        base = join(folder, str(root)) if root else folder
        return own.get("namespace") is True or all(
            tree.has(join(base, str(one).replace(".", "/") + "/__init__.py")) for one in wanted
        )
    if kind == "poetry":
        packages = table(tools, "poetry").get("packages")
        return bool(packages) or has("{}/", "src/{}/", "{}.py", "src/{}.py")
    if kind == "flit_core":
        own_name = table(table(tools, "flit"), "module").get("name") or _module_of_flit(tools)
        names = dict.fromkeys((str(own_name),)) if own_name else names
        return has("{}/__init__.py", "src/{}/__init__.py", "{}.py", "src/{}.py")
    if kind in _NATIVE:
        return tree.has(join(folder, _NATIVE[kind]))
    if kind == "pdm":
        return has("{}/", "src/") or "includes" in table(table(tools, "pdm"), "build")
    if kind == "setuptools":
        return _is_found_by_setuptools(tree, folder, table(tools, "setuptools"))
    return False


def _is_found_by_setuptools(tree: Tree, folder: str, own: dict[str, Any]) -> bool:
    if {"packages", "py-modules"} & own.keys():
        return True
    for name in ("setup.py", "setup.cfg"):
        path = tree.first(folder, name)
        if path and re.search(r"\b(packages|py_modules)\s*=", tree.read(path)):
            return True
    inner = [path.split("/")[_depth(folder) :] for path in tree.below(folder)]
    folders = {parts[0] for parts in inner if len(parts) > 1}
    if "src" in folders:
        return True
    packages = [one for one in folders if one.isidentifier() and not _RESERVED.fullmatch(one)]
    modules = [
        parts[0][:-3]
        for parts in inner
        if len(parts) == 1 and parts[0].endswith(".py") and parts[0][:-3] not in _NO_MODULES
    ]
    return len(packages) == 1 or (not packages and len(modules) == 1)


def _depth(folder: str) -> int:
    """How many names stand before those of a folder's own files."""
    return 0 if folder == "." else folder.count("/") + 1


def _named(tree: Tree, folder: str, document: dict[str, Any]) -> Iterator[str]:
    """Files that its description names, as its README or a list of requirements."""
    tools = table(document, "tool")
    kept = {
        key: tools[key]
        for key in ("setuptools", "hatch", "poetry", "flit", "pdm", "uv")
        if key in tools
    }
    words = list(_words([document.get("project"), document.get("build-system"), kept]))
    words += ["README.md", "README.rst"] if tree.has(join(folder, "setup.py")) else []
    for name in ("setup.py", "setup.cfg"):
        if path := tree.first(folder, name):
            words += re.findall(
                r"[\"'=:\s]([\w./-]+\.\w+|README|LICENSE|VERSION)\b", tree.read(path)
            )
    for attribute in re.findall(r"\battr\s*[:=]\s*[\"']?([\w.]+)\.\w+", _text(tree, folder)):
        module = attribute.replace(".", "/")
        for top in ("", "src/"):
            words += [f"{top}{module}.py", f"{top}{module}/__init__.py"]
    for word in dict.fromkeys(words):
        plain = word.removeprefix("./")
        if plain and ".." not in plain and tree.has(join(folder, plain)) and not matching(plain):
            yield plain


def _text(tree: Tree, folder: str) -> str:
    """The texts of what describes it."""
    paths = (tree.first(folder, name) for name in _DESCRIPTIONS[:3])
    return "\n".join(tree.read(path) for path in paths if path)


def _words(value: Any) -> Iterator[str]:
    """Every text in a document of TOML, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
