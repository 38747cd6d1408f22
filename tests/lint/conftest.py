"""Every test of this folder is of the lint tier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lint.pipelines import Trees, generated


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before shards look at the tiers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lint)
            if "trees" in getattr(item, "fixturenames", ()) and "pipeline" in item.path.name:
                item.add_marker(pytest.mark.xdist_group("pipelines"))
    yield


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """Pipelines of every shape and option, made once for all files of tests."""
    return generated(tmp_path_factory.mktemp("pipelines"))
