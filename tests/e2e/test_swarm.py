"""The stack on a swarm of one node: start, updates under requests, failures, backups.

A kernel without IPVS gives services no virtual addresses; the stack file uses none (`dnsrr`, and
ports of the node's own), so nothing is overridden here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from extensions.deployment import UV_VERSION
from tests.downloads import patient
from tests.e2e.engines import data_path_port, second_engine
from tests.e2e.guides import Reader, printed, scripts
from tests.e2e.load import Load
from tests.e2e.pipelines import open_registry
from tests.e2e.stacks import HOSTILE_PASSWORD, Stack, free_port, need, run
from tests.e2e.test_deploy import BROKEN, write_version
from tests.projects.compose import compose
from tests.runs import build

SHAPE = "e2e-fastapi-postgresql-redis"
# A name of this run's own: an earlier one may have been ended before it could clean up.
GUIDE = f"e2e-swarm-guide-{uuid4().hex[:8]}"
IMAGES = ("python:3.11-slim", "pgvector/pgvector:pg15", "redis:7-alpine", "caddy:2-alpine")


@dataclass
class Swarm:
    """A project, and the engine whose swarm it runs on."""

    stack: Stack
    host: str

    def docker(self, *arguments: str) -> str:
        return run("docker", "-H", self.host, *arguments)

    def script(self, name: str, *arguments: str) -> tuple[int, str]:
        """Run a script of `deploy/swarm/`; its exit code and all it said."""
        result = self._script(name, *arguments)
        return result.returncode, result.stdout

    def succeed(self, name: str, *arguments: str) -> str:
        result = patient(lambda: self._script(name, *arguments))
        assert result.returncode == 0, result.stdout[-6000:]
        return result.stdout

    def _script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", f"deploy/swarm/{name}.sh", *arguments],
            cwd=self.stack.folder,
            env=os.environ | {"DOCKER_HOST": self.host},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def services(self) -> list[dict[str, Any]]:
        names = self.docker("service", "ls", "--quiet").split()
        found: list[dict[str, Any]] = json.loads(self.docker("service", "inspect", *names))
        return found

    def version(self, version: str, more: str = "") -> None:
        write_version(self.stack, version)
        main = self.stack.folder / "backend/app/main.py"
        text = main.read_text().partition("\n# broken\n")[0]
        main.write_text(f"{text}\n# broken\n{more}" if more else text)

    def load(self) -> Load:
        return Load(self.stack.http_port, self.stack.https_port, "/api/v1/version")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine that is in no swarm yet."""
    uv = f"ghcr.io/astral-sh/uv:{UV_VERSION}"
    engine = tmp_path_factory.mktemp("sw") / "e"
    # As the guide has it.
    settings = {"dns-opts": ["timeout:1", "attempts:6", "ndots:1"]}
    with second_engine(engine, "e2eswarm", 214, [*IMAGES, uv], settings) as host:
        yield host


