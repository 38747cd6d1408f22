"""Fixtures that every tier uses: projects, and the trees rendered from them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spinbox_wrapper.history import PARTS
from spinbox_wrapper.template import installed
from tests import shards
from tests.environment import of_nobody
from tests.projects.compose import compose
from tests.templates import compiled_once

REPOSITORY = Path(__file__).parents[1]
SPINBOX = [sys.executable, "-m", "spinbox_wrapper"]

Project = Callable[[str], Path]


# A shell cannot trap what it inherits as ignored: under nohup that would be a lost connection.
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden trees anew")
    parser.addoption("--shard", help="only one of several parts, as 2/6")


@pytest.hookimpl(trylast=True)  # after e2e tests have their groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.user_properties.append(("group", group))
        # No measure of speed: a test that hangs ends with its stack, and the others still run.
        item.add_marker(pytest.mark.timeout(2400 if group.startswith("e2e ") else 900))
    if shard := config.getoption("--shard"):
        number, of = shards.parse(shard)
        chosen = shards.shares(groups.values(), of, shards.weights())[number - 1]
        left = [item for item in items if groups[item] not in chosen]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if groups[item] in chosen]


def _group(item: pytest.Item) -> str:
    """What stays together: one tier of a file, or of files that share their stacks."""
    tier = next((t for t in ("e2e", "lint", "integration") if item.get_closest_marker(t)), "unit")
    together = item.get_closest_marker("xdist_group")
    name = together.args[0] if together else item.path.relative_to(REPOSITORY).as_posix()
    return f"{tier} {name}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Composes a shape into a folder of its own."""
    return lambda shape: compose(shape, tmp_path / shape)


def spinbox(
    *arguments: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    return subprocess.run(
        [*SPINBOX, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session", autouse=True)
def engine_variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What leads to this machine's engine; nothing else of the user's is there for any test."""
    with of_nobody(tmp_path_factory.mktemp("home")) as variables:
        yield variables


@pytest.fixture(scope="session", autouse=True)
def cache(
    engine_variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A cache of renderings for this run of the tests alone, shared by its workers."""
    folder = shared_folder(tmp_path_factory) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setattr("spinbox_wrapper.render_cache._MOST_ENTRIES", 10_000)
        yield folder


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This run's temporary folder, the same one for all its workers."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a plain folder, for plain Copier."""
    folder = tmp_path_factory.mktemp("template")
    for part in PARTS:
        if (REPOSITORY / part).is_dir():
            # With the byte code, or each rendering would compile the derivation.
            shutil.copytree(REPOSITORY / part, folder / part)
        else:
            shutil.copy(REPOSITORY / part, folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def as_installed(template: Path) -> Iterator[None]:
    """Runs in this process take the template from that folder, as those of a wheel do.

    From a checkout each run copies it first.
    """
    plain = replace(installed(), root=template)
    with pytest.MonkeyPatch.context() as patch, compiled_once():
        patch.setattr("spinbox_wrapper.sync.installed", lambda: plain)
        yield


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file's content by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
