"""What passes from the shell that calls a script to Docker, and what does not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).resolve().parents[1] / "golden/profile-web-app/deploy"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
DOCKER = """#!/bin/sh
case $1 in
    compose) env >"$DOCKER_STAND_IN/compose" ;;
    swarm) env >"$DOCKER_STAND_IN/plain" ;;
esac
"""
# Some of what the shell of an operator has set.
FOREIGN = {
    "SECRET_KEY": "theirs",
    "TAG": "v0",
    "DOMAIN": "other.test",
    "IMAGE_APP": "other",
    "COMPOSE_FILE": "docker-compose.yml",
    "COMPOSE_PROJECT_NAME": "other",
    "COMPOSE_PROFILES": "job",
    "COMPOSE_DISABLE_ENV_FILE": "1",
    "COMPOSE_ENV_FILES": "other.env",
    "COMPOSE_REMOVE_ORPHANS": "1",
    "GIT_DIR": "/elsewhere",
    "project": "other",
    "SEVERAL_LINES": "x\nPATH=/nowhere\nproject=other\n",
    "EDITOR": "vi",
    "UID": "0",
}
# What copies of backups may need, and containers never.
COPYING = {"AWS_SECRET_ACCESS_KEY": "k", "RESTIC_PASSWORD_COMMAND": "c", "RCLONE_CONFIG": "r"}
NEEDED = {
    "DOCKER_CONTEXT": "default",
    "BUILDX_BUILDER": "b",
    "SSH_AUTH_SOCK": "/s",
    "HTTPS_PROXY": "http://proxy",
    "no_proxy": "localhost",
    "SSL_CERT_FILE": "/ca.pem",
    "COMPOSE_PARALLEL_LIMIT": "2",
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return SHELLS[request.param]


@pytest.fixture
def server(tmp_path: Path) -> Path:
    root = tmp_path / "my project"
    shutil.copytree(DEPLOY, root / "deploy")
    (root / ".env").write_text("SECRET_KEY=mine\nPOSTGRES_PASSWORD=p\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/docker").write_text(DOCKER)
    (tmp_path / "tools/docker").chmod(0o755)
    return root


def call(
    shell: list[str], server: Path, script: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run lines of a script of `deploy/`, behind its first one."""
    (server / "deploy/one.sh").write_text(f'set -eu\n. "$(dirname -- "$0")/common.sh"\n{script}\n')
    tools = server.parent / "tools"
    path = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": "/home/me"}
    return subprocess.run(
        [*shell, "deploy/one.sh"],
        cwd=server,
        env={**environment, **path, "DOCKER_STAND_IN": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def seen(server: Path, name: str = "compose") -> dict[str, str]:
    lines = (server.parent / "tools" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_compose_sees_no_setting_of_the_shell(shell: list[str], server: Path) -> None:
    result = call(shell, server, "compose config", **FOREIGN)
    assert result.returncode == 0, result.stderr
    # A shell may have a variable of its own that nothing can unset.
    assert (seen(server).keys() & FOREIGN.keys()) <= {"UID"}


def test_what_docker_needs_passes(shell: list[str], server: Path) -> None:
    call(shell, server, "compose config", **NEEDED)
    found = seen(server)
    assert {name: found.get(name) for name in NEEDED} == NEEDED
    assert found["HOME"] == "/home/me"


def test_what_copies_of_backups_need_passes_but_not_to_compose(
    shell: list[str], server: Path
) -> None:
    call(shell, server, "docker swarm\ncompose config", **COPYING)
    assert {name: seen(server, "plain").get(name) for name in COPYING} == COPYING
    assert not seen(server).keys() & COPYING.keys()


def test_what_a_script_exports_counts(shell: list[str], server: Path) -> None:
    call(shell, server, "TAG=v2\nexport TAG\ncompose config", TAG="v0")
    assert seen(server)["TAG"] == "v2"


def test_a_setting_counts_where_the_shell_has_one_that_passes(
    shell: list[str], server: Path
) -> None:
    with (server / ".env").open("a") as file:
        file.write("HTTPS_PROXY=http://ours\nA=${HTTPS_PROXY}${HOME}\n")
    result = call(shell, server, "setting A ''; compose config", HTTPS_PROXY="http://proxy")
    assert result.stdout == "http://ours/home/me"
    assert "HTTPS_PROXY" not in seen(server)


def test_a_file_that_compose_cannot_read_ends_a_script(shell: list[str], server: Path) -> None:
    (server / ".env").write_text("SECRET_KEY=mine\nPOSTGRES_PASSWORD='p\n")
    result = call(shell, server, "compose config")
    assert result.returncode == 1
    assert result.stderr == "one: .env: line 2 has a quote that does not close.\n"
    assert not (server.parent / "tools/compose").exists()


@pytest.mark.parametrize("line", ["", "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD= # later"])
def test_a_missing_setting_ends_a_deployment_before_it_begins(
    shell: list[str], server: Path, line: str
) -> None:
    (server / ".env").write_text(f"SECRET_KEY=mine\n{line}\n")
    result = call(shell, server, "look_for_settings")
    assert result.returncode == 1
    assert result.stderr == (
        "one: Not set in .env: POSTGRES_PASSWORD. "
        "This adds what is missing: sh deploy/init-env.sh\n"
    )
    deploy = subprocess.run(
        [*shell, "deploy/deploy.sh"],
        cwd=server,
        env={"PATH": f"{server.parent / 'tools'}:{os.environ['PATH']}", "DOCKER_STAND_IN": "/x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert deploy.returncode == 1
    assert deploy.stderr == result.stderr.replace("one:", "deploy:")
    assert not list((server / "deploy/state").glob("*.log"))
