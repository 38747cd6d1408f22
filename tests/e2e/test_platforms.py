"""The images, booted with what each managed platform passes, on a real PostgreSQL and Redis."""

from __future__ import annotations

import json
import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.platforms import APP, PASSWORD, PLATFORMS, Environment, Platform
from tests.e2e.stacks import eventually, run
from tests.projects.compose import compose
from tests.runs import build

NETWORK = "e2e-platforms"
TARGETS = [word for target in PLATFORMS for word in ("--target", target)]


@dataclass
class Services:
    """Containers on a private network, by name; all of them removed in the end."""

    made: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def start(
        self,
        name: str,
        image: str,
        environment: Environment,
        command: str | None = None,
        *,
        alias: str = "",
        port: int = 0,
    ) -> None:
        """Start one; a command is split as an exec form, and replaces the entrypoint."""
        words = shlex.split(command) if command else []
        options = [word for pair in environment.items() for word in ("-e", "=".join(pair))]
        options += ["--network-alias", alias] if alias else []
        options += ["--publish", f"127.0.0.1::{port}"] if port else []
        options += ["--entrypoint", words[0]] if words else []
        self.made.append(name)
        run(
            *("docker", "run", "--detach", "--init", "--name", name, "--network", NETWORK),
            *(*options, image, *words[1:]),
        )

    def finish(self, name: str, image: str, environment: Environment, command: str) -> str:
        """Run a command to its end; what it said."""
        self.start(name, image, environment, command)
        code = run("docker", "wait", name).strip()
        said = run("docker", "logs", name)
        assert code == "0", said + self.log(name)
        return said

    def log(self, name: str) -> str:
        return run("sh", "-c", f"docker logs {shlex.quote(name)} 2>&1")

    def built(self, folder: Path, dockerfile: str, tag: str, arguments: Environment) -> str:
        """Build an image with those arguments; its name."""
        given = [word for pair in arguments.items() for word in ("--build-arg", "=".join(pair))]
        self.images.append(tag)
        run("docker", "build", "--file", dockerfile, "--tag", tag, *given, ".", cwd=folder)
        return tag

    def remove(self) -> None:
        for name in self.made:
            run("docker", "rm", "--force", "--volumes", name)
        run("docker", "network", "rm", NETWORK)
        for image in self.images:
            run("docker", "image", "rm", "--force", image)


