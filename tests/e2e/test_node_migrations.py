"""Migrations of the tools for Node: the first deployment finds its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import prisma_stand_in
from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.test_node_workspaces import MANAGERS


@pytest.mark.parametrize("name", ["drizzle", "knex", "sequelize", "typeorm"])
def test_the_tool_runs_before_the_app(name: str, tmp_path: Path) -> None:
    with first_deployment(copy_app(f"node-{name}", tmp_path / f"node-{name}")) as stack:
        assert stack.get("/") == [{"name": "first"}]


def test_prisma_as_a_dependency_of_development(tmp_path: Path) -> None:
    """Its client stays in the image, and its command is there for `migrate`: of stand-ins."""
    project = copy_app("node-prisma", tmp_path / "node-prisma")
    with first_deployment(project, prepare=prisma_stand_in.write) as stack:
        assert stack.get("/") == [{"name": "first"}]
        inside = stack.compose("exec", "-T", "app", "ls", "node_modules", "/migrator/node_modules")
        assert "typescript" not in inside.split()


@pytest.mark.parametrize("manager", ["npm", "pnpm-10"])
@pytest.mark.parametrize("name", ["drizzle", "prisma"])
def test_a_workspace(name: str, manager: str, tmp_path: Path) -> None:
    """Migrations of a package that the app needs (Drizzle), and of the app itself (Prisma)."""
    root = copy_app(f"node-workspace-{name}", tmp_path / f"ws-{name}-{manager}")

    def prepare(root: Path) -> None:
        if name == "prisma":
            prisma_stand_in.write(root, "vendor")
        MANAGERS[manager](root)

    with first_deployment(root, prepare=prepare) as stack:
        assert stack.get("/")[0] == {"name": "first"}
        files = stack.compose("exec", "-T", "app", "find", "/app", "-name", "typescript")
        assert files == ""
