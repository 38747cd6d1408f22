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


@pytest.mark.parametrize(
    ("code", "requirement"),
    [
        ("from mcp.server.fastmcp import FastMCP\n", "mcp>=1.2"),
        ("from pydantic import BaseModel, BaseSettings\n", "pydantic"),
        ("from flask import Flask, Markup\n", "flask"),
        ("from werkzeug.urls import url_quote\n", "werkzeug>=2"),
        ("from langchain.text_splitter import CharacterTextSplitter\n", "langchain"),
        ("import aioredis\n", "aioredis"),
        ("from passlib.context import CryptContext\nCryptContext(['bcrypt'])\n", "passlib[bcrypt]"),
        ("import flask\n", "flask==2.2.2"),
        ("import flask\n", "flask==1.1.2"),
        ("import openai\n", "openai==1.40.3"),
        ("import flask_sqlalchemy\n", "flask-sqlalchemy~=2.5"),
        ("from pydantic import BaseSettings\n", "pydantic==2.5.3"),
    ],
)
def test_what_the_newest_release_lacks_is_told(code: str, requirement: str, tmp_path: Path) -> None:
    (one,) = found(tmp_path, code, f"{requirement}\n")
    assert not one.certain and one.path


@pytest.mark.parametrize(
    ("code", "requirements"),
    [
        ("from mcp.server.fastmcp import FastMCP\n", "mcp<2\n"),
        ("from pydantic import BaseSettings\n", "pydantic==1.10.13\n"),
        ("from pydantic import BaseModel\n", "pydantic\n"),
        ("from flask import Flask\n", "flask\n"),
        (
            "try:\n    from pydantic_settings import BaseSettings\n"
            "except ImportError:\n    from pydantic import BaseSettings\n",
            "pydantic\npydantic-settings\n",
        ),
        ("from passlib.context import CryptContext\n", "passlib\nbcrypt==4.0.1\n"),
        ("from redis import asyncio as aioredis\n", "redis\n"),
        ("import flask\n", "flask==2.2.5\n"),
        ("import flask\n", "flask==2.2.2\nwerkzeug==2.3.8\n"),
        ("import openai\n", "openai==1.55.3\n"),
        ("import openai\n", "openai>=1.2\n"),
    ],
)
def test_what_the_installed_release_has_is_fine(
    code: str, requirements: str, tmp_path: Path
) -> None:
    assert found(tmp_path, code, requirements) == []
