"""Workspaces of every package manager: an app is built and installed from their top folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.node_locks import lock


def _npm(root: Path) -> None:
    lock(root, "npm install --package-lock-only --ignore-scripts")


def _pnpm(version: str) -> Callable[[Path], None]:
    def prepare(root: Path) -> None:
        package = json.loads((root / "package.json").read_text())
        del package["workspaces"]
        (root / "package.json").write_text(json.dumps(package, indent=2))
        (root / "pnpm-workspace.yaml").write_text('packages:\n  - "apps/*"\n  - "packages/*"\n')
        _workspace_protocol(root)
        lock(root, f"npm install --global pnpm@{version} && pnpm install --lockfile-only")

    return prepare


def _yarn(root: Path) -> None:
    lock(root, "yarn install --ignore-scripts")


def _modern_yarn(version: str) -> Callable[[Path], None]:
    def prepare(root: Path) -> None:
        (root / ".yarnrc.yml").write_text("nodeLinker: node-modules\n")
        _workspace_protocol(root)
        install = "YARN_ENABLE_IMMUTABLE_INSTALLS=false YARN_ENABLE_SCRIPTS=false yarn install"
        package = f"npm install --global --force @yarnpkg/cli-dist@{version}"
        lock(root, f"{package} && touch yarn.lock && {install}")

    return prepare


def _bun(version: str) -> Callable[[Path], None]:
    def prepare(root: Path) -> None:
        lock(root, f"npm install --global bun@{version} && bun install --ignore-scripts")

    return prepare


def _workspace_protocol(root: Path) -> None:
    for path in root.glob("*/*/package.json"):
        package = json.loads(path.read_text())
        for table in ("dependencies", "devDependencies"):
            for name in package.get(table, {}):
                if name.startswith("@demo/"):
                    package[table][name] = "workspace:*"
        path.write_text(json.dumps(package, indent=2))


MANAGERS = {
    "npm": _npm,
    "pnpm-10": _pnpm("10"),
    "pnpm-8": _pnpm("8"),
    "yarn-1": _yarn,
    "yarn-3": _modern_yarn("3"),
    "yarn-4": _modern_yarn("4"),
    "bun": _bun("1"),
    "bun-1.1": _bun("1.1"),
}


@pytest.mark.parametrize("manager", MANAGERS)
def test_member_with_express_beside_packages(manager: str, tmp_path: Path) -> None:
    """Packages are built before what needs them, and no others are in the image."""
    root = copy_app("node-workspace", tmp_path / f"ws-{manager}")
    with first_deployment(root, prepare=MANAGERS[manager]) as stack:
        assert stack.get("/odd/3") == {"odd": True}
        files = stack.compose("exec", "-T", "app", "find", "/app", "-name", "typescript")
        assert files == ""
        files = stack.compose("exec", "-T", "app", "find", "/app", "-name", "left-pad")
        assert files == "" or manager in {"bun-1.1", "yarn-3", "pnpm-8"}


@pytest.mark.parametrize("builder", ["turbo", "nx", "none"])
def test_next_member_with_its_standalone_output(builder: str, tmp_path: Path) -> None:
    """A package that a builder compiles first, and one whose TypeScript Next.js compiles."""
    root = copy_app("next-turborepo", tmp_path / f"next-{builder}")

    def prepare(root: Path) -> None:
        if builder != "turbo":
            (root / "turbo.json").unlink()
        if builder == "nx":
            package = json.loads((root / "package.json").read_text())
            package["devDependencies"] = {"nx": "^21.0.0"}
            (root / "package.json").write_text(json.dumps(package, indent=2))
            tasks = {"targetDefaults": {"build": {"dependsOn": ["^build"]}}}
            (root / "nx.json").write_text(json.dumps(tasks))
        lock(root, "npm install --global pnpm@10.20.0 && pnpm install --lockfile-only")

    with first_deployment(root, prepare=prepare) as stack:
        page = stack.request("/").body
        assert "Hello, workspace" in page
        assert stack.compose("exec", "-T", "app", "pwd") == "/app/apps/web\n"
        assert stack.compose("exec", "-T", "app", "ls", "/app/apps") == "web\n"


def test_top_of_a_workspace_is_the_app(tmp_path: Path) -> None:
    root = copy_app("node-workspace-top", tmp_path / "ws-top")
    with first_deployment(root) as stack:
        assert stack.get("/") == {"greeting": "hello"}
