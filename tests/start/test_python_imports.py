"""Packages that Python apps import and nobody declares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions import python_distributions
from extensions.finding import Finding
from tests.start.support import API, find, find_api

LOCKED = ("fastapi", "starlette", "pydantic", "uvicorn", "anyio", "click", "h11", "langchain-foo")


def imports(found: list[Finding]) -> list[Finding]:
    """Those of this rule."""
    return [one for one in found if one.rule == "start.imports"]


def found(root: Path, code: str, requirements: str = "") -> list[Finding]:
    """What is found where the app begins with this code, with these requirements more."""
    files = {"main.py": code + API["main.py"]}
    if requirements:
        files["requirements.txt"] = API["requirements.txt"] + requirements
    return imports(find_api(root, files))


def found_locked(root: Path, code: str, *more: str, development: str = "") -> list[Finding]:
    """The same with a lockfile of uv."""
    names = [*LOCKED, *more]
    wanted = ", ".join(f'{{ name = "{name}" }}' for name in names)
    lock = 'version = 1\n[[package]]\nname = "demo"\nsource = { virtual = "." }\n'
    lock += f"dependencies = [{wanted}]\n"
    for name in [*names, *filter(None, [development])]:
        lock += f'[[package]]\nname = "{name}"\nversion = "1.0"\n'
    project = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["fastapi", "uvicorn"]\n'
    files = {"pyproject.toml": project, "uv.lock": lock, "main.py": code + API["main.py"]}
    return imports(find(root, files, USE_FASTAPI="true"))


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("import requests\n", "requests"),
        ("import yaml\n", "pyyaml"),
        ("from PIL import Image\n", "pillow"),
        ("from jose import jwt\n", "python-jose"),
        ("import sqlalchemy.orm\n", "sqlalchemy"),
    ],
)
def test_what_no_locked_package_brings_fails_for_certain(
    code: str, package: str, tmp_path: Path
) -> None:
    (one,) = found_locked(tmp_path, code)
    assert one.certain and one.seen.startswith("main.py:1 imports ")
    assert one.mend == f"uv add {package}"


def test_a_package_of_development_is_named_as_such(tmp_path: Path) -> None:
    (one,) = found_locked(tmp_path, "import requests\n", development="requests")
    assert one.certain and "for development alone" in one.seen


def test_in_a_list_of_direct_dependencies_it_is_a_guess(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "import requests\n")
    assert not one.certain and one.mend == "Add requests to requirements.txt."


def test_a_name_that_is_in_no_table_is_a_guess(tmp_path: Path) -> None:
    (one,) = found_locked(tmp_path, "import frobnicate\n")
    assert not one.certain and "may not start" in one.seen


def test_without_any_list_all_is_missing(tmp_path: Path) -> None:
    settings = {"python.mode": "service", "python.port": 8000}
    files = {"main.py": "import yaml\nimport requests\n"}
    (one,) = imports(find(tmp_path, files, settings, USE_PYTHON="true"))
    assert one.certain and one.mend == "List them in requirements.txt: pyyaml requests"


@pytest.mark.parametrize(
    "code",
    [
        "import os, tomllib, distutils\n",
        "import starlette.requests, pydantic, anyio\n",
        "try:\n    import requests\nexcept ImportError:\n    requests = None\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import requests\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests\n",
        "import sys\nif sys.version_info < (3, 9):\n    import tomli\n",
        "def f():\n    import requests\n",
        "if __name__ == '__main__':\n    import requests\n",
    ],
)
def test_what_is_there_or_no_fault_at_the_start(code: str, tmp_path: Path) -> None:
    assert found(tmp_path / "a", code) == []
    assert found_locked(tmp_path / "b", code) == []


@pytest.mark.parametrize(
    ("code", "requirements"),
    [
        ("import yaml\n", "PyYAML==6.0\n"),
        ("import cv2\n", "opencv-python-headless\n"),
        ("import google.cloud.storage\n", "google-cloud-storage\n"),
        ("import telegram\n", "python-telegram-bot\n"),
        ("import pinecone\n", "pinecone-client\n"),
        ("import some_thing.inner\n", "Some.Thing\n"),
        ("import httpx\n", "openai\n"),
        ("import numpy\n", "scikit-unknown\n"),
        ("import dotenv\n", "pydantic-settings\n"),
        ("import own\n", "-r more.txt\n"),
    ],
)
def test_other_names_and_what_others_may_bring(
    code: str, requirements: str, tmp_path: Path
) -> None:
    files = {"own.py": "", "more.txt": "", "requirements.txt": API["requirements.txt"]}
    files["requirements.txt"] += requirements
    assert imports(find_api(tmp_path, {**files, "main.py": code + API["main.py"]})) == []


def test_where_all_that_is_listed_is_known_nothing_else_is_there(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "import numpy\n", "sqlalchemy\n")
    assert "numpy" in one.seen and not one.certain


def test_modules_that_nobody_runs_are_no_matter(tmp_path: Path) -> None:
    assert imports(find_api(tmp_path, {"notebook.py": "import requests\n"})) == []


def test_another_image_may_have_it(tmp_path: Path) -> None:
    files = {"main.py": "import requests\n" + API["main.py"]}
    image = {"fastapi.image": "acme/python:3.12"}
    assert imports(find_api(tmp_path, files, image)) == []


def test_tables_have_names_in_their_normal_form() -> None:
    known = {name for names in python_distributions.IMPORTS.values() for name in names}
    known |= python_distributions.BRINGS.keys() | python_distributions.COMMON
    assert all(name == name.lower().replace("_", "-").replace(".", "-") for name in known)


def test_a_lock_of_pipenv_is_read(tmp_path: Path) -> None:
    lock = {"_meta": {}, "default": {"fastapi": {"version": "==1"}, "uvicorn": {"version": "==1"}}}
    files = {
        "Pipfile": "[packages]\nfastapi = '*'\nuvicorn = '*'\n",
        "Pipfile.lock": json.dumps(lock, indent=4),
        "main.py": API["main.py"] + "import requests\n",
    }
    found = find(tmp_path, files, USE_FASTAPI="true")
    (told,) = [one for one in found if one.rule == "start.imports"]
    assert "requests" in told.seen


def test_a_package_in_a_folder_of_the_project_is_known_by_its_name(tmp_path: Path) -> None:
    """It may have no module in Python at all."""
    files = {
        "requirements.txt": "fastapi\nuvicorn\n./native\n",
        "native/pyproject.toml": '[project]\nname = "fast-math"\nversion = "1"\n',
        "main.py": "import fast_math\n" + API["main.py"],
    }
    assert not [one for one in find_api(tmp_path, files) if one.rule == "start.imports"]
