"""Tools of Node's world that an image does without, or does otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extensions.finding import Finding
from tests.start.support import find


def _found(root: Path, files: Mapping[str, str], **package: Any) -> list[Finding]:
    scripts = {"start": "node index.js", **package.pop("scripts", {})}
    own = {"package.json": json.dumps({"scripts": scripts, **package}, indent=1), "index.js": ""}
    found = find(root, {**own, **files}, USE_NODE="true")
    return [finding for finding in found if finding.rule == "start.node_tools"]


def test_plug_and_play(tmp_path: Path) -> None:
    lock = {"yarn.lock": "__metadata:\n  version: 8\n"}
    (found,) = _found(tmp_path / "pnp", {**lock, ".pnp.cjs": ""})
    assert not found.certain and ".yarnrc.yml" in found.mend
    modules = {".pnp.cjs": "", ".yarnrc.yml": "nodeLinker: node-modules\n"}
    assert _found(tmp_path / "modules", {**lock, **modules}) == []
    assert _found(tmp_path / "bare", lock) == []
    assert _found(tmp_path / "first", {"yarn.lock": "# yarn lockfile v1\n", ".pnp.cjs": ""}) == []


def test_zero_install(tmp_path: Path) -> None:
    files = {"yarn.lock": "__metadata:\n  version: 8\n", ".yarn/cache/a-npm-1.zip": ""}
    (found,) = _found(tmp_path, {**files, ".yarnrc.yml": "nodeLinker: pnp\n"})
    assert "downloads them" in found.seen


def test_moon(tmp_path: Path) -> None:
    files = {"moon.yml": "tasks:\n  build:\n    command: tsc\n"}
    (found,) = _found(tmp_path / "task", files)
    assert found.path == "moon.yml"
    assert _found(tmp_path / "script", files, scripts={"build": "tsc"}) == []


def test_lerna_that_links_packages_itself(tmp_path: Path) -> None:
    files = {"lerna.json": "{}", "packages/core/package.json": '{"name": "@demo/core"}'}
    held = {"@demo/core": "^1.0.0"}
    (found,) = _found(tmp_path / "own", files, dependencies=held)
    assert found.certain and "@demo/core" in found.seen
    assert _found(tmp_path / "ws", files, dependencies=held, workspaces=["packages/*"]) == []


def test_a_browser(tmp_path: Path) -> None:
    files = {"index.js": "const { launch } = require('puppeteer');\n"}
    (found,) = _found(tmp_path / "own", files, dependencies={"puppeteer": "^24.1.0"})
    assert found.line == 1 and "puppeteer:24.1.0" in found.mend
    files = {"index.js": "require('puppeteer').connect({ browserWSEndpoint: process.env.B });\n"}
    assert _found(tmp_path / "far", files, dependencies={"puppeteer": "^24.1.0"}) == []
    assert _found(tmp_path / "tests", {}, devDependencies={"playwright": "^1.50.0"}) == []


def test_expo_beside_a_server_and_alone(tmp_path: Path) -> None:
    files = {"mobile/package.json": '{"dependencies": {"expo": "^52"}}'}
    (found,) = _found(tmp_path / "beside", files)
    assert not found.certain and "mobile/package.json" in found.seen
    scripts = {"start": "expo start"}
    (found,) = _found(tmp_path / "alone", {}, scripts=scripts, dependencies={"expo": "^52"})
    assert found.certain and "node=off" in found.mend
