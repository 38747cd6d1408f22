"""A server of 1 GB: its first deployment and the next one, with the builds of their images."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from extensions.deployment import UV_VERSION
from tests.downloads import patient
from tests.e2e.engines import second_engine
from tests.e2e.first_deployment import commit, copy_app
from tests.e2e.load import Load
from tests.e2e.memory_groups import MemoryGroup, memory_group
from tests.e2e.stacks import Stack, run
from tests.projects.compose import compose
from tests.runs import build

# The rest of 1 GB is the kernel's and Debian's. There is no swap.
MEGABYTES = 864

_ENDPOINT = """
from fastapi import APIRouter

router = APIRouter()


@router.api_route("/version", methods=["GET", "POST"])
async def version() -> str:
    return "{version}"
"""


@dataclass(frozen=True)
class Kind:
    """A project whose app says which version it is.

    Attributes:
        make: Writes it into a folder.
        arguments: More of `build --prod`.
        images: What it is built on and runs with, beside the proxy.
        path: Where it says its version.
        write: Makes it another version.
    """

    make: Callable[[Path], Path]
    arguments: tuple[str, ...]
    images: tuple[str, ...]
    path: str
    write: Callable[[Path, str], object]


def _write_fastapi(folder: Path, version: str) -> None:
    file = folder / "backend/app/api/api_v1/endpoints/version.py"
    file.write_text(_ENDPOINT.format(version=version))


def _write_express(folder: Path, version: str) -> None:
    (folder / "src/version.ts").write_text(f'export const version = "{version}";\n')


KINDS = {
    "fastapi": Kind(
        lambda folder: compose("e2e-fastapi-postgresql-redis", folder),
        ("--set", "fastapi.worker=off"),
        (
            *("python:3.11-slim", f"ghcr.io/astral-sh/uv:{UV_VERSION}"),
            *("pgvector/pgvector:pg15", "redis:7-alpine"),
        ),
        "/api/v1/version",
        _write_fastapi,
    ),
    "express": Kind(
        lambda folder: copy_app("node-express", folder),
        (),
        ("node:22-alpine", "postgres:15"),
        "/version",
        _write_express,
    ),
}


@dataclass(frozen=True)
class Server:
    """It, after both deployments.

    Attributes:
        stack: What runs there.
        group: The memory of it all.
        requests: What was asked during the second deployment.
        ended: The containers that the engine saw out of memory.
    """

    stack: Stack
    group: MemoryGroup
    requests: Load
    ended: list[str]


@pytest.fixture(scope="module", params=KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """An engine, its commands, its builds and its containers share the memory of such a server."""
    kind = KINDS[request.param]
    stack = Stack(kind.make(tmp_path_factory.mktemp("memory") / "project"))
    kind.write(stack.folder, "first")
    commit(stack.folder)
    build(stack.folder, "--set", f"name=e2e-memory-{request.param}", *kind.arguments)
    run("sh", "deploy/init-env.sh", cwd=stack.folder)
    with (stack.folder / ".env").open("a") as env:
        env.write(f"\nHTTP_PORT={stack.http_port}\nHTTPS_PORT={stack.https_port}\n")
        env.write("DEPLOY_TIMEOUT=600\n")
    images = ("caddy:2-alpine", *kind.images)
    folder = tmp_path_factory.mktemp("m") / "e"
    name = f"e2e-memory-{os.getpid()}"
    with (
        memory_group(name, MEGABYTES) as group,
        second_engine(folder, "e2ememory", 209, images, {}, group) as host,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("DOCKER_HOST", host)
        began = str(int(time.time()))
        try:
            with group.watched("the first deployment"):
                _deploy(stack, group)
            with group.watched("at rest"):
                time.sleep(5)
            kind.write(stack.folder, "second")
            requests = Load(stack.http_port, stack.https_port, kind.path)
            with group.watched("the next deployment"), requests:
                _deploy(stack, group)
                asked = requests.total
                while requests.total < asked + 100:
                    time.sleep(0.1)
            events = run(
                *("docker", "events", "--since", began, "--until", str(int(time.time()) + 1)),
                *("--filter", "event=oom", "--format", "{{.Actor.Attributes.name}}"),
            )
            yield Server(stack, group, requests, events.split())
        finally:
            stack.remove()


def _deploy(stack: Stack, group: MemoryGroup) -> None:
    """Its processes are the server's, too."""
    result = patient(
        lambda: subprocess.run(
            ["sh", "deploy/deploy.sh"],
            cwd=stack.folder,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=group.join,
        )
    )
    assert result.returncode == 0, f"{result.stdout[-4000:]}{result.stderr[-4000:]}{group.peaks}"


def test_nothing_is_ended_for_want_of_memory(server: Server) -> None:
    # Shown with -s.
    print(server.group.peaks)
    assert (server.group.killed, server.ended) == (0, [])


def test_every_service_is_healthy(server: Server) -> None:
    states = {name: c["State"]["Health"]["Status"] for name, c in server.stack.containers().items()}
    assert {"app", "caddy", "postgres"} <= states.keys()
    assert set(states.values()) == {"healthy"}


def test_requests_are_answered_while_the_new_version_comes(server: Server) -> None:
    assert server.requests.failures == []
    assert {body.strip('"') for body in server.requests.answers} == {"first", "second"}


def test_the_limits_fit_together(server: Server) -> None:
    """Those of all that runs, and of the app once more."""
    limits = {n: c["HostConfig"]["Memory"] for n, c in server.stack.containers().items()}
    assert 0 < sum(limits.values()) + limits["app"] <= 1024**3
