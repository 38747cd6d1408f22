"""The derivation in a run: once, by one loader, typed for whoever uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spinbox_wrapper import derivation
from tests.conftest import REPOSITORY, Project
from tests.runs import build

pytestmark = pytest.mark.integration

MISUSE = """
from spinbox_wrapper import derivation
from spinbox_wrapper.sync import Outcome


def wrong(outcome: Outcome) -> int:
    for app in outcome.stack.apps:
        print(app.prot)
    platform: int = outcome.deployment.surfaces["fly"]
    derivation.modle
    return derivation.deployment.derive(outcome.answers, "more").stack.name
"""


@pytest.mark.parametrize(
    "options",
    [(), ("deploy", "--target", "kubernetes", "--target", "fly", "--generate")],
    ids=["compose", "targets"],
)
def test_a_run_derives_once(options: tuple[str, ...], project: Project) -> None:
    """Wrapper, Copier's hook and checks share it: a first run, and one with nothing to do."""
    root = project("profile-web-app")
    derive, complete = derivation.deployment._derive, derivation.deployment._complete_and_derive
    for run in (options, ()):
        derive.cache_clear()
        complete.cache_clear()
        build(root, *run)
        assert derive.cache_info().misses == 1


def test_a_wrong_use_across_the_seam_is_found(tmp_path: Path) -> None:
    """The wrapper's types are the derivation's own: a checker sees through."""
    (tmp_path / "misuse.py").write_text(MISUSE)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "misuse.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in result.stdout.splitlines() if line.startswith("misuse.py:")]
    assert len(errors) == 5, result.stdout
    for part in ("prot", "modle", "Surface", "Too many arguments", 'got "str", expected "int"'):
        assert part in result.stdout
