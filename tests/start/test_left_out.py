"""Front ends that nothing of the stack serves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import find, find_api, subject_of

VITE = {"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "^5"}}
API = {"backend/requirements.txt": "fastapi\nuvicorn\n", "backend/main.py": ""}


def _left_out(root: Path, folder: str, package: dict[str, Any], **files: str) -> list[Finding]:
    page = {f"{folder}/index.html": "", f"{folder}/package.json": json.dumps(package, indent=1)}
    found = find_api(root, {**page, **files})
    return [finding for finding in found if finding.rule == "start.left_out"]


@pytest.mark.parametrize("folder", ["frontend", "web", "apps/web"])
def test_a_page_beside_an_api_is_part_of_the_stack(folder: str, tmp_path: Path) -> None:
    assert _left_out(tmp_path, folder, VITE) == []


def test_one_of_two_pages(tmp_path: Path) -> None:
    more = {"admin/package.json": json.dumps(VITE), "admin/index.html": ""}
    (found,) = _left_out(tmp_path, "frontend", VITE, **more)
    assert not found.certain and found.line and "Vite" in found.seen
    assert found.path == "admin/package.json"
    assert found.mend.startswith("spinbox build --prod --set static.dir=admin")


def test_a_page_beside_a_server_on_node(tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps({"scripts": {"start": "node index.js"}}),
        "index.js": "require('http').createServer((a, b) => b.end()).listen(3000)",
        "client/package.json": json.dumps(VITE),
        "client/index.html": "",
    }
    (found,) = [f for f in find(tmp_path, files, USE_NODE="true") if "left" in f.rule]
    assert found.path == "client/package.json" and "from the Node app" in found.mend


@pytest.mark.parametrize(
    "package",
    [
        {**VITE, "dependencies": {"express": "^4"}},
        {"name": "tools", "devDependencies": {"prettier": "^3"}},
        {"devDependencies": {"vite": "^5"}},
    ],
)  # fmt: skip
def test_what_is_no_page(package: dict[str, Any], tmp_path: Path) -> None:
    assert _left_out(tmp_path, "frontend", package) == []


def test_folders_of_tests_and_libraries_are_no_apps(tmp_path: Path) -> None:
    assert _left_out(tmp_path, "packages/ui", VITE) == []
    assert _left_out(tmp_path, "e2e", VITE) == []


def test_a_page_that_an_app_builds_itself(tmp_path: Path) -> None:
    package = {"scripts": {"start": "node index.js", "build": "npm --prefix client run build"}}
    files = {
        "package.json": json.dumps(package),
        "index.js": "",
        "client/package.json": json.dumps(VITE),
        "client/index.html": "",
    }
    assert [f for f in find(tmp_path, files, USE_NODE="true") if "left" in f.rule] == []


def test_next_that_is_switched_off(tmp_path: Path) -> None:
    (found,) = _left_out(tmp_path, "frontend", {"dependencies": {"next": "15"}})
    assert found.mend == "spinbox build --prod --set nextjs.dir=frontend"


def test_a_server_may_be_named_for_it(tmp_path: Path) -> None:
    files = {"package.json": json.dumps(VITE), "index.html": "", "src/main.js": ""}
    command = {"node.command": "npx serve dist"}
    app = subject_of(tmp_path, files, command, USE_NODE="true").stack.apps[0]
    assert app.command == ("npx", "serve", "dist")


@pytest.mark.parametrize("path", ["server/index.js", "bin/www.js", "src/bootstrap.ts"])
def test_an_app_whose_start_script_names_its_file(path: str, tmp_path: Path) -> None:
    name = path.replace("src/", "dist/").replace(".ts", ".js")
    package = {"scripts": {"build": "tsc", "start": f"node {name}"}}
    files = {"package.json": json.dumps(package), path: ""}
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.command == ("node", name)


def test_a_second_next_app_is_told(tmp_path: Path) -> None:
    text = '{"scripts": {"build": "next build"}, "dependencies": {"next": "15"}}'
    files = {f"apps/{name}/{file}": text for name in ("docs", "web") for file in ("package.json",)}
    found = [f for f in find(tmp_path, files, USE_NEXTJS="true") if f.rule == "start.left_out"]
    assert [(f.certain, f.path) for f in found] == [(False, "apps/docs/package.json")]
    assert "apps/web/" in found[0].seen


def test_servers_on_node_of_which_none_is_chosen(tmp_path: Path) -> None:
    """Beside an API they are told; alone, one has to be chosen."""
    text = json.dumps({"scripts": {"start": "node a.js"}, "dependencies": {"express": "^4"}})
    files = {f"{name}/package.json": text for name in ("one", "two")}
    found = [f for f in find_api(tmp_path, files, USE_NODE="true") if f.rule == "start.left_out"]
    assert [f.path for f in found] == ["one/package.json", "two/package.json"]
    assert "node.dir=one" in found[0].mend and not found[0].certain


def test_a_page_that_only_the_top_folder_builds(tmp_path: Path) -> None:
    """The app's own scripts may build it; those of a folder that is no app are run by nothing."""
    top = {"start": "cd server && npm start", "build": "cd client && npm run build"}
    files = {
        "package.json": json.dumps({"scripts": top}),
        "server/package.json": json.dumps({"scripts": {"start": "node index.js"}}),
        "server/index.js": "require('http').createServer((a, b) => b.end()).listen(3000)",
        "client/package.json": json.dumps(VITE),
        "client/index.html": "",
    }
    (found,) = [f for f in find(tmp_path, files, USE_NODE="true") if "left" in f.rule]
    assert found.path == "client/package.json" and "--set node.dir=." in found.mend
