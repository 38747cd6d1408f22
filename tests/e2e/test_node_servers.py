"""Servers on Node, whatever framework they use: the first deployment answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.node_locks import lock


def test_plain_http_without_a_dependency_or_lockfile(tmp_path: Path) -> None:
    with first_deployment(copy_app("node-plain", tmp_path / "node-plain")) as stack:
        assert stack.get("/any") == {"path": "/any"}


def test_fastify_bundled_by_tsup_with_an_alias_and_import(tmp_path: Path) -> None:
    """ESM, `node --import`, and the version of Node that `engines` asks for."""
    with first_deployment(copy_app("fastify-tsup", tmp_path / "fastify-tsup")) as stack:
        assert stack.get("/") == {"greeting": "hello", "instrumented": True}


def test_koa_compiled_by_tsc_and_tsc_alias_with_a_preloaded_module(tmp_path: Path) -> None:
    """CommonJS, `-r dotenv/config`, and a `cross-env` that only development has."""
    with first_deployment(copy_app("koa-alias", tmp_path / "koa-alias")) as stack:
        assert stack.get("/") == {"greeting": "hello", "environment": "production"}


def test_hono_run_by_tsx_beside_another_program(tmp_path: Path) -> None:
    """A start script with concurrently, which is a dependency like tsx."""
    with first_deployment(copy_app("hono-tsx", tmp_path / "hono-tsx")) as stack:
        assert stack.get("/") == {"greeting": "hello"}


def test_nest_started_by_its_script_of_production(tmp_path: Path) -> None:
    with first_deployment(copy_app("nest-api", tmp_path / "nest-api")) as stack:
        assert stack.get("/") == {"greeting": "hello"}


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_bun_runs_typescript(version: str, tmp_path: Path) -> None:
    """With its lockfile, `bun.lock` or `bun.lockb`, and with husky in `prepare`."""

    def prepare(root: Path) -> None:
        lock(root, f"npm install --global bun@{version} && bun install --ignore-scripts")

    root = copy_app("bun-typescript", tmp_path / f"bun-{version}")
    with first_deployment(root, prepare=prepare) as stack:
        assert stack.get("/") == {"runtime": "bun"}


def test_nest_with_a_prefix_and_versions(tmp_path: Path) -> None:
    """Its health route lies below both."""
    with first_deployment(copy_app("nest-versions", tmp_path / "nest-versions")) as stack:
        assert stack.get("/api/v1/health") == {"ok": True}
        assert stack.request("/docs").status == 200


def test_a_server_whose_build_script_builds_its_pages(tmp_path: Path) -> None:
    """Express gives out what Vite makes in a folder with dependencies of its own."""
    with first_deployment(copy_app("node-client", tmp_path / "node-client")) as stack:
        assert stack.get("/api/hello") == {"hi": 1}
        assert "/assets/index-" in stack.request("/").body
        assert "id=root" in stack.request("/deep").body


def test_apollos_own_server(tmp_path: Path) -> None:
    """It listens on its port whatever PORT says."""
    with first_deployment(copy_app("node-graphql", tmp_path / "node-graphql")) as stack:
        answer = stack.post("/", {"query": "{ hello }"})
        assert answer == {"data": {"hello": "world"}}
