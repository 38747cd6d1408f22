"""Stacks that differ from the default: other choices, other layouts, Alembic."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ALEMBIC_REVISION, booted_as
from tests.e2e.stacks import Stack, eventually, free_port, need_image, run
from tests.projects.compose import compose
from tests.runs import build


@pytest.fixture
def stacks() -> Iterator[list[Stack]]:
    """Stacks to remove afterwards."""
    made: list[Stack] = []
    yield made
    for stack in made:
        stack.remove()


def _get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.status, response.read().decode()


@booted_as("e2e-web-app")
def test_plain_http_on_an_address(booted: Stack) -> None:
    status, body = _get(f"http://127.0.0.1:{booted.http_port}/api/v1/info")
    assert status == 200
    assert '"scheme":"http"' in body


def test_a_domain_redirects_to_https_and_serves_nothing_else(
    stacks: list[Stack], tmp_path: Path
) -> None:
    root = compose("e2e-fastapi", tmp_path / "project")
    build(root, "--set", "name=e2e-domain")
    stack = Stack(root)
    stacks.append(stack)
    stack.write_env(DOMAIN="app.example.com")
    stack.up()
    request = urllib.request.Request(f"http://127.0.0.1:{stack.http_port}/health")
    request.add_header("Host", "app.example.com")
    opener = urllib.request.build_opener(_NoRedirect)
    with pytest.raises(urllib.error.HTTPError) as redirect:
        opener.open(request, timeout=30)
    assert redirect.value.code == 308
    assert redirect.value.headers["Location"] == "https://app.example.com/health"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def test_without_a_proxy(stacks: list[Stack], tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "project")
    build(root, "--set", "name=e2e-no-proxy", "--set", "proxy=none")
    stack = Stack(root)
    stacks.append(stack)
    port = free_port()
    stack.write_env(APP_PORT=str(port))
    stack.up()
    assert set(stack.containers()) == {"app"}
    assert _get(f"http://127.0.0.1:{port}/health")[0] == 200


def test_output_in_another_folder_and_uploads(stacks: list[Stack], tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "project")
    options = ["--output", "ops/prod", "--set", "uploads=/app/uploads"]
    build(root, *options, "--set", "name=e2e-output", "--set", "fastapi.port=9000")
    stack = Stack(root / "ops/prod")
    stacks.append(stack)
    stack.write_env()
    stack.up()
    assert stack.request("/health").status == 200
    stack.execute("app", "echo kept > /app/uploads/file")
    stack.compose("up", "-d", "--wait", "--force-recreate", "app")
    assert stack.execute("app", "cat /app/uploads/file") == "kept\n"


def test_python_service_with_a_port(stacks: list[Stack], tmp_path: Path) -> None:
    root = compose("e2e-python-node", tmp_path / "project")
    (root / "main.py").write_text(
        "import http.server, os\n"
        "http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']))\n"
    )
    settings = [
        "python.mode=service",
        "python.port=8080",
        "python.paths=/files",
        "name=e2e-service",
    ]
    build(root, *(word for setting in settings for word in ("--set", setting)))
    stack = Stack(root)
    stacks.append(stack)
    stack.write_env()
    stack.up()
    assert set(stack.containers()) == {"app", "node", "caddy"}
    assert stack.request("/health").status == 200
    assert stack.request("/files/none").status == 404


def test_a_base_image_by_build_argument(tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "project")
    build(root)
    need_image("python:3.13-slim")
    digest = run("docker", "image", "inspect", "-f", "{{.Id}}", "python:3.13-slim").strip()
    run("docker", "tag", digest, "e2e-base:1")
    try:
        argument = "PYTHON_IMAGE=e2e-base:1"
        files = ["-f", "Dockerfile.prod", "-t", "e2e-built:1", "."]
        run("docker", "build", "--build-arg", argument, *files, cwd=root)
        output = run("docker", "run", "--rm", "e2e-built:1", "python", "--version")
    finally:
        run("docker", "image", "rm", "--force", "e2e-built:1", "e2e-base:1")
    assert output.startswith("Python 3.13")


def test_alembic_runs_before_the_app_with_its_extensions(
    stacks: list[Stack], alembic_project: Path
) -> None:
    build(alembic_project, "--set", "name=e2e-alembic")
    stack = Stack(alembic_project)
    stacks.append(stack)
    stack.write_env()
    stack.up()
    item = stack.post("/api/v1/items", {"name": "first"})
    assert item in stack.get("/api/v1/items")


def test_a_failing_alembic_migration_stops_the_start(
    stacks: list[Stack], alembic_project: Path
) -> None:
    revision = alembic_project / "backend/alembic/versions/0001_items.py"
    revision.write_text(ALEMBIC_REVISION.replace("CREATE TABLE items", "CREATE NONSENSE items"))
    build(alembic_project, "--set", "name=e2e-alembic-fails")
    stack = Stack(alembic_project)
    stacks.append(stack)
    stack.write_env()
    with pytest.raises(AssertionError):
        stack.up()
    assert "app" not in stack.containers()
    assert "NONSENSE" in stack.compose("logs", "--no-color", "migrate")


def test_nextjs_without_standalone_and_with_public_and_env_production(
    stacks: list[Stack], tmp_path: Path
) -> None:
    root = compose("e2e-nextjs", tmp_path / "project")
    config = root / "next.config.js"
    config.write_text(re.sub(r"\s*output: 'standalone',", "", config.read_text()))
    assert "standalone" not in config.read_text()
    (root / "public").mkdir()
    (root / "public/robots.txt").write_text("User-agent: *\n")
    (root / ".env.production").write_text("NEXT_PUBLIC_APP_NAME=FromTheFile\n")
    (root / ".env.local").write_text("NEXT_PUBLIC_APP_NAME=FromThisMachine\n")
    assert ".env.production" in build(root, "--set", "name=e2e-next")
    stack = Stack(root)
    stacks.append(stack)
    stack.write_env()
    stack.up()
    assert stack.request("/robots.txt").body == "User-agent: *\n"
    page = stack.request("/").body
    assert "FromTheFile" in page
    assert "FromThisMachine" not in page


def test_a_python_job_beside_nextjs_shares_the_database(
    stacks: list[Stack], tmp_path: Path
) -> None:
    """The migration runs for the app that stays; the job finds the same data."""
    root = compose("e2e-nextjs-postgresql", tmp_path / "project")
    conf = root / ".config/project.conf"
    conf.write_text(conf.read_text().replace('USE_PYTHON="false"', 'USE_PYTHON="true"'))
    (root / "main.py").write_text("import os\nprint(os.environ['DATABASE_URL'][:13])\n")
    build(root, "--set", "name=e2e-job-next")
    stack = Stack(root)
    stacks.append(stack)
    stack.write_env()
    stack.up()
    assert set(stack.containers()) == {"frontend", "postgres", "caddy"}
    item = stack.post("/api/items", {"name": "first"})
    assert item in stack.get("/api/items")
    assert "postgresql://" in stack.compose("run", "--rm", "--build", "-T", "app")


def test_behind_the_servers_own_caddy(stacks: list[Stack], tmp_path: Path) -> None:
    """As the guide has it for several projects on one server."""
    root = compose("e2e-fastapi", tmp_path / "project")
    build(root, "--set", "name=e2e-behind")
    stack = Stack(root)
    stacks.append(stack)
    stack.write_env(
        SITE_ADDRESS="http://",
        TRUSTED_PROXIES="private_ranges",
        HTTP_PORT=f"127.0.0.1:{stack.http_port}",
        HTTPS_PORT=f"127.0.0.1:{stack.https_port}",
    )
    stack.up()
    front = free_port()
    (tmp_path / "Caddyfile").write_text(
        f"{{\n\tadmin off\n\thttp_port {free_port()}\n\tauto_https disable_redirects\n}}\n"
        f"https://localhost:{front} {{\n\treverse_proxy 127.0.0.1:{stack.http_port}\n}}\n"
    )
    container = run(
        *("docker", "run", "--detach", "--rm", "--network", "host"),
        *("--volume", f"{tmp_path / 'Caddyfile'}:/etc/caddy/Caddyfile:ro", "caddy:2-alpine"),
    ).strip()
    try:
        outside = Stack(root, https_port=front)
        eventually(lambda: outside.get("/health") == {"status": "healthy"})
        assert outside.get("/api/v1/info")["scheme"] == "https"
    finally:
        run("docker", "rm", "--force", container)
