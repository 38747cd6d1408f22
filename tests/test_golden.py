"""Whole rendered trees against golden ones, and the model of every case: nothing missing or extra.

Where this fails and the change is meant: `make golden`, then read what changed.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests import models
from tests.cases import CASES, GOLDEN, NOTHING_TO_DEPLOY, SHAPES, VARIANTS
from tests.conftest import Project, files_below
from tests.projects.compose import compose
from tests.runs import build, run

TREES = Path(__file__).parent / "golden"
MODELS = Path(__file__).parent / "models"


@pytest.mark.parametrize("case", GOLDEN)
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

    golden = TREES / case
    if pytestconfig.getoption("--update-golden"):
        shutil.rmtree(golden, ignore_errors=True)
        for path, content in generated.items():
            (golden / path).parent.mkdir(parents=True, exist_ok=True)
            (golden / path).write_bytes(content)
    assert generated == files_below(golden)


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES)
def test_a_second_run_has_nothing_to_do(case: str, project: Project) -> None:
    """What was generated is no part of the project that it is read from, and leaves it alone."""
    shape, options = CASES[case]
    root = project(shape)
    own = files_below(root)
    build(root, *options)
    before = files_below(root)
    assert {path: before[path] for path in own} == own
    place = options[options.index("--output") :][:2] if "--output" in options else ()
    assert "Everything is up to date." in build(root, *place)
    assert files_below(root) == before


@pytest.mark.integration
def test_models_are_those_of_their_cases(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The model of every shape; of a variant, what it changes in that of its shape."""
    texts: dict[str, str] = {}
    for case, (shape, options) in CASES.items():
        root = compose(shape, tmp_path / case)
        build(root, *options)
        (answers,) = root.rglob(".copier-answers.yml")
        texts[case] = models.text(answers)
    found = {f"{shape}.json": texts[shape] for shape in SHAPES}
    for case, (shape, _) in VARIANTS.items():
        if difference := models.difference(texts[shape], texts[case]):
            found[f"{case}.diff"] = difference
    if pytestconfig.getoption("--update-golden"):
        shutil.rmtree(MODELS, ignore_errors=True)
        MODELS.mkdir()
        for name, text in found.items():
            (MODELS / name).write_text(text)
    assert found == {path.name: path.read_text() for path in MODELS.iterdir()}


def test_every_golden_tree_has_its_case() -> None:
    assert {folder.name for folder in TREES.iterdir()} == {*GOLDEN}


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
