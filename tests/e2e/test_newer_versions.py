"""The newest versions that a project may name: each boots once, and says what it is.

Python 3.14, Node 24 and 26, PostgreSQL 18, Redis 8, and nginx 1.30 as a proxy of one's own.
"""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import booted_as
from tests.e2e.stacks import Stack, eventually, free_port, need, need_image, run
from tests.e2e.test_backup import back_up, names, sql, succeed
from tests.projects.compose import SHAPES, VERSIONS, write
from tests.runs import build

pytestmark = pytest.mark.extended

API, NODE = "e2e-fastapi-postgresql-redis", "e2e-node"
VERSIONS_OF = {
    API: {"PYTHON": "3.14", "POSTGRES": "18", "REDIS": "8"},
    NODE: {"NODE": "26"},
}
IMAGES = {
    API: ("python:3.14-slim", "pgvector/pgvector:pg18", "redis:8-alpine", "caddy:2-alpine"),
    NODE: ("node:26-alpine", "caddy:2-alpine"),
}
NGINX = "nginx:1.30-alpine"
# As in nginx's documentation (nginx.org/en/docs, ngx_http_proxy_module): the guide asks for TLS,
# and says which path goes to which port.
SERVER = """\
server {{
    listen {front} ssl;
    server_name localhost;
    ssl_certificate /tls/certificate.pem;
    ssl_certificate_key /tls/key.pem;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
{locations}
}}
"""


def moved(shape: str, versions: dict[str, str], folder: Path) -> Path:
    """A project of that shape whose owner named these versions."""
    return write(replace(SHAPES[shape], versions={**VERSIONS, **versions}), folder)


@contextmanager
def generated(folder: Path, *options: str) -> Iterator[Stack]:
    """Its stack under a name of its own, not yet started; nothing of it stays."""
    name = f"e2e-newer-{uuid.uuid4().hex[:8]}"
    build(folder, "--set", f"name={name}", *options)
    stack = Stack(folder)
    try:
        yield stack
    finally:
        stack.remove()
        images = run("docker", "image", "ls", "--quiet", "--filter", f"reference={name}-*").split()
        if images:
            run("docker", "image", "rm", "--force", *set(images))


@pytest.fixture(scope="module")
def booted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A shape's stack with newer versions, put into service as the guide says."""
    for image in IMAGES[request.param]:
        need_image(image)
    folder = tmp_path_factory.mktemp("newer") / "project"
    moved(request.param, VERSIONS_OF[request.param], folder)
    with generated(folder) as stack:
        stack.write_env()
        succeed(stack, "deploy")
        # Caddy makes its own certificate in the background.
        eventually(lambda: stack.request("/health").status == 200)
        yield stack


@pytest.mark.parametrize(
    ("booted", "service", "command", "version"),
    [
        (API, "app", "python --version", "Python 3.14."),
        (API, "worker", "python --version", "Python 3.14."),
        (API, "postgres", 'psql -U "$POSTGRES_USER" -d postgres -Atc "SHOW server_version"', "18."),
        (API, "redis", "redis-cli INFO server | grep ^redis_version", "redis_version:8."),
        (NODE, "app", "node --version", "v26."),
    ],
    indirect=["booted"],
    scope="module",  # else each of them boots anew
)
def test_the_version_runs(booted: Stack, service: str, command: str, version: str) -> None:
    assert booted.execute(service, command).startswith(version)


@booted_as(API, NODE)
def test_everything_is_healthy(booted: Stack) -> None:
    health = {name: c["State"]["Health"]["Status"] for name, c in booted.containers().items()}
    assert set(health.values()) == {"healthy"}, health


@booted_as(API)
def test_a_worker_answers(booted: Stack) -> None:
    assert booted.post("/api/v1/jobs/add", {"x": 2, "y": 3}) == {"result": 5}


@booted_as(API)
def test_services_answer_by_their_urls(booted: Stack) -> None:
    assert booted.get("/api/v1/items/url") == {"ok": True}
    assert booted.get("/api/v1/visits/url") == {"ok": True}


