"""The table of choices: complete answers, and what is told of broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from extensions import apps, deployment
from extensions.choices import CHOICES, KEYS, QUESTIONS, RETIRED, check_type, complete, retired
from extensions.errors import ProjectError
from extensions.managed_platform import ManagedPlatform
from extensions.targets import TARGETS
from tests.conftest import REPOSITORY
from tests.unit.support import deployment_of, facts_of


def test_nothing_chosen_is_every_default() -> None:
    found = complete({})
    assert found.keys() == {*KEYS}
    assert (found["proxy"], found["targets"], found["ci"]) == ("caddy", [], [])


@pytest.mark.parametrize(
    ("route", "gateway"), [("gateway", "traefik/traefik-gateway"), ("ingress", "traefik/traefik")]
)
@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_text_is_no_answer(empty: str | None, route: str, gateway: str) -> None:
    found = complete({"kubernetes_route": route, "kubernetes_gateway": empty, "fly_region": empty})
    assert (found["kubernetes_gateway"], found["fly_region"]) == (gateway, "iad")


def test_what_is_no_choice_is_left_out() -> None:
    assert "railway_config" not in complete({"railway_config": "json", "_commit": "v1"})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("targets", "kubernetes", "targets must be a list, not 'kubernetes'"),
        ("targets", ["nomad"], "targets must be docker-swarm or"),
        ("targets", [["fly"]], "targets must be a list of texts"),
        ("ci", ["jenkins"], "ci must be github or gitlab, not 'jenkins'"),
        ("compose", "yes", "compose must be true or false"),
        ("proxy", "nginx", "proxy must be caddy or none"),
        ("uploads", "app", "uploads must be an absolute path"),
        ("overrides", [], "overrides must be a mapping"),
        ("csp", "default-src\x85", "csp must be one line without control characters"),
    ],
)
def test_a_broken_answer_is_told(key: str, value: Any, said: str) -> None:
    with pytest.raises(ProjectError, match=said.replace("(", "\\(")):
        complete({key: value}) if key in CHOICES else check_type(key, value)


@pytest.mark.parametrize("output", ["../x", "-x", "a b", "a/.git", "$(id)", "/etc"])
def test_an_output_that_is_no_plain_folder_is_told(output: str) -> None:
    """Plain Copier has it from the answers file alone."""
    with pytest.raises(ProjectError, match="output must be a folder inside the project"):
        complete({"output": output})


def test_what_is_gone_is_told_where_it_matters() -> None:
    (choice,) = RETIRED.values()
    stored = {"railway_config": "json"}
    assert retired(stored, ["railway"]) == [choice.sentence]
    assert retired(stored, ["fly"]) == []
    assert retired({"railway_config": "ts"}, ["railway"]) == []
    assert not RETIRED.keys() & CHOICES.keys()


def test_copier_asks_what_the_table_has() -> None:
    """In its order, with its types and values."""
    questions = yaml.safe_load((REPOSITORY / "copier.yml").read_text())
    asked = [key for key in questions if key in CHOICES]
    assert asked == [*CHOICES]
    for key, choice in CHOICES.items():
        assert (questions[key].get("ask", True) is not False) == (key in QUESTIONS)
        assert [*questions[key].get("choices", {}).values()] == [*choice.values]
        assert questions[key].get("multiselect", False) == (choice.kind == "list")


def test_a_platform_that_is_managed_has_the_surface_of_one() -> None:
    facts = {"name": "x", "node": {"dir": ".", "sources": ["index.js"], "command": "node index.js"}}
    for name, surface in deployment_of(facts).surfaces.items():
        target = TARGETS[name]
        assert isinstance(surface, ManagedPlatform) == target.managed
        if isinstance(surface, ManagedPlatform):
            assert (surface.target, surface.title) == (name, target.title)


@pytest.mark.parametrize(
    ("shape", "pointless"),
    [
        (
            "python",
            {"runtime", "proxy", "secrets", "ci_deploy", "ci_staging"}
            | {"kubernetes_route", "kubernetes_gateway"},
        ),
        ("node", {"runtime", "gpu", "ci_test", "kubernetes_secrets"}),
        ("profile-web-app", set()),
    ],
)
def test_choices_that_change_nothing(shape: str, pointless: set[str], tmp_path: Path) -> None:
    """They are not asked for; tests/wrapper/test_questions.py shows that all others change it."""
    facts = facts_of(shape, tmp_path)
    context = deployment.derive({"project": facts}).context
    context = {**context, "languages": apps.languages(facts)}
    jinja = jinja2.Environment()
    found = {
        key
        for key, choice in CHOICES.items()
        if choice.asked and not jinja.compile_expression(choice.asked)(**context)
    }
    assert found == pointless
