"""An app's own variables: found, carried over, set, and given to tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from extensions import own_variables
from extensions.environment_reads import Read
from extensions.facts import read_facts
from extensions.origins import Found
from extensions.pipeline import test_environment
from extensions.settings import lay_over
from tests.unit.support import stack_of, write_project

# Its name makes pytest take it for a test.
app_environment = test_environment
del test_environment

FASTAPI = {
    "dir": "backend",
    "entry": "app.main:app",
    "manager": "pip",
    "manifests": ["requirements.txt"],
    "libraries": ["uvicorn"],
    "port": 8000,
}


def facts(**fields: Any) -> dict[str, Any]:
    return {"name": "shop", "fastapi": {**FASTAPI, **fields}}


def test_names_of_the_code_follow_those_of_example_files(tmp_path: Path) -> None:
    files = {
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/.env.example": "ZEBRA=1\nALPHA=\n",
        "backend/app/main.py": "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        'B = os.environ["BETA"]\nA = os.getenv("ALPHA")\nC = os.getenv("AAA", "1")\n',
    }
    found = read_facts(write_project(tmp_path, files, USE_FASTAPI="true"))["fastapi"]
    assert found["variables"] == ["ZEBRA", "ALPHA", "AAA", "BETA"]
    assert found["required"] == ["BETA"]


def test_the_place_is_that_of_the_name_that_is_required() -> None:
    reads = [Read("A", "a.py", 1, False), Read("A", "b.py", 2, True), Read("PATH", "a.py", 3, True)]
    found = own_variables.read(Found([], "none"), reads)
    assert (found["required"].path, found["required"].line) == ("b.py", 2)
    assert found["variables"].value == ["A"]


@pytest.mark.parametrize(
    ("stored", "carried"),
    [
        (None, ["A", "B"]),
        ({"name": "shop"}, ["A", "B"]),
        ({"fastapi": {"dir": "backend"}}, []),
        ({"fastapi": {"required": ["B", "C"]}}, ["B"]),
    ],
)
def test_nothing_new_is_required_of_a_project_with_stored_facts(
    stored: dict[str, Any] | None, carried: list[str]
) -> None:
    found = own_variables.carry_over(facts(required=["A", "B"]), stored)
    assert found["fastapi"]["required"] == carried
    assert own_variables.carry_over(facts(required=["A", "B"]), found) == found


def test_what_is_required_is_a_setting_of_the_stack() -> None:
    stack = stack_of(facts(variables=["API_KEY", "LEVEL"], required=["API_KEY"]))
    (app,) = stack.apps
    assert "API_KEY" in {env.variable for env in app.environment}
    assert app.passed_on == ("LEVEL",)
    setting = stack.variable("API_KEY")
    assert setting.required and setting.secret and setting.generate is None


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "POSTGRES_DB", "PORT"])
def test_what_the_stack_gives_is_not_asked_for(name: str) -> None:
    stack = stack_of({**facts(required=[name], variables=[name]), "postgres": {}})
    assert not any(variable.own for variable in stack.variables)
    assert stack.apps[0].passed_on == ()


def test_what_one_app_requires_is_no_option_of_another() -> None:
    node = {"dir": ".", "command": "node x.js", "sources": ["x.js"], "variables": ["API_KEY"]}
    stack = stack_of({**facts(required=["API_KEY"]), "node": node})
    assert "API_KEY" not in stack.own_variables
    assert all("API_KEY" in {env.name for env in app.environment} for app in stack.apps)


@pytest.mark.parametrize(
    ("name", "random"),
    [
        ("SECRET_KEY", True),
        ("JWT_SECRET", True),
        ("NEXTAUTH_SECRET", True),
        ("JWT_REFRESH_SECRET_KEY", True),
        ("SECURITY__SECRET_KEY", True),
        ("PASSWORD_SALT", True),
        ("STRIPE_SECRET_KEY", False),
        ("AWS_SECRET_ACCESS_KEY", False),
        ("GOOGLE_CLIENT_SECRET", False),
        ("TWITTER_ACCESS_TOKEN_SECRET", False),
        ("ENCRYPTION_KEY", False),
    ],
)
def test_what_only_has_to_be_random_is_generated(name: str, random: bool) -> None:
    setting = own_variables.setting(name, "x")
    assert (setting.generate is not None) == random
    assert setting.secret and setting.required


@pytest.mark.parametrize(
    ("name", "secret"), [("MONGO_URL", True), ("DATABASE_URL", True), ("SITE_URL", False)]
)
def test_an_address_with_a_login_is_a_secret(name: str, secret: bool) -> None:
    assert own_variables.setting(name, "x").secret == secret


@pytest.mark.parametrize(
    ("overrides", "required", "passed_on"),
    [
        ({"fastapi.optional": ["A"]}, set(), {"A", "B"}),
        ({"fastapi.required": ["B"]}, {"A", "B"}, set()),
        ({"fastapi.ignored": ["A"]}, set(), {"B"}),
        ({"fastapi.optional": ["C"]}, {"A"}, {"B", "C"}),
    ],
)
def test_what_is_set_by_hand_corrects(
    overrides: dict[str, Any], required: set[str], passed_on: set[str]
) -> None:
    stack = stack_of(facts(variables=["A", "B"], required=["A"]), overrides)
    assert {variable.name for variable in stack.variables if variable.own} == required
    assert set(stack.apps[0].passed_on) == passed_on


def test_what_was_found_stays_required_beside_what_is_set() -> None:
    laid = lay_over(facts(required=["A"]), {"fastapi.required": ["B", "A"]})
    assert laid["fastapi"]["required"] == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET", "only-for-tests"),
        ("OPENAI_API_KEY", "check"),
        ("SITE_URL", "http://localhost"),
        ("SMTP_PORT", "1"),
        ("MAX_ITEMS", "1"),
        ("CACHE_ENABLED", "false"),
        ("FROM_EMAIL", "check@example.com"),
    ],
)
def test_tests_find_a_value(name: str, value: str) -> None:
    stack = stack_of(facts(required=[name]))
    assert app_environment(stack.apps[0], stack, beside=True)[name] == value


NAMES = ["DB_HOST", "DATABASE_URL", "MONGO_URI", "DB_POOL"]


def test_names_of_services_are_filled_and_can_be_set() -> None:
    stack = stack_of({**facts(variables=NAMES, required=NAMES), "postgres": {}, "mongodb": {}})
    assert stack.filled == (("DB_HOST", "POSTGRES_SERVER"), ("MONGO_URI", "MONGODB_URL"))
    assert stack.apps[0].passed_on == ("DB_HOST", "MONGO_URI")
    groups = {variable.name: variable.group for variable in stack.variables}
    assert (groups["DB_HOST"], groups["MONGO_URI"]) == ("PostgreSQL", "MongoDB")
    assert [variable.name for variable in stack.variables if variable.own] == ["DB_POOL"]


def test_the_one_database_there_is() -> None:
    stack = stack_of({**facts(required=["DATABASE_URL"]), "mongodb": {}})
    assert stack.filled == (("DATABASE_URL", "MONGODB_URL"),)


def test_a_name_set_by_hand_is_not_filled() -> None:
    project = {**facts(variables=NAMES), "postgres": {}}
    stack = stack_of(project, {"fastapi.optional": ["DB_HOST"]})
    assert stack.filled == () and "DB_HOST" in stack.apps[0].passed_on


def test_no_password_is_passed_on_to_a_redis_that_has_none() -> None:
    """One that `.env` still has would be refused by it."""
    fields = {"dir": ".", "command": "node index.js", "port": 3000, "sources": ["index.js"]}
    names = {"variables": ["REDIS_PASSWORD", "CACHE_PASSWORD", "CACHE_URL", "OTHER"]}
    facts = {"name": "demo", "node": {**fields, **names}, "redis": {}}
    (app,) = stack_of(facts, {"redis.password": "off"}).apps
    assert app.passed_on == ("CACHE_URL", "OTHER")
    assert app.filled == (("CACHE_URL", "REDIS_URL"),)


DB = {"HOST": "POSTGRES_SERVER", "PORT": "POSTGRES_PORT", "NAME": "POSTGRES_DB"}


@pytest.mark.parametrize(
    ("names", "filled"),
    [
        (
            ["APP_DB_HOST", "APP_DB_PORT", "APP_DB_NAME"],
            {f"APP_DB_{part}": source for part, source in DB.items()},
        ),
        (["DJANGO_DB_NAME", "OTHER"], {"DJANGO_DB_NAME": "POSTGRES_DB"}),
        (["APP__DB__HOST"], {}),
        (["APP_DB__HOST"], {"APP_DB__HOST": "POSTGRES_SERVER"}),
        (
            ["SHOP_POSTGRES_URL", "SHOP_DEBUG", "SHOP_SECRET", "LOG_LEVEL"],
            {"SHOP_POSTGRES_URL": "DATABASE_URL"},
        ),
        # Not what the app calls all of its settings.
        (["BILLING_DB_HOST", "BILLING_KEY", "A", "B", "C"], {}),
        (["STRIPE_DATABASE_URL"], {}),
        (["REPLICA_DB_HOST", "REPLICA_DB_PORT", "REPLICA_DB_NAME"], {}),
        # Another one beside the app's own.
        (["DB_HOST", "BILLING_DB_HOST", "BILLING_DB_PORT", "BILLING_DB_NAME"],
         {"DB_HOST": "POSTGRES_SERVER"}),
    ],
)  # fmt: skip
def test_names_below_the_app_s_prefix_are_filled(names: list[str], filled: dict[str, str]) -> None:
    stack = stack_of({**facts(variables=names), "postgres": {"image": "postgres:16"}})
    assert dict(stack.apps[0].filled) == filled


def test_what_the_app_requires_below_its_prefix_is_asked_of_nobody() -> None:
    given = facts(variables=["APP_DB_HOST"], required=["APP_DB_HOST"])
    stack = stack_of({**given, "postgres": {"image": "postgres:16"}})
    assert not stack.variable("APP_DB_HOST").required