@pytest.fixture(scope="module")
def swarm(host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    folder = compose(SHAPE, tmp_path_factory.mktemp("swarm") / "project")
    build(folder, "deploy", "--target", "docker-swarm", "--generate")
    build(folder, "--set", "name=e2e-swarm")
    swarm = Swarm(Stack(folder), host)
    init = ("swarm", "init", "--advertise-addr", "127.0.0.1")
    swarm.docker(*init, "--data-path-port", str(data_path_port()))
    try:
        # One process: an app that cannot be imported ends, and Swarm takes it back; one that
        # only never gets healthy is taken back by the script, after three times the limit.
        swarm.stack.write_env(APP_REPLICAS="3", DEPLOY_TIMEOUT="180", WEB_CONCURRENCY="1")
        swarm.version("first")
        swarm.succeed("deploy")
        yield swarm
    finally:
        swarm.docker("stack", "rm", "e2e-swarm-prod")
        swarm.docker("swarm", "leave", "--force")


def test_every_command_of_the_guide(host: str, tmp_path: Path) -> None:
    """From an engine without a swarm to the end of the section "Uninstall"."""
    need("curl")
    origin = compose(SHAPE, tmp_path / "origin")
    build(origin, "deploy", "--target", "docker-swarm", "--generate")
    build(origin, "--set", f"name={GUIDE}")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=origin)
    run("git", "add", "--all", cwd=origin)
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    run("git", *identity, "commit", "--quiet", "--message=all", cwd=origin)
    project = Path("/srv") / GUIDE
    http, https = free_port(), free_port()
    docker = ("docker", "-H", host)
    name = run(*docker, "info", "--format", "{{.Name}}").strip()
    words = {
        "ADDRESS-OF-THIS-NODE": f"127.0.0.1 --data-path-port {data_path_port()}",
        "=true NODE": f"=true {name}",
        "data NODE": f"data {name}",
        "edge NODE": f"edge {name}",
        "YOUR-DOMAIN": f"localhost:{https}",
        "REPOSITORY": str(origin),
    }
    reader = Reader(origin, tmp_path / "bin", {}, lambda: words)
    reader.environment |= {"DOCKER_HOST": host, "DOMAIN": "localhost"}
    guide = origin / "deploy/swarm/README.md"
    try:
        with open_registry() as registry:
            for title, script in scripts(guide):
                if title == "From a registry":
                    settings = (project / ".env").read_text()
                    tag = re.findall(r"^TAG=(.*)$", settings, re.MULTILINE)[-1]
                    pushed = f"{registry}/app:{tag}"
                    run(*docker, "tag", f"{GUIDE}-app:{tag}", pushed)
                    run(*docker, "push", "--quiet", pushed)
                    digests = run(*docker, "inspect", "-f", "{{.RepoDigests}}", pushed)
                    words["IMAGE@sha256:DIGEST"] = digests.strip("[]\n")
                    words["deploy.sh TAG"] = f"deploy.sh {tag}"
                reader.script(script)
                if title.endswith("Make the settings"):
                    with (project / ".env").open("a") as file:
                        file.write(f"HTTP_PORT={http}\nHTTPS_PORT={https}\n")
                if title.endswith("Start"):
                    caddy = run(*docker, "ps", "-q", "-f", f"name={GUIDE}-prod_caddy").strip()
                    root = "/data/caddy/pki/authorities/local/root.crt"
                    certificates = tmp_path / "certificates.pem"
                    certificates.write_text(run(*docker, "exec", caddy, "cat", root))
                    reader.environment["CURL_CA_BUNDLE"] = str(certificates)
        for kind in ("service", "volume", "secret", "config"):
            assert run(*docker, kind, "ls", "--quiet") == "", kind
    finally:
        run(*docker, "swarm", "leave", "--force")
        shutil.rmtree(project, ignore_errors=True)
    assert reader.executed == printed(guide)
    assert len(reader.executed) > 20


def test_everything_is_healthy_and_answers(swarm: Swarm) -> None:
    replicas = dict(
        line.split()
        for line in swarm.docker(
            "service", "ls", "--format", "{{.Name}} {{.Replicas}}"
        ).splitlines()
    )
    names = {"caddy": "1/1", "app": "3/3", "worker": "1/1", "postgres": "1/1", "redis": "1/1"}
    assert replicas == {f"e2e-swarm-prod_{name}": count for name, count in names.items()}
    stack = swarm.stack
    item = stack.post("/api/v1/items", {"name": "first"})
    assert item in stack.get("/api/v1/items")
    assert stack.get("/api/v1/items/url") == {"ok": True}
    assert stack.post("/api/v1/visits")["visits"] == 1
    assert stack.post("/api/v1/jobs/add", {"x": 2, "y": 3}) == {"result": 5}


def test_no_secret_is_in_a_service_or_container(swarm: Swarm) -> None:
    """Hostile passwords; neither Swarm nor a container's settings show them."""
    inspected = json.dumps(swarm.services())
    containers = swarm.docker("ps", "--quiet").split()
    inspected += swarm.docker("inspect", *containers)
    assert "p@ss" not in inspected
    assert "SECRET_KEY" in inspected


def test_rolling_updates_under_requests_fail_none(swarm: Swarm) -> None:
    with swarm.load() as requests:
        number = 0
        while requests.total < 20_000 or number < 2:
            number += 1
            swarm.version(f"number-{number}")
            swarm.succeed("deploy", "--no-backup")
    assert requests.failures == []
    assert requests.total >= 20_000
    assert f'"number-{number}"' in requests.answers


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_version_is_taken_back_and_fails_no_request(swarm: Swarm, how: str) -> None:
    swarm.version("good")
    swarm.succeed("deploy", "--no-backup")
    before = (swarm.stack.folder / ".env").read_text()
    with swarm.load() as requests:
        swarm.version("broken", BROKEN[how])
        with swarm.stack.limited(seconds=25):
            code, output = swarm.script("deploy", "--no-backup")
    assert (code, "app did not become healthy" in output) == (1, True), output[-3000:]
    assert requests.failures == []
    assert requests.answers.keys() == {'"good"'}
    assert (swarm.stack.folder / ".env").read_text() == before
    tag = re.findall(r"^TAG=(.*)$", before, re.MULTILINE)[-1]
    for service in swarm.services():
        if service["Spec"]["Name"].endswith(("_app", "_worker")):
            image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
            assert image == f"e2e-swarm-app:{tag}"
    swarm.version("good")


