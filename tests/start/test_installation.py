"""Installations of dependencies in images of Python apps."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, find_api

PROJECT = '[project]\nname = "shop"\ndependencies = ["fastapi", "uvicorn"]\n'
IMAGE = {"fastapi.image": "python:3.11-slim"}


def find_rule(root: Path, rule: str, files: dict[str, str], **conf: str) -> list[Finding]:
    """What a rule finds of an app on Python 3.11 that starts, with these files in it."""
    return [one for one in find_api(root, files, IMAGE, **conf) if one.rule == f"start.{rule}"]


def locked(*packages: str, groups: str = "") -> dict[str, str]:
    """A project that uv locks: its own dependencies, and some of its development group."""
    lock = '[[package]]\nname = "shop"\nsource = { virtual = "." }\ndependencies = ['
    lock += ", ".join(f'{{ name = "{name}" }}' for name in packages) + "]\n"
    lock += f"[package.dev-dependencies]\ndev = [{groups}]\n" if groups else ""
    for name in ("fastapi", "uvicorn", "gunicorn", "alembic", "playwright"):
        lock += f'[[package]]\nname = "{name}"\nversion = "0.30.0"\n'
    return {"pyproject.toml": PROJECT, "uv.lock": lock}


@pytest.mark.parametrize(
    ("files", "certain", "minor"),
    [
        ({**locked("uvicorn"), "pyproject.toml": f'{PROJECT}requires-python = ">=3.12"'}, True, 12),
        ({"pyproject.toml": '[project]\nrequires-python = "<3.11"'}, False, 8),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"'}, False, 12),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.10"'}, False, 10),
        ({".python-version": "3.12\n"}, False, 12),
        ({"runtime.txt": "python-3.12.4\n"}, False, 12),
        ({".tool-versions": "nodejs 20\npython 3.13.1\n"}, False, 13),
    ],
)
def test_another_python_is_told_with_its_image(
    files: dict[str, str], certain: bool, minor: int, tmp_path: Path
) -> None:
    (found,) = find_rule(tmp_path, "python", files)
    assert found.certain is certain
    assert found.mend == f"spinbox build --prod --set fastapi.image=python:3.{minor}-slim"


@pytest.mark.parametrize("version", ["3.13t", "3.14+freethreaded"])
def test_a_free_threaded_python_is_told(version: str, tmp_path: Path) -> None:
    (found,) = find_rule(tmp_path, "python", {".python-version": version})
    assert (
        not found.certain
        and f".python-version:1 asks for Python without its lock ({version})" in found.seen
    )


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[project]\nrequires-python = ">=3.10"'},
        {"pyproject.toml": '[project]\nrequires-python = ">=3.11.4,<4"'},
        {"pyproject.toml": '[project]\nrequires-python = "==3.11.*"'},
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.8"'},
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "*"'},
        {".python-version": "3.11.9\n"},
        {".python-version": "pypy3.10\n"},
        {"runtime.txt": "something else\n"},
    ],
)
def test_the_python_of_the_image_is_fine(files: dict[str, str], tmp_path: Path) -> None:
    assert find_rule(tmp_path, "python", files) == []


@pytest.mark.parametrize(
    "line", ["-e .", "-e ../shared", "../shared", "./libs/missing", "lib @ git+ssh://git@h/l.git"]
)
def test_what_is_not_there_for_an_installation_is_told(line: str, tmp_path: Path) -> None:
    files = {"requirements.txt": f"fastapi\nuvicorn\n{line}\n"}
    (found,) = find_rule(tmp_path, "install", files)
    assert found.certain and "requirements.txt:3" in found.seen


@pytest.mark.parametrize(
    "line", ["-e ./libs/core", "lib @ git+https://h/l.git", "--find-links ./wheels", "# -e ."]
)
def test_what_is_there_for_an_installation_is_fine(line: str, tmp_path: Path) -> None:
    files = {"requirements.txt": f"fastapi\nuvicorn\n{line}\n", "libs/core/setup.py": ""}
    files["wheels/core-1.0-py3-none-any.whl"] = ""
    assert find_rule(tmp_path, "install", files) == []


@pytest.mark.parametrize(
    ("dependency", "certain"),
    [("uvicorn", False), ("Uvicorn>=0.1", False), ("httpx", True), ("httpx; 'a' == 'b'", False)],
)
def test_a_lockfile_that_lacks_a_dependency_is_told(
    dependency: str, certain: bool, tmp_path: Path
) -> None:
    text = PROJECT.replace('"uvicorn"', f'"{dependency}"')
    files = {**locked("fastapi", "uvicorn"), "pyproject.toml": text}
    found = [one for one in find_rule(tmp_path, "install", files) if "lacks" in one.seen]
    assert [one.mend for one in found] == ["uv lock --python 3.11"] * certain


def test_a_member_of_a_workspace_without_its_lockfile_is_told(tmp_path: Path) -> None:
    text = f"{PROJECT}[tool.uv.sources]\ncore = {{ workspace = true }}\n"
    files = {"backend/main.py": API["main.py"], "backend/pyproject.toml": text, "main.py": ""}
    (found,) = find_rule(tmp_path, "install", files)
    assert found.certain and "backend/pyproject.toml:5 takes core" in found.seen


def test_sources_of_a_pyproject_that_no_installation_reads_are_fine(tmp_path: Path) -> None:
    text = f"{PROJECT}[tool.uv.sources]\ncore = {{ workspace = true }}\n"
    assert find_rule(tmp_path, "install", {"pyproject.toml": text}) == []


@pytest.mark.parametrize("name", ["'shop'", "__name__", "__package__", "NAME"])
def test_the_version_of_what_is_not_installed_is_told(name: str, tmp_path: Path) -> None:
    source = f"from importlib.metadata import version\nNAME = 'Shop'\nv = version({name})\n"
    files = {
        "pyproject.toml": PROJECT,
        "main.py": "from shop import v\n" + API["main.py"],
        "shop/__init__.py": source,
    }
    (found,) = find_rule(tmp_path, "install", files)
    assert found.certain and found.seen.startswith("shop/__init__.py:3")


def test_a_factory_runs_at_the_start(tmp_path: Path) -> None:
    main = (
        "from importlib import metadata\nfrom fastapi import FastAPI\ndef make():\n"
        "    app = FastAPI(version=metadata.version('shop'))\n    return app\n"
    )
    (found,) = find_rule(tmp_path, "install", {"pyproject.toml": PROJECT, "main.py": main})
    assert found.certain and found.line == 4


@pytest.mark.parametrize(
    "source",
    [
        "from importlib.metadata import version\nv = version('fastapi')\n",
        "from importlib.metadata import PackageNotFoundError, version\n"
        "try:\n    v = version('shop')\nexcept PackageNotFoundError:\n    v = '0'\n",
        "from sqlalchemy import metadata\nv = metadata('other')\n",
    ],
)
def test_other_versions_are_fine(source: str, tmp_path: Path) -> None:
    files = {"pyproject.toml": PROJECT, "main.py": source + API["main.py"]}
    assert find_rule(tmp_path, "install", files) == []


def test_a_server_that_only_development_has_is_told(tmp_path: Path) -> None:
    files = locked("fastapi", groups='{ name = "uvicorn" }')
    (found,) = find_rule(tmp_path, "programs", files)
    assert found.certain and found.mend == "uv add uvicorn"


def test_a_server_that_another_package_brings_is_fine(tmp_path: Path) -> None:
    assert find_rule(tmp_path, "programs", locked("fastapi", "uvicorn")) == []


@pytest.mark.parametrize(
    ("package", "fails"),
    [
        ('groups = ["dev"]', True),
        ('groups = ["main", "dev"]', False),
        ('category = "dev"', True),
        ('category = "main"', False),
        ("", False),
    ],
)
def test_poetrys_groups(package: str, fails: bool, tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[tool.poetry.dependencies]\nfastapi = "*"\n',
        "poetry.lock": f'[[package]]\nname = "uvicorn"\nversion = "0.30"\n{package}\n',
    }
    assert bool(find_rule(tmp_path, "programs", files)) is fails


def test_alembic_that_nobody_requires_is_told(tmp_path: Path) -> None:
    ini = {"alembic.ini": "[alembic]\nscript_location = alembic\n", "alembic/env.py": ""}
    (found,) = find_rule(tmp_path, "programs", ini, USE_POSTGRESQL="true")
    assert not found.certain and found.mend == "Add alembic to requirements.txt."


@pytest.mark.parametrize("name", ["playwright", "selenium", "pdfkit"])
def test_libraries_with_programs_that_debian_lacks(name: str, tmp_path: Path) -> None:
    files = {"requirements.txt": f"fastapi\nuvicorn\n{name}\n"}
    (found,) = find_rule(tmp_path, "libraries", files)
    assert not found.certain and found.seen.startswith(f"{name} needs ")


def test_a_browser_that_only_tests_use_is_fine(tmp_path: Path) -> None:
    files = locked("fastapi", "uvicorn", groups='{ name = "playwright" }')
    assert find_rule(tmp_path, "libraries", files) == []


def test_microsofts_driver_is_told(tmp_path: Path) -> None:
    source = "URL = 'DRIVER={ODBC Driver 18 for SQL Server}'\n"
    files = {"requirements.txt": "fastapi\nuvicorn\npyodbc\n", "db.py": source}
    (found,) = find_rule(tmp_path, "libraries", files)
    assert "db.py" in found.seen and "pymssql" in found.mend


@pytest.mark.parametrize(
    ("source", "package"),
    [
        ("from fastapi import UploadFile\ndef f(x: UploadFile): ...\n", "python-multipart"),
        ("from fastapi import Form\ndef f(x=Form()): ...\n", "python-multipart"),
        ("from pydantic import EmailStr\nclass M:\n    x: EmailStr\n", "email-validator"),
        ("t = Jinja2Templates(directory='t')\n", "jinja2"),
        ("from x import FastAPICache\nFastAPICache.init(None)\n", "jinja2"),
        ("from x import SessionMiddleware\ny = SessionMiddleware\n", "itsdangerous"),
        ("@router.websocket('/ws')\nasync def ws(s): ...\n", "websockets"),
    ],
)
def test_what_fastapi_asks_for_when_it_is_used(source: str, package: str, tmp_path: Path) -> None:
    main = {"main.py": source + API["main.py"]}
    (found,) = find_rule(tmp_path / "a", "libraries", main)
    assert not found.certain and found.mend == f"Add {package} to requirements.txt."
    (found,) = find_rule(tmp_path / "b", "libraries", {**locked("fastapi", "uvicorn"), **main})
    assert found.certain is (package != "websockets")
    there = {"requirements.txt": f"fastapi\nuvicorn\n{package}\n"}
    assert find_rule(tmp_path / "c", "libraries", {**main, **there}) == []


@pytest.mark.parametrize("requirement", ["fastapi[standard]", "fastapi[all]"])
def test_extras_bring_it(requirement: str, tmp_path: Path) -> None:
    source = "def f(x: UploadFile, y: EmailStr): ...\n@app.websocket('/ws')\ndef w(s): ...\n"
    files = {"requirements.txt": f"{requirement}\n", "main.py": API["main.py"] + source}
    assert find_rule(tmp_path, "libraries", files) == []


def test_words_in_comments_ask_for_nothing(tmp_path: Path) -> None:
    source = "# UploadFile, EmailStr\nTEXT = 'Form and SessionMiddleware'\nwebsocket.connect()\n"
    assert find_rule(tmp_path, "libraries", {"main.py": source + API["main.py"]}) == []


SETUP = "from Cython.Build import cythonize\nfrom setuptools import setup\n\nsetup(name='shop')\n"


def test_a_build_without_what_its_script_imports_is_told(tmp_path: Path) -> None:
    """pip and uv build with what `[build-system]` lists, and nothing else."""
    files = {"requirements.txt": "fastapi\nuvicorn\n./libs/core\n", "libs/core/setup.py": SETUP}
    (found,) = find_rule(tmp_path, "install", files)
    assert found.certain
    assert found.seen.startswith("libs/core/setup.py:1 imports Cython")
    assert 'requires = ["setuptools", "cython"]' in found.mend


def test_a_build_that_lists_what_its_script_imports_is_silent(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "fastapi\nuvicorn\n./libs/core\n",
        "libs/core/setup.py": SETUP,
        "libs/core/pyproject.toml": '[build-system]\nrequires = ["setuptools", "Cython>=3"]\n',
    }
    assert not find_rule(tmp_path, "install", files)


def test_an_app_that_meson_builds_is_told(tmp_path: Path) -> None:
    """Its editable installation compiles when it is imported, which no image can."""
    text = f'{PROJECT}[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
    (found,) = find_rule(tmp_path, "install", {"pyproject.toml": text})
    assert found.seen.startswith("pyproject.toml builds the app with Meson")


def test_the_client_of_prisma_is_told(tmp_path: Path) -> None:
    """Nothing of the image runs what writes it."""
    (found,) = find_rule(tmp_path, "libraries", {"requirements.txt": "fastapi\nuvicorn\nprisma\n"})
    assert found.seen.startswith("prisma needs a client that `prisma generate` writes")


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import oracledb\noracledb.init_oracle_client()\n", "Oracle's client"),
        ("import cx_Oracle\n", "Oracle's client"),
        ("from tkinter import Tk\n", "a screen and Tk"),
    ],
)
def test_what_no_server_has_is_told(code: str, what: str, tmp_path: Path) -> None:
    listed = "fastapi\nuvicorn\noracledb\ncx_Oracle\n"
    files = {"main.py": code + API["main.py"], "requirements.txt": listed}
    (found,) = find_rule(tmp_path, "libraries", files)
    assert f"needs {what}, which the image lacks" in found.seen


def test_oracle_without_its_client_is_fine(tmp_path: Path) -> None:
    files = {
        "main.py": "import oracledb\n" + API["main.py"],
        "requirements.txt": "fastapi\nuvicorn\noracledb\n",
    }
    assert not find_rule(tmp_path, "libraries", files)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("setup.py", "from setuptools import setup\nsetup(name='x', packages=['app'])\n", True),
        ("setup.py", "import setuptools as s\ns.setup(packages=s.find_packages())\n", False),
        ("setup.py", "from setuptools import setup\nsetup(name='x', py_modules=['main'])\n", False),
        ("setup.cfg", "[metadata]\nname = x\n[options]\npackages =\n    app\n", True),
        ("setup.cfg", "[metadata]\nname = x\n[options]\npackages = find:\n", False),
    ],
)
def test_packages_that_are_named_one_by_one(
    name: str, text: str, told: bool, tmp_path: Path
) -> None:
    files = {name: text, "requirements.txt": "fastapi\nuvicorn\n-e .\n", "app/__init__.py": ""}
    if name == "setup.cfg":
        files["setup.py"] = "from setuptools import setup\nsetup()\n"
    found = [one for one in find_rule(tmp_path, "install", files) if "its packages" in one.seen]
    assert [one.path for one in found] == ([name] if told else [])
