"""Routes of an API that would go to the frontend."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find, subject_of

FRONTEND = {
    "frontend/package.json": '{"dependencies": {"next": "14"}, "scripts": {"build": "next build"}}',
    "frontend/next.config.js": 'module.exports = {output: "standalone"}',
    "frontend/app/page.tsx": "",
    "frontend/app/(shop)/items/[id]/page.tsx": "",
}
BOTH = {"USE_FASTAPI": "true", "USE_NEXTJS": "true"}
MAIN = "from fastapi import FastAPI\napp = FastAPI({})\n@app.get('/health')\ndef h(): ...\n"


def files(source: str, arguments: str = "") -> dict[str, str]:
    """Both apps, the API with these routes."""
    return {
        **FRONTEND,
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/main.py": MAIN.format(arguments) + source,
    }


def prefixes(root: Path, source: str, arguments: str = "") -> list[str]:
    """What the proxy sends to the API, but documentation and health."""
    subject = subject_of(root, files(source, arguments), None, **BOTH)
    usual = {"/docs", "/redoc", "/openapi.json", "/health"}
    return [path for path in subject.stack.apps[0].routes if path not in usual]


def find_routes(
    root: Path, source: str, overrides: dict[str, object] | None = None
) -> list[Finding]:
    """What is found of the routes."""
    found = find(root, files(source), overrides, **BOTH)
    return [one for one in found if one.rule == "start.routes"]


def _get(*paths: str) -> str:
    return "".join(f"@app.get({path!r})\ndef f(): ...\n" for path in paths)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ["/api/v1"]),
        (_get("/"), ["/api/v1"]),
        (_get("/api/v1/a", "/api/v1/b"), ["/api/v1"]),
        (_get("/api/a", "/api/b"), ["/api"]),
        ("@app.websocket('/ws')\nasync def f(s): ...\n", ["/ws"]),
        (_get("/auth/login", "/auth/me", "/users/{id}"), ["/auth", "/users"]),
        (_get("/metrics"), ["/api/v1"]),
        ("outer = socketio.ASGIApp(sio, app)\n", ["/socket.io"]),
    ],
)
def test_prefixes_come_from_the_routes(source: str, expected: list[str], tmp_path: Path) -> None:
    assert prefixes(tmp_path, source) == expected


def test_a_root_path_is_what_browsers_ask_for(tmp_path: Path) -> None:
    assert prefixes(tmp_path, _get("/users"), "root_path='/backend'") == ["/backend"]


def test_a_route_at_a_page_of_the_frontend_leaves_the_page_its_path(tmp_path: Path) -> None:
    source = _get("/items", "/items/{id}", "/orders")
    assert prefixes(tmp_path, source) == ["/orders"]
    (found,) = find_routes(tmp_path, source)
    assert not found.certain and found.seen.startswith("backend/main.py:5 serves GET /items")
    assert "a page at /items" in found.seen and "prefix" in found.mend


def test_a_route_beside_a_page_keeps_its_own_path(tmp_path: Path) -> None:
    assert prefixes(tmp_path, _get("/items/export")) == ["/items/export"]
    assert find_routes(tmp_path, _get("/items/export")) == []


def test_a_parameter_at_the_top_is_told(tmp_path: Path) -> None:
    (found,) = find_routes(tmp_path, _get("/{code}"))
    assert "serves GET /{code}" in found.seen


def test_paths_set_by_hand_that_lack_a_route_are_told_with_it(tmp_path: Path) -> None:
    (found,) = find_routes(tmp_path, _get("/auth/login"), {"fastapi.paths": ["/api"]})
    assert found.mend == "spinbox build --prod --set fastapi.paths=/api,/health,/auth"


def test_routes_that_nobody_finds_are_told(tmp_path: Path) -> None:
    (found,) = find_routes(tmp_path, "app.include_router(load('plugins'))\n")
    assert "backend/main.py:5" in found.seen and "--set fastapi.paths=/api/v1" in found.mend


def test_an_api_alone_gets_all_paths(tmp_path: Path) -> None:
    source = {path: text for path, text in files(_get("/a")).items() if "backend" in path}
    assert subject_of(tmp_path, source, USE_FASTAPI="true").stack.apps[0].routes == ()


def test_a_route_that_the_frontends_router_has_leaves_it_its_path(tmp_path: Path) -> None:
    router = 'import { Route } from "react-router-dom";\nx = <Route path="/orders/:id" />;\n'
    made = {**files(_get("/orders", "/users")), "frontend/src/App.jsx": router}
    subject = subject_of(tmp_path, made, None, **BOTH)
    assert "/users" in subject.stack.apps[0].routes
    assert "/orders" not in subject.stack.apps[0].routes


def test_routes_of_flask_that_the_frontend_has_are_told(tmp_path: Path) -> None:
    """As FastAPI's."""
    flask = (
        "from flask import Flask\napp = Flask(__name__)\n"
        "@app.get('/about')\ndef about(): ...\n@app.get('/api/things')\ndef things(): ...\n"
    )
    files = {
        "backend/main.py": flask,
        "backend/requirements.txt": "flask\ngunicorn\n",
        "frontend/package.json": '{"dependencies": {"next": "15"}, "scripts": {"build": "x"}}',
        "frontend/app/about/page.tsx": "export default () => null;\n",
    }
    found = find(tmp_path, files, None, USE_PYTHON="true", USE_NEXTJS="true")
    (one,) = [one for one in found if one.rule == "start.routes"]
    assert "/about" in one.seen and not one.certain
