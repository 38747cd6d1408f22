"""A backing service is added by new files alone: a made-up one, dropped into a copy of the code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import files_below
from tests.drop_in import copy_repository
from tests.projects.compose import compose

pytestmark = pytest.mark.integration

TARGETS = ("docker-swarm", "kubernetes", "fly", "railway", "render")
MODULE = '''"""Memo, which never was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import BackingService, Env, Health, Resources, ServiceKind, Variable, Volume, password

KIND = ServiceKind(title="Memo", flag="USE_MEMO", folder="memo", images=("memo/memo",))


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    return BackingService(
        name="memo",
        title=KIND.title,
        image=facts.get("image") or "memo/memo:1.2",
        port=11300,
        environment=(Env("MEMO_ROOT_PASSWORD", variable="MEMO_PASSWORD"),),
        app_environment=(
            Env("MEMO_HOST", "memo"),
            Env("MEMO_PORT", "11300"),
            Env("MEMO_SPACE", "main"),
            Env("MEMO_PASSWORD", variable="MEMO_PASSWORD"),
        ),
        urls=("MEMO_URL",),
        variables=(
            password("MEMO_PASSWORD", "Memo", "Its password."),
            Variable("MEMO_LEVEL", "Memo", "How much it says.", "2"),
        ),
        volume=Volume("memo_data", "/var/lib/memo"),
        health=Health(("memo", "ping")),
        resources=Resources("256M"),
        test_health="memo ping",
        backup="all that it remembers.",
        host_variable="MEMO_HOST",
'''
END = "    )\n"
MORE = """        names=(("MEMO_SERVER", "MEMO_HOST"),),
        schemes=("memo",),
        product="memo",
        product_images=frozenset({"memo"}),
        machine="for Memo, a good memory",
        development="`memo/` holds what nobody needs.",
        import_file="FILE.memo",
        troubles=(("`forgotten`", "Remember it"),),
        macros=frozenset({"import_form", "elsewhere"}),
"""
SCRIPT = """#!/bin/sh
# What the scripts for backups and passwords do with Memo.
set -eu
case ${1-} in
    size | backup | restore | count | ready | password) memo --host "${MEMO_HOST-localhost}" "$1" ;;
esac
"""
MACROS = """{% macro elsewhere(file) %}
Memo needs the space that `{{ file }}` names.
{% endmacro %}
{% macro import_form() %}
Memo takes what `memo save` has written.
{% endmacro %}
"""
ENTRYPOINT = """if [ -z "${MEMO_URL-}" ] && [ -n "${MEMO_HOST-}" ]; then
    export MEMO_URL="memo://$MEMO_HOST:${MEMO_PORT:-11300}"
fi
"""
# What every service needs, and the same with all that one can have.
BARE = {
    "extensions/services/memo.py": MODULE + END,
    "template/_partials/data/memo.sh": SCRIPT,
}
FULL = {
    "extensions/services/memo.py": MODULE + MORE + END,
    "template/_partials/data/memo.sh": SCRIPT,
    "template/_partials/services/memo.jinja": MACROS,
    "template/_partials/entrypoint/memo.sh": ENTRYPOINT,
}


@dataclass(frozen=True)
class Run:
    """A copy of the code with the service, and a FastAPI project that uses it."""

    code: Path
    project: Path

    def spinbox(self, *arguments: str) -> str:
        """What the copy's command line says; it has to succeed, or to find something to mend."""
        result = subprocess.run(
            [sys.executable, "-m", "spinbox_wrapper", *arguments, "-C", str(self.project)],
            cwd=self.code,
            env=os.environ | {"PYTHONPATH": str(self.code)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0 or "--check" in arguments, result.stderr
        assert "This should not happen" not in result.stderr, result.stderr
        return result.stdout

    def read(self, path: str) -> str:
        """A file of the project."""
        return (self.project / path).read_text()


@pytest.fixture(scope="module", params=[BARE, FULL], ids=["bare", "full"])
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    code = copy_repository(tmp_path_factory.mktemp("code"))
    for path, text in request.param.items():
        assert not (code / path).exists()
        (code / path).write_text(text)
    project = compose("e2e-fastapi", tmp_path_factory.mktemp("projects") / "project")
    with (project / ".config/project.conf").open("a") as conf:
        conf.write('USE_MEMO="true"\n')
    (project / "memo").mkdir()
    (project / "memo/sample.py").write_text("x = 1\n")
    run = Run(code, project)
    targets = [word for target in TARGETS for word in ("--target", target)]
    run.spinbox("deploy", *targets, "--generate", "--set", "memo.image=memo/memo:1.3")
    return run


def is_full(run: Run) -> bool:
    return (run.code / "template/_partials/services/memo.jinja").exists()


def test_it_runs_on_every_target(generated: Run) -> None:
    for path in (
        "docker-compose.prod.yml",
        "deploy/swarm/stack.yml",
        "deploy/kubernetes/base/memo.yaml",
        "fly.memo.toml",
        ".railway/railway.ts",
        "render.yaml",
    ):
        text = generated.read(path)
        assert "memo/memo:1.3" in text, path
        assert "/var/lib/memo" in text, path


def test_its_script_is_on_every_target(generated: Run) -> None:
    for path in ("deploy/data/memo.sh", "deploy/kubernetes/base/scripts/memo.sh"):
        assert generated.read(path) == SCRIPT
    assert "{name: MEMO_HOST, value: memo}" in generated.read("deploy/kubernetes/base/backup.yaml")


def test_apps_are_told_where_it_is(generated: Run) -> None:
    assert "MEMO_HOST: memo" in generated.read("docker-compose.prod.yml")
    assert "MEMO_HOST" in generated.read("fly.toml")
    made = 'export MEMO_URL="memo://' in generated.read("deploy/entrypoint.sh")
    assert made == is_full(generated)


def test_guides_speak_of_it(generated: Run) -> None:
    guide = generated.read("deploy/README.md")
    assert "sh deploy/change-password.sh memo\n" in guide
    file = "FILE.memo" if is_full(generated) else "FILE"
    assert f"sh deploy/restore.sh --import {file} memo\n" in guide
    assert "- Memo: all that it remembers.\n" in guide
    assert "cannot open new connections to Memo." in " ".join(guide.split())
    for text in (
        "- for Memo, a good memory\n",
        "\n`memo/` holds what nobody needs.\n",
        "\nMemo takes what `memo save` has written.\n",
        "| `forgotten` | Remember it |\n",
    ):
        assert (text in guide) == is_full(generated), text
    for target in ("swarm", "kubernetes", "fly", "railway", "render"):
        assert "Memo" in generated.read(f"deploy/{target}/README.md")


def test_no_paragraph_is_torn(generated: Run) -> None:
    """What there is nothing of leaves no empty lines."""
    for path, content in files_below(generated.project).items():
        if path.endswith(".md") and path.startswith("deploy/"):
            assert b"\n\n\n" not in content, path


@pytest.mark.parametrize("target", ["docker", *TARGETS])
def test_checks_look_at_it(generated: Run, target: str) -> None:
    found = generated.spinbox("deploy", "--check", "--target", target, "--format", "json")
    assert '"project.connections"' in found or target == "docker-swarm"
    assert "lifecycle.memo" not in found


def test_pipelines_test_with_it(generated: Run, tmp_path: Path) -> None:
    run = Run(generated.code, shutil.copytree(generated.project, tmp_path / "project"))
    run.spinbox("generate", "--ci", "github", "--ci", "gitlab")
    assert "memo/memo:1.3" in run.read(".github/workflows/ci.yml")
    assert '"memo/memo"' in run.read("renovate.json")


def test_it_may_be_elsewhere(generated: Run, tmp_path: Path) -> None:
    run = Run(generated.code, shutil.copytree(generated.project, tmp_path / "project"))
    run.spinbox("build", "--prod", "--set", "memo=external")
    assert "#MEMO_SPACE=main" in run.read(".env.example")
    needs = "Memo needs the space\nthat `.env` names." in run.read("deploy/README.md")
    assert needs == is_full(generated)


def test_its_sample_code_is_no_source(generated: Run) -> None:
    explained = generated.spinbox("build", "--prod", "--explain")
    assert "memo.image" in explained
    assert "sample.py" not in explained
