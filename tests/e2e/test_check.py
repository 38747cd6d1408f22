"""`spinbox deploy --check` against a real engine, and `--boot`, which leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.checks.support import commit, git, hear_signals
from tests.conftest import REPOSITORY
from tests.downloads import patient
from tests.e2e.stacks import Stack, eventually, free_port, run
from tests.projects.compose import compose
from tests.runs import build, edit

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/check.schema.json").read_text())
COMMAND = [sys.executable, "-m", "spinbox_wrapper", "deploy", "--check"]
SHAPE = "e2e-fastapi-postgresql-redis"


def _ready(folder: Path, shape: str, *arguments: str) -> tuple[Path, str]:
    """A committed project under a name that nobody else uses, with its settings."""
    name = f"check-{secrets.token_hex(3)}"
    root = compose(shape, folder / name)
    build(root, "--set", f"name={name}", *arguments)
    run("sh", "deploy/init-env.sh", cwd=root)
    with (root / ".env").open("a") as file:
        file.write(f"HTTP_PORT={free_port()}\nHTTPS_PORT={free_port()}\n")
    git(root, "init", "--quiet")
    commit(root)
    return root, name


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY)}


def _check(root: Path, *arguments: str) -> tuple[Any, str]:
    """The JSON report, and what stood on standard error."""
    result = patient(
        lambda: subprocess.run(
            [*COMMAND, "--format", "json", *arguments],
            cwd=root,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    )
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    assert result.returncode == (0 if document["passed"] else 1)
    return document, result.stderr


def _left(name: str) -> dict[str, str]:
    """Everything on the engine whose name starts with a project's."""
    listings = {
        "containers": ("container", "ls", "--all", "--format", "{{.Names}}"),
        "volumes": ("volume", "ls", "--format", "{{.Name}}"),
        "networks": ("network", "ls", "--format", "{{.Name}}"),
        "images": ("image", "ls", "--format", "{{.Repository}}:{{.Tag}}"),
    }
    found = {
        kind: " ".join(line for line in run("docker", *words).split() if line.startswith(name))
        for kind, words in listings.items()
    }
    return {kind: names for kind, names in found.items() if names}


def test_a_ready_project_passes(tmp_path: Path) -> None:
    root, _ = _ready(tmp_path, SHAPE)
    document, _ = _check(root)
    found = {check["id"]: check for check in document["checks"]}
    assert [check for check in found.values() if check["status"] == "fail"] == []
    assert found["engine.docker"]["status"] == "pass"
    assert found["engine.compose"]["status"] == "pass"


def test_a_running_stack_holds_its_own_ports(tmp_path: Path) -> None:
    root, name = _ready(tmp_path, "e2e-fastapi")
    stack = Stack(root)
    try:
        stack.up()
        found = {check["id"]: check for check in _check(root)[0]["checks"]}
        assert found["network.ports"]["status"] == "pass"
        assert "own" in found["network.ports"]["seen"]
        edit(root / ".config/project.conf", "PROJECT_NAME=", "OLD_NAME=")
        build(root, "--set", f"name={name}-2")
        found = {check["id"]: check for check in _check(root)[0]["checks"]}
        assert found["network.ports"]["status"] == "fail"
        assert f"{name}-prod" in found["network.ports"]["seen"]
        build(root, "--set", f"name={name}")
    finally:
        stack.remove()
        run("docker", "image", "rm", "--force", f"{name}-app")


def test_boot_shows_docker_s_output_when_asked(tmp_path: Path) -> None:
    root, _ = _ready(tmp_path, "e2e-python-node", "--target", "node")
    assert "naming to" in _check(root, "--boot", "--verbose")[1]


