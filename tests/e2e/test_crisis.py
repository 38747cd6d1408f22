"""The way from "the site is down" to "restored", as the guide has it; status, logs and run."""

from __future__ import annotations

import os
import pty
import re
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests import markdown
from tests.e2e.stacks import Stack, eventually, run
from tests.e2e.test_deploy import deploy, deployed, serving, write_version
from tests.projects.compose import compose
from tests.runs import build

NAME = "e2e-crisis"
BROKEN = """

@router.get("/broken")
def broken() -> None:
    raise RuntimeError("this version is broken")
"""
HOSTILE = ("a  b", "it's", '"q"', "$(id)", "`id`", "--env", "*", "")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack in service under a name, with a certificate of its own, and a backup."""
    folder = compose("e2e-fastapi-postgresql-redis", tmp_path_factory.mktemp("crisis") / "project")
    build(folder, "--set", f"name={NAME}", "--set", "fastapi.worker=off")
    stack = Stack(folder)
    try:
        stack.write_env(DOMAIN="localhost", DEPLOY_TIMEOUT="180", DRAIN_SECONDS="2")
        write_version(stack, "good")
        deployed(stack)
        eventually(lambda: stack.request("/health").status == 200)
        deployed(stack, script="backup.sh")
        yield stack
    finally:
        stack.remove()
        images = run("docker", "image", "ls", "-q", f"{NAME}-app").split()
        if images:
            subprocess.run(["docker", "image", "rm", "-f", *set(images)], check=False)


def status(stack: Stack) -> tuple[int, str]:
    code, said = deploy(stack, script="status.sh")
    assert [line for line in said.splitlines() if len(line) > 80] == []
    return code, said


def test_where_all_is_well_the_status_says_so(stack: Stack) -> None:
    code, said = status(stack)
    assert (code, said.splitlines()[-1]) == (0, "All is well."), said
    for service in ("caddy", "app", "postgres", "redis"):
        assert re.search(rf"^{service} +healthy +\d{{4}}-\d\d-\d\d .* % of \d+MiB$", said, re.M), (
            said
        )
    bundle = stack.execute("caddy", "cat /data/caddy/certificates/local/localhost/localhost.crt")
    (stack.folder / "localhost.pem").write_text(bundle)
    # What Python's own reader says of the same file.
    until = ssl._ssl._test_decode_cert(str(stack.folder / "localhost.pem"))["notAfter"]  # type: ignore[attr-defined]
    ends = datetime.strptime(until, "%b %d %H:%M:%S %Y GMT")
    assert f"localhost, until {ends:%Y-%m-%d %H:%M}\n" in said


def test_a_service_that_is_away_is_named_and_comes_back_by_the_advice(stack: Stack) -> None:
    run("docker", "rm", "--force", stack.containers()["redis"]["Id"])
    code, said = status(stack)
    assert code == 1
    (advice,) = re.findall(r"Does not run: redis\. This starts it:\n  (.*)\n", said)
    run("sh", "-c", advice, cwd=stack.folder)
    assert status(stack)[0] == 0


def test_the_status_without_docker_is_one_sentence(stack: Stack) -> None:
    result = subprocess.run(
        ["sh", "deploy/status.sh"],
        cwd=stack.folder,
        env=os.environ | {"DOCKER_HOST": "unix:///nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (1, "")
    said = result.stdout.partition("Not well:\n")[2]
    assert said == "Docker does not answer: is it running, and may you use it?\n"


def one_off(stack: Stack, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "deploy/run.sh", *words],
        cwd=stack.folder,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


LOOK = """
import os, socket, sys
socket.create_connection(("postgres", 5432), 10).close()
print(os.getuid(), os.environ["POSTGRES_SERVER"], sys.stdin.read(), sys.argv[1:])
sys.exit(7)
"""


def test_a_command_runs_as_the_app_and_leaves_nothing(stack: Stack) -> None:
    everything = run("docker", "ps", "--all", "--quiet")
    result = one_off(stack, "python", "-c", LOOK, *HOSTILE, given="given")
    assert result.returncode == 7, result.stderr
    assert result.stdout == f"10001 postgres given {list(HOSTILE)}\n"
    assert run("docker", "ps", "--all", "--quiet") == everything


def test_a_command_runs_in_the_version_that_is_in_service(stack: Stack) -> None:
    write_version(stack, "only on the disk")
    try:
        result = one_off(stack, "cat", "app/api/api_v1/endpoints/version.py")
    finally:
        write_version(stack, "good")
    assert 'return "good"' in result.stdout


def test_a_command_has_a_terminal_where_there_is_one(stack: Stack) -> None:
    control, terminal = pty.openpty()
    try:
        code = subprocess.call(
            ["sh", "deploy/run.sh", "app", "sh", "-c", "test -t 0 && test -t 1"],
            cwd=stack.folder,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
    finally:
        os.close(terminal)
        os.close(control)
    assert code == 0


def test_logs_have_names_and_times(stack: Stack) -> None:
    said = deployed(stack, "--since", "1h", "app", script="logs.sh")
    assert re.search(r"^(\S*)app-\d+ +\| \d{4}-\d\d-\d\dT\S+Z .*/health", said, re.MULTILINE), said
    assert "postgres" not in deployed(stack, "--since", "1h", "app", script="logs.sh")
    assert "postgres-1" in deployed(stack, script="logs.sh")


def commands() -> list[str]:
    """Those of the guide's first section."""
    readme = Path(__file__).parents[1] / "golden/profile-web-app/deploy/README.md"
    (section,) = (
        section
        for section in markdown.sections(readme.read_text())
        if section.title == "The site is down"
    )
    blocks = [block.text for block in section.blocks if block.kind == "bash"]
    return "\n".join(blocks).splitlines()


def test_from_down_to_restored_in_five_commands(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    for number in range(50):
        stack.post("/api/v1/items", {"name": f"item {number}"})
    before = stack.get("/api/v1/items")
    # A version that is healthy, and does not do what it should.
    write_version(stack, "broken", BROKEN)
    deployed(stack)
    assert serving(stack) == "broken"
    # And the database is gone, with all that was in it.
    run("docker", "rm", "--force", stack.containers()["postgres"]["Id"])
    run("docker", "volume", "rm", f"{NAME}-prod_postgres_data")
    assert stack.request("/api/v1/items").status >= 500

    steps = commands()
    assert len(steps) == 5
    codes = []
    for command in steps:
        started = time.monotonic()
        codes.append(typed(stack, command))
        record_property(command, seconds := round(time.monotonic() - started, 1))
        print(f"{seconds:6} s  {command}")
    # The first one says that something is not well.
    assert codes == [1, 0, 0, 0, 0]
    assert serving(stack) == "good"
    assert stack.get("/api/v1/items") == before


def typed(stack: Stack, command: str) -> int:
    """Types a command at a terminal, and `y` where it asks."""
    control, terminal = pty.openpty()
    os.write(control, b"y\n")
    try:
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=stack.folder,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(control)
    print(result.stdout)
    return result.returncode
