from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from extensions import node_source
from extensions.choices import complete
from extensions.errors import ProjectError
from extensions.facts import read_facts
from extensions.pipeline import (
    build_pipeline,
    check_registry,
    language_version,
    propose,
    service_environment,
    test_environment,
)
from extensions.pipeline_platform import MARK
from tests.projects.compose import compose
from tests.unit.support import facts_of, stack_of, tree_of, write_files

# Its name makes pytest take it for a test.
app_environment = test_environment
del test_environment


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("", ""),
        ("ghcr.io/Acme", "ghcr.io/acme"),
        ("https://docker.io/Acme/", "docker.io/acme"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("localhost:5000/a/b_c", "localhost:5000/a/b_c"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
    ],
)
def test_registry(given: str, stored: str) -> None:
    assert check_registry(given) == stored


@pytest.mark.parametrize(
    "given",
    [
        "acme",
        "acme/shop",
        "a b.com",
        "x.com/$(id)",
        "x.com:port",
        "x.com/a//b",
        "ä.com",
        "{{ x }}.com",
    ],
)
def test_what_is_no_registry_is_refused(given: str) -> None:
    with pytest.raises(ProjectError, match="is not a registry"):
        check_registry(given)


@pytest.mark.parametrize("given", ["docker.io", "ghcr.io", "GHCR.IO/"])
def test_a_shared_registry_needs_a_name(given: str) -> None:
    with pytest.raises(ProjectError, match="holds images below a name"):
        check_registry(given)


def _repository(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "--quiet", "-b", "main", folder], check=True)
    return folder


def test_an_empty_repository_gets_the_usual_names(tmp_path: Path) -> None:
    assert propose(_repository(tmp_path)) == {
        "ci_branch": "main",
        "ci_folder": "",
        "ci_workflow": "ci",
        "ci_include": False,
        "ci_dependabot": True,
        "ci_renovate": True,
    }


@pytest.mark.parametrize("name", ["ci.yml", "ci.yaml", "ci-rollback.yml"])
def test_a_name_that_somebody_has_is_not_taken(name: str, tmp_path: Path) -> None:
    write_files(_repository(tmp_path), {f".github/workflows/{name}": "on: push\n"})
    assert propose(tmp_path)["ci_workflow"] == "production"


def test_a_generated_workflow_keeps_its_name(tmp_path: Path) -> None:
    """Where the answers were lost, no second pipeline comes beside the first."""
    write_files(_repository(tmp_path), {".github/workflows/ci.yml": f"{MARK}all\n"})
    assert propose(tmp_path)["ci_workflow"] == "ci"


@pytest.mark.parametrize(
    ("file", "answer", "value"),
    [
        (".gitlab-ci.yml", "ci_include", True),
        (".github/dependabot.yml", "ci_dependabot", False),
        (".github/dependabot.yaml", "ci_dependabot", False),
        ("renovate.json", "ci_renovate", False),
        ("renovate.json", "ci_dependabot", False),
        (".renovaterc.json5", "ci_renovate", False),
    ],
)
def test_files_of_the_user_are_left_alone(
    file: str, answer: str, value: bool, tmp_path: Path
) -> None:
    write_files(_repository(tmp_path), {file: "{}\n"})
    assert propose(tmp_path)[answer] is value


@pytest.mark.parametrize(
    ("ci", "bots"),
    [
        (["github"], (True, False)),
        (["gitlab"], (False, True)),
        (["github", "gitlab"], (False, True)),
        ([], (False, False)),
    ],
)
def test_one_bot_at_most(ci: list[str], bots: tuple[bool, bool], tmp_path: Path) -> None:
    """Dependabot for GitHub alone; Renovate knows both platforms."""
    pipeline = build_pipeline(complete({"ci": ci}), stack_of(facts_of("fastapi", tmp_path)))
    assert (pipeline.dependabot, pipeline.renovate) == bots


