"""Servers on localhost alone, where no proxy reaches them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find


def _found(
    root: Path, source: str, start: str = "node index.js", **dependencies: str
) -> list[Finding]:
    package = {"scripts": {"start": start}, "dependencies": dependencies}
    files = {"package.json": json.dumps(package), "index.js": source}
    return [f for f in find(root, files, USE_NODE="true") if f.rule == "start.listening"]


@pytest.mark.parametrize(
    "source",
    [
        "const app = require('fastify')()\napp.listen({ port: 3000 })",
        "import Fastify from 'fastify'\nconst app = Fastify({ logger: true })\n"
        "await app.listen({ port: Number(process.env.PORT ?? 3000) })",
        "import { build } from './build.js'\nconst server = build()\nserver.listen({ port: 3000 })",
        "const app = require('fastify')()\napp.listen(3000, (error) => {})",
        "const host = process.env.HOST || '127.0.0.1'\nexpress().listen(3000, host)",
        "const app = express()\napp.listen(port, 'localhost', () => {})",
        "http.createServer(f).listen({ port: 3000, host: 'localhost' })",
        "const app = await NestFactory.create(AppModule, new FastifyAdapter())\n"
        "await app.listen(process.env.PORT ?? 3000)",
        "Bun.serve({ port: 3000, hostname: 'localhost', fetch })",
    ],
)
def test_a_server_on_localhost_is_told_with_its_line(source: str, tmp_path: Path) -> None:
    (found,) = _found(tmp_path, source, fastify="^4")
    assert found.certain and "localhost" in found.seen
    assert found.seen.startswith(f"index.js:{found.line}:") and "0.0.0.0" in found.mend


@pytest.mark.parametrize(
    "source",
    [
        "const app = require('fastify')()\napp.listen({ port: 3000, host: '0.0.0.0' })",
        "const app = require('fastify')()\napp.listen({ port: 3000, host: process.env.HOSTNAME })",
        "const app = require('fastify')()\napp.listen({ port: 3000, host })",
        "const app = require('fastify')()\n"
        "app.listen({ port: 3000, host: production ? '0.0.0.0' : 'localhost' })",
        "const app = require('fastify')()\napp.listen({ ...options })",
        "const app = require('fastify')()\napp.listen({ path: '/tmp/app.sock' })",
        "const app = express()\napp.listen(3000)",
        "const app = express()\napp.listen(3000, () => console.log('http://localhost:3000'))",
        "const app = express()\napp.listen(3000, '0.0.0.0')",
        "const host = process.env.HOSTNAME || 'localhost'\nexpress().listen(3000, host)",
        "http.createServer(f).listen({ port: 3000 })",
        "// app.listen(3000, 'localhost')",
        "const app = await NestFactory.create(AppModule)\nawait app.listen(3000)",
    ],
)
def test_one_that_the_proxy_reaches_is_not(source: str, tmp_path: Path) -> None:
    assert _found(tmp_path, source, fastify="^4") == []


def test_a_second_server_may_be_for_the_container_alone(tmp_path: Path) -> None:
    source = "express().listen(3000)\nmetrics.listen(9090, '127.0.0.1')"
    (found,) = _found(tmp_path, source)
    assert not found.certain and found.line == 2


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("next start -H localhost", True),
        ("next start --hostname=127.0.0.1", True),
        ("next start -H 0.0.0.0", False),
        ("next start", False),
        ("vite preview", True),
        ("vite preview --host", False),
        ("vite build", False),
    ],
)
def test_an_option_of_the_start_script(start: str, told: bool, tmp_path: Path) -> None:
    found = _found(tmp_path, "", start, next="^15", vite="^5")
    assert [f.path for f in found] == (["package.json"] if told else [])


def test_a_command_with_the_address_of_localhost(tmp_path: Path) -> None:
    command = "uvicorn main:app --host 127.0.0.1 --port 8000"
    overrides = {"python.mode": "service", "python.port": 8000, "python.command": command}
    found = find(tmp_path, {"main.py": ""}, overrides, USE_PYTHON="true")
    assert [f.mend for f in found if f.rule == "start.listening"] == [
        "Write --host 0.0.0.0 in that command."
    ]
