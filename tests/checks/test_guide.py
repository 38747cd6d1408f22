"""The guide of `spinbox deploy`: the README's steps, with the project's own state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from extensions.guide import COMPOSE, Guide
from extensions.targets import TARGETS as ALL_TARGETS
from spinbox_wrapper import guide, guide_rendering
from spinbox_wrapper.checks import CHECKS, Context
from spinbox_wrapper.guide_layout import as_lines
from spinbox_wrapper.guide_rendering import Recorder, Section
from spinbox_wrapper.sync import Outcome, Request, plan
from tests.cases import CASES
from tests.checks.conftest import Ready
from tests.checks.support import fake_docker, git
from tests.conftest import REPOSITORY, Project, spinbox
from tests.projects.compose import compose
from tests.runs import build, run

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/guide.schema.json").read_text())
NO_ENGINE = "/nonexistent"
Planned = Callable[[str], Outcome]
SCHEMA_ID = SCHEMA["properties"]["steps"]["items"]["properties"]["id"]["pattern"]


def steps(root: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    """The guide's steps by their ids, as tools get them."""
    result = spinbox("deploy", "--format", "json", *arguments, cwd=root, **environment)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    found = {step["id"]: step for step in document["steps"]}
    assert len(found) == len(document["steps"])
    return found


def test_a_new_project_has_everything_before_it(project: Project) -> None:
    found = steps(project("fastapi"))
    assert found["generate"]["done"] is False
    assert found["settings"]["done"] is False
    assert found["generate"]["commands"] == ["spinbox build --prod"]
    assert "create: `Dockerfile.prod`" in found["generate"]["text"]


def test_what_is_done_is_marked(ready: Ready) -> None:
    root = ready("fastapi")
    found = steps(root)
    assert found["generate"]["done"] is True
    assert found["settings"]["done"] is True
    assert found["start"]["done"] is False
    text = spinbox("deploy", cwd=root).stdout
    assert "Generate the files [done]\n" in text
    assert "2. Make the settings [done]\n" in text
    assert "3. Start\n" in text


def test_a_running_stack_is_seen(ready: Ready, tmp_path: Path) -> None:
    root = ready("fastapi")
    container = {"Labels": "com.docker.compose.project=fa-prod", "Ports": ""}
    bin_ = fake_docker(tmp_path / "bin", {"ps": json.dumps(container), "version": "27.0.0"})
    import os

    found = steps(root, PATH=f"{bin_}{os.pathsep}{os.environ['PATH']}")
    assert found["start"]["done"] is True


def test_an_edited_file_is_named(ready: Ready) -> None:
    root = ready("fastapi")
    (root / ".config/project.conf").write_text(
        (root / ".config/project.conf").read_text().replace('USE_REDIS="false"', 'USE_REDIS="true"')
    )
    step = steps(root)["generate"]
    assert step["done"] is False
    assert "update: `docker-compose.prod.yml`" in step["text"]


@pytest.mark.integration
def test_it_reads_well_in_80_columns(ready: Ready) -> None:
    root = ready("everything--with-deps")
    lines = spinbox("deploy", cwd=root).stdout.splitlines()
    # A command is never broken, since it is there to be copied.
    assert [line for line in lines if len(line) > 80 and not line.startswith("  ")] == []


def test_it_names_the_projects_own_domain_and_repository(ready: Ready) -> None:
    root = ready("fastapi")
    git(root, "remote", "add", "origin", "https://me:secret@git.example.org/team/fa.git")
    with (root / ".env").open("a") as settings:
        settings.write("DOMAIN=shop.example.org\n")
    found = steps(root)
    assert "git clone https://git.example.org/team/fa.git /srv/fa" in found["copy"]["commands"]
    assert "curl https://shop.example.org/health" in found["look"]["commands"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://git.example.org:8443/a/b.git", "https://git.example.org:8443/a/b.git"),
        ("https://token@git.example.org/a/b", "https://git.example.org/a/b"),
        ("git@git.example.org:a/b.git", "git@git.example.org:a/b.git"),
        ("ssh://git@git.example.org/a/b", "ssh://git@git.example.org/a/b"),
        ("../elsewhere", None),
        ("https://git.example.org/$(reboot)", None),
    ],
)
def test_a_repository_is_shown_without_login(url: str, shown: str | None) -> None:
    assert guide.without_login(url) == shown


def test_another_environment_has_its_own_commands(ready: Ready) -> None:
    found = steps(ready("fastapi"), "--env", "staging")
    assert found["settings"]["commands"] == ["sh deploy/init-env.sh --env staging"]
    assert found["start"]["commands"] == ["sh deploy/deploy.sh --env staging"]
    assert found["look"]["commands"][0] == (
        "docker compose -f docker-compose.prod.yml -p fa-staging "
        "--env-file deploy/env/staging.env ps"
    )
    assert found["settings"]["done"] is False


