"""`--check`, `--diff`, `--dry-run` and the JSON report: they say what a run would do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pexpect
import pytest

from spinbox_wrapper.template import Template
from tests.conftest import REPOSITORY, SPINBOX, Project, files_below
from tests.runs import build, edit, run, switch
from tests.sync.cases import CASES, Case

pytestmark = pytest.mark.integration

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/report.schema.json").read_text())


def test_check_says_what_and_why(project: Project) -> None:
    root = project("fastapi")
    build(root)
    switch(root, "USE_REDIS", True)
    result = run(root, "--check")
    assert result.code == 1
    assert "update  docker-compose.prod.yml" in result.stdout
    assert "redis is new" in result.stdout
    assert result.stderr == (
        f"spinbox: The production files are out of date: run `spinbox build --prod -C {root}`.\n"
    )


def test_check_of_a_project_that_was_never_built(project: Project) -> None:
    root = project("fastapi")
    before = files_below(root)
    assert run(root, "--check").code == 1
    assert files_below(root) == before


def test_check_lets_a_new_version_pass_that_changes_no_file(
    project: Project, releases: dict[str, Template]
) -> None:
    root = project("fastapi")
    build(root, "--no-compose", template=releases["v0.0.2"])
    result = run(root, "--check", template=releases["v0.0.2"])
    assert result.code == 0
    text = (root / ".copier-answers.yml").read_text()
    (root / ".copier-answers.yml").write_text(text.replace("v0.0.2", "v0.0.1"))
    (root / "deploy/NOTES.md").unlink()
    assert run(root, "--check", template=releases["v0.0.2"]).code == 0


def test_check_works_where_nothing_can_be_written(project: Project) -> None:
    """Root may write anywhere, so that the cache and temporary folders are what can be refused."""
    root = project("fastapi")
    build(root)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "XDG_CACHE_HOME": "/proc/none"}
    result = subprocess.run(
        [*SPINBOX, "build", "--prod", "--check"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_diff_is_what_the_run_does(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    build(root)
    edit(root / "docker-compose.prod.yml", "HTTP_PORT:-80", "HTTP_PORT:-8080")
    switch(root, "USE_REDIS", True)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", root, copy], check=True)
    diff = run(root, "--diff").stdout
    subprocess.run(["git", "apply", "-"], cwd=copy, input=diff, text=True, check=True)
    build(root)
    assert files_below(copy) == files_below(root)


def test_a_diff_applies_below_the_repository_s_top_folder(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    subprocess.run(["git", "init", "--quiet"], cwd=root.parent, check=True)
    diff = run(root, "--diff").stdout
    subprocess.run(["git", "apply", "-"], cwd=root, input=diff, text=True, check=True)
    assert (root / "docker-compose.prod.yml").is_file()
    assert run(root, "--check").code == 0


def test_diff_of_a_first_run_creates_every_file(
    project: Project, tmp_path: Path, oldest: Template
) -> None:
    root = project("profile-web-app")
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", root, copy], check=True)
    diff = run(root, "--diff", template=oldest).stdout
    subprocess.run(["git", "apply", "-"], cwd=copy, input=diff, text=True, check=True)
    build(root, template=oldest)
    assert files_below(copy) == files_below(root)
    assert os.access(copy / "deploy/hello.sh", os.X_OK)


def test_diff_of_an_output_folder_and_of_any_bytes(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    build(root, "--output", "deploy/prod")
    dockerfile = root / "deploy/prod/Dockerfile.prod"
    dockerfile.write_bytes(b"# caf\xe9\n" + dockerfile.read_bytes())
    versions = root / ".config/versions.conf"
    versions.write_text(versions.read_text().replace("python:3.11", "python:3.13"))
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", root, copy], check=True)
    command = [*SPINBOX, "build", "--prod", "--diff", "--output", "deploy/prod"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    diff = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    subprocess.run(["git", "apply", "-"], cwd=copy, input=diff.stdout, check=True)
    build(root, "--output", "deploy/prod")
    assert files_below(copy) == files_below(root)


def test_check_of_a_lost_answers_file(project: Project) -> None:
    root = project("fastapi")
    build(root)
    (root / ".copier-answers.yml").unlink()
    assert run(root, "--check").code == 1


def test_diff_of_nothing_is_empty(project: Project) -> None:
    root = project("fastapi")
    build(root)
    assert run(root, "--diff").stdout == ""


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_diff_is_coloured_on_a_terminal(
    variables: dict[str, str], coloured: bool, project: Project
) -> None:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "TERM": "xterm"} | variables
    command = " ".join([*SPINBOX, "build", "--prod", "--diff"])
    child = pexpect.spawn(
        command, cwd=str(project("fastapi")), env=environment, encoding="utf-8", timeout=300
    )
    assert ("\x1b[32m+" in str(child.read())) == coloured


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.happened)
def test_the_report_with_differences_keeps_to_its_schema(
    case: Case, project: Project, oldest: Template, present: Template
) -> None:
    root = project("fastapi-postgresql--py312-pg16")
    versions = root / ".config/versions.conf"
    versions.write_text(versions.read_text().replace("python:3.12-slim", "python:3.11-slim"))
    build(root, template=oldest)
    case.change(root)
    template = present if case.newer else oldest
    options = ("--format", "json", "--diff", *case.arguments)
    report = json.loads(run(root, *options, template=template).stdout)
    jsonschema.validate(report, SCHEMA)
    assert not report["written"]
    for file in report["files"]:
        unchanging = {"keep", "unchanged", "unresolved", "foreign"}
        assert bool(file["diff"]) == (file["action"] not in unchanging), file["path"]


def test_causes_name_each_difference(project: Project, oldest: Template, present: Template) -> None:
    root = project("fastapi")
    build(root, "--set", "fastapi.port=9000", template=oldest)
    switch(root, "USE_REDIS", True)
    arguments = ("--set", "fastapi.port=9001", "--set", "proxy=none", "--format", "json")
    report = json.loads(run(root, "--check", *arguments, template=present).stdout)
    assert report["causes"] == [
        f"template v0.0.1 -> {present.version}",
        "redis is new",
        "fastapi.port: 9000 -> 9001",
        "proxy: caddy -> none",
    ]
