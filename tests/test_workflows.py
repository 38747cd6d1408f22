"""This repository's own workflows agree with what they call: targets, versions, pins."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.deployment import UV_VERSION
from extensions.pins import ACTIONS
from tests.conftest import REPOSITORY

WORKFLOWS = sorted(REPOSITORY.glob(".github/workflows/*.yml"))
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
VERSION: str = PROJECT["version"]
CLASSIFIER = "Programming Language :: Python :: 3."
PYTHONS = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if c.startswith(CLASSIFIER)]


def _jobs(path: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return jobs


def _steps() -> Iterator[dict[str, Any]]:
    for path in WORKFLOWS:
        for job in _jobs(path).values():
            yield from job.get("steps", ())


def _targets() -> set[str]:
    scripts = "\n".join(step.get("run", "") for step in _steps())
    return set(re.findall(r"\bmake ([a-z][\w-]*)", scripts))


def test_there_are_workflows() -> None:
    assert {path.stem for path in WORKFLOWS} == {"ci", "kind", "release"}
    assert {"check", "unit", "integration", "lint", "e2e", "kind"} <= _targets()


@pytest.mark.parametrize("target", sorted(_targets()))
def test_every_target_is_in_the_makefile(target: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


def test_unit_tests_run_on_every_python_that_is_promised() -> None:
    (ci,) = (path for path in WORKFLOWS if path.stem == "ci")
    assert _jobs(ci)["unit"]["strategy"]["matrix"]["python"] == PYTHONS
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert lowest == PYTHONS[0]
    for step in _steps():
        if step.get("uses", "").startswith("actions/setup-python@"):
            assert step["with"]["python-version"] in (lowest, "${{ matrix.python }}")


def test_actions_are_pinned_by_the_commits_that_generated_workflows_name() -> None:
    """Where this fails after an update: change the older of the two."""
    pinned = set()
    for path in WORKFLOWS:
        for line in re.findall(r"uses: (.*)", path.read_text()):
            if line.startswith("$/"):
                continue
            found = re.fullmatch(r"([\w-]+/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
            assert found, (path, line)
            action, commit, version = found.groups()
            pinned.add((action, commit, version))
            assert ACTIONS.get(action, (commit, version)) == (commit, version), path
    # One action, one commit.
    assert len(pinned) == len({action for action, _, _ in pinned})


def test_releases_are_built_with_the_uv_of_generated_files() -> None:
    uses = [step for step in _steps() if step.get("uses", "").startswith("astral-sh/setup-uv@")]
    assert uses
    assert {step["with"]["version"] for step in uses} == {UV_VERSION}


def test_no_expression_in_a_script() -> None:
    assert [step["run"] for step in _steps() if "${{" in step.get("run", "")] == []


def test_only_publishing_and_signing_get_more_than_reading() -> None:
    rights: dict[str, dict[str, str]] = {}
    for path in WORKFLOWS:
        document = yaml.safe_load(path.read_text())
        assert document["permissions"] == {}, path
        for name, job in document["jobs"].items():
            rights[f"{path.stem}.{name}"] = job["permissions"]
    more = {name: given for name, given in rights.items() if given != {"contents": "read"}}
    assert more == {
        "release.pypi": {"id-token": "write"},
        "release.attest": {"id-token": "write", "attestations": "write"},
        "release.github": {"contents": "write"},
    }


def _release_notes(tag: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / ".ci/release_notes.py"), tag]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_this_version_has_its_section() -> None:
    result = _release_notes(f"v{VERSION}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
    assert not re.search(r"^##? ", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("tag", ["v9.9.9", VERSION, "main", ""])
def test_a_tag_of_another_version_is_refused(tag: str) -> None:
    result = _release_notes(tag)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == f"The tag is {tag}, but pyproject.toml says {VERSION}.\n"


@pytest.mark.parametrize("change_log", ["# Changelog\n", "## 1.2.30\n\nText.\n", "## 1.2.3\n\n"])
def test_a_version_without_a_section_is_refused(change_log: str, tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci/release_notes.py"
    script.write_text((REPOSITORY / ".ci/release_notes.py").read_text())
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(change_log)
    command = [sys.executable, str(script), "v1.2.3"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "CHANGELOG.md says nothing of 1.2.3: write its section.\n"
