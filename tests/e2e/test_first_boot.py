"""The first `up -d --build --wait` of every shape ends healthy and answers through the proxy."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Boot

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


@pytest.mark.parametrize("shape", SERVING)
def test_first_start_is_healthy(shape: str, boot: Boot) -> None:
    containers = boot(shape).containers()
    health = {name: c["State"]["Health"]["Status"] for name, c in containers.items()}
    assert health
    assert set(health.values()) == {"healthy"}


@pytest.mark.parametrize(
    ("shape", "path"),
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
)
def test_path_answers_through_the_proxy(shape: str, path: str, boot: Boot) -> None:
    answer = boot(shape).request(path)
    assert answer.status == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_backend_sees_the_client_s_scheme(boot: Boot) -> None:
    info = boot("e2e-web-app").get("/api/v1/info")
    assert info["scheme"] == "https"
    assert info["environment"] == "production"


def test_frontend_reaches_the_backend(boot: Boot) -> None:
    stack = boot("e2e-web-app")
    script = "fetch('http://127.0.0.1:3000/api/v1/info').then(r => r.text()).then(console.log)"
    assert "environment" in stack.compose("exec", "-T", "frontend", "node", "-e", script)


def test_postgresql_by_parts_and_by_url(boot: Boot) -> None:
    stack = boot("e2e-fastapi-postgresql-redis")
    item = stack.post("/api/v1/items", {"name": "first"})
    assert item in stack.get("/api/v1/items")
    assert stack.get("/api/v1/items/url") == {"ok": True}


def test_redis_by_parts_and_by_url(boot: Boot) -> None:
    stack = boot("e2e-fastapi-postgresql-redis")
    first = stack.post("/api/v1/visits")["visits"]
    assert stack.post("/api/v1/visits")["visits"] == first + 1
    assert stack.get("/api/v1/visits/url") == {"ok": True}


def test_worker_answers(boot: Boot) -> None:
    assert boot("e2e-fastapi-postgresql-redis").post("/api/v1/jobs/add", {"x": 2, "y": 3}) == {
        "result": 5
    }


def test_nextjs_reaches_postgresql(boot: Boot) -> None:
    stack = boot("e2e-nextjs-postgresql")
    item = stack.post("/api/items", {"name": "first"})
    assert item in stack.get("/api/items")


def test_mongodb(boot: Boot) -> None:
    stack = boot("e2e-fastapi-mongodb")
    stack.post("/api/v1/notes", {"text": "hello"})
    assert {"text": "hello"} in stack.get("/api/v1/notes")


def test_chroma(boot: Boot) -> None:
    stack = boot("e2e-fastapi-chroma")
    stack.post("/api/v1/documents", {"id": "a", "embedding": [1.0, 0.5], "text": "hello"})
    assert stack.get("/api/v1/documents/count") == {"count": 1}


def test_job_reaches_its_database(boot: Boot) -> None:
    stack = boot("e2e-python-postgresql")
    assert "database ok" in stack.compose("run", "--rm", "--build", "-T", "app")


def test_python_job_beside_node(boot: Boot) -> None:
    stack = boot("e2e-python-node")
    assert stack.compose("run", "--rm", "--build", "-T", "app").strip()
