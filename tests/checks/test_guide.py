"""The guide of `spinbox deploy`: the README's steps, with the project's own state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from spinbox_wrapper import guide, markdown
from tests.cases import CASES
from tests.checks.conftest import Ready
from tests.checks.support import fake_docker, git
from tests.conftest import REPOSITORY, Project, spinbox
from tests.projects.compose import compose
from tests.runs import run

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/guide.schema.json").read_text())
READMES = sorted((REPOSITORY / "tests/golden").rglob("deploy/README.md"))
NO_ENGINE = "/nonexistent"


def steps(root: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    """The guide's steps by title, as tools get them."""
    result = spinbox("deploy", "--format", "json", *arguments, cwd=root, **environment)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    return {step["title"]: step for step in document["steps"]}


def test_a_new_project_has_everything_before_it(project: Project) -> None:
    found = steps(project("fastapi"))
    assert found["Generate the files"]["done"] is False
    assert found["2. Make the settings"]["done"] is False
    assert found["Generate the files"]["commands"] == ["spinbox build --prod"]
    assert "create: `Dockerfile.prod`" in found["Generate the files"]["text"]


def test_what_is_done_is_marked(ready: Ready) -> None:
    root = ready("fastapi")
    found = steps(root)
    assert found["Generate the files"]["done"] is True
    assert found["2. Make the settings"]["done"] is True
    assert found["3. Start"]["done"] is False
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
    assert found["3. Start"]["done"] is True


def test_an_edited_file_is_named(ready: Ready) -> None:
    root = ready("fastapi")
    (root / ".config/project.conf").write_text(
        (root / ".config/project.conf").read_text().replace('USE_REDIS="false"', 'USE_REDIS="true"')
    )
    step = steps(root)["Generate the files"]
    assert step["done"] is False
    assert "update: `docker-compose.prod.yml`" in step["text"]


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
    assert (
        "git clone https://git.example.org/team/fa.git /srv/fa"
        in found["1. Bring the project to the server"]["commands"]
    )
    assert "curl https://shop.example.org/health" in found["4. Look at it"]["commands"]


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
    assert found["2. Make the settings"]["commands"] == ["sh deploy/init-env.sh --env staging"]
    assert found["3. Start"]["commands"] == ["sh deploy/deploy.sh --env staging"]
    assert found["4. Look at it"]["commands"][0] == (
        "docker compose -f docker-compose.prod.yml -p fa-staging "
        "--env-file deploy/env/staging.env ps"
    )
    assert found["2. Make the settings"]["done"] is False


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


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parts[-3])
def test_every_guide_has_the_sections_that_are_shown(readme: Path) -> None:
    titles = {section.title for section in markdown.sections(readme.read_text())}
    if "docker-compose.prod.yml" not in {path.name for path in readme.parents[1].iterdir()}:
        return
    assert {"Before you start", "First deployment", "A new version"} <= titles
    bare = {re.sub(r"^\d+\. ", "", title) for title in titles}
    assert {"Bring the project to the server", "Make the settings", "Start"} <= bare


def test_there_is_a_guide_for_every_case() -> None:
    assert len(READMES) == len(CASES)
