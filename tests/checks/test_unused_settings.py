"""Names of a settings file that go nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinbox_wrapper.checks import settings
from spinbox_wrapper.checks.model import Check
from tests.checks.conftest import Ready
from tests.checks.support import context
from tests.runs import build, edit

pytestmark = pytest.mark.integration


def unused(root: Path, *lines: str) -> list[Check]:
    """What is said of a ready project whose settings file has these lines as well."""
    with (root / ".env").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return [check for check in settings.look(context(root)) if check.id == "settings.unused"]


@pytest.mark.parametrize("shape", ["profile-web-app", "everything--with-deps"])
def test_what_the_stack_has_is_read(shape: str, ready: Ready) -> None:
    root = ready(shape)
    names = [
        line.lstrip("#").partition("=")[0]
        for line in (root / ".env.example").read_text().splitlines()
        if line[:1] == "#" and "=" in line and " " not in line.partition("=")[0]
    ]
    (found,) = unused(root, *(f"{name}=1" for name in names), "COMPOSE_PROFILES=", "TZ=UTC")
    assert found.status == "pass"


def test_a_name_that_nothing_reads(ready: Ready) -> None:
    (found,) = unused(ready("fastapi"), "OLD_FLAG=private")
    assert found.status == "warn"
    assert found.seen == ("OLD_FLAG of .env goes nowhere: no container, script or build reads it.")
    assert "private" not in found.seen + found.mend


def test_a_name_that_is_nearly_one_of_ours(ready: Ready) -> None:
    (found,) = unused(ready("fastapi"), "MORE_DOMAIN=x.io")
    assert found.mend == "Is MORE_DOMAINS meant by MORE_DOMAIN? Else take it out of .env."


def test_a_name_that_the_code_reads_is_passed_on_by_a_command(ready: Ready) -> None:
    root = ready("fastapi")
    with (root / "backend/app/main.py").open("a") as file:
        file.write('\nimport os\nSTRIPE = os.getenv("STRIPE_KEY")\n')
    build(root, "--set", "fastapi.variables=LOG_LEVEL")
    (found,) = unused(root, "STRIPE_KEY=x")
    assert found.seen.startswith("STRIPE_KEY of .env is read by backend/app/main.py:")
    assert found.mend.endswith("build --prod --set fastapi.variables=LOG_LEVEL,STRIPE_KEY")
    build(root, "--set", "fastapi.variables=LOG_LEVEL,STRIPE_KEY")
    (found,) = unused(root)
    assert found.status == "pass"


def test_what_the_user_s_own_files_read_is_read(ready: Ready) -> None:
    root = ready("fastapi")
    edit(root / "docker-compose.prod.yml", "services:\n", "x-mine: ${MINE:-}\nservices:\n")
    (root / "Makefile").write_text("deploy:\n\tssh $$SERVER_NAME\n")
    (root / "compose.tools.yml").write_text("services: {t: {image: '${TOOL_IMAGE}'}}\n")
    lines = ("MINE=1", "SERVER_NAME=1", "TOOL_IMAGE=1", "PART=x", 'LOG_LEVEL="${PART}"')
    (found,) = unused(root, *lines)
    assert found.status == "pass"


def test_an_address_that_the_stack_gives_itself_does_not_count(ready: Ready) -> None:
    root = ready("fastapi-postgresql-redis--with-deps")
    (found,) = unused(root, "DATABASE_URL=postgresql://u:secret@db.neon.tech/shop")
    assert found.status == "warn"
    assert found.seen == (
        "DATABASE_URL of .env does not count, as the stack runs PostgreSQL itself."
    )
    assert "--set postgres=external" in found.mend and "secret" not in found.mend
    said = build(root)
    assert "Note: .env: DATABASE_URL does not count" in said.replace("\n  ", " ")
    assert "secret" not in said


def test_development_s_own_address_is_no_news_of_build(ready: Ready) -> None:
    root = ready("fastapi-postgresql-redis--with-deps")
    (found,) = unused(root, "DATABASE_URL=postgresql://u:p@localhost:5432/shop")
    assert found.status == "warn"
    assert "does not count" not in build(root)