def test_a_failing_migration_stops_the_update(swarm: Swarm) -> None:
    bad = swarm.stack.folder / "database/migrations/900_bad.sql"
    bad.write_text("SELECT nonsense();\n")
    images = [s["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] for s in swarm.services()]
    swarm.version("never")
    code, output = swarm.script("deploy", "--no-backup")
    bad.unlink()
    swarm.version("good")
    assert (code, "900_bad failed" in output) == (1, True), output[-3000:]
    assert "Failed while bringing the database up to date" in output
    after = [s["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] for s in swarm.services()]
    assert after == images


def test_rollback_goes_back_and_forward(swarm: Swarm) -> None:
    for version in ("older", "newer"):
        swarm.version(version)
        swarm.succeed("deploy", "--no-backup")
    swarm.succeed("rollback")
    assert swarm.stack.get("/api/v1/version") == "older"
    swarm.succeed("rollback")
    assert swarm.stack.get("/api/v1/version") == "newer"


def test_what_was_backed_up_comes_back(swarm: Swarm) -> None:
    stack = swarm.stack
    item = stack.post("/api/v1/items", {"name": "kept"})
    visits = stack.post("/api/v1/visits")["visits"]
    swarm.succeed("backup")
    stack.post("/api/v1/items", {"name": "lost"})
    stack.post("/api/v1/visits")
    swarm.succeed("restore", "--yes", "--no-backup", "latest")
    names = [found["name"] for found in stack.get("/api/v1/items")]
    assert item["name"] in names
    assert "lost" not in names
    assert stack.post("/api/v1/visits")["visits"] == visits + 1


def test_a_changed_secret_reaches_the_apps(swarm: Swarm) -> None:
    env = swarm.stack.folder / ".env"
    env.write_text(
        re.sub(r"^SECRET_KEY=.*$", "SECRET_KEY=another-one", env.read_text(), flags=re.M)
    )
    swarm.succeed("deploy", "--no-backup")
    container = swarm.docker("ps", "--quiet", "--filter", "name=e2e-swarm-prod_app").split()[0]
    seen = swarm.docker("exec", container, "cat", "/run/secrets/SECRET_KEY")
    assert seen == "another-one"


def test_a_database_elsewhere(swarm: Swarm, tmp_path: Path) -> None:
    """A second stack on the same swarm, with a PostgreSQL that is no part of it."""
    folder = compose(SHAPE, tmp_path / "project")
    build(folder, "deploy", "--target", "docker-swarm", "--generate", "--set", "postgres=external")
    build(folder, "--set", "name=e2e-elsewhere")
    other = Swarm(Stack(folder), swarm.host)
    port = str(free_port())
    values = {
        "POSTGRES_SERVER": "10.214.255.1",
        "POSTGRES_PORT": port,
        "POSTGRES_USER": "app",
        "POSTGRES_DB": "app",
    }
    other.stack.write_env(APP_REPLICAS="1", WEB_CONCURRENCY="1", **values)
    settings = [word for name in ("USER", "DB") for word in ("--env", f"POSTGRES_{name}=app")]
    settings += ["--env", f"POSTGRES_PASSWORD={HOSTILE_PASSWORD}", "--env", f"PGPORT={port}"]
    database = "e2e-elsewhere-postgres"
    other.docker("run", "--detach", "--name", database, "--network", "host", *settings, IMAGES[1])
    try:
        other.succeed("deploy")
        item = other.stack.post("/api/v1/items", {"name": "elsewhere"})
        assert item in other.stack.get("/api/v1/items")
        query = ["psql", "-U", "app", "-tc", "SELECT name FROM items"]
        assert "elsewhere" in other.docker("exec", database, *query)
        other.version("second")
        other.succeed("deploy")
        assert other.stack.get("/api/v1/version") == "second"
    finally:
        other.docker("stack", "rm", "e2e-elsewhere-prod")
        other.docker("rm", "--force", "--volumes", database)
