"""PostgreSQL moves from one major version to another, fails on the way, and goes back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.stacks import Stack, eventually, need_image, run
from tests.e2e.test_backup import administer, back_up, names, script, sql, succeed
from tests.projects.compose import compose
from tests.runs import build

SHAPE = "e2e-fastapi-postgresql-redis"
# Names that need quotes in SQL and in a shell. PostgreSQL itself refuses quotes, dollars and
# backslashes in the name of an extension's owner.
HOSTILE = {"POSTGRES_USER": "an app; `id` -- é", "POSTGRES_DB": 'the "data"; DROP `x` $(id) -- é'}
OLD, NEW = "pgvector/pgvector:pg15", "pgvector/pgvector:pg18"


def generate(stack: Stack, image: str) -> str:
    return build(stack.folder, "--set", f"postgres.image={image}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL 15 with rows and an extension; nothing of it stays."""
    for image in (OLD, NEW):
        need_image(image)
    name = f"e2e-upgrade-{os.getpid()}"
    stack = Stack(compose(SHAPE, tmp_path_factory.mktemp("upgrade") / "project"))
    build(stack.folder, "--set", f"name={name}", "--set", f"postgres.image={OLD}")
    stack.write_env(**HOSTILE)
    try:
        succeed(stack, "deploy")
        # Caddy makes its own certificate in the background.
        eventually(lambda: stack.request("/health").status == 200)
        stack.post("/api/v1/items", {"name": "first"})
        sql(stack, "CREATE TABLE points (at vector(2)); INSERT INTO points VALUES ('[1,2]')")
        yield stack
    finally:
        stack.remove()
        left = volumes(stack)
        if left:
            run("docker", "volume", "rm", "--force", *left)
        images = run("docker", "image", "ls", "--quiet", "--filter", f"reference={name}-*").split()
        if images:
            run("docker", "image", "rm", "--force", *set(images))


@pytest.fixture
def stack(project: Stack) -> Stack:
    """Its files name the newer version, and it serves with the old one."""
    generate(project, OLD)
    if version(project) != "15":
        succeed(project, "upgrade-postgres", "--yes", "--back")
    generate(project, NEW)
    assert names(project) >= {"first"}
    return project


def version(stack: Stack) -> str:
    return sql(stack, "SHOW server_version").partition(".")[0]


def volumes(stack: Stack) -> set[str]:
    """The data's volumes, by name."""
    project = stack.configuration()["name"]
    labels = [f"label=com.docker.compose.project={project}", "label=com.docker.compose.volume"]
    filters = [word for label in labels for word in ("--filter", label)]
    found = run("docker", "volume", "ls", "--quiet", *filters).split()
    return {name for name in found if "_postgres_data" in name}


def database(stack: Stack) -> str:
    return run(
        "docker", "ps", "--quiet", "--filter", f"name={stack.configuration()['name']}-postgr"
    )


@contextmanager
def failing(stack: Stack, verb: str, how: str) -> Iterator[None]:
    """The part of the scripts that does `verb` with PostgreSQL does something else first."""
    part = stack.folder / "deploy/data/postgres.sh"
    whole = part.read_text()
    part.write_text(f'[ "$1" != {verb} ] || {{ {how}; }}\n{whole}')
    try:
        yield
    finally:
        part.write_text(whole)


def test_a_deployment_refuses_another_major_version_and_nothing_stops(stack: Stack) -> None:
    before = database(stack)
    result = script(stack, "deploy")
    assert result.returncode == 1
    (told,) = re.findall(r"^deploy: (The files name PostgreSQL .*)$", result.stderr, re.MULTILINE)
    assert told == (
        "The files name PostgreSQL 18, which does not read the data of 15: move it with "
        "sh deploy/upgrade-postgres.sh"
    )
    assert database(stack) == before
    assert stack.post("/api/v1/items", {"name": "still there"}) in stack.get("/api/v1/items")


def test_the_drill_is_a_rehearsal_while_the_old_version_serves(stack: Stack) -> None:
    back_up(stack)
    assert "can be restored" in succeed(stack, "backup-check")
    assert version(stack) == "15"


def test_a_rollback_and_a_password_are_not_held_up(stack: Stack) -> None:
    output = succeed(stack, "change-password", "postgres")
    assert "up -d postgres" not in output
    assert names(stack) >= {"first"}
    assert version(stack) == "15"


