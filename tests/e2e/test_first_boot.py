"""The first `up -d --build --wait` of every shape ends healthy and answers through the proxy."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import booted_as
from tests.e2e.stacks import Stack

SERVING = (
    "e2e-fastapi",
    "e2e-fastapi-postgresql-redis",
    "e2e-web-app",
    "e2e-nextjs",
    "e2e-nextjs-postgresql",
    "e2e-node",
    "e2e-python-node",
    "e2e-fastapi-mongodb",
    "e2e-fastapi-chroma",
)


@booted_as(*SERVING)
def test_first_start_is_healthy(booted: Stack) -> None:
    containers = booted.containers()
    health = {name: c["State"]["Health"]["Status"] for name, c in containers.items()}
    assert health
    assert set(health.values()) == {"healthy"}


@pytest.mark.parametrize(
    ("booted", "path"),
    [
        ("e2e-fastapi", "/health"),
        ("e2e-fastapi", "/docs"),
        ("e2e-fastapi", "/openapi.json"),
        ("e2e-fastapi-postgresql-redis", "/health"),
        ("e2e-web-app", "/health"),
        ("e2e-web-app", "/api/v1/info"),
        ("e2e-web-app", "/api/health"),
        ("e2e-web-app", "/"),
        ("e2e-nextjs", "/"),
        ("e2e-nextjs", "/api/health"),
        ("e2e-nextjs-postgresql", "/api/health"),
        ("e2e-node", "/health"),
        ("e2e-node", "/"),
        ("e2e-python-node", "/health"),
        ("e2e-fastapi-mongodb", "/health"),
        ("e2e-fastapi-chroma", "/health"),
    ],
    indirect=["booted"],
    # Or each would be booted for itself, as `path` is a test's own.
    scope="session",
)
def test_path_answers_through_the_proxy(booted: Stack, path: str) -> None:
    answer = booted.request(path)
    assert answer.status == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@booted_as("e2e-web-app")
def test_backend_sees_the_client_s_scheme(booted: Stack) -> None:
    info = booted.get("/api/v1/info")
    assert info["scheme"] == "https"
    assert info["environment"] == "production"


@booted_as("e2e-web-app")
def test_frontend_reaches_the_backend(booted: Stack) -> None:
    script = "fetch('http://127.0.0.1:3000/api/v1/info').then(r => r.text()).then(console.log)"
    assert "environment" in booted.compose("exec", "-T", "frontend", "node", "-e", script)


@booted_as("e2e-fastapi-postgresql-redis")
def test_postgresql_by_parts_and_by_url(booted: Stack) -> None:
    item = booted.post("/api/v1/items", {"name": "first"})
    assert item in booted.get("/api/v1/items")
    assert booted.get("/api/v1/items/url") == {"ok": True}


@booted_as("e2e-fastapi-postgresql-redis")
def test_redis_by_parts_and_by_url(booted: Stack) -> None:
    first = booted.post("/api/v1/visits")["visits"]
    assert booted.post("/api/v1/visits")["visits"] == first + 1
    assert booted.get("/api/v1/visits/url") == {"ok": True}


@booted_as("e2e-fastapi-postgresql-redis")
def test_worker_answers(booted: Stack) -> None:
    assert booted.post("/api/v1/jobs/add", {"x": 2, "y": 3}) == {"result": 5}


@booted_as("e2e-nextjs-postgresql")
def test_nextjs_reaches_postgresql(booted: Stack) -> None:
    item = booted.post("/api/items", {"name": "first"})
    assert item in booted.get("/api/items")


@booted_as("e2e-fastapi-mongodb")
def test_mongodb(booted: Stack) -> None:
    booted.post("/api/v1/notes", {"text": "hello"})
    assert {"text": "hello"} in booted.get("/api/v1/notes")


@booted_as("e2e-fastapi-chroma")
def test_chroma(booted: Stack) -> None:
    booted.post("/api/v1/documents", {"id": "a", "embedding": [1.0, 0.5], "text": "hello"})
    assert booted.get("/api/v1/documents/count") == {"count": 1}


@booted_as("e2e-python-postgresql")
def test_job_reaches_its_database(booted: Stack) -> None:
    assert "database ok" in booted.compose("run", "--rm", "--build", "-T", "app")


@booted_as("e2e-python-node")
def test_python_job_beside_node(booted: Stack) -> None:
    assert booted.compose("run", "--rm", "--build", "-T", "app").strip()
