"""Workspaces: who belongs to one, what an app needs of it, and how it is built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions import node_workspace
from extensions.facts import read_facts
from extensions.model import App, NodeBuild

from .support import stack_of, tree_of, write_project

PACKAGES = {
    "apps/api": {
        "name": "@demo/api",
        "scripts": {"start": "node dist/index.js", "build": "tsc"},
        "dependencies": {"@demo/core": "workspace:*", "express": "^4"},
        "devDependencies": {"@demo/tsconfig": "workspace:*"},
    },
    "apps/admin": {"name": "@demo/admin", "dependencies": {"@demo/core": "workspace:*"}},
    "packages/core": {
        "name": "@demo/core",
        "main": "dist/index.js",
        "scripts": {"build": "tsc"},
        "dependencies": {"@demo/text": "workspace:*"},
    },
    "packages/text": {"name": "@demo/text", "main": "index.js"},
    "packages/tsconfig": {"name": "@demo/tsconfig"},
}
TOP = {"name": "top", "private": True, "workspaces": ["apps/*", "packages/*"]}
SOURCE = {"apps/api/src/index.ts": "", "packages/core/src/index.ts": "", "tsconfig.base.json": "{}"}


def files(top: Mapping[str, Any] = TOP, **more: str) -> dict[str, str]:
    """A workspace: its packages, and what else lies in it."""
    made = {f"{folder}/package.json": json.dumps(text) for folder, text in PACKAGES.items()}
    return {"package.json": json.dumps(top), "package-lock.json": "{}", **made, **SOURCE, **more}


def app_of(root: Path, given: Mapping[str, str]) -> tuple[App, NodeBuild]:
    """The app of the stack."""
    project = write_project(root, given, USE_NODE="true")
    app = stack_of(read_facts(project)).apps[0]
    assert isinstance(app.build, NodeBuild)
    return app, app.build


def test_what_a_member_needs_comes_before_it(tmp_path: Path) -> None:
    workspace = node_workspace.find(tree_of(tmp_path, files()), "apps/api")
    assert workspace is not None
    built = ["packages/text", "packages/core", "packages/tsconfig", "apps/api"]
    assert workspace.needed("apps/api", tools=True) == built
    assert workspace.needed("apps/api", tools=False) == [
        "packages/text",
        "packages/core",
        "apps/api",
    ]


def test_packages_that_need_each_other_end(tmp_path: Path) -> None:
    ring = {
        "package.json": json.dumps({"workspaces": ["a", "b"]}),
        "a/package.json": '{"name": "a", "dependencies": {"b": "*"}}',
        "b/package.json": '{"name": "b", "dependencies": {"a": "*"}}',
    }
    workspace = node_workspace.find(tree_of(tmp_path, ring), "a")
    assert workspace is not None
    assert workspace.needed("a", tools=True) == ["b", "a"]


@pytest.mark.parametrize(
    ("listed", "folder", "named"),
    [
        (["packages/*"], "packages/ui", True),
        (["packages/*"], "packages/ui/inner", False),
        (["packages/**"], "packages/ui/inner", True),
        (["./frontend"], "frontend", True),
        (["apps/*", "!apps/old"], "apps/old", False),
        (["{apps,packages}/*"], "apps/web", True),
        (["**"], "backend", True),
    ],
)
def test_patterns(listed: list[str], folder: str, named: bool) -> None:
    assert node_workspace.matches(listed, folder) is named


def test_a_member_is_built_from_the_top(tmp_path: Path) -> None:
    app, build = app_of(tmp_path, files())
    assert (app.directory, app.base) == ("apps/api", ".")
    assert build.lockfile == "package-lock.json"
    assert build.build is not None
    assert build.build.replace(" \\\n   ", "") == (
        "npm run build --workspace=packages/core && npm run build --workspace=apps/api"
    )
    assert app.built_from == (
        "package.json", "package-lock.json", "apps/admin/package.json", "tsconfig.base.json",
        "packages/text/", "packages/core/", "packages/tsconfig/", "apps/api/",
    )  # fmt: skip


def test_turborepo_builds_what_it_is_set_up_for(tmp_path: Path) -> None:
    top = {**TOP, "devDependencies": {"turbo": "^2"}}
    tasks = {"turbo.json": '{"tasks": {"build": {"dependsOn": ["^build"]}}}'}
    _, build = app_of(tmp_path, {**files(top), **tasks})
    assert build.build == "npx turbo run build --filter=@demo/api --env-mode=loose"


def test_variables_of_packages_that_run_with_it(tmp_path: Path) -> None:
    read = {"packages/core/src/index.ts": "const key = process.env.CORE_KEY;\n"}
    tool = {"packages/tsconfig/index.js": "process.env.TOOL_KEY;\n"}
    project = write_project(tmp_path, {**files(), **read, **tool}, USE_NODE="true")
    assert read_facts(project)["node"]["variables"] == ["CORE_KEY"]


def test_a_member_with_a_lockfile_of_its_own_stands_alone(tmp_path: Path) -> None:
    app, build = app_of(tmp_path, {**files(), "apps/api/package-lock.json": "{}"})
    assert build.member is None and app.base == "apps/api"


def test_several_servers_of_which_none_has_a_usual_name(tmp_path: Path) -> None:
    one = '{"scripts": {"start": "node index.js"}}'
    project = write_project(
        tmp_path, {"one/package.json": one, "two/package.json": one}, USE_NODE="true"
    )
    assert read_facts(project)["node"]["dir"] is None
