"""What the server of development passes on, and production does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find, find_api

PACKAGE = {"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "^6"}}
ROUTED = (
    "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
    '@app.get("/health")\ndef health() -> str:\n    return "ok"\n\n\n'
    '@app.get("/api/items")\ndef items() -> list[str]:\n    return []\n'
)


def _site(root: Path, proxy: str, api: str = ROUTED) -> list[Finding]:
    files = {
        "main.py": api,
        "frontend/package.json": json.dumps(PACKAGE),
        "frontend/index.html": "",
        "frontend/vite.config.ts": f"export default {{\n server: {{\n  proxy: {proxy},\n }},\n}};",
    }
    return [f for f in find_api(root, files) if f.rule == "start.static_site"]


@pytest.mark.parametrize(
    "proxy",
    [
        "{ '/api': 'http://localhost:8000' }",
        "{ '/api': { target: 'http://localhost:8000', changeOrigin: true } }",
        "{ '/api/items': 'http://localhost:8000', '/health': 'http://localhost:8000' }",
    ],
)
def test_what_the_api_gets_in_production_too(proxy: str, tmp_path: Path) -> None:
    assert _site(tmp_path, proxy) == []


def test_a_rewritten_path(tmp_path: Path) -> None:
    api = ROUTED.replace("/api/items", "/items")
    rewrite = "{ '/api': { target: 'http://localhost:8000', rewrite: (p) => p.slice(4) } }"
    (found,) = _site(tmp_path, rewrite, api)
    assert found.seen.startswith("frontend/vite.config.ts:3: in development the API gets")
    assert "APIRouter(prefix='/api')" in found.mend and not found.certain


def test_a_path_without_a_route(tmp_path: Path) -> None:
    (found,) = _site(tmp_path, "{ '/uploads': 'http://localhost:8000' }")
    assert "/uploads" in found.seen
    assert found.mend.startswith("spinbox build --prod --set fastapi.paths=/api/items,")
    assert found.mend.endswith(",/uploads")


def test_a_server_that_is_no_part_of_the_stack(tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps(PACKAGE),
        "index.html": "",
        "vite.config.js": "export default { server: { proxy: { '/api': 'http://other:1' } } };",
    }
    (found,) = [f for f in find(tmp_path, files) if f.rule == "start.static_site"]
    assert "no API is part of the stack" in found.seen


def test_angulars_table(tmp_path: Path) -> None:
    files = {
        "frontend/package.json": json.dumps(
            {"scripts": {"build": "ng build"}, "dependencies": {"@angular/core": "^20"}}
        ),
        "frontend/angular.json": "{}",
        "frontend/proxy.conf.json": '{\n  "/v1": {"target": "http://localhost:8000"}\n}',
    }
    (found,) = [f for f in find_api(tmp_path, files) if f.rule == "start.static_site"]
    assert found.path == "frontend/proxy.conf.json" and "/v1" in found.seen


def test_a_variable_of_pages_that_are_built(tmp_path: Path) -> None:
    package = {"scripts": {"build": "astro build"}, "dependencies": {"astro": "^5"}}
    files = {
        "package.json": json.dumps(package),
        "src/pages.ts": "export const key = process.env.CMS_TOKEN;\n"
        "export const name = import.meta.env.PUBLIC_NAME;\n",
    }
    (found,) = [f for f in find(tmp_path, files) if f.rule == "start.static_site"]
    assert found.seen.startswith("src/pages.ts:1: CMS_TOKEN is read while the site is built")


def test_a_base_path_that_is_worked_out(tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps(PACKAGE),
        "index.html": "",
        "vite.config.js": "export default {\n  base: process.env.BASE || '/',\n};",
    }
    (found,) = [f for f in find(tmp_path, files) if f.rule == "start.static_site"]
    assert found.seen.startswith("vite.config.js:2: base is no constant")
    by_hand = find(tmp_path, files, {"static.base": "/"})
    assert not [f for f in by_hand if f.rule == "start.static_site"]


def _alone(root: Path, config: str, more: dict[str, str] | None = None) -> list[Finding]:
    files = {
        "package.json": json.dumps(PACKAGE),
        "index.html": "",
        "vite.config.js": f"export default {{\n{config}\n}};\n",
        **(more or {}),
    }
    return [one for one in find(root, files) if one.rule == "start.static_site"]


@pytest.mark.parametrize("config", ['  base: "/",', "  base:\n    '/',", "  base: './',"])
def test_a_base_path_that_is_a_constant(config: str, tmp_path: Path) -> None:
    assert _alone(tmp_path, config) == []


def test_a_base_path_that_is_none(tmp_path: Path) -> None:
    (found,) = _alone(tmp_path, "  base: process.env.BASE,")
    assert "base is no constant" in found.seen


def test_a_relative_base_with_a_router_of_paths(tmp_path: Path) -> None:
    router = (
        'import { createWebHistory } from "vue-router";\nexport const h = createWebHistory();\n'
    )
    (found,) = _alone(tmp_path, "  base: './',", {"src/router.js": router})
    assert "src/router.js" in found.seen and not found.certain


def test_a_folder_outside_of_the_apps(tmp_path: Path) -> None:
    (found,) = _alone(tmp_path, "  build: { outDir: '../server/public' },")
    assert found.certain and "../server/public" in found.seen


@pytest.mark.parametrize(
    ("build", "told"),
    [("vite build --mode prod", True), ("vite build --mode=prod", True), ("vite build", False),
     ("vite build --mode production", False)],
)  # fmt: skip
def test_settings_of_a_mode(build: str, told: bool, tmp_path: Path) -> None:
    package = {**PACKAGE, "scripts": {"build": build}}
    files = {"package.json": json.dumps(package), ".env.prod": "VITE_A=1\n", ".env.production": ""}
    found = [one for one in _alone(tmp_path, "", files) if ".env.prod" in one.seen]
    assert [one.path for one in found] == ([".env.prod"] if told else [])
