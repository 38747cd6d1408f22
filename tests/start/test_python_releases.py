"""Releases that lack what the code, or another dependency, uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from extensions.finding import Finding
from extensions.python_locks import Stated
from tests.start.support import API, find_api


def releases(
    root: Path, requirements: str, code: str = "", image: str = "python:3.13-slim"
) -> list[Finding]:
    """What is found of an app with these dependencies and this code."""
    files = {
        "requirements.txt": f"fastapi\nuvicorn\n{requirements}",
        "main.py": f"{code}\n{API['main.py']}",
    }
    found = find_api(root, files, {"fastapi.image": image})
    return [one for one in found if one.rule == "start.releases"]


@pytest.mark.parametrize(
    ("bounds", "since", "expected"),
    [
        ("", "2.0", True),
        ("==1.9", "2.0", False),
        ("==2.0.1", "2.0", True),
        ("==1.*", "2.0", False),
        ("==2.*", "2.3", True),
        ("~=1.4", "2.0", False),
        ("~=1.4", "1.9", True),
        (">=1,<2", "2.0", False),
        ("<=2.0", "2.0", True),
        (">=1.4", "2.0", True),
        ("!=2.1", "2.0", True),
    ],
)
def test_whether_bounds_leave_a_release(bounds: str, since: str, expected: bool) -> None:
    assert Stated(SpecifierSet(bounds), "x.txt", 1).allows(since) is expected


@pytest.mark.parametrize(
    ("requirements", "code", "said"),
    [
        ("pydantic", "from pydantic import BaseSettings", "main.py:1 imports BaseSettings"),
        ("", "from pydantic import BaseSettings", "main.py:1 imports BaseSettings"),
        ("flask", "from flask import Markup", "no longer has since 3.0"),
        ("flask", "from werkzeug.urls import url_quote", "no longer has since 3.0"),
        ("setuptools", "import pkg_resources", "no longer has since 82.0"),
        ("langchain", "from langchain.chains import LLMChain", "LangChain no longer has"),
        ("", "from cgi import escape", "left Python in 3.13"),
        ("", "import distutils.util", "left Python in 3.12"),
    ],
)
def test_an_import_that_is_gone_is_told(
    requirements: str, code: str, said: str, tmp_path: Path
) -> None:
    (found,) = releases(tmp_path, requirements, code)
    assert found.certain and said in found.seen


@pytest.mark.parametrize(
    ("requirements", "code"),
    [
        ("pydantic<2", "from pydantic import BaseSettings"),
        ("pydantic==1.10.24", "from pydantic import BaseSettings"),
        ("flask>=2,<3", "from flask import Markup"),
        ("flask", "try:\n    from flask import Markup\nexcept ImportError:\n    Markup = str"),
        ("flask", "from flask import request"),
        ("legacy-cgi", "import cgi"),
        ("setuptools", "import distutils.util"),
        ("langchain", "from langchain.agents import create_agent"),
    ],
)
def test_an_import_that_is_there_is_fine(requirements: str, code: str, tmp_path: Path) -> None:
    assert not releases(tmp_path, requirements, code)


def test_what_left_python_is_in_earlier_images(tmp_path: Path) -> None:
    assert not releases(tmp_path, "", "import cgi", "python:3.11-slim")


ADDRESS = "import os\nurl = f'postgresql://{os.environ[\"A\"]}@postgres/shop'"


@pytest.mark.parametrize(
    ("requirements", "code", "said"),
    [
        ("passlib[bcrypt]==1.7.4", "pwd = CryptContext(schemes=['bcrypt'])", "passlib hashes no"),
        ("", "t = TemplateResponse('a.html', {'request': 1})", "takes the request first"),
        ("starlette", "s = Starlette(on_startup=[])", "on_startup and on_shutdown"),
        ("sqlalchemy\npsycopg2-binary", ADDRESS, "psycopg for it since 2.1"),
        ("openai", "import openai\nx = lambda: openai.ChatCompletion.create()", "since 1.0"),
    ],
)
def test_a_call_that_is_refused_is_told(
    requirements: str, code: str, said: str, tmp_path: Path
) -> None:
    (found,) = releases(tmp_path, requirements, code)
    assert not found.certain and said in found.seen


@pytest.mark.parametrize(
    ("requirements", "code"),
    [
        ("passlib\nbcrypt==4.0.1", "pwd = CryptContext(schemes=['bcrypt'])"),
        ("passlib[argon2]", "pwd = CryptContext(schemes=['argon2'])"),
        ("", "t = TemplateResponse(request, 'a.html', {})"),
        ("starlette<1", "s = Starlette(on_startup=[])"),
        ("sqlalchemy<2.1\npsycopg2-binary", ADDRESS),
        ("sqlalchemy\npsycopg[binary]", ADDRESS),
        ("sqlalchemy\npsycopg2-binary\npsycopg", ADDRESS),
        ("sqlalchemy\npsycopg2-binary", "u = url.replace('postgres://', 'postgresql://')"),
    ],
)
def test_a_call_that_works_is_fine(requirements: str, code: str, tmp_path: Path) -> None:
    assert not releases(tmp_path, requirements, code)


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        ("flask==2.2.2", "werkzeug 3.0 or newer"),
        ("flask==1.1.2", "jinja2 3.1 or newer"),
        ("flask-sqlalchemy==2.5.1\nflask>=2.3", "sqlalchemy 2.0 or newer"),
        ("sqlalchemy==2.0.23", "Python 3.13"),
        ("aioredis==2.0.1", "duplicate base class"),
        ("pydub", "pyaudioop"),
        ("PyYAML==5.4.1", "cython_sources"),
        ("pydantic==2.5.3", "pydantic-core"),
        ("numpy==1.24.3", "has no package for Python 3.13"),
        ("psycopg2-binary==2.9.6", "has no package for Python 3.13"),
    ],
)
def test_a_release_that_does_not_work_with_another_is_told(
    requirements: str, said: str, tmp_path: Path
) -> None:
    (found,) = releases(tmp_path, requirements)
    assert said in found.seen and found.seen.startswith("requirements.txt:3 ")


@pytest.mark.parametrize(
    "requirements",
    [
        "flask==2.2.2\nwerkzeug<3",
        "flask==2.3.3",
        "flask-sqlalchemy==2.5.1\nflask>=2.3\nsqlalchemy==1.4.54",
        "sqlalchemy==1.4.54",
        "sqlalchemy>=2.0.20",
        "pydub\naudioop-lts",
        "PyYAML==6.0.2",
        "numpy>=1.24",
        "numpy==2.1.0",
    ],
)
def test_releases_that_work_together_are_fine(requirements: str, tmp_path: Path) -> None:
    assert not releases(tmp_path, requirements)


def test_an_earlier_python_is_named_for_a_release_without_a_package(tmp_path: Path) -> None:
    (found,) = releases(tmp_path, "numpy==1.26.4")
    assert found.mend.endswith("--set fastapi.image=python:3.12-slim")


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
    (one,) = releases(tmp_path, requirement, code, "python:3.11-slim")
    assert one.path


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
    assert releases(tmp_path, requirements, code, "python:3.11-slim") == []
