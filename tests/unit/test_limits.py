"""Limits by what an app is and depends on, and the server that they fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions import limits
from extensions.facts import read_facts
from extensions.limits import Resources
from tests.e2e.first_deployment import copy_app
from tests.unit.support import deployment_of, facts_of, stack_of, write_project

_FASTAPI = {
    "app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    "requirements.txt": "fastapi\nuvicorn\n",
}
_EXPRESS = {"src/server.js": "require('express')().listen(3000)\n"}


def fastapi(root: Path, *libraries: str) -> Any:
    lines = _FASTAPI["requirements.txt"] + "".join(f"{name}\n" for name in libraries)
    flags = {"USE_FASTAPI": "true", "USE_PYTHON": "true"}
    files = {**_FASTAPI, "requirements.txt": lines}
    return stack_of(
        read_facts(write_project(root, files, USE_POSTGRESQL="true", USE_REDIS="true", **flags))
    )


def express(root: Path, tables: dict[str, dict[str, str]], build: str = "tsc") -> Any:
    package = {"scripts": {"start": "node src/server.js", "build": build}, **tables}
    files = {**_EXPRESS, "package.json": json.dumps(package)}
    return stack_of(read_facts(write_project(root, files, USE_NODE="true", USE_POSTGRESQL="true")))


def at_once(stack: Any) -> int:
    """MB of all that runs, and of a second version beside the first."""
    kept = [one for name, one in stack.limits.items() if name != "migrate"]
    return sum(one.megabytes for one in (*kept, *(one.resources for one in stack.rolled)))


def test_fastapi_with_postgresql_and_redis_fits_1_gb_twice(tmp_path: Path) -> None:
    stack = fastapi(tmp_path)
    assert (at_once(stack), stack.memory_needed, stack.memory_to_build) == (1024, 1, 1)


@pytest.mark.parametrize("name", ["node-express", "node-prisma", "django", "flask"])
def test_apps_without_pages_to_build_fit_1_gb(name: str, tmp_path: Path) -> None:
    stack = stack_of(read_facts(copy_app(name, tmp_path / name)))
    assert at_once(stack) <= 1024
    assert (stack.memory_needed, stack.memory_to_build) == (1, 1)


@pytest.mark.parametrize(("name", "needed"), [("site-vite", 1), ("next-app", 2), ("ssr-nuxt", 2)])
def test_pages_are_built_in_2_gb(name: str, needed: int, tmp_path: Path) -> None:
    stack = stack_of(read_facts(copy_app(name, tmp_path / name)))
    assert (stack.memory_needed, stack.memory_to_build) == (needed, 2)


def test_a_worker_is_there_twice_as_well(tmp_path: Path) -> None:
    stack = stack_of(facts_of("e2e-fastapi-postgresql-redis", tmp_path / "project"))
    assert (at_once(stack), stack.memory_needed) == (1536, 2)


@pytest.mark.parametrize(
    ("libraries", "memory"),
    [((), "256M"), (("boto3", "openai"), "256M"), (("pandas",), "512M"), (("chromadb",), "1G")],
)
def test_libraries_that_take_memory_have_it(
    libraries: tuple[str, ...], memory: str, tmp_path: Path
) -> None:
    assert fastapi(tmp_path, *libraries).apps[0].resources.memory == memory


@pytest.mark.parametrize(
    ("tables", "memory"),
    [
        ({"dependencies": {"express": "5"}}, "256M"),
        ({"dependencies": {"express": "5", "sharp": "0.34"}}, "512M"),
        ({"dependencies": {"express": "5"}, "devDependencies": {"sharp": "0.34"}}, "256M"),
    ],
)
def test_packages_that_take_memory_have_it(
    tables: dict[str, dict[str, str]], memory: str, tmp_path: Path
) -> None:
    assert express(tmp_path, tables).apps[0].resources.memory == memory


def test_a_server_that_has_its_pages_built_needs_2_gb_for_that_alone(tmp_path: Path) -> None:
    tables = {"dependencies": {"express": "5"}, "devDependencies": {"vite": "7"}}
    stack = express(tmp_path, tables, "vite build")
    assert (stack.memory_needed, stack.memory_to_build) == (1, 2)


def test_a_worker_and_migrations_have_what_their_apps_libraries_need() -> None:
    for app, more in ((limits.APP, "256M"), (limits.LARGE_APP, "512M"), (limits.MODELS, "512M")):
        assert limits.of_worker(app).memory == limits.of_migrations(app).memory == more


@pytest.mark.parametrize(
    ("running", "second", "brief", "gigabytes"),
    [
        (["512M", "256M"], ["256M"], [], 1),
        (["512M", "256M"], ["256M"], ["512M"], 2),
        (["1G", "1G", "512M"], ["512M"], [], 2),
        (["1G", "1G", "1G"], ["1G"], ["1G"], 2),
        (["1G", "1G", "1G", "512M"], ["1G"], ["1G"], 3),
        ([], [], ["512M"], 1),
    ],
)
def test_the_server(
    running: list[str], second: list[str], brief: list[str], gigabytes: int
) -> None:
    sizes = [[Resources(memory) for memory in many] for many in (running, second, brief)]
    assert limits.server(*sizes) == gigabytes


@pytest.mark.parametrize(("service", "share"), [("postgres", 4), ("redis", 2)])
def test_what_a_service_fills_is_a_share_of_its_limit(
    service: str, share: int, tmp_path: Path
) -> None:
    stack = fastapi(tmp_path)
    found = stack.service(service)
    told = stack.variable(found.memory_variable).default
    assert int(told.lower().removesuffix("mb")) * share == found.resources.megabytes


@pytest.mark.parametrize("case", ["fly", "railway"])
def test_an_image_of_a_platform_is_not_told_of_memory(case: str, tmp_path: Path) -> None:
    facts = facts_of("everything--with-deps", tmp_path / "project")
    surface: Any = deployment_of(facts, targets=[case]).surfaces[case]
    own = [s.name for service in surface.stack.services for s in surface.own_settings(service)]
    assert "POSTGRES_PASSWORD" in own
    assert "POSTGRES_SHARED_BUFFERS" not in own


def test_a_machine_of_fly_has_memory_for_its_kernel(tmp_path: Path) -> None:
    fly: Any = deployment_of(
        facts_of("e2e-fastapi-postgresql-redis", tmp_path / "project"), targets=["fly"]
    ).surfaces["fly"]
    assert [fly.memory(unit) for unit in (fly.stack.apps[0], fly.stack.workers[0])] == [512, 512]


@pytest.mark.parametrize("library", ["httpx", "pandas", "torch"])
def test_the_usual_limit_holds_two_processes(library: str, tmp_path: Path) -> None:
    """As the entrypoint counts: it takes 128 MB for each where it is told nothing."""
    app = fastapi(tmp_path, library).apps[0]
    each = int(dict(app.build.environment).get("WORKER_MEGABYTES", "128"))
    assert app.resources.megabytes // each == 2
