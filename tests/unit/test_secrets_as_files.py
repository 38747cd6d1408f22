"""Secrets as files on one server: what Compose is told, and what the scripts write."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.errors import ProjectError
from tests.projects.compose import compose
from tests.runs import build

from .support import deployment_of, facts_of

HOSTILE = r"""p@ss:w/o?r#d %41"\ $(x) ${y} `z` & é;"""
SETTINGS = {"SECRET_KEY": HOSTILE, "POSTGRES_PASSWORD": HOSTILE, "REDIS_PASSWORD": "plain"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two databases and a worker, and a docker that answers everything."""
    folder = tmp_path_factory.mktemp("files")
    project = compose("e2e-fastapi-postgresql-redis", folder / "project")
    build(project, "--set", "secrets=files")
    (folder / "bin").mkdir()
    (folder / "bin/docker").write_text("#!/bin/sh\nexit 0\n")
    (folder / "bin/docker").chmod(0o755)
    return project


def write(root: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (root / ".env").write_text("".join(f"{name}='{text}'\n" for name, text in settings.items()))
    script = root / "deploy/written.sh"
    script.write_text('set -eu\n. "$(dirname -- "$0")/common.sh"\nwrite_secrets\n')
    return subprocess.run(
        ["sh", str(script)],
        env={"PATH": f"{root.parent / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_secret_is_in_the_environment(root: Path) -> None:
    """Whatever container it is; what is not secret stays there."""
    stack = yaml.safe_load((root / "docker-compose.prod.yml").read_text())
    for name, service in stack["services"].items():
        found = set(service.get("environment", {}))
        assert not found & (set(SETTINGS) | {"REDISCLI_AUTH"}), name
    assert stack["services"]["app"]["secrets"][:3] == list(SETTINGS)
    assert stack["services"]["app"]["environment"]["POSTGRES_SERVER"] == "postgres"
    assert {*SETTINGS, "variables"} == set(stack["secrets"])


def test_files_hold_the_settings(root: Path) -> None:
    result = write(root, {**SETTINGS, "LOG_LEVEL": "x y"})
    assert result.returncode == 0, result.stderr
    (folder,) = (root / "deploy/state/secrets").iterdir()
    assert {name: (folder / name).read_text() for name in SETTINGS} == SETTINGS
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "SECRET_KEY").stat().st_mode & 0o777 == 0o644


def test_a_new_value_is_written_in_place(root: Path) -> None:
    """A container that runs has the file itself, not its name."""
    write(root, SETTINGS)
    (folder,) = (root / "deploy/state/secrets").iterdir()
    before = (folder / "REDIS_PASSWORD").stat().st_ino
    assert write(root, {**SETTINGS, "REDIS_PASSWORD": "new"}).returncode == 0
    assert (folder / "REDIS_PASSWORD").read_text() == "new"
    assert (folder / "REDIS_PASSWORD").stat().st_ino == before


def test_a_missing_secret_is_named(root: Path) -> None:
    result = write(root, {**SETTINGS, "REDIS_PASSWORD": ""})
    assert result.returncode == 1
    assert "REDIS_PASSWORD is not set in .env." in result.stderr


def test_where_nothing_writes_them_it_is_refused(tmp_path: Path) -> None:
    facts: dict[str, Any] = facts_of("python", tmp_path)
    with pytest.raises(ProjectError, match="--set secrets=environment"):
        deployment_of(facts, secrets="files")
