"""What builds of a project's own packages need of the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.facts import read_facts

from .support import stack_of, write_project

WITH_API = {"USE_FASTAPI": "true"}
MAIN = "from fastapi import FastAPI\n\napp = FastAPI()\n"
SETUP = "from setuptools import setup\nsetup(name='core', packages=['core']{})\n"


def system(backend: str, requires: str = "") -> str:
    """A description with that build system."""
    return f"""[project]
name = "core"
version = "1"

[build-system]
requires = ["{requires or backend}"]
build-backend = "{backend}"
"""


def build_packages(root: Path, files: dict[str, str]) -> tuple[str, ...]:
    """What the image that installs a folder of the project gets for its build."""
    own = {f"libs/core/{name}": text for name, text in files.items()}
    requirements = {"requirements.txt": "fastapi\nuvicorn\n./libs/core\n", "main.py": MAIN}
    build = (
        stack_of(read_facts(write_project(root, {**requirements, **own}, **WITH_API))).apps[0].build
    )
    return tuple(build.build_packages)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": system("maturin")}, ("cargo", "gcc", "libc6-dev", "rustc")),
        (
            {"pyproject.toml": system("setuptools.build_meta", "setuptools-rust>=1")},
            ("cargo", "gcc", "libc6-dev", "rustc"),
        ),
        ({"pyproject.toml": system("scikit_build_core.build")}, ("cmake", "g++", "make")),
        (
            {
                "pyproject.toml": system("mesonpy"),
                "meson.build": "project('core', 'c', version: '1')",
            },
            ("gcc", "libc6-dev"),
        ),
        (
            {"pyproject.toml": system("mesonpy"), "meson.build": "project('core', ['c', 'cpp'])"},
            ("g++", "gcc", "libc6-dev"),
        ),
        (
            {"setup.py": SETUP.format(", ext_modules=cythonize('core/*.pyx')")},
            ("gcc", "libc6-dev"),
        ),
        (
            {"setup.py": SETUP.format(", ext_modules=[Extension('a', ['a.cpp'])]")},
            ("g++",),
        ),
        ({"setup.py": SETUP.format("")}, ()),
        ({"setup.py": "# ext_modules=[]\n" + SETUP.format("")}, ()),
        ({"pyproject.toml": system("hatchling.build")}, ()),
    ],
)
def test_compilers_of_a_build(
    files: dict[str, str], expected: tuple[str, ...], tmp_path: Path
) -> None:
    assert build_packages(tmp_path, files) == expected


def test_an_app_with_extensions_is_installed_itself(tmp_path: Path) -> None:
    """Nothing lists it, but nothing else compiles its modules."""
    files = {
        "requirements.txt": "fastapi\nuvicorn\n",
        "setup.py": SETUP.format(", ext_modules=cythonize('core/*.pyx')"),
        "core/__init__.py": "",
        "core/main.py": MAIN,
        "core/fast.pyx": "",
    }
    build = stack_of(read_facts(write_project(tmp_path, files, **WITH_API))).apps[0].build
    assert build.package == ("setup.py",)
    assert build.build_packages == ("gcc", "libc6-dev")