@pytest.mark.parametrize(
    ("shape", "arguments", "apps"),
    [
        (SHAPE, (), ["app"]),
        ("e2e-python-node", ("--set", "proxy=none"), ["node"]),
        ("e2e-python-postgresql", (), []),
    ],
)
def test_boot_passes_and_leaves_nothing(
    tmp_path: Path, shape: str, arguments: tuple[str, ...], apps: list[str]
) -> None:
    root, name = _ready(tmp_path, shape, *arguments)
    before = (root / ".env").read_bytes()
    document, said = _check(root, "--boot")
    found = {check["id"]: check for check in document["checks"]}
    expected = ["boot.build", "boot.start", *(f"boot.health.{app}" for app in apps)]
    assert [id_ for id_ in found if id_.startswith("boot.")] == expected, said
    for id_ in expected:
        assert found[id_]["status"] == "pass", said
        assert re.search(r"\d+\.\d s", found[id_]["seen"])
    assert (root / ".env").read_bytes() == before
    assert _left(name) == {}


def test_boot_does_not_touch_the_stack_beside_it(tmp_path: Path) -> None:
    root, name = _ready(tmp_path, "e2e-fastapi")
    stack = Stack(root)
    try:
        stack.up()
        before = {service: c["Id"] for service, c in stack.containers().items()}
        image = run("docker", "image", "inspect", "--format", "{{.Id}}", f"{name}-app:latest")
        assert _check(root, "--boot")[0]["passed"]
        assert {service: c["Id"] for service, c in stack.containers().items()} == before
        after = run("docker", "image", "inspect", "--format", "{{.Id}}", f"{name}-app:latest")
        assert after == image
    finally:
        stack.remove()
        run("docker", "image", "rm", "--force", f"{name}-app")
    assert _left(name) == {}


def test_boot_of_a_broken_app_fails_and_leaves_nothing(tmp_path: Path) -> None:
    root, name = _ready(tmp_path, "e2e-fastapi")
    main = root / "backend/app/main.py"
    text = main.read_text()
    route = re.search(r'@app\.get\("/health"\)\n(?:async )?def \w+\(\)[^\n]*:\n', text)
    assert route
    main.write_text(text.replace(route[0], route[0] + '    raise RuntimeError("no luck today")\n'))
    # As often as at the start, so that the failure shows within seconds.
    edit(root / "Dockerfile.prod", "--interval=30s", "--interval=1s")
    edit(root / "Dockerfile.prod", "--start-period=60s", "--start-period=5s")
    document, said = _check(root, "--boot")
    found = {check["id"]: check for check in document["checks"]}
    assert found["boot.build"]["status"] == "pass"
    assert found["boot.start"]["status"] == "fail"
    assert "app" in found["boot.start"]["seen"]
    assert "no luck today" in said
    assert _left(name) == {}


def test_boot_of_an_app_that_cannot_be_built(tmp_path: Path) -> None:
    root, name = _ready(tmp_path, "e2e-fastapi")
    with (root / "Dockerfile.prod").open("a") as file:
        file.write("RUN echo bad luck | tr a-z A-Z >&2; exit 3\n")
    document, said = _check(root, "--boot")
    found = {check["id"]: check for check in document["checks"]}
    assert found["boot.build"]["status"] == "fail"
    assert "boot.start" not in found
    assert "BAD LUCK" in said
    assert _left(name) == {}


def test_boot_interrupted_leaves_nothing(tmp_path: Path) -> None:
    root, name = _ready(tmp_path, SHAPE)
    with subprocess.Popen(
        [*COMMAND, "--boot"],
        cwd=root,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    ) as process:
        eventually(lambda: "containers" in _left(name))
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=300)
    assert process.returncode == 130
    assert _left(name) == {}


def test_boot_starts_nothing_whose_data_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What init-env.sh would ask for.
    monkeypatch.setenv("REDIS_HOST", "redis.example.com")
    root, name = _ready(tmp_path, SHAPE, "--set", "redis=external")
    document, _ = _check(root, "--boot")
    (start,) = (check for check in document["checks"] if check["id"] == "boot.start")
    assert start["status"] == "warn"
    assert "Redis runs elsewhere, so nothing was started" in start["seen"]
    assert _left(name) == {}