def test_settings_of_a_bot_that_were_generated_keep_no_other_one_away(tmp_path: Path) -> None:
    text = '{"description": "Keeps what the pipeline and the images pin fresh, by x."}'
    write_files(_repository(tmp_path), {"renovate.json": text})
    assert propose(tmp_path)["ci_dependabot"] is True
    assert propose(tmp_path)["ci_renovate"] is True


def test_a_project_below_the_repository_s_top(tmp_path: Path) -> None:
    folder = _repository(tmp_path) / "services/shop"
    folder.mkdir(parents=True)
    assert propose(folder)["ci_folder"] == "services/shop"


def test_without_a_repository(tmp_path: Path) -> None:
    assert propose(tmp_path)["ci_folder"] == ""
    assert propose(tmp_path)["ci_branch"] == "main"


def test_the_branch_is_the_remote_s_default(tmp_path: Path) -> None:
    origin = _repository(tmp_path / "origin")
    author = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    git = ["git", "-C", str(origin), *author]
    subprocess.run([*git, "checkout", "--quiet", "-b", "trunk"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "x"], check=True)
    subprocess.run(["git", "clone", "--quiet", origin, tmp_path / "clone"], check=True)
    assert propose(tmp_path / "clone")["ci_branch"] == "trunk"


def test_below_the_top_the_pipeline_has_the_project_s_name(tmp_path: Path) -> None:
    stack = stack_of(facts_of("profile-web-app", tmp_path))
    answers = {"ci": ["github", "gitlab"], "ci_deploy": True, "ci_folder": "services/shop"}
    pipeline = build_pipeline(complete(answers), stack)
    assert pipeline.github_workflow == "deploy/ci/github/web-app.yml"
    assert pipeline.github_rollback == "deploy/ci/github/web-app-rollback.yml"
    assert pipeline.gitlab_file == "deploy/ci/gitlab.yml"
    assert not pipeline.dependabot
    assert not pipeline.renovate


def test_without_a_platform_there_is_nothing(tmp_path: Path) -> None:
    stack = stack_of(facts_of("profile-web-app", tmp_path))
    pipeline = build_pipeline(complete({"ci_deploy": True}), stack)
    assert not pipeline.deploys
    assert (pipeline.github_workflow, pipeline.gitlab_file) == ("", "")


def test_an_unknown_platform_is_refused(tmp_path: Path) -> None:
    stack = stack_of(facts_of("profile-web-app", tmp_path))
    with pytest.raises(ProjectError, match="jenkins"):
        build_pipeline(complete({"ci": ["jenkins"]}), stack)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("ci_branch", "it's"),
        ("ci_branch", "a}} b"),
        ("ci_folder", "../elsewhere"),
        ("ci_folder", "shop $(id)"),
        ("ci_workflow", "../../x"),
    ],
)
def test_a_name_that_no_pipeline_can_hold_is_refused(
    answer: str, value: str, tmp_path: Path
) -> None:
    stack = stack_of(facts_of("fastapi", tmp_path))
    with pytest.raises(ProjectError, match=f"{answer} must be"):
        build_pipeline(complete({"ci": ["github"], answer: value}), stack)


def test_tests_find_the_names_of_production(tmp_path: Path) -> None:
    stack = stack_of(facts_of("everything--with-deps", tmp_path))
    app = stack.apps[0]
    inside = app_environment(app, stack, beside=False)
    set_in_production = {env.name for env in app.environment}
    assert inside.keys() <= set_in_production | {"ENVIRONMENT"}
    assert inside["POSTGRES_SERVER"] == "postgres"
    assert inside["ENVIRONMENT"] == "test"
    beside = app_environment(app, stack, beside=True)
    hosts = ("POSTGRES_SERVER", "REDIS_HOST", "MONGODB_HOST", "CHROMA_HOST")
    assert {beside[name] for name in hosts} == {"localhost"}


