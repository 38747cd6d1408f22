"""Every text of facts, settings and choices, hostile, in everything that is generated."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from spinbox_wrapper.template import Template, installed
from tests.hostile import SHAPES, Facts, Tried, answers, check, rendered
from tests.projects.compose import compose
from tests.runs import run

# Of each seed about fifty values are tried.
FEW, MANY = range(5), range(5, 130, 25)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Facts]:
    """The facts of each shape, as the command line stores them."""
    found = {}
    for shape in SHAPES:
        folder = compose(shape, tmp_path_factory.mktemp("hostile") / "p")
        assert run(folder).code == 0
        found[shape] = yaml.safe_load((folder / ".copier-answers.yml").read_text())["project"]
    return found


@pytest.fixture(scope="module")
def plain_template(template: Path) -> Template:
    """The template as a wheel has it, without its past."""
    return replace(installed(), root=template)


@pytest.mark.integration
@pytest.mark.parametrize("seed", FEW)
def test_hostile_values_arrive_as_data_or_are_refused(
    seed: int, plain_template: Template, projects: dict[str, Facts]
) -> None:
    shape = SHAPES[seed % len(SHAPES)]
    assert check(plain_template, projects[shape], seed, Tried()) == []


@pytest.mark.integration
@pytest.mark.extended
@pytest.mark.parametrize("first", MANY)
def test_thousands_of_hostile_values(
    first: int, plain_template: Template, projects: dict[str, Facts]
) -> None:
    tried = Tried()
    found = []
    for seed in range(first, first + MANY.step):
        shape = SHAPES[seed % len(SHAPES)]
        found += check(plain_template, projects[shape], seed, tried)
    assert found == []
    assert tried.total * len(MANY) >= 5000
    # What is refused shows little.
    assert tried.arrived.total() * 4 > tried.total


@pytest.mark.integration
@pytest.mark.parametrize("name", ["2048", "on", "1e3"])
def test_a_name_that_looks_like_a_number_stays_text(
    name: str, plain_template: Template, projects: dict[str, Facts]
) -> None:
    wanted = answers(projects["everything--with-deps"], random.Random(0))
    trees = []
    for one in ("plain", name):
        renamed = copy.deepcopy(wanted)
        renamed["project"]["name"] = one
        trees.append(rendered(plain_template, renamed))
    plain, other = trees
    for path, text in plain.items():
        if path.endswith((".yml", ".yaml")) and path != ".copier-answers.yml":
            before, after = (
                list(_types(list(yaml.safe_load_all(tree)))) for tree in (text, other[path])
            )
            assert before == after, path


def _types(node: Any) -> Iterator[type]:
    """The types of all keys and values, in their order."""
    yield type(node)
    if isinstance(node, dict):
        for key, value in node.items():
            yield type(key)
            yield from _types(value)
    elif isinstance(node, list):
        for item in node:
            yield from _types(item)
