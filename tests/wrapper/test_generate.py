"""`spinbox generate`: pipelines come to what was chosen before; files of others are kept."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import Project, files_below
from tests.runs import build, run

pytestmark = pytest.mark.integration


@pytest.fixture
def root(project: Project) -> Path:
    folder = project("profile-web-app")
    subprocess.run(["git", "init", "--quiet", "-b", "main", folder], check=True)
    return folder


def generate(root: Path, *arguments: str) -> str:
    return build(root, "generate", *arguments)


def answers(root: Path) -> dict[str, object]:
    found = yaml.safe_load((root / ".copier-answers.yml").read_text())
    return {key: value for key, value in found.items() if key.startswith("ci")}


def test_both_platforms_may_be_chosen_one_after_the_other(root: Path) -> None:
    generate(root, "--ci", "gitlab")
    generate(root, "--ci", "github")
    assert answers(root)["ci"] == ["github", "gitlab"]
    assert (root / ".github/workflows/ci.yml").exists()
    assert (root / ".gitlab-ci.yml").exists()


def test_choices_are_remembered_by_build(root: Path) -> None:
    generate(root, "--ci", "github", "--deploy", "--no-test", "--registry", "docker.io/Acme")
    before = files_below(root)
    assert "Everything is up to date." in build(root)
    assert files_below(root) == before


def test_each_option_has_its_opposite(root: Path) -> None:
    generate(root, "--ci", "github")
    plain = files_below(root)
    generate(root, "--ci", "github", "--deploy", "--no-test", "--registry", "docker.io/acme")
    assert files_below(root) != plain
    generate(root, "--ci", "github", "--no-deploy", "--test", "--registry", "")
    assert files_below(root) == plain


@pytest.mark.parametrize("shape", ["profile-web-app", "nextjs-postgresql"])
@pytest.mark.parametrize("extensions", [True, False])
def test_gitlab_has_psql_where_tests_call_it(
    shape: str, extensions: bool, project: Project
) -> None:
    """Its jobs run in the apps' own base images, which have none."""
    folder = project(shape)
    if not extensions:
        shutil.rmtree(folder / "database/init")
    if shape == "nextjs-postgresql":
        package = json.loads((folder / "package.json").read_text())
        package["scripts"]["test"] = "node --test"
        (folder / "package.json").write_text(json.dumps(package))
        (folder / "one.test.js").touch()
    generate(folder, "--ci", "gitlab", "--set", "postgres.migrations=sql")
    script = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["test-app"]["script"]
    installed = next(i for i, line in enumerate(script) if "postgresql-client" in line)
    called = next(i for i, line in enumerate(script) if 'psql "' in line)
    assert installed < called


def test_a_platform_can_be_taken_away(root: Path) -> None:
    build(root)
    before = files_below(root)
    generate(root, "--ci", "github", "--ci", "gitlab")
    generate(root, "--remove-ci", "github", "--remove-ci", "gitlab")
    assert files_below(root) == before


def test_a_workflow_of_somebody_else_is_not_touched(root: Path) -> None:
    theirs = root / ".github/workflows/ci.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("on: push\n")
    generate(root, "--ci", "github")
    assert theirs.read_text() == "on: push\n"
    assert (root / ".github/workflows/production.yml").exists()
    # Nor when it goes: the name stays.
    theirs.unlink()
    assert "Everything is up to date." in build(root)


def test_a_pipeline_of_somebody_else_is_included_from(root: Path) -> None:
    theirs = root / ".gitlab-ci.yml"
    theirs.write_text("test: {script: [make test]}\n")
    said = generate(root, "--ci", "gitlab")
    assert theirs.read_text() == "test: {script: [make test]}\n"
    assert (root / "deploy/ci/gitlab.yml").exists()
    assert "include" in said


def test_dependabot_settings_of_somebody_else_are_kept(root: Path) -> None:
    theirs = root / ".github/dependabot.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("version: 2\nupdates: []\n")
    generate(root, "--ci", "github")
    assert theirs.read_text() == "version: 2\nupdates: []\n"


def test_an_edited_pipeline_is_merged(root: Path) -> None:
    generate(root, "--ci", "github")
    workflow = root / ".github/workflows/ci.yml"
    workflow.write_text(workflow.read_text().replace("timeout-minutes: 45", "timeout-minutes: 60"))
    generate(root, "--ci", "github", "--deploy")
    text = workflow.read_text()
    assert "timeout-minutes: 60" in text
    assert "environment: production" in text


def test_a_project_below_the_repository_s_top(project: Project, tmp_path: Path) -> None:
    root = project("profile-web-app")
    subprocess.run(["git", "init", "--quiet", "-b", "main", tmp_path], check=True)
    said = generate(root, "--ci", "github", "--ci", "gitlab", "--deploy")
    workflow = (root / "deploy/ci/github/web-app.yml").read_text()
    assert yaml.safe_load(workflow)["defaults"]["run"]["working-directory"] == root.name
    assert "Copy" in said
    assert not (root / ".github").exists()


def test_a_dry_run_writes_nothing(root: Path) -> None:
    before = files_below(root)
    assert "Nothing was written." in generate(root, "--ci", "github", "--dry-run")
    assert files_below(root) == before


def test_the_report_for_tools(root: Path) -> None:
    document = json.loads(generate(root, "--ci", "github", "--format", "json"))
    assert ".github/workflows/ci.yml" in [file["path"] for file in document["files"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name a platform"),
        (("--ci", "github", "--remove-ci", "github"), "give one of them"),
        (("--ci", "github", "--registry", "acme"), "is not a registry"),
        (("--ci", "github", "--registry", "docker.io"), "holds images below a name"),
        (("--ci", "github", "--set", "ci_branch=a b"), "the name of a branch"),
        (("--ci", "jenkins"), "'jenkins' is not one of"),
    ],
)
def test_wrong_use_is_one_sentence(arguments: tuple[str, ...], message: str, root: Path) -> None:
    before = files_below(root)
    result = run(root, "generate", *arguments)
    assert result.code == 2
    assert message in result.stderr
    assert files_below(root) == before


def test_deployment_of_what_does_not_keep_running_is_said(project: Project) -> None:
    root = project("python")
    said = generate(root, "--ci", "github", "--deploy")
    assert "nothing to deploy" in said
    assert not (root / "deploy/remote.sh").exists()


@pytest.mark.parametrize("compose", ["--compose", "--no-compose"])
def test_the_note_names_a_section_that_is_there(compose: str, project: Project) -> None:
    """And does not speak of settings where there are none."""
    root = project("fastapi")
    build(root, compose)
    said = build(root, "generate", "--ci", "github")
    assert "works without any settings" in said
    assert "\n## Pipeline\n" in (root / "deploy/README.md").read_text()
