"""The apps' role owns its database and is no superuser; where it is one, all works as before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stacks import Stack, eventually, run
from tests.e2e.test_backup import administer, back_up, names, script, sql, start, succeed
from tests.e2e.test_upgrade import volumes
from tests.projects.compose import compose
from tests.runs import build

SHAPE = "e2e-fastapi-postgresql-redis"
SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
OWNERS = (
    "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'public'::regnamespace"
)
COMMENT = "COMMENT ON TABLE items IS 'what the shop sells'"
COMMENTED = "SELECT obj_description('items'::regclass)"


def remove(stack: Stack) -> None:
    """Take everything away, also old volumes and the images of deployments."""
    name = stack.configuration()["name"].removesuffix("-prod")
    stack.remove()
    if left := volumes(stack):
        run("docker", "volume", "rm", "--force", *left)
    images = run("docker", "image", "ls", "--quiet", "--filter", f"reference={name}-*").split()
    if images:
        run("docker", "image", "rm", "--force", *set(images))


def refused(stack: Stack, statement: str) -> str:
    """What the apps' role is told instead."""
    command = f'psql -qAt -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{statement}" 2>&1 || true'
    return stack.execute("postgres", command).strip()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = start(SHAPE, tmp_path_factory.mktemp("owner"), f"e2e-owner-{os.getpid()}")
    yield stack
    remove(stack)


def test_no_command_runs_on_the_server(stack: Stack) -> None:
    assert sql(stack, SUPERUSER) == "f"
    for statement in ("COPY items FROM PROGRAM 'id'", "COPY items TO PROGRAM 'id'"):
        assert "pg_execute_server_program" in refused(stack, statement)


def test_the_administrator_gets_in_from_inside_the_container_alone(stack: Stack) -> None:
    having = "SELECT count(*) FROM pg_authid WHERE rolsuper AND rolpassword IS NOT NULL"
    assert administer(stack, having) == "0"
    over_network = (
        'PGPASSWORD=$POSTGRES_PASSWORD psql -h "$(hostname -i)" -U postgres -c "" 2>&1 || true'
    )
    assert "password authentication failed" in stack.execute("postgres", over_network)


def test_nothing_in_the_apps_schema_runs_with_the_administrators_rights(stack: Stack) -> None:
    """A function that fits a call of the scripts better than PostgreSQL's own."""
    trap = (
        "CREATE FUNCTION public.format(text, text, text, name, name) RETURNS text LANGUAGE sql "
        "AS 'SELECT current_user::text'"
    )
    sql(stack, trap)
    try:
        backup = back_up(stack)
        assert "count postgres public.items " in (backup / "manifest").read_text()
        succeed(stack, "backup-check", backup.name)
    finally:
        sql(stack, "DROP FUNCTION public.format(text, text, text, name, name)")


def test_the_app_and_its_migrations_work_over_backup_and_restore(stack: Stack) -> None:
    stack.post("/api/v1/items", {"name": "kept"})
    sql(stack, COMMENT)
    backup = back_up(stack)
    succeed(stack, "backup-check")
    succeed(stack, "restore", "--yes", backup.name)
    assert "kept" in names(stack)
    assert sql(stack, OWNERS) == "app"
    assert sql(stack, COMMENTED) == "what the shop sells"
    assert stack.post("/api/v1/items", {"name": "after"}) in stack.get("/api/v1/items")
    succeed(stack, "deploy")


def test_a_file_of_sql_comes_in_as_the_apps_role(stack: Stack) -> None:
    dump = 'pg_dump -U postgres --no-owner --no-privileges "$POSTGRES_DB"'
    file = stack.folder / "dump.sql"
    file.write_text(stack.execute("postgres", dump))
    assert "COMMENT ON EXTENSION vector" in file.read_text()
    succeed(stack, "restore", "--yes", "--import", "dump.sql", "postgres")
    assert "kept" in names(stack)
    assert sql(stack, OWNERS) == "app"
    file.write_text("COPY (SELECT 1) TO PROGRAM 'id';\n")
    result = script(stack, "restore", "--yes", "--no-backup", "--import", "dump.sql", "postgres")
    assert result.returncode == 1
    assert "pg_execute_server_program" in result.stderr
    succeed(stack, "deploy", "--no-backup")
    assert "kept" in names(stack)


