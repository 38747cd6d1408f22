"""Frameworks that no image serves, and servers behind a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import find

FLASK = "from flask import Flask, request\napp = Flask(__name__)\n"


def look(
    root: Path, files: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> list[Finding]:
    """What is found of a Python project."""
    found = find(root, {"requirements.txt": "flask\n", **files}, overrides, USE_PYTHON="true")
    return [one for one in found if one.rule == "start.frameworks"]


@pytest.mark.parametrize(
    ("files", "mend"),
    [
        ({"rxconfig.py": "", "main.py": ""}, "reflex export"),
        ({"main.py": "import chainlit as cl\n"}, "chainlit run main.py --headless"),
        (
            {"main.py": "from fastmcp import FastMCP\nmcp = FastMCP('x')\nmcp.run()\n"},
            "streamable_http_app",
        ),
        ({"main.py": "", ".python-version": "3.14t\n"}, "python.image=IMAGE"),
    ],
)
def test_what_is_not_served_is_told(files: dict[str, str], mend: str, tmp_path: Path) -> None:
    (found,) = look(tmp_path, files)
    assert mend in found.mend


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "print('x')\n", ".python-version": "3.13\n"},
        {
            "main.py": "from fastmcp import FastMCP\nmcp = FastMCP('x')\n"
            "mcp.run(transport='http', host='0.0.0.0')\n"
        },
        {"main.py": f"{FLASK}if __name__ == '__main__':\n    app.run()\n"},
    ],
)
def test_what_is_served_is_fine(files: dict[str, str], tmp_path: Path) -> None:
    assert look(tmp_path, files) == []


def test_a_server_that_starts_on_import_is_told(tmp_path: Path) -> None:
    (found,) = look(tmp_path, {"main.py": f"{FLASK}app.run()\n"})
    assert found.certain and "main.py:3" in found.seen


def test_the_proxys_address_in_place_of_the_visitors_is_told(tmp_path: Path) -> None:
    source = f"{FLASK}@app.get('/')\ndef f():\n    return request.remote_addr\n"
    (found,) = look(tmp_path, {"main.py": source})
    assert "ProxyFix" in found.mend
    assert look(tmp_path, {"main.py": f"{source}app.wsgi_app = ProxyFix(app.wsgi_app)\n"}) == []


def test_an_app_that_is_left_out_is_told(tmp_path: Path) -> None:
    files = {
        "main.py": "print('done')\n",
        "ui/app.py": "import streamlit\n",
        "ui/requirements.txt": "streamlit\n",
    }
    (found,) = look(tmp_path, files)
    assert found.mend == "spinbox build --prod --set streamlit.dir=ui"


@pytest.mark.parametrize(
    ("source", "certain", "mend"),
    [
        ("import gradio as gr\ngr.Blocks().launch(server_name='127.0.0.1')\n", True, "server_name"),
        ("import gradio as gr\ngr.Blocks().launch(share=True)\n", False, "share=True"),
        ("import streamlit as st\nst.write(st.secrets['key'])\n", False, "os.environ"),
    ],
)
def test_what_holds_on_a_developers_machine_alone_is_told(
    source: str, certain: bool, mend: str, tmp_path: Path
) -> None:
    (found,) = look(tmp_path, {"main.py": source})
    assert mend in found.mend and found.certain is certain


@pytest.mark.parametrize(
    ("bind", "fine"), [("127.0.0.1:8000", False), ("0.0.0.0:5000", False), ("0.0.0.0:8000", True)]
)
def test_gunicorns_own_address_is_compared(bind: str, fine: bool, tmp_path: Path) -> None:
    files = {"main.py": FLASK, "gunicorn.conf.py": f'bind = "{bind}"\n'}
    assert [one.certain for one in look(tmp_path, files)] == ([] if fine else [True])


API = "from fastapi import FastAPI\napp = FastAPI()\n"
LOOP = "import time\nwhile True:\n    time.sleep(5)\n"


def beside(root: Path, files: Mapping[str, str]) -> list[Finding]:
    """What is found of an API and a folder beside it."""
    own = {"api/main.py": API, "api/requirements.txt": "fastapi\nuvicorn\n"}
    found = find(root, {**own, **files}, USE_FASTAPI="true", USE_PYTHON="true")
    return [one for one in found if one.rule == "start.frameworks"]


def test_a_program_in_a_folder_of_its_own_is_told(tmp_path: Path) -> None:
    """A worker or a bot beside the API: nothing would run it."""
    (found,) = beside(tmp_path, {"worker/main.py": LOOP, "worker/requirements.txt": "requests\n"})
    assert found.seen.startswith("worker/main.py is a program that goes on running")


@pytest.mark.parametrize(
    "files",
    [
        {"etl/main.py": "print(1)\n", "etl/requirements.txt": ""},
        {"worker/main.py": LOOP},
        {"scripts/main.py": LOOP, "scripts/requirements.txt": ""},
    ],
)
def test_scripts_beside_an_app_are_fine(files: dict[str, str], tmp_path: Path) -> None:
    """Those that end, and those without dependencies of their own."""
    assert not beside(tmp_path, files)