def test_rows_extension_and_names_come_along(stack: Stack) -> None:
    kept = volumes(stack)
    items = stack.get("/api/v1/items")
    output = succeed(stack, "upgrade-postgres", "--yes")
    assert version(stack) == "18"
    assert stack.get("/api/v1/items") == items
    assert sql(stack, "SELECT at FROM points") == "[1,2]"
    assert sql(stack, "SELECT current_user") == HOSTILE["POSTGRES_USER"]
    assert stack.get("/api/v1/items/url") == {"ok": True}
    # The old data stays until the owner removes it.
    assert kept < volumes(stack)
    assert re.search(r"PostgreSQL 18 is in service; the apps were stopped for \d+ s\.", output)


def test_after_it_everything_works_as_before(stack: Stack) -> None:
    succeed(stack, "upgrade-postgres", "--yes")
    added = stack.post("/api/v1/items", {"name": "after the upgrade"})
    succeed(stack, "deploy")
    backup = back_up(stack)
    succeed(stack, "backup-check")
    stack.compose("down")
    succeed(stack, "restore", "--yes", backup.name)
    assert added in stack.get("/api/v1/items")
    assert version(stack) == "18"
    assert "already" in succeed(stack, "upgrade-postgres", "--yes")


def test_the_way_back_has_the_rows_of_before(stack: Stack) -> None:
    before = stack.post("/api/v1/items", {"name": "before"})
    succeed(stack, "upgrade-postgres", "--yes")
    after = stack.post("/api/v1/items", {"name": "after"})
    output = succeed(stack, "upgrade-postgres", "--yes", "--back")
    assert version(stack) == "15"
    items = stack.get("/api/v1/items")
    assert before in items
    assert after not in items
    assert f"--set postgres.image={OLD}" in output
    generate(stack, OLD)
    succeed(stack, "deploy")
    assert before in stack.get("/api/v1/items")


@pytest.mark.parametrize(
    ("verb", "how"),
    [
        ("backup", "exit 1"),
        ("restore", "exit 1"),
        ("count", "echo count public.items 0; exit 0"),
    ],
)
def test_what_fails_on_the_way_leaves_the_old_version_serving(
    stack: Stack, verb: str, how: str
) -> None:
    kept = volumes(stack)
    item = stack.post("/api/v1/items", {"name": f"before {verb}"})
    with failing(stack, verb, how):
        result = script(stack, "upgrade-postgres", "--yes")
    assert result.returncode == 1
    assert "All is as it was before." in result.stderr
    assert version(stack) == "15"
    assert item in stack.get("/api/v1/items")
    assert volumes(stack) == kept
    assert "-upgrade" not in run("docker", "ps", "--all", "--format", "{{.Names}}").replace(
        stack.configuration()["name"], ""
    )


def test_a_run_that_was_killed_is_made_good_by_the_next(stack: Stack) -> None:
    kept = volumes(stack)
    item = stack.post("/api/v1/items", {"name": "before the kill"})
    with failing(stack, "restore", "sleep 600"):
        process = subprocess.Popen(
            ["sh", "deploy/upgrade-postgres.sh", "--yes"],
            cwd=stack.folder,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: len(volumes(stack)) > len(kept) and _restores(stack))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    succeed(stack, "upgrade-postgres", "--yes")
    assert version(stack) == "18"
    assert item in stack.get("/api/v1/items")
    assert len(volumes(stack)) == len(kept) + 1


def _restores(stack: Stack) -> bool:
    beside = f"{stack.configuration()['name']}-postgres-upgrade"
    return "sleep 600" in run("docker", "top", beside)


def test_where_compose_took_the_old_one_away_the_script_mends_it(stack: Stack) -> None:
    """As after `docker compose up -d`: the newer image ends again and again on the old data."""
    item = stack.post("/api/v1/items", {"name": "before Compose"})
    stack.compose("up", "--detach", "--no-deps", "postgres")
    succeed(stack, "upgrade-postgres", "--yes")
    assert version(stack) == "18"
    assert item in stack.get("/api/v1/items")


def test_what_no_backup_holds_is_named(stack: Stack) -> None:
    administer(stack, "CREATE ROLE reporting")
    try:
        output = succeed(stack, "upgrade-postgres", "--yes")
    finally:
        succeed(stack, "upgrade-postgres", "--yes", "--back")
        administer(stack, "DROP ROLE reporting")
    assert "\nrole reporting\n" in output


def test_an_image_whose_version_is_not_told_is_refused_before_it_starts(stack: Stack) -> None:
    """A volume at the place of another version would hold nothing."""
    name = f"{stack.configuration()['name']}-own:newest"
    run("docker", "tag", "postgres:18", name)
    try:
        told = generate(stack, name)
        assert "cannot be told" in told
        result = script(stack, "deploy")
        assert result.returncode == 1
        assert "--set postgres.version=18" in result.stderr
    finally:
        run("docker", "image", "rm", name)