TARGETS = ("docker", "docker-swarm", "kubernetes")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """What a guide says, as JSON, of a project with data, of that name and with that remote."""

    def say(target: str, *arguments: str, name: str, remote: str | None = None) -> Any:
        root = tmp_path_factory.mktemp("p") / "project"
        compose("fastapi-postgresql-redis--with-deps", root)
        git(root, "init", "--quiet")
        if remote:
            git(root, "remote", "add", "origin", remote)
        command = ("deploy", "--target", target)
        made = run(root, *command, "--generate", "--set", f"name={name}")
        assert made.code == 0, made.stderr
        return json.loads(run(root, *command, "--format", "json", *arguments).stdout)["steps"]

    return say


@pytest.mark.integration
@pytest.mark.parametrize("target", TARGETS)
def test_the_repository_stands_where_it_is_cloned_and_nowhere_else(
    target: str, generated: Callable[..., Any]
) -> None:
    """Its address may hold what is a name of the stack elsewhere."""
    url = "https://git.example.org/acme/shop-prod.git"
    staging = ("--env", "staging")
    without = json.dumps(generated(target, *staging, name="shop"))
    found = json.dumps(generated(target, *staging, name="shop", remote=url))
    assert found == without.replace("git clone REPOSITORY", f"git clone {url}")
    assert (url in found) is (target != "kubernetes")


@pytest.mark.integration
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["production", "shop-production", "shop-prod", "backup"])
def test_a_project_s_name_is_no_environment_s(
    name: str, target: str, generated: Callable[..., Any]
) -> None:
    """A guide says the same of a project of any name, but for the name."""
    another = re.sub("[a-z]", "z", name)
    found = generated(target, "--env", "staging", name=name)
    expected = json.dumps(generated(target, "--env", "staging", name=another))
    for separator in "-_":
        before, after = (one.replace("-", separator) for one in (another, name))
        expected = expected.replace(before, after)
    assert found == json.loads(expected)


@pytest.mark.parametrize("name", ["prod", "../x", "Staging", "-x", ""])
def test_a_wrong_environment_is_refused(ready: Ready, name: str) -> None:
    assert spinbox("deploy", "--env", name, cwd=ready("fastapi")).returncode == 2


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The run that has nothing to do any more, of a case."""

    @cache
    def make(case: str) -> Outcome:
        shape, options = CASES[case]
        root = compose(shape, tmp_path_factory.mktemp("case") / shape)
        build(root, *options)
        output = options[options.index("--output") + 1] if "--output" in options else "."
        return plan(Request(root, output))

    return make


def guides(outcome: Outcome) -> Mapping[str, str]:
    """The generated guides, by their targets."""
    paths = {name: outcome.request.root / target.guide for name, target in ALL_TARGETS.items()}
    return {name: path.read_text() for name, path in paths.items() if path.exists()}


def recorded(outcome: Outcome, target: str, environment: str) -> list[Section]:
    """What the command line shows of a guide."""
    recorder = Recorder(outcome.stack.name, environment)
    guide_rendering.render(outcome, target, recorder)
    return recorder.sections


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES)
def test_the_guide_for_production_is_what_is_generated(case: str, planned: Planned) -> None:
    outcome = planned(case)
    production = Guide(outcome.stack.name)
    assert "docker" in guides(outcome)
    for target, text in guides(outcome).items():
        assert guide_rendering.render(outcome, target, production) == text


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES)
def test_sections_have_ids_of_their_own_and_no_markdown_is_left(
    case: str, planned: Planned
) -> None:
    outcome = planned(case)
    for target, text in guides(outcome).items():
        sections = recorded(outcome, target, "production")
        ids = [section.id for section in sections]
        assert len({*ids}) == len(ids)
        assert all(re.fullmatch(SCHEMA_ID, id_) for id_ in ids)
        assert not outcome.answers["compose"] or {"before", "first", "version"} <= {*ids}
        for section in sections:
            assert f"\n{'#' * section.level} {section.title}\n" in text
            lines = "\n".join(as_lines(section.blocks))
            assert not re.search(r"\]\(|```|^#{2,}|\0", lines, re.MULTILINE), lines
            for block in section.blocks:
                assert block.kind == "text" or block.text in text


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES)
def test_another_environment_s_guide_has_nothing_of_production(case: str, planned: Planned) -> None:
    outcome = planned(case)
    for target in guides(outcome).keys() & {*TARGETS}:
        sections = recorded(outcome, target, "staging")
        said = "\n".join(block.text for section in sections for block in section.blocks)
        if target == "kubernetes":
            assert not re.search(r"(?<![\w-])production(?![\w-])", said)
            continue
        assert f"{outcome.stack.name}-prod" not in said
        assert "`.env`" not in said
        assert not re.search(r"sh deploy/(swarm/)?[\w$-]+\.sh(?! --env staging)", said)
        assert not re.search(rf"{COMPOSE} (?!-p )", said)


@pytest.mark.parametrize(
    ("target", "case"),
    [
        ("docker", "profile-web-app"),
        ("docker-swarm", "docker-swarm"),
        ("kubernetes", "kubernetes"),
        *((name, "platforms") for name, target in ALL_TARGETS.items() if target.managed),
    ],
)
def test_what_is_marked_as_done_is_a_step(target: str, case: str, planned: Planned) -> None:
    outcome = planned(case)
    marked = CHECKS[target].done(Context(outcome, target=target))
    steps = [section.id for section in recorded(outcome, target, "production")]
    assert {*marked} <= {*steps}
