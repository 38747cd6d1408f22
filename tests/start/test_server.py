"""Servers of Python apps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import API, find, find_api, subject_of

SERVICE = {"python.mode": "service", "python.port": 5000}
FLASK = "from flask import Flask\napp = Flask(__name__)\n"


def find_server(root: Path, source: str, overrides: Mapping[str, Any]) -> list[Finding]:
    """What is found of a script."""
    found = find(root, {"main.py": source}, overrides, USE_PYTHON="true")
    return [one for one in found if one.rule == "start.server"]


@pytest.mark.parametrize(
    ("command", "mend"),
    [
        ("uvicorn main:app --reload --port 8000", "uvicorn main:app --port 8000"),
        ("fastapi dev main.py", "fastapi run main.py"),
        ("flask run", "gunicorn MODULE:app"),
    ],
)
def test_a_command_for_development_is_told(command: str, mend: str, tmp_path: Path) -> None:
    found = find_api(tmp_path, {}, {"fastapi.command": command})
    (told,) = [one for one in found if one.rule == "start.server"]
    assert not told.certain and f"--set fastapi.command='{mend}" in told.mend


def test_a_script_that_serves_is_no_job(tmp_path: Path) -> None:
    (found,) = find_server(tmp_path, "import uvicorn\nuvicorn.run('x:app')\n", {})
    assert found.mend.endswith("--set python.mode=service --set python.port=8000")


@pytest.mark.parametrize("host", ["", "host='127.0.0.1'", "host='localhost'"])
def test_a_server_on_localhost_is_told(host: str, tmp_path: Path) -> None:
    source = f"{FLASK}if __name__ == '__main__':\n    app.run({host})\n"
    (found,) = find_server(tmp_path, source, SERVICE)
    assert found.certain and "main.py:4 listens on localhost" in found.seen


def test_a_server_on_another_port_is_told(tmp_path: Path) -> None:
    source = "import uvicorn\nuvicorn.run('x:app', host='0.0.0.0', port=8080)\n"
    (found,) = find_server(tmp_path, source, SERVICE)
    assert found.certain and found.mend.endswith("--set python.port=8080")


def test_debug_is_told(tmp_path: Path) -> None:
    (found,) = find_server(tmp_path, FLASK + "app.run(host='0.0.0.0', debug=True)\n", SERVICE)
    assert not found.certain and "debug" in found.mend


@pytest.mark.parametrize(
    "source",
    [
        FLASK + "app.run(host='0.0.0.0', port=int(os.environ['PORT']))\n",
        FLASK + "app.run(host=os.getenv('HOST', '127.0.0.1'), port=PORT)\n",
        "import asyncio\nasyncio.run(main())\n",
        "import subprocess\nsubprocess.run(['ls'], debug=True)\n",
    ],
)
def test_what_can_be_reached_is_fine(source: str, tmp_path: Path) -> None:
    assert find_server(tmp_path, source, SERVICE) == []


def test_a_server_that_uvicorns_command_leaves_out_is_fine(tmp_path: Path) -> None:
    main = API["main.py"] + "if __name__ == '__main__':\n    uvicorn.run(app, reload=True)\n"
    assert find_api(tmp_path, {"main.py": main}) == []


@pytest.mark.parametrize(
    ("requirement", "knows"),
    [
        ("uvicorn==0.21.1", False),
        ("uvicorn<0.22", False),
        ("uvicorn~=0.20.0", False),
        ("uvicorn[standard]>=0.20", True),
        ("uvicorn==0.22.0", True),
        ("uvicorn", True),
    ],
)
def test_an_old_uvicorn_is_started_without_what_it_does_not_know(
    requirement: str, knows: bool, tmp_path: Path
) -> None:
    files = {**API, "requirements.txt": f"fastapi\n{requirement}\n"}
    (app,) = subject_of(tmp_path, files, None, USE_FASTAPI="true").stack.apps
    assert ("--timeout-graceful-shutdown" in app.command) is knows


def test_gunicorn_without_uvicorns_workers_is_told(tmp_path: Path) -> None:
    command = "gunicorn main:app --bind 0.0.0.0:8000"
    files = {"requirements.txt": "fastapi\nuvicorn\ngunicorn\n"}
    (found,) = find_api(tmp_path, files, {"fastapi.command": command})
    assert found.certain and found.mend.endswith(f"'{command} -k uvicorn.workers.UvicornWorker'")


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("gunicorn main:app -k uvicorn.workers.UvicornWorker", {}),
        ("gunicorn main:app", {"gunicorn.conf.py": "worker_class = 'x'\n"}),
        ("gunicorn main:app -c conf.py", {}),
    ],
)
def test_gunicorn_with_other_workers_is_fine(
    command: str, files: dict[str, str], tmp_path: Path
) -> None:
    files = {"requirements.txt": "fastapi\nuvicorn\ngunicorn\n", **files}
    assert find_api(tmp_path, files, {"fastapi.command": command}) == []


def test_streamlit_has_a_command_of_its_own(tmp_path: Path) -> None:
    source = "import streamlit as st\nst.title('x')\n"
    (found,) = find_server(tmp_path, source, {"python.entry": "main.py"})
    assert "'streamlit run main.py " in found.mend


@pytest.mark.parametrize("call", ["app.run_polling()", "l.run_forever()", "schedule.run_pending()"])
def test_a_script_that_runs_for_ever_is_no_job(call: str, tmp_path: Path) -> None:
    (found,) = find_server(tmp_path, f"def main():\n    {call}\nmain()\n", {})
    assert found.mend.endswith("--set python.mode=service")
    assert find_server(tmp_path, f"{call}\n", {"python.mode": "service"}) == []
