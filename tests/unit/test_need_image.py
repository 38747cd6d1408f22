"""What a test on a Docker engine does without an image that it needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.stacks import need_image


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The calls of a `docker` that has no image, and whose pull succeeds at the time in `good`."""
    docker = tmp_path / "docker"
    docker.write_text(
        f'#!/bin/sh\ncd {tmp_path}\necho "$*" >>calls\n'
        '[ "$(grep -c pull calls)" = "$(cat good 2>/dev/null)" ] && exit\n'
        "echo no route >&2\nexit 1\n"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CI", raising=False)
    return tmp_path / "calls"


def good(calls: Path, attempt: int) -> None:
    (calls.parent / "good").write_text(str(attempt))


def test_an_image_at_hand_is_not_pulled(calls: Path) -> None:
    good(calls, 0)
    need_image("postgres:18", pause=0)
    assert calls.read_text() == "image inspect postgres:18\n"


def test_a_pull_is_tried_again(calls: Path) -> None:
    good(calls, 3)
    need_image("postgres:18", pause=0)
    assert calls.read_text().count("pull --quiet postgres:18\n") == 3


def test_without_the_image_the_test_is_skipped(calls: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"postgres:18 .*: no route"):
        need_image("postgres:18", pause=0)
    assert calls.read_text().count("pull") == 3


@pytest.mark.usefixtures("calls")
def test_in_ci_that_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"postgres:18 .*: no route"):
        need_image("postgres:18", pause=0)
