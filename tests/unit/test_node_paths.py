"""The paths of an API on Node beside pages: as its routes say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions import node_routes
from extensions.errors import ProjectError
from extensions.facts import read_facts
from tests.unit.support import stack_of, tree_of, write_project

EXPRESS = "const express = require('express')\nconst app = express()\n"


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        (f"{EXPRESS}app.get('/api/users/:id', h)\napp.post('/api/orders', h)\n", ["/api"]),
        (f"{EXPRESS}app.get('/', h)\napp.get('/users', h)\napp.get('/health', h)\n", ["/users"]),
        (
            f"{EXPRESS}const r = express.Router()\nr.get('/:id', h)\napp.use('/v1/items', r)\n",
            ["/v1"],
        ),
        ("const app = require('fastify')()\napp.get('/api/a', h)\napp.put('/b', h)\n",
         ["/api/a", "/b"]),
        ("import { Hono } from 'hono'\nconst app = new Hono().basePath('/api')\n"
         "app.get('/a', c => c.text(''))\nexport default app\n", ["/api/a"]),
        ("const Router = require('@koa/router')\nconst Koa = require('koa')\n"
         "const app = new Koa()\n"
         "const router = new Router({ prefix: '/api/v1' })\nrouter.get('/a', h)\n"
         "router.post('/b', h)\napp.use(router.routes())\n", ["/api/v1"]),
        (f"{EXPRESS}const {{ WebSocketServer }} = require('ws')\napp.get('/api/a', h)\n"
         "new WebSocketServer({ server, path: '/ws' })\n", ["/api/a", "/ws"]),
        # Calls of others are no routes.
        (f"{EXPRESS}axios.get('/users')\nmap.get('/a')\n", []),
        # Pages, or files of pages.
        (f"{EXPRESS}app.get('/api/a', h)\napp.use(express.static('public'))\n", []),
        (f"{EXPRESS}app.get('/about', (q, res) => res.render('about'))\n", []),
    ],
)  # fmt: skip
def test_paths(source: str, paths: list[str], tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"package.json": "{}", "server.js": source})
    assert node_routes.paths(tree, ".").value == paths


def test_files_of_uploads_are_a_path(tmp_path: Path) -> None:
    source = f"{EXPRESS}app.use('/uploads', express.static('u'))\napp.get('/api/a', h)\n"
    tree = tree_of(tmp_path, {"package.json": "{}", "server.js": source})
    assert node_routes.paths(tree, ".").value == ["/api/a", "/uploads"]


def test_nest_s_global_prefix(tmp_path: Path) -> None:
    files = {
        "package.json": "{}",
        "src/main.ts": "const app = await NestFactory.create(M)\napp.setGlobalPrefix('api')\n",
        "src/a.ts": "@Controller('users')\nexport class A {\n  @Post()\n  a() {}\n}\n",
        "src/b.ts": "@Controller('orders')\nexport class B {\n  @Get(':id')\n  b() {}\n}\n",
    }
    assert node_routes.paths(tree_of(tmp_path, files), ".").value == ["/api"]


def project(root: Path, server: str, page: str = "export default () => null\n") -> Path:
    files = {
        "package.json": json.dumps({"name": "a", "scripts": {"start": "node server.js"}}),
        "server.js": server,
        "frontend/package.json": json.dumps(
            {"name": "b", "dependencies": {"next": "15"}, "scripts": {"build": "next build"}}
        ),
        "frontend/app/page.tsx": page,
    }
    return write_project(root, files, USE_NODE="true", USE_NEXTJS="true", USE_POSTGRESQL="true")


API = f"{EXPRESS}app.get('/api/a', h)\napp.get('/api/b', h)\napp.listen(4000)\n"


def test_an_api_comes_first_and_pages_get_the_rest(tmp_path: Path) -> None:
    api, front = stack_of(read_facts(project(tmp_path, API))).apps
    assert (api.name, api.kind, api.routes) == ("app", "node", ("/api",))
    assert (front.name, front.kind, front.routes) == ("frontend", "nextjs", ())
    assert front.calls_api and not front.services and api.services == ("postgres",)


def test_pages_that_read_a_database_s_name_have_it(tmp_path: Path) -> None:
    page = "const u = process.env.DATABASE_URL\nexport default () => <p>{u}</p>\n"
    _, front = stack_of(read_facts(project(tmp_path, API, page))).apps
    assert front.services == ("postgres",)


def test_what_cannot_be_told_apart_is_told(tmp_path: Path) -> None:
    facts = read_facts(project(tmp_path, f"{EXPRESS}app.use(graphql)\n"))
    with pytest.raises(ProjectError, match=r"--set node\.paths=/api"):
        stack_of(facts)
    api, _ = stack_of(facts, {"node.paths": ["/graphql"]}).apps
    assert api.routes == ("/graphql",)


def test_alone_it_gets_all_paths(tmp_path: Path) -> None:
    facts = read_facts(project(tmp_path, API))
    (app,) = stack_of({name: facts[name] for name in ("name", "node")}).apps
    assert app.routes == ()
