"""A Docker engine, and one booted stack per shape."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from extensions.deployment import UV_VERSION
from tests.conftest import REPOSITORY
from tests.e2e import logs
from tests.e2e.core import is_core
from tests.e2e.stacks import Stack, run
from tests.projects.compose import compose
from tests.runs import build

SHARED = {"test_containers", "test_first_boot", "test_life", "test_options"}


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            if not is_core(f"{item.path.name}::{item.name}"):
                item.add_marker(pytest.mark.extended)
            # Files that share their stacks' names run one after the other, the rest beside them.
            group = "shared" if item.path.stem in SHARED else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))
    yield
    items.sort(key=_shape)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What containers said goes with a failure, into the report and whole into `build/logs`."""
    report = yield
    if report.failed:
        troubled, file = logs.leave(f"{item.nodeid}-{report.when}")
        shown = file.relative_to(REPOSITORY)
        report.sections.append(("containers", f"{troubled[-6000:]}\nAll logs: {shown}"))
    return report


def _shape(item: pytest.Item) -> str:
    """The shape that a test needs booted; those that need none come first."""
    parameters: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return str(parameters.get("booted", ""))


@pytest.fixture(scope="session", autouse=True)
def engine(engine_variables: dict[str, str]) -> None:
    """Skips without an engine; in CI that is a failure."""
    os.environ.update(engine_variables)
    found = shutil.which("docker") and not subprocess.call(
        ["docker", "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if not found:
        message = "no Docker engine answers"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    _provide_uv()


def _provide_uv() -> None:
    """Where no registry is reachable, the lab's uv stands in for the pinned one."""
    version = UV_VERSION
    pinned = f"ghcr.io/astral-sh/uv:{version}"
    present = ["docker", "image", "inspect", pinned]
    if subprocess.call(present, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) != 0:
        pulled = subprocess.call(["docker", "pull", "--quiet", pinned], stderr=subprocess.DEVNULL)
        if pulled != 0:
            run("docker", "tag", "ghcr.io/astral-sh/uv:latest", pinned)


def booted_as(*shapes: str) -> pytest.MarkDecorator:
    """Runs a test on the booted stacks of these shapes, in the argument `booted`."""
    return pytest.mark.parametrize("booted", shapes, indirect=True)


@pytest.fixture(scope="session")
def booted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A shape's stack, booted with the guide's own command; the first try has to do.

    The tests of one shape stand together, so one stack runs at a time: an engine has addresses
    for 30 networks only.
    """
    folder = compose(request.param, tmp_path_factory.mktemp("stacks") / request.param)
    build(folder)
    stack = Stack(folder)
    stack.write_env()
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()


ALEMBIC_ENV = """\
import os

from alembic import context
from sqlalchemy import create_engine

with create_engine(os.environ["SQLALCHEMY_DATABASE_URI"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_REVISION = """\
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE items (id serial, name text)")
    op.execute("CREATE TABLE points (at vector(3))")


def downgrade():
    pass
"""


@pytest.fixture
def alembic_project(tmp_path: Path) -> Path:
    """A project whose schema comes from Alembic, with an extension."""
    root = compose("e2e-fastapi-postgresql-redis", tmp_path / "project")
    backend = root / "backend"
    (backend / "alembic/versions").mkdir(parents=True)
    (backend / "alembic/env.py").write_text(ALEMBIC_ENV)
    (backend / "alembic/script.py.mako").write_text("")
    (backend / "alembic/versions/0001_items.py").write_text(ALEMBIC_REVISION)
    requirements = backend / "requirements.txt"
    requirements.write_text(requirements.read_text() + "\nalembic>=1.12.0\n")
    return root
