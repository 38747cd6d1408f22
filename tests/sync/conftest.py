"""Releases to update from and to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from spinbox_wrapper.template import Template
from tests.releases import PRESENT, RELEASES, make_repository, template_at

URL = "gh:Gonzillaaa/spinbox-deploy"


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository with a history of releases."""
    return make_repository(tmp_path_factory.mktemp("history") / "repository")


@pytest.fixture(scope="session")
def releases(repository: Path) -> Mapping[str, Template]:
    """The template of every release, by tag, oldest first."""
    tags = [*RELEASES, PRESENT]
    return {tag: template_at(repository, tag, repository.parent / tag) for tag in tags}


@pytest.fixture(scope="session")
def oldest(releases: Mapping[str, Template]) -> Template:
    """The first release."""
    return releases["v0.0.1"]


@pytest.fixture(scope="session")
def present(releases: Mapping[str, Template]) -> Template:
    """The present release."""
    return releases[PRESENT]


@pytest.fixture
def published(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The public URL, which leads git to the repository of this test."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{repository}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"https://github.com/{URL[3:]}.git")
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "copier-cache"))
    yield URL
