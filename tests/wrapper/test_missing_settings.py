"""A project that gets a service later: what its settings lack is named, and added."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.runs import build, switch

pytestmark = pytest.mark.integration

SHAPE = "fastapi"


def sh(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", *words],
        cwd=root,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def root(project: Project) -> Path:
    """For one server and a cluster, with the settings of both."""
    root = project(SHAPE)
    build(root, "deploy", "--target", "kubernetes", "--generate")
    assert sh(root, "deploy/init-env.sh").returncode == 0
    assert sh(root, "deploy/init-env.sh", "--env", "staging").returncode == 0
    assert sh(root, "deploy/kubernetes/init-secrets.sh", "production").returncode == 0
    return root


def notes(output: str) -> list[str]:
    return re.findall(r"Note: (.* does not set .*)", output)


def test_every_file_that_lacks_it_is_named_with_the_command_that_adds_it(root: Path) -> None:
    assert notes(build(root)) == []
    switch(root, "USE_REDIS", on=True)
    said = notes(build(root))
    assert [note.split(" does not set ")[0] for note in said] == [
        ".env",
        "deploy/env/staging.env",
        "deploy/kubernetes/overlays/production",
    ]
    assert notes(build(root)) == said
    for note in said:
        assert "does not set REDIS_PASSWORD yet" in note
        result = sh(root, *note.partition(": sh ")[2].split())
        assert result.returncode == 0, result.stderr
    assert notes(build(root)) == []


def test_the_development_s_file_is_named_once(root: Path) -> None:
    """Which of its settings are production's, nobody knows; a new one is said all the same."""
    (root / ".env").write_text("DEBUG=1\n")
    assert notes(build(root)) == []
    switch(root, "USE_REDIS", on=True)
    assert notes(build(root))[0].startswith(".env does not set REDIS_PASSWORD yet")
    assert not any(note.startswith(".env ") for note in notes(build(root)))
