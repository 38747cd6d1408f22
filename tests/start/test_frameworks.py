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


MCP = "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x'{})\n"
MCP_2 = "from mcp.server import MCPServer\nmcp = MCPServer('x')\n"


@pytest.mark.parametrize(
    ("source", "requirement"),
    [
        (MCP.format("") + "app = mcp.streamable_http_app()\n", "mcp<2"),
        (MCP.format(", host='127.0.0.1'") + "app = mcp.sse_app()\n", "mcp>=1.23,<2"),
        (MCP_2 + "app = mcp.streamable_http_app()\n", "mcp"),
    ],
)
def test_an_mcp_server_for_localhost_is_told(source: str, requirement: str, tmp_path: Path) -> None:
    (found,) = look(tmp_path, {"main.py": source, "requirements.txt": f"{requirement}\nuvicorn\n"})
    assert "421" in found.seen and 'host="0.0.0.0"' in found.mend


@pytest.mark.parametrize(
    ("source", "requirement"),
    [
        (MCP.format(", host='0.0.0.0'") + "app = mcp.streamable_http_app()\n", "mcp<2"),
        (MCP.format("") + "app = mcp.streamable_http_app()\n", "mcp==1.9.4"),
        (MCP_2 + "app = mcp.streamable_http_app(host='0.0.0.0')\n", "mcp"),
        ("from fastmcp import FastMCP\nmcp = FastMCP('x')\napp = mcp.http_app()\n", "fastmcp"),
    ],
)
def test_one_for_every_host_is_fine(source: str, requirement: str, tmp_path: Path) -> None:
    files = {"main.py": source, "requirements.txt": f"{requirement}\nuvicorn\n"}
    assert look(tmp_path, files) == []


@pytest.mark.parametrize(
    ("line", "certain", "mend"),
    [
        ("errorlog = '/var/log/gunicorn/error.log'", True, 'errorlog = "-"'),
        ("pidfile = '/var/run/gunicorn.pid'", True, "Take pidfile out"),
        ("daemon = True", True, "Take daemon out"),
        ("workers = multiprocessing.cpu_count() * 2 + 1", False, "WEB_CONCURRENCY"),
    ],
)
def test_what_gunicorns_settings_ask_of_a_server_is_told(
    line: str, certain: bool, mend: str, tmp_path: Path
) -> None:
    files = {"app.py": FLASK, "requirements.txt": "flask\ngunicorn\n", "gunicorn.conf.py": line}
    (found,) = look(tmp_path, files)
    assert found.certain is certain and mend in found.mend


def test_settings_of_gunicorn_that_hold_in_a_container_are_fine(tmp_path: Path) -> None:
    settings = "errorlog = '-'\naccesslog = '/tmp/access.log'\ntimeout = 120\nworkers = 3\n"
    files = {"app.py": FLASK, "requirements.txt": "flask\ngunicorn\n"}
    assert look(tmp_path, {**files, "gunicorn.conf.py": settings}) == []


ASGI = "from fastapi import FastAPI, Request\napp = FastAPI()\n"
LINKS = ASGI + "@app.get('/')\ndef index(request: Request):\n    return request.url_for('index')\n"


@pytest.mark.parametrize(
    ("server", "wrapper"),
    [("hypercorn", "ProxyFixMiddleware"), ("granian", "wrap_asgi_with_proxy_headers")],
)
def test_a_server_that_takes_no_scheme_is_told(server: str, wrapper: str, tmp_path: Path) -> None:
    for code, expected in ((LINKS, 1), (ASGI, 0), (f"from x import {wrapper}\n{LINKS}", 0)):
        files = {"main.py": code, "requirements.txt": f"fastapi\n{server}\n"}
        found = [one for one in look(tmp_path, files) if server in one.seen]
        assert len(found) == expected
        assert all(wrapper in one.mend for one in found)


@pytest.mark.parametrize(
    ("source", "megabytes"),
    [
        (f"{FLASK}app.config['MAX_CONTENT_LENGTH'] = 100 * 1024 * 1024\n", 100),
        (f"{FLASK}app.config['MAX_CONTENT_LENGTH'] = 16 * 1024 * 1024\n", None),
        ("import streamlit as st\nst.file_uploader('a file')\n", 200),
    ],
)
def test_files_above_the_proxys_limit_are_told(
    source: str, megabytes: int | None, tmp_path: Path
) -> None:
    requirements = "streamlit\nflask\ngunicorn\n"
    found = look(tmp_path, {"main.py": source, "requirements.txt": requirements})
    expected = [] if megabytes is None else [f"MAX_REQUEST_BODY={megabytes}MB"]
    assert [one.mend.split()[1] for one in found] == expected


MOUNTS = "from fastapi import FastAPI\nfrom fastmcp import FastMCP\nmcp = FastMCP('x')\n"


@pytest.mark.parametrize(
    ("source", "number"),
    [
        (f"{MOUNTS}app = FastAPI()\napp.mount('/llm', mcp.http_app())\n", 1),
        (f"{MOUNTS}inner = mcp.http_app()\napp = FastAPI()\napp.mount('/llm', inner)\n", 1),
        (
            f"{MOUNTS}inner = mcp.http_app()\napp = FastAPI(lifespan=inner.lifespan)\n"
            "app.mount('/llm', inner)\n",
            0,
        ),
        (f"{MOUNTS}app = mcp.http_app()\n", 0),
    ],
)
def test_a_mounted_mcp_server_without_its_lifespan_is_told(
    source: str, number: int, tmp_path: Path
) -> None:
    files = {"main.py": source, "requirements.txt": "fastapi\nuvicorn\nfastmcp\n"}
    found = look(tmp_path, files)
    assert len(found) == number and all("lifespan" in one.mend for one in found)


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
