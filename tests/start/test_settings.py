"""Variables that the code needs, and that an update does not demand by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import own_variables, start
from extensions.choices import complete
from extensions.facts import read_project
from extensions.finding import Finding
from extensions.settings import lay_over
from extensions.stack import build_stack
from extensions.subject import Subject
from tests.start.support import API, WITH_API, find_api
from tests.unit.support import write_project

KEY = {"keys.py": 'import os\n\nKEY = os.environ["API_KEY"]\n'}
READS = {**KEY, "main.py": f"import keys\n{API['main.py']}"}


def of_an_old_project(root: Path, **overrides: list[str]) -> list[Finding]:
    """What is found in a project that was generated when nothing was required."""
    root = write_project(root, {**API, **READS}, **WITH_API)
    reading = read_project(root)
    facts = own_variables.carry_over(reading.facts, {"fastapi": {}})
    given = {f"fastapi.{key}": value for key, value in overrides.items()}
    stack = build_stack(facts, given, complete({}))
    subject = Subject(reading.tree, stack, lay_over(facts, given))
    return [found for found in start.find(subject) if found.rule == "start.settings"]


def test_a_new_name_is_told_with_its_place(tmp_path: Path) -> None:
    (found,) = of_an_old_project(tmp_path)
    assert found.certain and "API_KEY" in found.seen and "keys.py:3" in found.seen
    assert "--set fastapi.required=API_KEY" in found.mend
    assert found.variable == "API_KEY"


@pytest.mark.parametrize("key", ["required", "optional", "ignored"])
def test_what_is_set_by_hand_ends_it(tmp_path: Path, key: str) -> None:
    assert of_an_old_project(tmp_path, **{key: ["API_KEY"]}) == []


def test_a_new_project_demands_it(tmp_path: Path) -> None:
    assert find_api(tmp_path, READS) == []
