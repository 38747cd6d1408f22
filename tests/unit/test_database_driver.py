"""Which driver the URLs of PostgreSQL name."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import database_driver
from extensions.python_source import parse_modules
from tests.unit.support import stack_of, tree_of

ASYNC = "from sqlalchemy.ext.asyncio import create_async_engine as make\nengine = make(url)\n"
SYNC = "import sqlalchemy as sa\nengine = sa.create_engine(url)\n"


def driver(root: Path, code: str, *libraries: str, example: str = "") -> str | None:
    tree = tree_of(root, {"main.py": code, ".env.example": example})
    return database_driver.find(tree, ".", parse_modules(tree, ".")[0], libraries).value


@pytest.mark.parametrize(
    ("code", "libraries", "expected"),
    [
        (ASYNC, ("asyncpg",), "asyncpg"),
        (ASYNC, ("asyncpg", "psycopg2-binary"), "asyncpg"),
        (ASYNC, ("psycopg", "psycopg-binary"), "psycopg"),
        (SYNC, ("psycopg2-binary",), "psycopg2"),
        (SYNC, ("psycopg", "psycopg-c"), "psycopg"),
        ("import asyncpg\nasync def f():\n    await asyncpg.connect(url)\n", ("asyncpg",), "none"),
        ("import psycopg2\npsycopg2.connect(url)\n", ("psycopg2",), "none"),
        (f"{SYNC}import psycopg2\npsycopg2.connect(url)\n", ("psycopg2",), "none"),
        ("# create_async_engine(url)\n", ("asyncpg",), "none"),
        (SYNC, (), None),
    ],
)
def test_by_dependencies_and_code(
    tmp_path: Path, code: str, libraries: tuple[str, ...], expected: str | None
) -> None:
    assert driver(tmp_path, code, *libraries) == expected


def test_the_scheme_of_the_example_comes_first(tmp_path: Path) -> None:
    example = "A=1\nURL=postgresql+psycopg://app@localhost/app\n"
    assert driver(tmp_path, ASYNC, "asyncpg", "psycopg", example=example) == "psycopg"


def test_a_scheme_without_its_driver_does_not_count(tmp_path: Path) -> None:
    example = "URL=postgresql+asyncpg://app@localhost/app\n"
    assert driver(tmp_path, SYNC, "psycopg2", example=example) == "psycopg2"


@pytest.mark.parametrize(("value", "expected"), [("asyncpg", "asyncpg"), ("none", None)])
def test_what_is_set_by_hand_counts(value: str, expected: str | None) -> None:
    facts = {"dir": ".", "entry": "main:app", "libraries": ["uvicorn"], "sources": ["main.py"]}
    project = {"name": "x", "fastapi": {**facts, "driver": "psycopg"}, "postgres": {}}
    stack = stack_of(project, {"fastapi.driver": value})
    found = {env.name: env.value for env in stack.apps[0].environment}
    assert found.get("DATABASE_DRIVER") == expected
