"""Each row of the README's table of cases."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from spinbox_wrapper.template import Template
from tests.conftest import REPOSITORY, Project, files_below
from tests.runs import build, run
from tests.sync.cases import CASES, Case

pytestmark = pytest.mark.integration

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/report.schema.json").read_text())


def actions(output: str) -> dict[str, str]:
    return {file["path"]: file["action"] for file in json.loads(output)["files"]}


@pytest.fixture
def scene(project: Project, oldest: Template) -> Path:
    root = project("fastapi-postgresql--py312-pg16")
    versions = root / ".config/versions.conf"
    versions.write_text(versions.read_text().replace("python:3.12-slim", "python:3.11-slim"))
    build(root, template=oldest)
    return root


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.happened)
def test_case(case: Case, scene: Path, oldest: Template, present: Template) -> None:
    case.change(scene)
    before = files_below(scene)
    template = present if case.newer else oldest
    result = run(scene, "--format", "json", "-v", *case.arguments, template=template)
    assert result.code == case.exit_code, result.stderr
    report = json.loads(result.stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["written"] == (case.action not in {"foreign", "unresolved"})
    assert actions(result.stdout)[case.path] == case.action
    after = files_below(scene)
    if case.action in {"keep", "unchanged"}:
        assert after.get(case.path) == before.get(case.path)
    if case.action in {"unresolved", "foreign"}:
        assert after == before
    if case.action == "remove":
        assert case.path not in after
    unrelated = before.keys() - actions(result.stdout).keys()
    assert {path: after.get(path) for path in unrelated} == {p: before[p] for p in unrelated}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.happened)
def test_the_run_after_that_changes_nothing(
    case: Case, scene: Path, oldest: Template, present: Template
) -> None:
    case.change(scene)
    template = present if case.newer else oldest
    run(scene, *case.arguments, template=template)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in scene.rglob("*")}
    result = run(scene, template=template)
    assert result.code == case.exit_code
    after = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in scene.rglob("*")}
    assert after == before


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.happened)
def test_check_agrees_with_the_run(
    case: Case, scene: Path, oldest: Template, present: Template
) -> None:
    case.change(scene)
    template = present if case.newer else oldest
    before = files_below(scene)
    check = run(scene, "--check", *case.arguments, template=template)
    assert files_below(scene) == before
    result = run(scene, *case.arguments, template=template)
    changed = files_below(scene)
    for files in (before, changed):
        files.pop(".copier-answers.yml")
    assert check.code == (1 if changed != before or result.code else 0), check.stdout


def test_edits_move_with_a_file(scene: Path, present: Template) -> None:
    next(case for case in CASES if case.then == "is merged there").change(scene)
    build(scene, template=present)
    assert not (scene / "deploy/clean.sh").exists()
    assert "\necho mine\n" in (scene / "deploy/prune.sh").read_text()


def test_everything_at_once_keeps_every_edit(scene: Path, present: Template) -> None:
    next(case for case in CASES if case.happened.startswith("all")).change(scene)
    build(scene, template=present)
    compose = (scene / "docker-compose.prod.yml").read_text()
    assert "HTTP_PORT:-8080" in compose
    assert "redis:7" in compose
    assert 'max-file: "5"' in compose
    assert "PYTHON_IMAGE=python:3.13-slim" in (scene / "Dockerfile.prod").read_text()
    assert "One, and mine." in (scene / "deploy/NOTES.md").read_text()
    assert not (scene / ".env.example").exists()
    assert (scene / "deploy/Caddyfile").is_file()
