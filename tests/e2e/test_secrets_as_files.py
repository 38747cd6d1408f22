"""Secrets as files (`secrets=files`): Docker shows none of them, and everything works with them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stacks import HOSTILE_PASSWORD, Stack, eventually, run
from tests.e2e.test_backup import back_up, names, succeed
from tests.projects.compose import compose
from tests.runs import build

SHOWN = HOSTILE_PASSWORD[:12]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Redis and a worker, with hostile passwords and a secret of the app's own."""
    folder = tmp_path_factory.mktemp("files")
    stack = Stack(compose("e2e-fastapi-postgresql-redis", folder / "project"))
    (stack.folder / "backend/.env.example").write_text("OWN_TOKEN=\n")
    build(stack.folder, "--set", f"name=e2e-files-{os.getpid()}", "--set", "secrets=files")
    stack.write_env(OWN_TOKEN=HOSTILE_PASSWORD)
    try:
        succeed(stack, "deploy")
        # Caddy makes its own certificate in the background.
        eventually(lambda: stack.request("/health").status == 200)
        yield stack
    finally:
        stack.remove()
        # Each deployment has left a version.
        listed = ("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
        images = run(*listed, f"e2e-files-{os.getpid()}-app").split()
        subprocess.run(["docker", "image", "rm", "--force", *images], check=False)


def inspected(stack: Stack) -> str:
    """All that `docker inspect` shows of every container, those that have ended too."""
    name = re.search(r"(?m)^name: (\S+)$", (stack.folder / "docker-compose.prod.yml").read_text())
    assert name
    label = f"label=com.docker.compose.project={name[1]}"
    ids = run("docker", "ps", "--all", "--quiet", "--filter", label).split()
    assert len(ids) >= 6
    return run("docker", "inspect", *ids)


def own_token(stack: Stack) -> str:
    """The app's own variable as its process has it."""
    show = "tr '\\0' '\\n' </proc/1/environ"
    container = stack.containers()["app"]["Id"]
    # Its entrypoint has become the app's command, the first process that is not Docker's.
    found = run(
        "docker", "exec", container, "sh", "-c",
        f"for p in /proc/[0-9]*; do tr '\\0' '\\n' <$p/environ; done 2>/dev/null; {show}",
    )  # fmt: skip
    return next(line for line in found.splitlines() if line.startswith("OWN_TOKEN="))


def test_docker_shows_no_secret(stack: Stack) -> None:
    assert SHOWN not in inspected(stack)


def test_the_apps_have_them(stack: Stack) -> None:
    stack.post("/api/v1/items", {"name": "kept"})
    stack.post("/api/v1/visits")
    assert own_token(stack) == f"OWN_TOKEN={HOSTILE_PASSWORD}"


def test_files_are_in_a_folder_that_is_closed(stack: Stack) -> None:
    """And out of git's sight."""
    (folder,) = (stack.folder / "deploy/state/secrets").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.parent.stat().st_mode & 0o077 == 0
    assert (folder / "POSTGRES_PASSWORD").read_text() == HOSTILE_PASSWORD
    assert (stack.folder / "deploy/state/.gitignore").read_text() == "*\n"


def test_containers_stay_read_only_and_without_root(stack: Stack) -> None:
    for service, container in stack.containers().items():
        assert container["HostConfig"]["ReadonlyRootfs"], service


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_a_new_password_reaches_everything(service: str, stack: Stack) -> None:
    """The database, the apps, backups and the health checks, and none shows."""
    succeed(stack, "change-password", service)
    settings = (stack.folder / ".env").read_text()
    (new,) = re.findall(rf"(?m)^{service.upper()}_PASSWORD=([0-9a-f]{{64}})$", settings)
    stack.post("/api/v1/items", {"name": f"with {service}'s new password"})
    stack.post("/api/v1/visits")
    back_up(stack)
    shown = inspected(stack)
    assert new not in shown and SHOWN not in shown
    command = ["docker", "exec", stack.containers()["redis"]["Id"], "sh", "-c"]
    old = "REDISCLI_AUTH=wrong redis-cli PING | grep PONG"
    assert subprocess.call([*command, old], stderr=subprocess.DEVNULL) != 0


def test_a_backup_comes_back(stack: Stack) -> None:
    """After its drill, which leaves no files with secrets."""
    stack.post("/api/v1/items", {"name": "before"})
    backup = back_up(stack)
    stack.post("/api/v1/items", {"name": "after"})
    succeed(stack, "backup-check", backup.name)
    assert len(list((stack.folder / "deploy/state/secrets").iterdir())) == 1
    succeed(stack, "restore", "--yes", backup.name)
    assert "before" in names(stack) and "after" not in names(stack)


def test_a_changed_setting_reaches_the_next_deployment(stack: Stack) -> None:
    env = Path(stack.folder / ".env")
    env.write_text(re.sub(r"(?m)^OWN_TOKEN=.*$", "OWN_TOKEN='another'", env.read_text()))
    succeed(stack, "deploy")
    assert own_token(stack) == "OWN_TOKEN=another"


def test_a_missing_secret_is_named(stack: Stack) -> None:
    env = Path(stack.folder / ".env")
    before = env.read_text()
    env.write_text(re.sub(r"(?m)^SECRET_KEY=.*$", "SECRET_KEY=", before))
    try:
        result = subprocess.run(
            ["sh", "deploy/deploy.sh"],
            cwd=stack.folder,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        env.write_text(before)
    assert result.returncode == 1
    assert "Not set in .env: SECRET_KEY." in result.stderr
