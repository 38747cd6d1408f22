"""This repository's own workflows under the tools of their platform: no finding."""

from __future__ import annotations

import pytest

from tests.lint.tools import CONFIGURATION, REPOSITORY, TOOLS, run_tool

GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
DEPENDABOT = GITHUB / "dependabot.yml"
SCRIPTS = [REPOSITORY / ".ci" / name for name in ("packages", "run", "try-wheel")]


def test_actionlint() -> None:
    """With shellcheck over every `run:`."""
    assert WORKFLOWS
    assert run_tool("actionlint", "-shellcheck", TOOLS / "shellcheck", *WORKFLOWS) == ""


def test_zizmor() -> None:
    """Even the auditor's persona, which takes false alarms into account, has nothing to say."""
    options = ("--offline", "--no-progress", "--no-config", "--persona", "auditor")
    run_tool("zizmor", *options, *WORKFLOWS, DEPENDABOT)


@pytest.mark.parametrize(
    "schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"]
)
def test_schema_of_workflows(schema: str) -> None:
    run_tool("check-jsonschema", "--builtin-schema", schema, *WORKFLOWS)


def test_schema_of_dependabot_s_settings() -> None:
    run_tool("check-jsonschema", "--builtin-schema", "vendor.dependabot", DEPENDABOT)


def test_yamllint() -> None:
    files = (*WORKFLOWS, DEPENDABOT)
    assert run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *files) == ""


def test_shellcheck_of_what_the_workflows_call() -> None:
    assert run_tool("shellcheck", *SCRIPTS) == ""
