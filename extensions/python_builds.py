"""What builds of an app's own packages need of the system: a compiler, CMake, cargo.

By their build system: its name in `[build-system]`, and the languages that its files name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .origins import Found
from .python_dependencies import (
    C_SOURCES,
    CMAKE_SOURCES,
    CPP_SOURCES,
    RUST_SOURCES,
    read_toml,
    table,
)
from .tree import Tree, join

# Compilers of extensions that setuptools, or a script of Poetry or Hatch, calls.
_EXTENSIONS = re.compile(
    r"\b(?:ext_modules|ext-modules|cythonize|Extension|cffi_modules|mypycify|build_ext"
    r"|hatch-cython|hatch_cython)\b"
)
_CPP = re.compile(
    r"""pybind11|nanobind|["']c\+\+["']|distutils: *language *= *c\+\+|\.(?:cpp|cc|cxx)\b"""
)
_BACKENDS = {"maturin": RUST_SOURCES, "scikit_build_core": CMAKE_SOURCES}
_REQUIRED = {
    "setuptools-rust": RUST_SOURCES,
    "maturin": RUST_SOURCES,
    "scikit-build": CMAKE_SOURCES,
    "scikit-build-core": CMAKE_SOURCES,
}
# What every build has: setuptools, and what comes along with it.
_PROVIDED = frozenset({"setuptools", "pkg_resources", "_distutils_hack", "distutils", "wheel"})

# Modules that scripts of builds import, and what brings each.
_IMPORTED = {
    **{name: name for name in ("numpy", "pybind11", "cffi", "versioneer", "torch", "requests")},
    **{name: name for name in ("setuptools_rust", "setuptools_scm", "pip")},
    **{"Cython": "cython", "mypyc": "mypy", "skbuild": "scikit_build"},
    **{"dotenv": "python_dotenv", "yaml": "pyyaml"},
}


def find(tree: Tree, folders: Sequence[str]) -> Iterator[Found[str]]:
    """The kinds of sources in these folders, each by its name in `SYSTEM_PACKAGES`."""
    for folder in folders:
        yield from _in_folder(tree, folder)


def _in_folder(tree: Tree, folder: str) -> Iterator[Found[str]]:
    path = join(folder, "pyproject.toml")
    document = read_toml(tree, path) if tree.has(path) else {}
    system = table(document, "build-system")
    backend = re.split(r"[.:]", str(system.get("build-backend") or ""))[0]
    if backend in _BACKENDS:
        yield Found(_BACKENDS[backend], f"built by {backend}", path)
        return
    if backend == "mesonpy":
        yield from _of_meson(tree, folder)
        return
    for name in _required(system.get("requires")):
        if name in _REQUIRED:
            yield Found(_REQUIRED[name], f"built with {name}", path)
            return
    for name in ("setup.py", "setup.cfg", "pyproject.toml", *_script(document)):
        place = join(folder, name)
        text = tree.read(place) if tree.has(place) else ""
        if match := _EXTENSIONS.search(_without_comments(text)):
            kind = CPP_SOURCES if _CPP.search(text) else C_SOURCES
            yield Found(kind, f"has extensions ({match[0]})", place)
            return


def has_extensions(tree: Tree, folder: str) -> bool:
    """Whether `setup.py` compiles something of the app's, which nothing else would."""
    path = join(folder, "setup.py")
    if not tree.has(path):
        return False
    return _EXTENSIONS.search(_without_comments(tree.read(path))) is not None


def missing_for_setup(tree: Tree, folder: str) -> tuple[str, int] | None:
    """What `setup.py` imports that its build has not, and the line.

    A build has only what `requires` of `[build-system]` lists; without one, setuptools
    (pip.pypa.io, "Build System Interface").
    """
    path = join(folder, "setup.py")
    if not tree.has(path):
        return None
    try:
        body = ast.parse(tree.read(path)).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    description = join(folder, "pyproject.toml")
    system = table(read_toml(tree, description) if tree.has(description) else {}, "build-system")
    has = {one.replace("-", "_").lower() for one in _required(system.get("requires"))}
    for node in body:
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [node.module]
        for name in found:
            top = name.partition(".")[0]
            if top in _IMPORTED and top not in _PROVIDED and _IMPORTED[top] not in has:
                return top, node.lineno
    return None


def _required(listed: object) -> Iterator[str]:
    for one in listed if isinstance(listed, list) else ():
        try:
            yield canonicalize_name(Requirement(str(one)).name)
        except InvalidRequirement:
            continue


def _script(document: dict[str, object]) -> Iterator[str]:
    """The script that Poetry calls in a build (python-poetry.org, "Building extension modules")."""
    own = table(table(document, "tool"), "poetry").get("build")
    said = own.get("script") if isinstance(own, dict) else own
    if isinstance(said, str):
        yield said


def _of_meson(tree: Tree, folder: str) -> Iterator[Found[str]]:
    """By the languages of its project (mesonbuild.com, "project()")."""
    path = join(folder, "meson.build")
    text = _without_comments(tree.read(path)) if tree.has(path) else ""
    match = re.search(r"(?s)\bproject\s*\((.*?)(?:\w+\s*:|\))", text)
    languages = set(re.findall(r"'(\w+)'", match[1])[1:]) if match else set()
    languages |= set(re.findall(r"add_languages\s*\(\s*'(\w+)'", text))
    for language, kind in (("rust", RUST_SOURCES), ("cpp", CPP_SOURCES), ("c", C_SOURCES)):
        if language in languages:
            yield Found(kind, f"built by Meson ({language})", path)


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", "", text)
