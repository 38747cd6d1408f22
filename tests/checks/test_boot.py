"""The settings and the judgement of a copy that `--check --boot` starts; no engine is needed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spinbox_wrapper import boot
from spinbox_wrapper.checks.model import Check
from tests.checks.conftest import Ready
from tests.checks.support import ANSWERS, SECRET, context, fake_docker, hear_signals
from tests.conftest import REPOSITORY, Project
from tests.runs import build

pytestmark = pytest.mark.integration

SHAPE = "fastapi-postgresql-redis--with-deps"


def test_secrets_are_new_and_names_are_the_copy_s(ready: Ready) -> None:
    root = ready(SHAPE)
    with (root / ".env").open("a") as file:
        file.write("DOMAIN=shop.io\nHTTP_PORT=80\nTAG=7\nLOG_LEVEL=debug\n")
    ports = {"HTTP_PORT": 8081, "HTTPS_PORT": 8082}
    values = boot.settings(context(root), "shop-check-1", ports)
    secrets = {values[n] for n in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")}
    assert len(secrets) == 3
    assert not any(SECRET in value for value in values.values())
    # Apps may refuse any other, but nobody fetches a certificate for it.
    assert "DOMAIN" not in values and values["MORE_DOMAINS"] == ""
    assert values["SITE_ADDRESS"] == "localhost, http://"
    assert values["IMAGE_APP"] == "shop-check-1-app"
    assert values["TAG"] == "check"
    assert values["HTTPS_PORT"] == "127.0.0.1:8082"
    assert "LOG_LEVEL" not in values


def test_what_only_the_user_knows_is_theirs_or_harmless(project: Project) -> None:
    root = project("profile-web-app")
    build(root, "--set", "proxy=none")
    values = boot.settings(context(root), "x", {"APP_PORT": 8081, "FRONTEND_PORT": 8082})
    assert values["NEXT_PUBLIC_API_URL"] == "http://localhost"
    assert (values["APP_PORT"], values["BIND_ADDRESS"]) == ("8081", "127.0.0.1")
    (root / ".env").write_text("NEXT_PUBLIC_API_URL=https://api.shop.io\n")
    assert "NEXT_PUBLIC_API_URL" not in boot.settings(context(root), "x", {})


def test_ports_differ_and_are_free() -> None:
    ports = boot.free_ports(["A", "B"])
    assert ports["A"] != ports["B"]
    for port in ports.values():
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("form", ["{}\n{}\n{}\n{}", "[{},{},{},{}]"])
def test_services_that_keep_a_stack_from_being_healthy(form: str) -> None:
    text = form.format(
        '{"Service": "app", "State": "running", "Health": "unhealthy", "ExitCode": 0}',
        '{"Service": "migrate", "State": "exited", "Health": "", "ExitCode": 0}',
        '{"Service": "worker", "State": "restarting", "Health": "", "ExitCode": 1}',
        '{"Service": "redis", "State": "running", "Health": "healthy", "ExitCode": 0}',
    )
    assert boot.unhealthy(text) == ["app", "worker"]


def _boot(root: Path) -> list[Check]:
    return boot.boot(context(root), report=lambda check: None, say=lambda line: None)


def test_nothing_to_boot(ready: Ready, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = ready("fastapi")
    monkeypatch.setenv("PATH", str(fake_docker(tmp_path / "bin", ANSWERS)) + ":/usr/bin:/bin")
    (root / "docker-compose.prod.yml").unlink()
    (found,) = _boot(root)
    assert (found.id, found.status.value) == ("boot.build", "fail")
    assert "docker-compose.prod.yml" in found.seen


RECORDER = """#!/bin/sh
echo "$*" >> {log}
env > {log}.env
case "$*" in
    *" build") {build} ;;
    *" up "*) {up} ;;
    "image ls"*) echo copy-app:check ;;
esac
"""


def _recorder(folder: Path, build: str = ":", up: str = ":") -> tuple[str, Path]:
    """A `docker` that notes how it is called: the PATH to it, and its notes."""
    folder.mkdir()
    log = folder / "log"
    program = folder / "docker"
    program.write_text(RECORDER.format(log=log, build=build, up=up))
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin", log


def test_a_failed_build_is_removed_and_nothing_is_started(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, log = _recorder(tmp_path / "bin", build="echo 'no space' >&2; exit 1")
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("POSTGRES_PASSWORD", "of-the-shell")
    said: list[str] = []
    found = boot.boot(context(ready("fastapi")), report=lambda check: None, say=said.append)
    assert [(check.id, check.status.value) for check in found] == [("boot.build", "fail")]
    assert any("no space" in line for line in said)
    calls = log.read_text()
    assert " up " not in calls
    assert "down --volumes" in calls
    assert "image rm copy-app:check" in calls
    assert "of-the-shell" not in Path(f"{log}.env").read_text()


def test_a_cause_that_the_log_names_is_said(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, _ = _recorder(tmp_path / "bin", up="exit 1")
    program = tmp_path / "bin/docker"
    ill = '{"Service": "app", "State": "restarting", "ExitCode": 1}'
    log = "app-1  | OSError: [Errno 30] Read-only file system: '/app/data'"
    answers = f"""case "$*" in *" ps "*) echo '{ill}' ;; *" logs "*) echo "{log}" ;; esac\n"""
    program.write_text(program.read_text() + answers)
    monkeypatch.setenv("PATH", path)
    found = _boot(ready("fastapi"))[-1]
    assert (found.id, found.status.value) == ("boot.start", "fail")
    assert found.seen.startswith("app does not become healthy. The app writes /app/data,")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_boot_is_removed(
    ready: Ready, tmp_path: Path, number: signal.Signals
) -> None:
    path, log = _recorder(tmp_path / "bin", up="exec sleep 60")
    command = [sys.executable, "-m", "spinbox_wrapper", "deploy", "--check", "--boot"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PATH": path}
    with subprocess.Popen(
        command,
        cwd=ready("fastapi"),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    ) as process:
        while not (log.exists() and " up " in log.read_text()):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        _, error = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Removing the copy" in error
    assert "down --volumes" in log.read_text()
