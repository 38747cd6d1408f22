"""The wheel carries the template, and works away from this repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.projects.compose import compose

pytestmark = pytest.mark.lint


def test_the_installed_wheel_generates(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command = [*install, "--target", str(target), str(REPOSITORY)]
    subprocess.run(command, check=True, capture_output=True)
    root = compose("profile-web-app", tmp_path / "project")
    result = subprocess.run(
        [sys.executable, "-m", "spinbox_wrapper", "build", "--prod"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "_commit: v0.1.0" in (root / ".copier-answers.yml").read_text()
    assert (root / "deploy/README.md").is_file()
