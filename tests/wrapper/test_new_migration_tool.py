"""A tool for migrations is added by three new files: a made-up one, in a copy of the code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.drop_in import copy_repository
from tests.unit.support import write_files, write_project

pytestmark = pytest.mark.integration

MODULE = '''
"""Kysely, made up: one command in a Node app's image, known by its schema."""

from __future__ import annotations

from typing import Any

from ..model import App, Migrations
from ..origins import Found
from ..tree import Tree

TITLE = "Kysely"
SOUGHT = "Kysely"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()


def find(tree: Tree, folder: str) -> Found[bool]:
    path = tree.first(folder, "kysely/schema.kysely")
    return Found(path is not None, "Kysely's schema" if path else "no schema.kysely", path)


def scripts(tree: Tree) -> list[str]:
    return [path for path in tree.below(".", "/migration.sql")]


def define(extensions: tuple[str, ...], app: App | None, facts: dict[str, Any]) -> Migrations:
    command = ("kysely", "migrate", "deploy")
    return Migrations("kysely", TITLE, extensions, app=app, command=command, concurrent=True)


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> list[object]:
    return []
'''
PARTIAL = """\
{% macro schema() %}
`migrate` runs `kysely migrate deploy` at every start.
{% endmacro %}
{% macro rollback() %}
Kysely takes a database that is newer than its code.
{% endmacro %}
{% macro imported() %}
{% endmacro %}
"""
CHECK = '''
"""Kysely, made up."""

from ..model import Check, Context, passed

IDS = {"project.kysely": "Kysely has its migrations"}


def look(context: Context) -> list[Check]:
    return [passed("project.kysely", f"Runs in {context.stack.migrations.app.name}.")]
'''
NEW_FILES = {
    "extensions/migrations/kysely.py": MODULE,
    "template/_partials/migrations/kysely.jinja": PARTIAL,
    "spinbox_wrapper/checks/migrations/kysely.py": CHECK,
}
NODE_APP = {
    "package.json": json.dumps(
        {"name": "demo", "scripts": {"start": "node index.js", "test": "node --test"}}
    ),
    "package-lock.json": "{}",
    "index.test.js": "",
    "index.js": "require('http').createServer().listen(process.env.PORT || 3000)\n",
    "kysely/schema.kysely": "",
    "kysely/migrations/1_init/migration.sql": "CREATE TABLE items (id int);\n",
}
RUN = "kysely migrate deploy"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository with one tool more."""
    root = copy_repository(tmp_path_factory.mktemp("checkout") / "repository")
    for name in NEW_FILES:
        assert not (root / name).exists()
    return write_files(root, NEW_FILES)


def _spinbox(checkout: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spinbox_wrapper", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=environment, text=True, capture_output=True)


@pytest.fixture(scope="module")
def deployed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Node app that uses it, for Compose, Kubernetes and Render."""
    root = tmp_path_factory.mktemp("demo")
    write_project(root, NODE_APP, USE_NODE="true", USE_POSTGRESQL="true")
    targets = ("--target", "kubernetes", "--target", "render", "--target", "docker-swarm")
    pipeline = ("generate", "--ci", "github", "-C", root)
    for command in (("deploy", *targets, "--generate", "-C", root), pipeline):
        result = _spinbox(checkout, *command)
        assert result.returncode == 0, result.stderr
    return root


def test_a_new_tool_is_found(deployed: Path) -> None:
    """By the file that its module looks for."""
    answers = yaml.safe_load((deployed / ".copier-answers.yml").read_text())
    assert answers["project"]["postgres"]["migrations"] == "kysely"
    assert answers["project"]["node"]["kysely"] is True


def test_a_new_tool_in_compose(deployed: Path) -> None:
    """One container of the app's image, before the app starts, and no psql."""
    services = yaml.safe_load((deployed / "docker-compose.prod.yml").read_text())["services"]
    migrate, app = services["migrate"], services["app"]
    assert migrate["command"] == RUN.split()
    assert (migrate["image"], migrate["environment"]) == (app["image"], app["environment"])
    assert app["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "extensions" not in services
    assert not (deployed / "deploy/migrate.sh").exists()


def test_a_new_tool_in_kubernetes(deployed: Path) -> None:
    """A job of the app's image."""
    job = yaml.safe_load((deployed / "deploy/kubernetes/base/migrate.yaml").read_text())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["image"], container["args"]) == ("demo-app", RUN.split())
    assert [one["name"] for one in pod["initContainers"]] == ["reach"]


def test_a_new_tool_on_render(deployed: Path) -> None:
    """Before the app's new version."""
    services = yaml.safe_load((deployed / "render.yaml").read_text())["services"]
    commands = [s["preDeployCommand"] for s in services if "preDeployCommand" in s]
    assert commands == [f"entrypoint {RUN}"]


def test_a_new_tool_in_a_swarm(deployed: Path) -> None:
    """A job of the app's image."""
    assert f'"$IMAGE_APP" {RUN} ' in (deployed / "deploy/swarm/deploy.sh").read_text()


def test_a_new_tool_before_tests(deployed: Path) -> None:
    """So that they find the schema."""
    (workflow,) = (deployed / ".github/workflows").iterdir()
    assert f"sh deploy/entrypoint.sh {RUN}\n" in workflow.read_text()


def test_what_guides_say_of_a_new_tool(deployed: Path) -> None:
    """What its partial holds, at its place."""
    guide = (deployed / "deploy/README.md").read_text()
    schema = guide.partition("\n## Database schema\n")[2].partition("\n## ")[0]
    assert schema.strip().startswith(f"`migrate` runs `{RUN}` at every start.")
    back = guide.partition("\n### Back to the version before\n")[2].partition("\n### ")[0]
    assert "Kysely takes a database that is newer than its code." in back


def test_a_new_tool_is_checked(checkout: Path, deployed: Path) -> None:
    """By the module of its name alone."""
    result = _spinbox(
        checkout, *("deploy", "--check", "--target", "render", "--format", "json", "-C", deployed)
    )
    found = {check["id"]: check["seen"] for check in json.loads(result.stdout)["checks"]}
    assert found["project.kysely"] == "Runs in app."
    assert not {"project.alembic", "project.migrations"} & found.keys()


def test_a_new_tool_can_be_named_by_hand(checkout: Path, deployed: Path) -> None:
    """And one that is none is told so, with all that are."""
    refused = _spinbox(
        checkout, "build", "--prod", "-C", deployed, "--set", "postgres.migrations=x"
    )
    assert " or kysely or " in refused.stderr and "'x'" in refused.stderr
