"""What is asked can matter: another answer gives other files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest

from extensions import apps, choices, deployment, facts
from extensions.choice import Choice
from spinbox_wrapper.errors import UserError
from spinbox_wrapper.render import File, render
from spinbox_wrapper.template import installed
from tests.projects.compose import compose

pytestmark = pytest.mark.integration

ANSWERS = ".copier-answers.yml"
TEXTS = {
    "uploads": "/app/uploads",
    "ci_registry": "ghcr.io/acme",
    "ci_branch": "stable",
    "kubernetes_gateway": "edge/public",
    "fly_name": "shop",
    "fly_region": "fra",
}
SETS: dict[str, dict[str, Any]] = {
    "one server": {},
    "a cluster alone": {"compose": False, "targets": ["kubernetes"]},
    "pipelines": {"ci": ["github", "gitlab"], "ci_deploy": True},
    "platforms": {"targets": ["fly", "render"]},
}


def _files(answers: Mapping[str, Any]) -> dict[str, File] | None:
    """What is generated, without the answers; None where that is refused."""
    template = installed()
    try:
        files = render(template, template.version, answers, ANSWERS)
    except UserError:
        return None
    return {name: file for name, file in files.items() if name != ANSWERS}


def _holds(condition: str, context: Mapping[str, Any]) -> bool:
    return not condition or bool(jinja2.Environment().compile_expression(condition)(**context))


def _others(choice: Choice, answer: Any) -> list[Any]:
    if choice.values:
        return [value for value in choice.values if value != answer]
    return [not answer] if choice.type is bool else [TEXTS[choice.key]]


@pytest.mark.parametrize("wanted", SETS)
@pytest.mark.parametrize(
    "shape",
    ["python", *(pytest.param(x, marks=pytest.mark.extended) for x in ("fastapi", "node"))],
)
def test_every_question_can_matter(shape: str, wanted: str, tmp_path: Path) -> None:
    found = facts.read_facts(compose(shape, tmp_path / "project"), {})
    answers = choices.complete({"project": found, **SETS[wanted]})
    usual = _files(answers)
    if usual is None:
        # Copier says so where it renders.
        assert (shape, wanted) == ("python", "platforms")
        return
    context = {**answers, **deployment.derive(answers).context, "languages": apps.languages(found)}
    asked = [
        choice
        for key, choice in choices.CHOICES.items()
        if choice.question and _holds(choice.when, context) and _holds(choice.asked, context)
        # What else is generated, which surely matters.
        if key not in SETS[wanted] and choice.type is not list
    ]
    assert asked
    for choice in asked:
        others = _others(choice, answers[choice.key])
        new = [_files({**answers, choice.key: value}) for value in others]
        assert any(files not in (None, usual) for files in new), choice.key