@booted_as(API)
def test_no_container_has_a_nameless_volume(booted: Stack) -> None:
    """Images of PostgreSQL 18 declare another folder as their volume than earlier ones."""
    inspected = json.loads(run("docker", "inspect", *booted.compose("ps", "-aq").split()))
    mounts = [mount for container in inspected for mount in container["Mounts"]]
    volumes = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
    assert any(name.endswith("_postgres_data") for name in volumes)
    assert [name for name in volumes if re.fullmatch("[0-9a-f]{64}", name)] == []


@booted_as(API)
def test_data_outlives_down_and_up(booted: Stack) -> None:
    """PostgreSQL 18 keeps its data in a folder of its version, below what is its volume."""
    item = booted.post("/api/v1/items", {"name": "kept"})
    visits = booted.post("/api/v1/visits")["visits"]
    booted.compose("down")
    booted.up()
    assert sql(booted, "SHOW data_directory") == "/var/lib/postgresql/18/docker"
    assert item in booted.get("/api/v1/items")
    assert booted.post("/api/v1/visits")["visits"] == visits + 1


@booted_as(API)
def test_a_backup_brings_everything_back(booted: Stack) -> None:
    booted.post("/api/v1/items", {"name": "saved"})
    visits = booted.post("/api/v1/visits")["visits"]
    backup = back_up(booted)
    booted.compose("down", "--volumes")
    succeed(booted, "restore", "--yes", backup.name)
    assert "saved" in names(booted)
    assert booted.post("/api/v1/visits")["visits"] == visits + 1


@booted_as(API)
def test_a_backup_is_proven_in_a_throw_away_stack(booted: Stack) -> None:
    back_up(booted)
    succeed(booted, "backup-check")


@booted_as(NODE)
def test_node_answers_through_the_proxy(booted: Stack) -> None:
    assert booted.get("/health") == {"status": "healthy"}
    assert booted.get("/")["message"].startswith("Hello")


# From Node 25 on, images have neither Yarn nor Corepack.
LOCK = {
    "npm": "npm install --package-lock-only",
    "pnpm": "npm install --global pnpm@10 && pnpm install --lockfile-only",
    "yarn": "npm install --global yarn@1 && yarn install --ignore-scripts",
    "yarn@4.5.0": "npm install --global @yarnpkg/cli-dist@4.5.0 && yarn install"
    " --mode=update-lockfile",
}


@pytest.mark.parametrize("manager", LOCK)
def test_package_managers_on_an_image_without_corepack(manager: str, tmp_path: Path) -> None:
    need_image("node:26-alpine")
    root = moved(NODE, VERSIONS_OF[NODE], tmp_path / "project")
    package = json.loads((root / "package.json").read_text())
    package["devDependencies"] = {"typescript": "^5.0.0", "@types/node": "^26.0.0"}
    if "@" in manager:
        package["packageManager"] = manager
    (root / "package.json").write_text(json.dumps(package, indent=2))
    mount = ("--volume", f"{root}:/lock", "--workdir", "/lock")
    run("docker", "run", "--rm", *mount, "node:26-alpine", "sh", "-c", LOCK[manager])
    shutil.rmtree(root / "node_modules", ignore_errors=True)
    build(root)
    image = f"e2e-newer-{uuid.uuid4().hex[:8]}"
    run("docker", "build", "-t", image, "-f", "Dockerfile.prod", ".", cwd=root)
    try:
        probe = (
            "require('express'); try { require('typescript'); console.log('tools') }"
            " catch { console.log(process.version) }"
        )
        inside = ("docker", "run", "--rm", "--read-only", "-w", "/app", image, "node", "-e", probe)
        assert run(*inside).startswith("v26.")
    finally:
        run("docker", "image", "rm", "--force", image)


@contextmanager
def nginx(stack: Stack, routes: Mapping[str, int], tls: Path) -> Iterator[str]:
    """The server's own nginx, which passes these paths on to these ports; its container."""
    need("openssl")
    tls.mkdir()
    request = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost")
    run(*request, "-days", "2", "-keyout", tls / "key.pem", "-out", tls / "certificate.pem")
    passes = "    location {} {{ proxy_pass http://127.0.0.1:{}; }}"
    locations = "\n".join(passes.format(path, port) for path, port in routes.items())
    server = tls.parent / "server.conf"
    server.write_text(SERVER.format(front=stack.https_port, locations=locations))
    container = run(
        *("docker", "run", "--detach", "--rm", "--network", "host"),
        *("--volume", f"{server}:/etc/nginx/conf.d/default.conf:ro", "--volume", f"{tls}:/tls:ro"),
        NGINX,
    ).strip()
    try:
        yield container
    finally:
        run("docker", "rm", "--force", container)


