"""Packages that apps on Node import and their image does not have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import find


def lock(**packages: Mapping[str, Any]) -> str:
    """npm's lockfile of these, by their names."""
    listed = {
        f"node_modules/{name}": {"version": "1.0.0", **more} for name, more in packages.items()
    }
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, **listed}})


def found(
    root: Path, code: str, files: Mapping[str, str] | None = None, **package: Any
) -> list[Finding]:
    """What is found of `src/index.js`, or of the entry among these files."""
    scripts = package.pop("scripts", {"start": "node src/index.js"})
    text = json.dumps({"scripts": scripts, **package}, indent=1)
    every = {"package.json": text, "src/index.js": code, **(files or {})}
    return [f for f in find(root, every, USE_NODE="true") if f.rule == "start.node_imports"]


@pytest.mark.parametrize(
    "code",
    [
        "const pad = require('left-pad')\n",
        "const pad = require('left-pad/lib/x')\n",
        "import pad from 'left-pad'\n",
        "import 'left-pad'\n",
        "export { pad } from 'left-pad'\n",
        "const x = 1\nimport { pad as p } from 'left-pad'\n",
    ],
)
def test_what_is_nowhere_fails_for_certain(code: str, tmp_path: Path) -> None:
    locked = {"package-lock.json": lock(express={})}
    (one,) = found(tmp_path, code, locked, dependencies={"express": "1"})
    assert one.certain and "src/index.js:" in one.seen
    assert one.mend == "npm install --save-prod left-pad"


def test_what_others_bring_to_the_top_is_there(tmp_path: Path) -> None:
    locked = {"package-lock.json": lock(express={}, qs={})}
    assert found(tmp_path, "require('qs')\n", locked, dependencies={"express": "1"}) == []


def test_pnpm_brings_it_to_its_owner_alone(tmp_path: Path) -> None:
    locked = "lockfileVersion: '9.0'\npackages:\n  express@1.0.0: {}\n  qs@1.0.0: {}\n"
    files = {"pnpm-lock.yaml": locked}
    (one,) = found(tmp_path / "a", "require('qs')\n", files, dependencies={"express": "1"})
    assert one.certain and one.mend == "pnpm add qs"
    files[".npmrc"] = "shamefully-hoist=true\n"
    (one,) = found(tmp_path / "b", "require('qs')\n", files, dependencies={"express": "1"})
    assert not one.certain


def test_without_a_lockfile_it_is_a_guess(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "require('qs')\n", dependencies={"express": "1"})
    assert not one.certain


def test_a_package_of_development(tmp_path: Path) -> None:
    locked = {"package-lock.json": lock(pino={"dev": True})}
    development = {"devDependencies": {"pino": "1"}}
    (one,) = found(tmp_path / "a", "require('pino')\n", locked, **development)
    assert one.certain and "for development alone" in one.seen
    bundled = {"scripts": {"start": "node dist/index.js", "build": "esbuild src/index.js --bundle"}}
    assert found(tmp_path / "b", "require('pino')\n", locked, **development, **bundled) == []
    locked = {"package-lock.json": lock(pino={})}
    assert found(tmp_path / "c", "require('pino')\n", locked, **development) == []


@pytest.mark.parametrize(
    "code",
    [
        "const fs = require('fs'), { x } = require('node:fs/promises')\n",
        "const own = require('./own')\n",
        "try { require('left-pad') } catch {}\n",
        "function f() { return require('left-pad') }\n",
        "async function f() { return import('left-pad') }\n",
        "import x from '@/lib/x'\nimport y from '~/y'\nimport z from '#internal'\n",
        "import x from 'lib/x'\n",
        "import x from 'demo-app'\n",
        "import x from 'https://example.com/x.js'\n",
        "// import x from 'left-pad'\n",
        "const text = \"import x from 'left-pad'\"\n",
    ],
)
def test_what_is_there_or_no_fault_at_the_start(code: str, tmp_path: Path) -> None:
    files = {"src/own.js": "", "src/lib/x.css": "", "package-lock.json": lock()}
    assert found(tmp_path, code, files, name="demo-app", dependencies={}) == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import type { A } from 'left-pad'\nlet a: A\n", False),
        ("import { A } from 'left-pad'\nlet a: A\n", False),
        ("import { type A } from 'left-pad'\nlet a: A\n", False),
        ("import { pad } from 'left-pad'\npad('x')\n", True),
        ("import pad, { type A } from 'left-pad'\npad.left('x')\n", True),
        ("import * as pad from 'left-pad'\nnew pad.Pad()\n", True),
    ],
)
def test_types_are_left_out_of_what_runs(code: str, told: bool, tmp_path: Path) -> None:
    scripts = {"start": "node dist/index.js", "build": "tsc"}
    files = {"src/index.ts": code, "tsconfig.json": "{}", "package-lock.json": lock()}
    assert bool(found(tmp_path, "", files, scripts=scripts, dependencies={})) is told


def test_aliases_of_folders_are_no_packages(tmp_path: Path) -> None:
    settings = '{"compilerOptions": {"paths": {"app-core/*": ["./src/*"]}}}'
    files = {"tsconfig.json": settings, "package-lock.json": lock()}
    assert found(tmp_path, "import x from 'app-core/x'\n", files, dependencies={}) == []
