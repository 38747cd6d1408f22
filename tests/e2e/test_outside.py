"""Nothing of the stack leads out of it, where the resolver outside knows every name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.engines import data_path_port, second_engine
from tests.e2e.foreign import HEADER, Outside, outside
from tests.e2e.stacks import Stack, eventually, run
from tests.projects.compose import compose
from tests.runs import build

SHAPE = "e2e-fastapi-postgresql-redis"
NAME = "e2e-outside"
IMAGES = ("pgvector/pgvector:pg15", "redis:7-alpine", "caddy:2-alpine", f"{NAME}-app:first")
PORTS = (8000, 5432, 6379)
SETTINGS = {"TAG": "first", "WEB_CONCURRENCY": "1", "APP_REPLICAS": "1"}
RESOLVE = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A project whose image is built already: on the engines below, nothing outside is found."""
    folder = compose(SHAPE, tmp_path_factory.mktemp("outside") / "project")
    build(folder, "deploy", "--target", "docker-swarm", "--generate")
    build(folder, "--set", f"name={NAME}")
    stack = Stack(folder)
    stack.write_env(**SETTINGS)
    stack.compose("build", "app")
    yield stack
    run("docker", "image", "rm", IMAGES[-1])


@pytest.fixture(scope="module")
def plain(project: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """An engine as it is on many a server: it takes the server's resolver and search domain."""
    yield from _engine(tmp_path_factory.mktemp("ou") / "e", "e2eout", 212, [])


@pytest.fixture(scope="module")
def hardened(project: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """The same with what Swarm's guide sets."""
    yield from _engine(tmp_path_factory.mktemp("ou") / "e", "e2eouts", 211, ["ndots:1"])


def _engine(folder: Path, name: str, subnet: int, options: list[str]) -> Iterator[Outside]:
    address = f"10.{subnet}.255.1"
    settings = {"dns": [address], "dns-search": ["corp.example"], "dns-opts": options}
    with (
        second_engine(folder, name, subnet, IMAGES, settings) as host,
        outside(address, PORTS) as seen,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("DOCKER_HOST", host)
        yield seen


def _swarm(*arguments: str) -> None:
    run("docker", "swarm", *arguments)


def _deploy(stack: Stack) -> tuple[int, str]:
    result = subprocess.run(
        ["sh", "deploy/swarm/deploy.sh", "first"],
        cwd=stack.folder,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


INIT = ("init", "--advertise-addr", "127.0.0.1", "--data-path-port")


def test_a_swarm_that_would_send_requests_out_is_refused(project: Stack, plain: Outside) -> None:
    _swarm(*INIT, str(data_path_port()))
    try:
        code, output = _deploy(project)
    finally:
        _swarm("leave", "--force")
    assert (code, '"dns-opts": ["ndots:1"]' in output) == (1, True), output


@pytest.fixture(scope="module")
def booted(project: Stack, plain: Outside) -> Iterator[Stack]:
    """The stack of Docker Compose on the plain engine."""
    project.compose("up", "-d", "--no-build", "--wait")
    yield project
    project.compose("down", "--volumes", "--timeout", "3")


def test_an_app_that_is_away_is_a_502_of_the_proxy(booted: Stack, plain: Outside) -> None:
    assert booted.request("/health").status == 200
    booted.compose("rm", "--stop", "--force", "app")
    answer = booted.request("/health")
    booted.compose("up", "-d", "--no-build", "--wait", "app")
    assert answer.status == 502
    assert plain.connections == []


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_no_password_is_sent_for_a_database_that_is_away(
    booted: Stack, plain: Outside, service: str
) -> None:
    booted.compose("stop", service)
    with pytest.raises(AssertionError, match="gaierror"):
        booted.compose("exec", "-T", "app", "python", "-c", RESOLVE, service)
    booted.request("/api/v1/items")
    booted.request("/api/v1/visits", {}, method="POST")
    booted.compose("start", service)
    assert plain.connections == []
    assert not [name for name in plain.asked if name.startswith(service)]


def test_names_of_the_internet_are_found(booted: Stack, plain: Outside) -> None:
    found = booted.compose("exec", "-T", "app", "python", "-c", RESOLVE, "api.example.org")
    assert found.strip() == plain.address
    assert "api.example.org.corp.example" not in plain.asked


def test_an_app_of_a_swarm_that_is_away_is_a_502_of_the_proxy(
    project: Stack, hardened: Outside
) -> None:
    # Ports of its own.
    stack = Stack(project.folder)
    stack.write_env(**SETTINGS)
    _swarm(*INIT, str(data_path_port()))
    try:
        code, output = _deploy(stack)
        assert code == 0, output
        assert stack.request("/health").status == 200
        run("docker", "service", "scale", "--detach", f"{NAME}-prod_app=0")
        eventually(lambda: stack.request("/health").status != 200)
        answers = [stack.request("/health") for _ in range(3)]
        proxy = run("docker", "ps", "-q", "-f", f"name={NAME}-prod_caddy").strip()
        found = subprocess.run(["docker", "exec", proxy, "getent", "hosts", "app"])
    finally:
        run("docker", "stack", "rm", f"{NAME}-prod")
        _swarm("leave", "--force")
    assert {answer.status for answer in answers} <= {502, 503}
    assert HEADER not in {answer.headers.get("Server") for answer in answers}
    assert found.returncode != 0
    assert hardened.connections == []
