"""Addresses of a developer's machine in the code of pages and servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find, find_api

VITE = {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}
NEXT = {"scripts": {"build": "next build"}, "dependencies": {"next": "15"}}
API = "http://localhost:5000"


def _of(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.rule == "start.local_calls"]


def _site(root: Path, code: str, path: str = "src/main.js") -> list[Finding]:
    files = {"package.json": json.dumps(VITE), "index.html": "", path: code}
    return _of(find(root, files))


@pytest.mark.parametrize(
    "code",
    [
        f"fetch('{API}/api/items')",
        f"const get = () => axios.get<Item[]>(`{API}/api/${{id}}`)",
        f"export const http = axios.create({{ baseURL: '{API}/api' }})",
        f"const API_URL = '{API}';",
        "const socket = io('http://localhost:5000');",
        "new WebSocket('ws://127.0.0.1:8000/ws')",
    ],
)
def test_a_call_to_the_developers_machine(code: str, tmp_path: Path) -> None:
    (found,) = _site(tmp_path, f"// It calls.\n{code}\n")
    assert "src/main.js:2: it calls" in found.seen and "visitor" in found.seen
    assert not found.certain


@pytest.mark.parametrize(
    "code",
    [
        f"// fetch('{API}')",
        f"const API_URL = import.meta.env.VITE_API_URL || '{API}';",
        f"const API_URL = import.meta.env.PROD ? '/api' : '{API}';",
        f"const base =\n  process.env.NODE_ENV === 'production'\n    ? '' : '{API}';",
        f"console.log('{API}')",
        f"const allowedOrigins = ['{API}', 'https://example.com'];",
        "fetch('/api/items')",
        "const name = 'localhost';",
    ],
)
def test_what_calls_none(code: str, tmp_path: Path) -> None:
    assert _site(tmp_path, f"{code}\n") == []


@pytest.mark.parametrize("path", ["src/app.test.js", "cypress/a.js", "scripts/seed.js"])
def test_what_does_not_run_in_production(path: str, tmp_path: Path) -> None:
    assert _site(tmp_path, f"fetch('{API}')\n", path) == []


def test_beside_an_api(tmp_path: Path) -> None:
    files = {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n\n\n@app.get('/api/a')\n"
        "def a() -> int:\n    return 1\n",
        "frontend/package.json": json.dumps(VITE),
        "frontend/index.html": "",
        "frontend/src/App.vue": f"<script>fetch('{API}/api/a')</script>\n",
    }
    (found,) = _of(find_api(tmp_path, files))
    assert "Write the path alone" in found.mend


@pytest.mark.parametrize(("path", "told"), [("next.config.mjs", True), ("lib/a.mjs", False)])
def test_a_rewrite_to_no_app_of_the_stack(path: str, told: bool, tmp_path: Path) -> None:
    rewrite = f"export default {{ rewrites: () => [{{ source: '/a', destination: '{API}/a' }}] }};"
    files = {"package.json": json.dumps(NEXT), "app/page.js": "", path: rewrite}
    assert bool(_of(find(tmp_path, files, USE_NEXTJS="true"))) is told


@pytest.mark.parametrize(
    ("text", "line"),
    [("VITE_A=1\nVITE_API_URL=http://localhost:5000/api\n", 2),
     ("VITE_API_URL=https://api.example.com\n", None)],
)  # fmt: skip
def test_a_committed_file_of_production(text: str, line: int | None, tmp_path: Path) -> None:
    files = {"package.json": json.dumps(VITE), "index.html": "", ".env.production": text}
    found = _of(find(tmp_path, files))
    assert [one.line for one in found] == ([line] if line else [])