def test_apps_and_services_agree_on_the_password(tmp_path: Path) -> None:
    stack = stack_of(facts_of("everything--with-deps", tmp_path))
    app = app_environment(stack.apps[0], stack, beside=True)
    postgres = service_environment(stack.service("postgres"), stack)
    assert postgres["POSTGRES_PASSWORD"] == app["POSTGRES_PASSWORD"]
    assert postgres["POSTGRES_USER"] == app["POSTGRES_USER"]
    mongodb = service_environment(stack.service("mongodb"), stack)
    assert mongodb["MONGO_INITDB_ROOT_PASSWORD"] == app["MONGODB_PASSWORD"]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("python:3.12-slim", "3.12"),
        ("registry.example.com:5000/team/python:3.12.4-slim", "3.12.4"),
        ("python:3.12-slim@sha256:" + "0" * 64, "3.12"),
        ("python:slim", "3.13"),
    ],
)
def test_language_version(image: str, version: str, tmp_path: Path) -> None:
    stack = stack_of(facts_of("fastapi", tmp_path), {"fastapi.image": image})
    assert language_version(stack.apps[0]) == version


@pytest.mark.parametrize(
    ("files", "tests"),
    [
        ({"backend/test_x.py": ""}, "python -m pytest"),
        ({"backend/x/y_test.py": ""}, "python -m pytest"),
        ({"backend/contest.py": ""}, None),
        ({"tests/test_x.py": ""}, None),
    ],
)
def test_python_tests(files: dict[str, str], tests: str | None, tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "p")
    for path in (root / "backend/tests").iterdir():
        path.unlink()
    write_files(root, files)
    assert read_facts(root)["fastapi"]["tests"] == tests


def test_requirements_for_tests(tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "p")
    write_files(root, {"backend/requirements-dev.txt": "pytest\n"})
    facts = read_facts(root)
    assert facts["fastapi"]["test_requirements"] == ["requirements-dev.txt"]
    assert stack_of(facts).apps[0].tests.requirements == ("requirements-dev.txt",)


@pytest.mark.parametrize(
    ("script", "file", "tests"),
    [
        ("jest", "src/a.test.ts", "test"),
        ("jest", "__tests__/a.js", "test"),
        ("node --test", "test/a.js", "test"),
        ("jest", "src/latest.js", None),
        ('echo \\"Error: no test specified\\" && exit 1', "src/a.test.ts", None),
    ],
)
def test_node_tests(script: str, file: str, tests: str | None, tmp_path: Path) -> None:
    package = f'{{"scripts": {{"test": "{script}"}}}}'
    tree = tree_of(tmp_path, {"package.json": package, file: ""})
    read = node_source.read_package_json(tree, ".")
    assert read is not None
    assert node_source.find_tests(tree, ".", read).value == tests


@pytest.mark.parametrize(
    ("gh", "event", "output", "says"),
    [
        ("echo true", "push", "reviewers=true\n", False),
        ("echo false", "push", "reviewers=false\n", True),
        ("echo false", "workflow_dispatch", "reviewers=false\n", False),
        # As gh does where there is no such environment: the answer's body, and an error.
        ("printf '{\n}\n'; exit 1", "push", "reviewers=false\n", True),
        ("exit 4", "workflow_dispatch", "reviewers=false\n", False),
    ],
)
def test_who_approves(gh: str, event: str, output: str, says: bool, tmp_path: Path) -> None:
    """The step's own script, with a `gh` that answers so."""
    workflow = Path(__file__).parents[1] / "golden/github/.github/workflows/ci.yml"
    (step,) = yaml.safe_load(workflow.read_text())["jobs"]["approval"]["steps"]
    write_files(tmp_path, {"bin/gh": f"#!/bin/sh\n{gh}\n", "output": "", "summary": ""})
    (tmp_path / "bin/gh").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    subprocess.run(shell, env=environment, check=True)
    assert (tmp_path / "output").read_text() == output
    assert ("Nobody has to approve" in (tmp_path / "summary").read_text()) is says
