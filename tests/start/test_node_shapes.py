"""Projects as Spinbox makes them start: nothing is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import start
from extensions.choices import complete
from extensions.facts import read_project
from extensions.settings import lay_over
from extensions.stack import build_stack
from extensions.subject import Subject
from tests.projects.compose import compose


@pytest.mark.parametrize("shape", ["node", "nextjs", "nextjs-postgresql", "profile-web-app"])
def test_no_false_alarm(shape: str, tmp_path: Path) -> None:
    reading = read_project(compose(shape, tmp_path))
    stack = build_stack(reading.facts, {}, complete({}))
    found = start.find(Subject(reading.tree, stack, lay_over(reading.facts, {})))
    assert [
        f for f in found if "node" in f.rule or f.rule in {"start.nextjs", "start.left_out"}
    ] == []
