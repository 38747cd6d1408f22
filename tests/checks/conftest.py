"""A ready project per shape, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.support import SECRET, commit, git
from tests.projects.compose import compose
from tests.runs import build

Ready = Callable[[str], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """Generated, committed, with its settings."""
    roots: dict[str, Path] = {}

    def make(shape: str) -> Path:
        if shape not in roots:
            root = compose(shape, tmp_path_factory.mktemp("made") / shape)
            build(root)
            git(root, "init", "--quiet")
            commit(root)
            # One file instead of a hundred, to copy.
            git(root, "gc", "--quiet")
            names = [
                line.removesuffix("=")
                for line in (root / ".env.example").read_text().splitlines()
                if line.endswith("=") and line[0] != "#"
            ]
            lines = [f"{name}={SECRET}{number}" for number, name in enumerate(names)]
            (root / ".env").write_text("".join(f"{line}\n" for line in lines))
            (root / ".env").chmod(0o600)
            roots[shape] = root
        return roots[shape]

    return make


@pytest.fixture
def ready(made: Ready, tmp_path: Path) -> Ready:
    """A copy that the test may break."""
    return lambda shape: Path(shutil.copytree(made(shape), tmp_path / shape))
