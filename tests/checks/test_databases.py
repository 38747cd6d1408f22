"""Databases that run in another version than the files name."""

from __future__ import annotations

import pytest

from spinbox_wrapper.checks import databases, settings
from spinbox_wrapper.checks.engine import Container, Engine, container
from tests.checks.conftest import Ready
from tests.checks.support import context

SHAPE = "fastapi-postgresql--py312-pg16"
LINE = """{"Image": "%s", "Ports": "", "Labels": "a=b,%s"}"""


@pytest.mark.parametrize(
    ("image", "statuses"),
    [
        ("postgres:15", ["fail"]),
        ("pgvector/pgvector:pg15", ["fail"]),
        ("postgres:17-alpine", ["fail"]),
        ("postgres:16.4", ["pass"]),
        ("sha256:0123", []),
    ],
)
@pytest.mark.parametrize("swarm", [False, True])
def test_another_major_version(ready: Ready, image: str, statuses: list[str], swarm: bool) -> None:
    looked_at = context(ready(SHAPE))
    project = looked_at.compose_project
    labels = (
        f"com.docker.swarm.service.name={project}_postgres"
        if swarm
        else f"com.docker.compose.project={project},com.docker.compose.service=postgres"
    )
    engine = Engine(True, version="26", containers=(container(LINE % (image, labels)),))
    found = databases.judge(looked_at, engine, "sh deploy/{}.sh")
    assert [check.status.value for check in found] == statuses
    assert [check.mend for check in found if check.mend] == (
        ["sh deploy/upgrade-postgres.sh"] * statuses.count("fail")
    )


@pytest.mark.parametrize(
    ("shape", "user", "statuses"),
    [
        (SHAPE, "postgres", ["warn"]),
        (SHAPE, "app", ["pass"]),
        ("nextjs", "postgres", []),
    ],
)
def test_apps_that_log_in_as_the_administrator(
    ready: Ready, shape: str, user: str, statuses: list[str]
) -> None:
    stack = context(ready(shape)).stack
    found = settings.superuser("id", {"POSTGRES_USER": user}, stack, ".env")
    assert [check.status.value for check in found] == statuses


def test_a_database_of_another_stack_is_nothing_to_this_one(ready: Ready) -> None:
    other = Container("shop-prod", frozenset(), "postgres", "postgres:15")
    engine = Engine(True, version="26", containers=(other,))
    assert databases.judge(context(ready(SHAPE)), engine, "") == []
