"""Projects that lack what a build needs, or do not use what the stack gives them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from extensions import source_text
from spinbox_wrapper.checks import project
from spinbox_wrapper.checks.model import Check
from tests.checks.conftest import Ready
from tests.checks.support import by_id, commit, context, git, one
from tests.conftest import Project
from tests.runs import build, edit

pytestmark = pytest.mark.integration

WEB = "e2e-web-app"
FULL = "e2e-fastapi-postgresql-redis"


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def _look(root: Path, id_: str) -> Check:
    return one(project.look(context(root)), id_)


def _mend(root: Path, check: Check) -> None:
    """Run the command that the check names, word for word."""
    assert check.mend[0].islower()
    subprocess.run(["sh", "-ec", check.mend], cwd=root, check=True, capture_output=True)


def test_a_ready_project_has_no_failure(ready: Ready) -> None:
    found = by_id(project.look(context(ready(WEB))))
    assert {check.id for check in found.values() if check.status == "fail"} == set()
    assert {*found} == {*project.IDS} - {"project.alembic"}


# --- Lockfiles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manager", "name"),
    [("pnpm", "pnpm-lock.yaml"), ("yarn", "yarn.lock"), ("bun", "bun.lock")],
)
def test_the_command_that_locks_is_the_manager_s(ready: Ready, manager: str, name: str) -> None:
    root = ready("e2e-node")
    package = json.loads((root / "package.json").read_text())
    _write(root, "package.json", json.dumps(package | {"packageManager": f"{manager}@1.2.3"}))
    found = _look(root, "project.lockfiles")
    assert found.status == "warn"
    assert name in found.seen
    assert found.mend.startswith(f"{manager} install")


def test_a_missing_lockfile(ready: Ready) -> None:
    found = _look(ready("e2e-node"), "project.lockfiles")
    assert (found.status, found.mend) == ("warn", "npm install --package-lock-only")


def test_a_lockfile_that_git_ignores(ready: Ready) -> None:
    root = ready("e2e-node")
    _write(root, "package-lock.json", "{}")
    with (root / ".gitignore").open("a") as file:
        file.write("package-lock.json\n")
    found = _look(root, "project.lockfiles")
    assert found.status == "fail"
    _mend(root, found)
    assert "ignores" not in _look(root, "project.lockfiles").seen


def test_a_lockfile_that_is_not_in_git(ready: Ready) -> None:
    root = ready("e2e-node")
    _write(root, "package-lock.json", "{}")
    found = _look(root, "project.lockfiles")
    assert (found.status, found.mend) == ("fail", "git add package-lock.json")
    _mend(root, found)
    assert _look(root, "project.lockfiles").status == "pass"


def test_all_that_is_missing_is_named_at_once(ready: Ready) -> None:
    root = ready("e2e-web-app")
    found = _look(root, "project.lockfiles")
    assert "requirements.txt in backend" in found.seen
    assert "package-lock.json is in frontend" in found.seen
    assert found.mend.startswith("cd backend && grep ")
    assert found.mend.endswith(" && cd ../frontend && npm install --package-lock-only")


def test_versions_are_fixed_for_what_the_image_installs(ready: Ready) -> None:
    """For its Python, and without the tools of development that it leaves out."""
    root = ready("e2e-fastapi")
    _write(root, "backend/requirements.txt", "fastapi\nPytest>=8\nuvicorn\npytest-mock\nblack\n")
    mend = _look(root, "project.lockfiles").mend
    before, _, compiler = mend.partition(" | ")
    kept = subprocess.run(before, shell=True, cwd=root, capture_output=True, text=True, check=True)
    assert kept.stdout == "fastapi\nuvicorn\n"
    version = re.search(r"python:(3\.\d+)", (root / "Dockerfile.prod").read_text())
    assert version is not None
    assert compiler == (
        f"uv pip compile --universal --python-version {version[1]} - -o requirements.prod.txt"
    )


def test_requirements_without_versions(ready: Ready) -> None:
    root = ready("e2e-fastapi")
    found = _look(root, "project.lockfiles")
    assert found.status == "warn"
    assert "requirements.txt | uv pip compile" in found.mend
    _write(root, "backend/requirements.txt", "fastapi==0.110.0\nuvicorn==0.29.0  # server\n")
    assert all(check.id != "project.lockfiles" for check in project.look(context(root)))


# --- Files that a clone has ----------------------------------------------------------------------


def test_a_lib_folder_that_spinbox_s_gitignore_hides(ready: Ready) -> None:
    root = ready(WEB)
    _write(root, "frontend/src/lib/deep/api.ts", "export const api = 1\n")
    found = _look(root, "project.tracked")
    assert found.status == "fail"
    assert "frontend/src/lib/deep/" in found.seen
    _mend(root, found)
    assert _look(root, "project.tracked").status == "warn"
    commit(root)
    assert _look(root, "project.tracked").status == "pass"


def test_a_new_file_that_is_not_in_git_yet(ready: Ready) -> None:
    root = ready(WEB)
    _write(root, "backend/app/new.py", "")
    found = _look(root, "project.tracked")
    assert (found.status, found.mend) == ("warn", "git add backend")
    _mend(root, found)
    assert _look(root, "project.tracked").status == "pass"


def test_a_generated_file_that_git_ignores(ready: Ready) -> None:
    root = ready(WEB)
    git(root, "rm", "--cached", "-r", "deploy")
    with (root / ".gitignore").open("a") as file:
        file.write("deploy/\n")
    found = _look(root, "project.tracked")
    assert found.status == "fail"
    _mend(root, found)
    assert _look(root, "project.tracked").status == "warn"


def test_a_project_outside_of_git(ready: Ready) -> None:
    root = ready(WEB)
    shutil.rmtree(root / ".git")
    found = _look(root, "project.tracked")
    assert found.status == "warn"
    assert found.mend.startswith("git init")


def test_a_project_deep_in_a_repository(made: Ready, tmp_path: Path) -> None:
    root = tmp_path / "all/shop"
    shutil.copytree(made(WEB), root, ignore=shutil.ignore_patterns(".git"))
    git(tmp_path / "all", "init", "--quiet")
    assert _look(root, "project.tracked").status == "warn"
    commit(tmp_path / "all")
    assert _look(root, "project.tracked").status == "pass"


# --- Next.js -------------------------------------------------------------------------------------


def _page(root: Path, text: str) -> None:
    _write(root, "frontend/src/app/extra/page.tsx", text)


def test_a_missing_public_folder_is_no_fault(ready: Ready) -> None:
    root = ready(WEB)
    assert not (root / "frontend/public").exists()
    assert _look(root, "project.public").status == "pass"


def test_an_image_that_is_missing(ready: Ready) -> None:
    root = ready(WEB)
    _page(root, '<Image src="/brand/logo.svg" alt="" />')
    found = _look(root, "project.public")
    assert found.status == "warn"
    assert "frontend/public/brand/logo.svg" in found.seen
    _write(root, "frontend/public/brand/logo.svg", "<svg/>")
    assert _look(root, "project.public").status == "pass"


def test_an_image_that_git_ignores(ready: Ready) -> None:
    root = ready(WEB)
    _page(root, "<img src={'/lib/logo.svg'} />")
    _write(root, "frontend/public/lib/logo.svg", "<svg/>")
    found = _look(root, "project.public")
    assert found.status == "fail"
    _mend(root, found)
    assert _look(root, "project.public").status == "pass"


def test_fonts_from_the_internet(ready: Ready) -> None:
    root = ready(WEB)
    assert _look(root, "project.fonts").status == "pass"
    _page(root, "import { Inter } from 'next/font/google'\n")
    found = _look(root, "project.fonts")
    assert found.status == "warn"
    assert "frontend/src/app/extra/page.tsx" in found.seen


# --- Health --------------------------------------------------------------------------------------


def test_an_app_without_a_health_endpoint(ready: Ready) -> None:
    root = ready("e2e-fastapi")
    edit(root / "backend/app/main.py", '"/health"', '"/alive"')
    found = _look(root, "project.health")
    assert found.status == "warn"
    assert "fastapi.health" in found.mend


def test_a_script_needs_no_health_endpoint(ready: Ready) -> None:
    assert all(c.id != "project.health" for c in project.look(context(ready("python"))))


# --- Migrations ----------------------------------------------------------------------------------


def _alembic(root: Path, environment: str) -> None:
    _write(root, "backend/alembic/env.py", environment)
    _write(root, "backend/alembic/versions/0001_first.py", "revision = '0001'\n")


def test_alembic_that_reads_the_stack_s_database(ready: Ready) -> None:
    root = ready(FULL)
    _alembic(root, "import os\nurl = os.environ['SQLALCHEMY_DATABASE_URI']\n")
    assert _look(root, "project.alembic").status == "pass"
    _alembic(root, "from app.core.config import settings\n")
    assert _look(root, "project.alembic").status == "pass"


def test_alembic_that_reads_only_its_ini_file(ready: Ready) -> None:
    root = ready(FULL)
    _alembic(root, "from alembic import context\nurl = context.config.get_main_option('x')\n")
    found = _look(root, "project.alembic")
    assert found.status == "fail"
    assert "SQLALCHEMY_DATABASE_URI" in found.mend


def test_alembic_without_an_environment(project: Project) -> None:
    root = project(FULL)
    build(root, "--set", "postgres.migrations=alembic")
    found = _look(root, "project.alembic")
    assert (found.status, found.mend) == ("fail", "cd backend && alembic init alembic")


def test_alembic_without_a_revision(ready: Ready) -> None:
    root = ready(FULL)
    _alembic(root, "from app.core.config import settings\n")
    (root / "backend/alembic/versions/0001_first.py").unlink()
    assert _look(root, "project.alembic").status == "warn"


@pytest.mark.parametrize(
    ("name", "said"),
    [("001_again.sql", "one number"), ("0001_again.sql", "one number")],
)
def test_migrations_with_one_number(ready: Ready, name: str, said: str) -> None:
    root = ready(FULL)
    _write(root, f"database/migrations/{name}", "SELECT 1;")
    found = _look(root, "project.migrations")
    assert found.status == "fail"
    assert said in found.seen


def test_migrations_whose_names_sort_otherwise(ready: Ready) -> None:
    root = ready(FULL)
    _write(root, "database/migrations/2_second.sql", "SELECT 1;")
    _write(root, "database/migrations/10_tenth.sql", "SELECT 1;")
    assert _look(root, "project.migrations").status == "fail"


def test_gaps_between_numbers_are_fine(ready: Ready) -> None:
    root = ready(FULL)
    _write(root, "database/migrations/007_seventh.sql", "SELECT 1;")
    assert _look(root, "project.migrations").status == "pass"


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN;\nSELECT 1;\nCOMMIT;\n",
        "SELECT 1;\ncommit work;",
        "START TRANSACTION;\nSELECT 1;",
        "-- first\nbegin transaction ; SELECT 1",
        "CREATE INDEX CONCURRENTLY i ON t (a);",
    ],
)
def test_a_migration_with_a_transaction_of_its_own(ready: Ready, text: str) -> None:
    root = ready(FULL)
    _write(root, "database/migrations/002_second.sql", text)
    found = _look(root, "project.migrations")
    assert found.status == "fail"
    assert "002_second.sql" in found.seen


@pytest.mark.parametrize(
    "text",
    [
        "-- BEGIN;\nSELECT 1;",
        "/* COMMIT; */ SELECT 1;",
        "INSERT INTO t VALUES ('; COMMIT;');",
        "CREATE FUNCTION f() RETURNS void AS $$ BEGIN; PERFORM 1; END; $$ LANGUAGE plpgsql;",
        "DO $body$\nBEGIN\n  PERFORM 1;\nEND;\n$body$;",
        "SELECT CASE WHEN a THEN 1 END;",
    ],
)
def test_sql_that_only_looks_like_a_transaction(text: str) -> None:
    assert source_text.sql_problem(text) is None


@pytest.mark.parametrize(
    "mount",
    [
        "- ./database/init:/docker-entrypoint-initdb.d",
        "- {type: bind, source: ./database/init, target: /docker-entrypoint-initdb.d}",
        "- ./database/init/:/data:ro",
    ],
)
def test_development_data_that_was_mounted(ready: Ready, mount: str) -> None:
    root = ready(FULL)
    compose = root / "docker-compose.prod.yml"
    line = "      - postgres_data:/var/lib/postgresql/data\n"
    edit(compose, line, f"{line}      {mount}\n")
    found = _look(root, "project.init_data")
    assert found.status == "fail"
    assert "postgres" in found.seen


# --- What the apps read --------------------------------------------------------------------------


def _strip_reads(root: Path, text: str) -> None:
    """An app that has nothing but one file."""
    shutil.rmtree(root / "backend/app")
    body = f"from fastapi import FastAPI\n\napp = FastAPI()\n{text}\n"
    _write(root, "backend/app/main.py", body)


def test_an_app_that_reads_nothing_of_a_service(ready: Ready) -> None:
    root = ready(FULL)
    _strip_reads(root, "")
    found = _look(root, "project.connections")
    assert found.status == "warn"
    assert "PostgreSQL" in found.seen


def test_an_app_with_a_fixed_address(ready: Ready) -> None:
    root = ready(FULL)
    _strip_reads(root, 'ENGINE = "postgresql+psycopg2://me:secret@localhost:5432/shop"')
    found = _look(root, "project.connections")
    assert found.status == "fail"
    assert "DATABASE_URL" in found.mend


def test_every_service_that_is_not_read_is_told(ready: Ready) -> None:
    root = ready(FULL)
    _strip_reads(root, 'URL = "redis://localhost:6379"')
    found = [check for check in project.look(context(root)) if check.id == "project.connections"]
    assert [(check.status, "PostgreSQL" in check.seen) for check in found] == [
        ("warn", True),
        ("fail", False),
    ]


def test_origins_of_browsers_are_no_address_of_chroma(ready: Ready) -> None:
    root = ready("fastapi-chroma--with-deps")
    _strip_reads(root, 'ORIGINS = ["http://localhost:3000"]')
    assert _look(root, "project.connections").status == "warn"


@pytest.mark.parametrize(
    "text",
    [
        'import os\nos.getenv("DB_URL"); os.getenv("CELERY_BROKER_URL", "redis://localhost")',
        'os.getenv("DATABASE_URL", "postgresql://localhost/shop"); os.environ["REDIS_URL"]',
        'BaseSettings(env_prefix="POSTGRES_"); BaseSettings(env_prefix="REDIS_")',
        "class Settings:\n    database_url: str\n    redis_url: str",
    ],
)
def test_ways_to_read_what_the_stack_passes(ready: Ready, text: str) -> None:
    root = ready(FULL)
    _strip_reads(root, text)
    assert _look(root, "project.connections").status == "pass"


def test_parts_of_settings_are_read_by_their_delimiter(ready: Ready) -> None:
    root = ready(FULL)
    nested = 'SettingsConfigDict(env_prefix="APP_", env_nested_delimiter="__")'
    fields = '    database: Database\n    redis: Redis = Redis(url="redis://localhost")'
    _strip_reads(root, f"class Settings(BaseSettings):\n    model_config = {nested}\n{fields}")
    names = "APP_DATABASE__URL=postgresql://localhost/x\nAPP_REDIS__URL=redis://localhost\n"
    _write(root, "backend/.env.example", names)
    build(root)
    assert _look(root, "project.connections").status == "pass"


def test_a_name_in_a_comment_is_not_read(ready: Ready) -> None:
    root = ready(FULL)
    _strip_reads(root, '"""DATABASE_URL and REDIS_URL are not read."""  # POSTGRES_SERVER')
    assert _look(root, "project.connections").status == "warn"


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("a.py", '"""Text."""\nA = "b"  # c\n', "A = 'b'"),
        ("a.py", "def f():\n    'Text.'\n", "def f():\n    pass"),
        ("a.py", "no python\n", "no python\n"),
        (
            "a.ts",
            "const a = 'http://b' // c\n/* d */",
            f"const a = 'http://b' {' ' * 4}\n{' ' * 7}",
        ),
    ],
)
def test_code_without_its_comments(path: str, text: str, code: str) -> None:
    assert source_text.code_of(path, text) == code
