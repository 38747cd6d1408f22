"""Whole rendered trees against golden ones: nothing missing, nothing extra, every byte."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cases import CASES, NOTHING_TO_DEPLOY
from tests.conftest import Project, files_below
from tests.runs import build, run

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("case", CASES)
def test_generated_files_equal_the_golden_tree(
    case: str, project: Project, pytestconfig: pytest.Config
) -> None:
    shape, options = CASES[case]
    root = project(shape)
    before = files_below(root)
    build(root, *options)
    after = files_below(root)
    assert {path: after[path] for path in before} == before
    generated = {path: _without_version(after[path]) for path in after.keys() - before.keys()}

    golden = GOLDEN / case
    if pytestconfig.getoption("--update-golden"):
        shutil.rmtree(golden, ignore_errors=True)
        for path, content in generated.items():
            (golden / path).parent.mkdir(parents=True, exist_ok=True)
            (golden / path).write_bytes(content)
    assert generated == files_below(golden)


@pytest.mark.parametrize("case", CASES)
def test_a_second_run_has_nothing_to_do(case: str, project: Project) -> None:
    """What was generated is no part of the project that it is read from."""
    shape, options = CASES[case]
    root = project(shape)
    build(root, *options)
    before = files_below(root)
    place = options[options.index("--output") :][:2] if "--output" in options else ()
    assert "Everything is up to date." in build(root, *place)
    assert files_below(root) == before


def test_every_golden_tree_has_its_case() -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("shape", NOTHING_TO_DEPLOY)
def test_a_project_without_app_is_told_so(shape: str, project: Project) -> None:
    root = project(shape)
    before = files_below(root)
    result = run(root)
    assert result.code == 1
    assert result.stderr.startswith("spinbox: There is nothing to deploy")
    assert files_below(root) == before


def _without_version(content: bytes) -> bytes:
    return re.sub(rb"^_commit: .*\n", b"", content, flags=re.MULTILINE)
