"""Formatters of the project's own language, as Spinbox's hooks for `git commit` call them.

Without any settings: those of the project are not known, and nothing generated may be refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import CASES
from tests.lint.tools import TOOLS, run_tool
from tests.trees import Trees, generate

PRETTIER = TOOLS.parent / "prettier/node_modules/prettier/bin/prettier.cjs"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return generate(CASES, tmp_path_factory.mktemp("trees"))


@pytest.mark.parametrize(
    "command",
    [
        ("black", "--check", "--quiet"),
        ("isort", "--check-only"),
        ("flake8", "--isolated"),
    ],
    ids=lambda command: command[0],
)
def test_python(command: tuple[str, ...], trees: Trees) -> None:
    files = trees.files("*.py")
    assert files
    assert run_tool(*command, *files) == ""


@pytest.mark.parametrize("ending", ["ts", "json"])
def test_prettier(ending: str, trees: Trees) -> None:
    files: list[Path] = trees.files(f"*.{ending}")
    assert files
    run_tool("node", PRETTIER, "--no-config", "--check", *files)
