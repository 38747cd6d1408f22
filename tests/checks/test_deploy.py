"""`spinbox deploy` as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from spinbox_wrapper import checks
from spinbox_wrapper.checks import files, project, settings
from tests.checks.conftest import Ready
from tests.checks.support import ANSWERS, context, fake_docker, one
from tests.conftest import REPOSITORY, Project, files_below, spinbox
from tests.runs import build

pytestmark = pytest.mark.integration

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/check.schema.json").read_text())


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with an engine that is new enough."""
    return f"{fake_docker(tmp_path / 'bin', ANSWERS)}{os.pathsep}{os.environ['PATH']}"


def _report(root: Path, path: str, *arguments: str) -> Any:
    result = spinbox("deploy", "--check", "--format", "json", *arguments, cwd=root, PATH=path)
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    assert result.returncode == (0 if document["passed"] else 1)
    return document


def _free_ports(root: Path) -> None:
    with (root / ".env").open("a") as file:
        file.write("HTTP_PORT=127.0.0.1:18080\nHTTPS_PORT=127.0.0.1:18443\n")


def test_a_ready_project(ready: Ready, path: str) -> None:
    root = ready("fastapi-postgresql-redis--with-deps")
    _free_ports(root)
    before = files_below(root)
    result = spinbox("deploy", "--check", cwd=root, PATH=path)
    assert (result.returncode, result.stderr) == (0, "")
    assert files_below(root) == before
    lines = result.stdout.splitlines()
    assert lines[-1].endswith("0 failed.")
    # A command stays on one line.
    assert max(len(line) for line in lines if "uv pip compile" not in line) <= 80
    assert "fail" not in {line.split(" ")[0] for line in lines}


def test_a_project_that_is_not_ready(project: Project, path: str) -> None:
    root = project("fastapi")
    result = spinbox("deploy", "--check", cwd=root, PATH=path)
    assert result.returncode == 1
    assert "fail files.generated" in result.stdout
    assert "       spinbox build --prod\n" in result.stdout
    assert "       sh deploy/init-env.sh\n" in result.stdout
    assert result.stderr == (
        "spinbox: Mend what failed, then check again: files.generated, settings.present.\n"
    )


def test_the_json_report(ready: Ready, path: str) -> None:
    root = ready("e2e-web-app")
    _free_ports(root)
    document = _report(root, path)
    assert (document["project"], document["environment"]) == ("e2e-web-app", "production")
    assert document["passed"] is True
    ids = [check["id"] for check in document["checks"]]
    assert ids == [id_ for id_ in checks.IDS if id_ in ids]
    assert all(bool(c["mend"]) == (c["status"] != "pass") for c in document["checks"])


def test_another_environment(ready: Ready, path: str) -> None:
    root = ready("fastapi")
    document = _report(root, path, "--env", "staging")
    found = {check["id"]: check for check in document["checks"]}
    assert document["environment"] == "staging"
    assert "deploy/env/staging.env" in found["settings.present"]["seen"]


def test_a_folder_for_the_output(project: Project, path: str) -> None:
    root = project("fastapi")
    build(root, "--output", "ops")
    document = _report(root, path, "--output", "ops")
    found = {check["id"]: check for check in document["checks"]}
    assert found["files.generated"]["status"] == "pass"
    assert found["settings.present"]["mend"] == "sh ops/deploy/init-env.sh"


def test_commands_are_for_the_project_s_folder(project: Project, path: str) -> None:
    root = project("fastapi")
    result = spinbox("deploy", "--check", "-C", root.name, cwd=root.parent, PATH=path)
    assert f"Commands are for {root.name}/\n" in result.stdout
    assert "       spinbox build --prod\n" in result.stdout


def test_the_domain_is_looked_up_when_asked(ready: Ready, path: str) -> None:
    root = ready("fastapi")
    _free_ports(root)
    ids = {check["id"] for check in _report(root, path, "--online")["checks"]}
    assert "network.domain" in ids


def test_generate_is_a_build_with_a_compose_file(project: Project) -> None:
    root = project("fastapi")
    build(root, "--no-compose")
    result = spinbox("deploy", "--target", "docker", "--generate", cwd=root)
    assert "create  docker-compose.prod.yml" in result.stdout
    assert (root / "docker-compose.prod.yml").is_file()


def test_the_guide_is_the_default(ready: Ready) -> None:
    root = ready("fastapi")
    result = spinbox("deploy", cwd=root)
    assert result.returncode == 0
    assert "sh deploy/init-env.sh" in result.stdout
    assert spinbox("deploy", "--guide", cwd=root).stdout == result.stdout
    assert json.loads(spinbox("deploy", "--format", "json", cwd=root).stdout)["project"] == "fa"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--guide", "--check"),
        ("--check", "--generate"),
        ("--guide", "--generate"),
        ("--online",),
        ("--boot",),
        ("--generate", "--boot"),
        ("--generate", "--env", "staging"),
        ("--check", "--env", "../secret"),
        ("--check", "--env", "-x"),
        ("--check", "--env", "Staging"),
        ("--check", "--env", ""),
        ("--target", "moon"),
        ("--output", "../elsewhere"),
    ],
)
def test_wrong_usage(project: Project, arguments: tuple[str, ...]) -> None:
    root = project("fastapi")
    before = files_below(root)
    result = spinbox("deploy", *arguments, cwd=root)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert files_below(root) == before


def test_the_project_itself_is_looked_at_without_docker(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = fake_docker(tmp_path / "bin", {}, error="asked")
    (folder / "docker").write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    looked_at = context(ready("fastapi"))
    found = [*files.look(looked_at), *settings.look(looked_at), *project.look(looked_at)]
    assert one(found, "files.generated").status is checks.Status.PASS
    assert not (tmp_path / "asked").exists()