def without_vectors(project: Path) -> None:
    """A schema that the official image of PostgreSQL can hold."""
    shutil.rmtree(project / "database/init")
    (project / "database/migrations/001_initial_schema.sql").write_text(
        "CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL);\n"
    )


def routes(guide: str, api: int, frontend: int) -> dict[str, int]:
    """Which path the guide's sentence for one's own proxy sends to which port."""
    sentence = r"Your proxy sends (.+)\s+to port 8000, and all other paths to port 3000\."
    found = re.search(sentence, guide)
    assert found, guide
    return dict.fromkeys(re.findall(r"`(.+?)`", found[1]), api) | {"/": frontend}


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str]]:
    """FastAPI, Next.js and PostgreSQL without a proxy of their own, and the nginx before them."""
    for image in ("python:3.14-slim", "node:24-alpine", "postgres:18", NGINX):
        need_image(image)
    folder = tmp_path_factory.mktemp("nginx") / "project"
    moved("e2e-web-app", {"PYTHON": "3.14", "NODE": "24", "POSTGRES": "18"}, folder)
    without_vectors(folder)
    with generated(folder, "--set", "proxy=none") as stack:
        api, frontend = free_port(), free_port()
        stack.write_env(
            APP_PORT=str(api),
            FRONTEND_PORT=str(frontend),
            NEXT_PUBLIC_API_URL=f"https://localhost:{stack.https_port}",
        )
        succeed(stack, "deploy")
        guide = (folder / "deploy/README.md").read_text()
        with nginx(stack, routes(guide, api, frontend), folder.parent / "tls") as container:
            eventually(lambda: stack.request("/health").status == 200)
            yield stack, container


@pytest.mark.parametrize(
    ("service", "command", "version"),
    [
        ("app", "python --version", "Python 3.14."),
        ("frontend", "node --version", "v24."),
        ("postgres", "postgres --version", "postgres (PostgreSQL) 18."),
    ],
)
def test_the_version_runs_behind_nginx(
    behind_nginx: tuple[Stack, str], service: str, command: str, version: str
) -> None:
    assert behind_nginx[0].execute(service, command).startswith(version)


def test_nginx_s_version(behind_nginx: tuple[Stack, str]) -> None:
    said = run("docker", "exec", behind_nginx[1], "sh", "-c", "nginx -v 2>&1")
    assert said.startswith("nginx version: nginx/1.30.")


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/api/health", "/"])
def test_path_answers_behind_nginx(behind_nginx: tuple[Stack, str], path: str) -> None:
    answer = behind_nginx[0].request(path)
    assert answer.status == 200
    assert answer.headers["Server"].startswith("nginx/1.30.")


def test_a_row_is_kept_behind_nginx(behind_nginx: tuple[Stack, str]) -> None:
    stack = behind_nginx[0]
    item = stack.post("/api/v1/items", {"name": "first"})
    stack.compose("down")
    stack.up()
    assert item in stack.get("/api/v1/items")


def test_the_app_sees_scheme_and_client_behind_nginx(behind_nginx: tuple[Stack, str]) -> None:
    info = behind_nginx[0].get("/api/v1/info")
    assert info["scheme"] == "https"
    assert info["client"] == "127.0.0.1"


def test_the_app_sees_its_host_behind_nginx(behind_nginx: tuple[Stack, str]) -> None:
    """It redirects a path that ends in a slash to the address that the client used."""
    need("curl")
    outside = f"https://localhost:{behind_nginx[0].https_port}"
    write = ("--output", "/dev/null", "--write-out", "%{redirect_url}")
    told = run("curl", "--silent", "--insecure", *write, f"{outside}/api/v1/info/")
    assert told == f"{outside}/api/v1/info"