def test_a_new_password(stack: Stack) -> None:
    succeed(stack, "change-password", "postgres")
    assert stack.get("/api/v1/items/url") == {"ok": True}


def test_an_extension_that_comes_later(stack: Stack) -> None:
    """One that only a superuser may create."""
    assert "permission denied" in refused(stack, "CREATE EXTENSION pageinspect")
    build(stack.folder, "--set", "postgres.extensions=vector,pageinspect")
    succeed(stack, "deploy")
    held = "SELECT extname FROM pg_extension WHERE extname IN ('vector', 'pageinspect') ORDER BY 1"
    assert sql(stack, held) == "pageinspect\nvector"
    succeed(stack, "restore", "--yes", back_up(stack).name)
    assert sql(stack, held) == "pageinspect\nvector"
    succeed(stack, "backup-check")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A database as an earlier version made it, whose apps are superusers, with these files."""
    name = f"e2e-owner-old-{os.getpid()}"
    stack = Stack(compose(SHAPE, tmp_path_factory.mktemp("old") / "project"))
    build(stack.folder, "--set", f"name={name}")
    stack.write_env()
    file = stack.folder / "deploy/postgres-init.sql"
    text = file.read_text()
    file.write_text("")
    try:
        stack.up()
        eventually(lambda: stack.request("/health").status == 200)
        file.write_text(text)
        stack.post("/api/v1/items", {"name": "old"})
        sql(stack, COMMENT)
        yield stack
    finally:
        remove(stack)


def test_where_the_apps_are_superusers_all_works_as_before(old: Stack) -> None:
    succeed(old, "deploy")
    assert sql(old, SUPERUSER) == "t"
    backup = back_up(old)
    succeed(old, "backup-check")
    succeed(old, "restore", "--yes", backup.name)
    succeed(old, "change-password", "postgres")
    assert sql(old, SUPERUSER) == "t"
    assert sql(old, COMMENTED) == "what the shop sells"
    assert old.post("/api/v1/items", {"name": "still"}) in old.get("/api/v1/items")


def test_it_is_changed_by_the_script_and_back(old: Stack) -> None:
    items = old.get("/api/v1/items")
    assert "already" in succeed(old, "upgrade-postgres", "--yes")
    succeed(old, "upgrade-postgres", "--yes", "--same-version")
    assert sql(old, SUPERUSER) == "f"
    assert old.get("/api/v1/items") == items
    assert sql(old, OWNERS) == "app"
    succeed(old, "deploy")
    succeed(old, "backup-check")
    succeed(old, "upgrade-postgres", "--yes", "--back")
    assert sql(old, SUPERUSER) == "t"
    assert old.get("/api/v1/items") == items


def test_a_role_named_postgres_gives_way_to_another(tmp_path: Path) -> None:
    stack = Stack(compose(SHAPE, tmp_path / "project"))
    build(stack.folder, "--set", f"name=e2e-owner-name-{os.getpid()}")
    stack.write_env(POSTGRES_USER="postgres")
    settings = stack.folder / ".env"
    try:
        succeed(stack, "deploy")
        eventually(lambda: stack.request("/health").status == 200)
        assert sql(stack, SUPERUSER) == "t"
        stack.post("/api/v1/items", {"name": "kept"})
        items = stack.get("/api/v1/items")
        result = script(stack, "upgrade-postgres", "--yes", "--same-version")
        assert result.returncode == 1
        assert "set POSTGRES_USER in .env to another name" in result.stderr
        before = settings.read_text()
        settings.write_text(before.replace("POSTGRES_USER='postgres'", "POSTGRES_USER=shop"))
        succeed(stack, "upgrade-postgres", "--yes", "--same-version")
        assert sql(stack, SUPERUSER) == "f"
        assert sql(stack, OWNERS) == "shop"
        assert stack.get("/api/v1/items") == items
        settings.write_text(settings.read_text().replace("=shop", "=postgres"))
        succeed(stack, "upgrade-postgres", "--yes", "--back")
        assert sql(stack, SUPERUSER) == "t"
        assert stack.get("/api/v1/items") == items
    finally:
        remove(stack)
