"""What a stack lives through: restarts, crashes, its development twin, bad migrations."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import booted_as
from tests.e2e.stacks import Stack, eventually, fixed_ports, run
from tests.projects.compose import compose
from tests.runs import build

SHAPE = "e2e-fastapi-postgresql-redis"


@pytest.fixture
def stack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack of its own, not yet started, under a name of its own."""
    folder = compose(SHAPE, tmp_path / "project")
    name = f"e2e-{request.node.name.removeprefix('test_').replace('_', '-')[:40]}"
    build(folder, "--set", f"name={name}")
    stack = Stack(folder)
    stack.write_env()
    yield stack
    stack.remove()


def test_it_boots_with_the_settings_that_the_script_makes(stack: Stack) -> None:
    (stack.folder / ".env").unlink()
    run("sh", "deploy/init-env.sh", cwd=stack.folder)
    with (stack.folder / ".env").open("a") as settings:
        settings.write(f"HTTP_PORT={stack.http_port}\nHTTPS_PORT={stack.https_port}\n")
    stack.up()
    assert stack.post("/api/v1/items", {"name": "first"})["name"] == "first"
    assert stack.post("/api/v1/visits")["visits"] == 1


@booted_as(SHAPE)
def test_a_row_outlives_down_and_up(booted: Stack) -> None:
    item = booted.post("/api/v1/items", {"name": "kept"})
    visits = booted.post("/api/v1/visits")["visits"]
    booted.compose("down")
    booted.up()
    assert item in booted.get("/api/v1/items")
    assert booted.post("/api/v1/visits")["visits"] == visits + 1


@booted_as("e2e-fastapi")
def test_a_killed_app_heals(booted: Stack) -> None:
    before = booted.containers()["app"]["State"]["StartedAt"]
    command = ["docker", "compose", "-f", "docker-compose.prod.yml", "exec", "-T", "app"]
    subprocess.run([*command, "sh", "-c", "kill -9 -1"], cwd=booted.folder, check=False)
    eventually(lambda: booted.containers()["app"]["State"]["StartedAt"] != before)
    eventually(lambda: bool(booted.get("/api/v1/info")["pid"]))


@booted_as("e2e-node")
def test_a_stop_is_graceful(booted: Stack) -> None:
    container = booted.containers()["app"]["Id"]
    booted.compose("stop", "app")
    code = run("docker", "inspect", "-f", "{{.State.ExitCode}}", container).strip()
    booted.compose("start", "app")
    assert code in {"0", "143"}


@booted_as(SHAPE)
def test_production_and_development_share_no_volume(booted: Stack) -> None:
    item = booted.post("/api/v1/items", {"name": "production"})
    # The development database would fail on its own init scripts (Spinbox ships them so).
    shutil.rmtree(booted.folder / "database/init")
    (booted.folder / "database/init").mkdir()
    development = ["docker", "compose", "-p", "e2e-development", "-f", "docker-compose.yml"]
    with fixed_ports():
        try:
            run(*development, "up", "-d", "--wait", cwd=booted.folder)
            volumes = run("docker", "volume", "ls", "-q", "-f", "name=postgres_data").split()
        finally:
            run(*development, "down", "--volumes", "--timeout", "3", cwd=booted.folder)
    assert len([name for name in volumes if name.startswith("e2e-")]) >= 2
    assert item in booted.get("/api/v1/items")


def test_a_failing_migration_stops_the_start_and_is_named(stack: Stack) -> None:
    migrations = stack.folder / "database/migrations"
    (migrations / "002_broken.sql").write_text("CREATE TABLE half (id int);\nSELECT nonsense();\n")
    with pytest.raises(AssertionError):
        stack.up()
    assert "002_broken failed" in stack.compose("logs", "--no-color", "migrate")
    tables = stack.execute("postgres", 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -Atc "\\dt"')
    assert "half" not in tables
    assert "app" not in stack.containers()

    (migrations / "002_broken.sql").write_text("CREATE TABLE whole (id int);\n")
    stack.up()
    query = "SELECT version FROM schema_migrations ORDER BY version"
    recorded = stack.execute(
        "postgres", f'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -Atc "{query}"'
    )
    assert recorded.split() == ["001_initial_schema", "002_broken"]


def test_migrations_run_once_when_two_run_at_once(stack: Stack) -> None:
    slow = "CREATE TABLE slow (id int);\nSELECT pg_sleep(2);\n"
    (stack.folder / "database/migrations/002_slow.sql").write_text(slow)
    stack.compose("up", "-d", "--wait", "postgres")
    command = ["docker", "compose", "-f", "docker-compose.prod.yml", "run", "--rm", "-T", "migrate"]
    runs = [
        subprocess.Popen(
            command, cwd=stack.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    outputs = [process.communicate()[0].decode() for process in runs]
    assert [process.returncode for process in runs] == [0, 0], outputs
    assert sum("migrate: 002_slow" in output for output in outputs) == 1, outputs


def test_a_secret_in_the_tree_fails_the_build(stack: Stack) -> None:
    (stack.folder / "backend/app/.env").write_text("SECRET=1\n")
    ignore = stack.folder / "Dockerfile.prod.dockerignore"
    ignore.write_text("*\n!backend/\n!deploy/\n")
    command = ["docker", "build", "--progress=plain", "-f", "Dockerfile.prod", "."]
    result = subprocess.run(command, cwd=stack.folder, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert re.search(r"Must not enter the image: \./", result.stderr)


def test_compose_refuses_to_start_without_a_secret(stack: Stack) -> None:
    (stack.folder / ".env").write_text("SECRET_KEY=x\n")
    command = ["docker", "compose", "-f", "docker-compose.prod.yml", "config", "-q"]
    result = subprocess.run(command, cwd=stack.folder, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "PASSWORD" in result.stderr
    assert "is not set in .env" in result.stderr


@booted_as("e2e-fastapi")
def test_a_code_change_installs_nothing_anew(booted: Stack) -> None:
    main = booted.folder / "backend/app/main.py"
    main.write_text(main.read_text() + "\n# changed\n")
    log = subprocess.run(
        ["docker", "build", "--progress=plain", "-q=false", "-f", "Dockerfile.prod", "."],
        cwd=booted.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    step = next(line.split()[0] for line in log.splitlines() if "uv pip install" in line)
    assert f"{step} CACHED" in log
    rebuilt = [
        line for line in log.splitlines() if "[final" in line and "COPY --from=build /app" in line
    ]
    assert rebuilt


def test_down_leaves_only_the_named_volumes(stack: Stack) -> None:
    stack.up()
    inspected = json.loads(run("docker", "inspect", *stack.compose("ps", "-aq").split()))
    mounts = [mount for container in inspected for mount in container["Mounts"]]
    own = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
    stack.compose("down")
    left = own & set(run("docker", "volume", "ls", "-q").split())
    assert left
    assert [name for name in left if re.fullmatch("[0-9a-f]{64}", name)] == []