@dataclass
class Deployed:
    """A project on a platform: what it passes, and the containers that run."""

    platform: Platform
    services: Services
    said: list[str]

    def ask(self, unit: str, path: str, data: object = None, **headers: str) -> Any:
        """The answer of a service, and its headers."""
        name = f"{APP}-{self.platform.name}-{unit}"
        address = run("docker", "port", name).partition(" -> ")[2].splitlines()[0]
        request = urllib.request.Request(
            f"http://{address}{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read().decode()
            return json.loads(text), dict(response.headers)

    def answers(self, unit: str, path: str) -> bool:
        return bool(self.json(unit, path))

    def json(self, unit: str, path: str, data: object = None) -> Any:
        return self.ask(unit, path, data)[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = compose("e2e-platforms", tmp_path_factory.mktemp("platforms") / "project")
    build(root, "deploy", *TARGETS, "--generate")
    return root


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    run("docker", "network", "create", NETWORK)
    made = Services()
    try:
        start = {"POSTGRES_PASSWORD": "superuser"}
        made.start(f"{APP}-postgres", "pgvector/pgvector:pg15", start)
        made.start(f"{APP}-redis", "redis:7-alpine", {}, f"redis-server --requirepass '{PASSWORD}'")
        made.start(f"{APP}-open-redis", "redis:7-alpine", {}, "redis-server --protected-mode no")
        eventually(lambda: _sql("SELECT 1") == "1")
        yield made
    finally:
        made.remove()


def _sql(statement: str, database: str = "postgres") -> str:
    """As the superuser, over TCP: the server that sets the database up listens on its socket."""
    address = f"postgresql://postgres:superuser@127.0.0.1/{database}"
    said = run("docker", "exec", f"{APP}-postgres", "psql", "-qAt", address, "-c", statement)
    return said.strip()


def _database(platform: Platform) -> None:
    """What the platform's product makes: a user, its database, names in the private network."""
    user, database = platform.login
    exists = _sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{user}'") == "1"
    right = "SUPERUSER" if platform.superuser else "NOSUPERUSER"
    verb = "ALTER" if exists else "CREATE"
    _sql(f"{verb} ROLE \"{user}\" LOGIN {right} PASSWORD '{PASSWORD}'")
    _sql(f'CREATE DATABASE "{database}" OWNER "{user}"')
    if not platform.superuser:
        # Switched on in the dashboard, or by a right that the platform gives.
        _sql("CREATE EXTENSION vector", database)
    postgres, redis, _ = platform.hosts
    cache = f"{APP}-redis" if platform.redis_password else f"{APP}-open-redis"
    for name, alias in ((f"{APP}-postgres", postgres), (cache, redis)):
        run("docker", "network", "disconnect", NETWORK, name)
        run("docker", "network", "connect", "--alias", alias, NETWORK, name)


@pytest.fixture(scope="module", params=PLATFORMS)
def deployed(request: pytest.FixtureRequest, project: Path, services: Services) -> Deployed:
    platform = PLATFORMS[request.param](project)
    prefix = f"{APP}-{platform.name}"
    _database(platform)
    image = services.built(
        project, platform.dockerfile("app"), f"{prefix}:app", platform.build_arguments("app")
    )
    environment = platform.environment("app")
    before = environment | ({"RELEASE_COMMAND": "1"} if platform.name == "fly" else {})
    said = [
        services.finish(f"{prefix}-migrate-{turn}", image, before, platform.migration())
        for turn in (1, 2)
    ]
    services.start(
        f"{prefix}-app",
        image,
        environment,
        platform.start("app"),
        alias=platform.hosts[2],
        port=int(environment.get("PORT", "8000")),
    )
    services.start(
        f"{prefix}-worker", image, platform.environment("worker"), platform.start("worker")
    )
    front = services.built(
        project,
        platform.dockerfile("frontend"),
        f"{prefix}:frontend",
        platform.build_arguments("frontend"),
    )
    environment = platform.environment("frontend")
    port = int(environment.get("PORT", "3000"))
    services.start(f"{prefix}-frontend", front, environment, port=port)
    found = Deployed(platform, services, said)
    try:
        for unit, path in (("app", "/health"), ("frontend", "/api/health")):
            eventually(partial(found.answers, unit, path))
    except AssertionError:
        logs = [services.log(f"{prefix}-{unit}") for unit in ("app", "frontend")]
        raise AssertionError("\n".join(logs)) from None
    return found


def test_migrations_ran_once(deployed: Deployed) -> None:
    first, second = deployed.said
    assert "migrate: 001_initial_schema" in first
    assert "migrate: 001_initial_schema" not in second
    assert "the schema is up to date" in second


def test_postgresql_by_its_parts_and_by_its_url(deployed: Deployed) -> None:
    item = deployed.json("app", "/api/v1/items", {"name": deployed.platform.name})
    assert item in deployed.json("app", "/api/v1/items")
    assert deployed.json("app", "/api/v1/items/url") == {"ok": True}


def test_redis_by_its_parts_and_by_its_url(deployed: Deployed) -> None:
    assert deployed.json("app", "/api/v1/visits", {})["visits"] >= 1
    assert deployed.json("app", "/api/v1/visits/url") == {"ok": True}


def test_the_worker_does_its_work(deployed: Deployed) -> None:
    assert deployed.json("app", "/api/v1/jobs/add", {"x": 2, "y": 3}) == {"result": 5}


def test_the_frontend_reaches_the_backend_by_the_private_network(deployed: Deployed) -> None:
    item = deployed.json("app", "/api/v1/items", {"name": "seen from the frontend"})
    assert item in deployed.json("frontend", "/api/v1/items")


def test_browsers_may_call_the_backend_from_the_frontend_s_address(deployed: Deployed) -> None:
    allowed = deployed.ask("app", "/health", Origin=deployed.platform.public)[1]
    assert allowed["access-control-allow-origin"] == deployed.platform.public
    other = deployed.ask("app", "/health", Origin="https://example.com")[1]
    assert "access-control-allow-origin" not in other


def test_the_frontend_s_cache_can_be_written(deployed: Deployed) -> None:
    """No platform mounts memory over it, as the other targets do."""
    name = f"{APP}-{deployed.platform.name}-frontend"
    run("docker", "exec", name, "sh", "-c", "touch .next/cache/x")


def test_extensions_and_alembic_in_one_command(alembic_project: Path, services: Services) -> None:
    """The app's image does both: first what psql makes, then Alembic, by the app's own URL."""
    build(alembic_project, "deploy", "--target", "fly", "--generate")
    platform = PLATFORMS["fly"](alembic_project)
    command = platform.migration()
    assert re.search("migrate .*vector && alembic upgrade head", command)
    image = services.built(alembic_project, platform.dockerfile("app"), f"{APP}-alembic:app", {})
    _sql("CREATE ROLE alembic LOGIN SUPERUSER PASSWORD 'a@b'")
    _sql("CREATE DATABASE alembic OWNER alembic")
    url = {"DATABASE_URL": f"postgres://alembic:a%40b@{APP}-postgres/alembic"}
    driver = {"SQLALCHEMY_DRIVER": "psycopg2"}
    services.finish(f"{APP}-alembic", image, url | driver, command)
    assert _sql("SELECT count(*) FROM items, points", "alembic") == "0"


def test_a_failing_migration_fails_the_command(project: Path, services: Services) -> None:
    """The platform then keeps the old version."""
    platform = PLATFORMS["fly"](project)
    image = services.built(project, platform.dockerfile("app"), f"{APP}-fails:app", {})
    name = f"{APP}-fails"
    _sql("CREATE ROLE stranger LOGIN PASSWORD 'right'")
    url = f"postgres://stranger:wrong@{APP}-postgres/postgres"
    services.start(name, image, {"DATABASE_URL": url}, platform.migration())
    assert run("docker", "wait", name).strip() != "0"
    assert "password authentication failed" in services.log(name)
    services.start(f"{name}-bare", image, {}, platform.migration())
    assert run("docker", "wait", f"{name}-bare").strip() != "0"
    assert "POSTGRES_SERVER" in services.log(f"{name}-bare")
