"""Commands whose program, file or module the image does not hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import find, subject_of

TOOLS = {
    "tsx": "^4", "nodemon": "^3", "ts-node": "^10", "@nestjs/cli": "^10", "vite": "^5",
    "cross-env": "^7", "dotenv-cli": "^7", "typescript": "^5",
}  # fmt: skip


def _found(
    root: Path, scripts: Mapping[str, str], files: Mapping[str, str] | None = None, **more: Any
) -> list[Finding]:
    package = {"scripts": scripts, "devDependencies": TOOLS, **more}
    project = {"package.json": json.dumps(package, indent=1), "src/index.ts": "", **(files or {})}
    return [f for f in find(root, project, USE_NODE="true") if f.rule == "start.node_command"]


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ("nest start", "@nestjs/cli"),
        ("tsx src/index.ts", "tsx"),
        ("NODE_ENV=production npx ts-node src/index.ts", "ts-node"),
        ("npm run migrate && tsx src/index.ts", "tsx"),
        ("nodemon dist/index.js", "nodemon"),
        ("vite", "vite"),
        ("cross-env A=b node dist/index.js", "cross-env"),
        ("dotenv -e .env -- node dist/index.js", "dotenv-cli"),
        ("node -r ts-node/register dist/index.js", "ts-node"),
        ("node --import tsx dist/index.js", "tsx"),
        ("node migrate.js && node --env-file=.env dist/index.js", "--env-file-if-exists"),
        ("pnpm migrate && node dist/index.js", "pnpm"),
        ("bash start.sh", "bash"),
        ("./start.sh", "./start.sh"),
        ("pm2 start ecosystem.config.js", "pm2-runtime start ecosystem.config.js"),
        ("forever start dist/index.js", "node dist/index.js"),
        ("node src/server.js", "src/server.js"),
    ],
)
def test_what_the_image_does_not_hold_is_told(start: str, named: str, tmp_path: Path) -> None:
    scripts = {"build": "tsc", "start": start, "migrate": "node migrate.js"}
    (found,) = _found(tmp_path, scripts, {"migrate.js": ""})
    assert found.certain and found.path == "package.json" and found.line
    assert named in found.seen + found.mend


@pytest.mark.parametrize(
    "start",
    [
        "node dist/index.js",
        "node .",
        "node --enable-source-maps dist/index.js",
        "node --env-file-if-exists=.env dist/index.js && echo done",
        "node --env-file=.env dist/index.js",
        "cross-env NODE_ENV=production node dist/index.js",
        "npm run migrate && node dist/index.js",
        "prisma migrate deploy && node dist/index.js",
        "sh start.sh",
        "yarn migrate && node dist/index.js",
        "pm2-runtime dist/index.js",
        "pm2 start dist/index.js --no-daemon",
        "pm2 start dist/index.js && pm2 logs",
    ],
)
def test_what_it_holds_is_not(start: str, tmp_path: Path) -> None:
    scripts = {"build": "tsc", "start": start, "migrate": "node migrate.js"}
    held = {"prisma": "^6", "pm2": "^5"}
    files = {"migrate.js": "", "start.sh": ""}
    assert _found(tmp_path, scripts, files, dependencies=held) == []


def test_the_script_of_production_is_taken_where_the_other_needs_tools(tmp_path: Path) -> None:
    scripts = {"build": "nest build", "start": "nest start", "start:prod": "node dist/main"}
    package = {"scripts": scripts, "devDependencies": TOOLS}
    files = {"package.json": json.dumps(package), "src/main.ts": ""}
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.command == ("node", "dist/main")


def test_a_server_of_development_that_is_a_dependency_is_a_guess(tmp_path: Path) -> None:
    scripts = {"start": "nodemon src/index.js"}
    files = {"src/index.js": ""}
    (found,) = _found(tmp_path, scripts, files, dependencies={"nodemon": "^3"})
    assert not found.certain and "development" in found.seen


def test_a_program_that_nothing_brings_is_a_guess(tmp_path: Path) -> None:
    (found,) = _found(tmp_path, {"start": "some-server"})
    assert not found.certain and "some-server" in found.seen


def test_a_main_that_is_not_there(tmp_path: Path) -> None:
    (found,) = _found(tmp_path, {}, main="lib/server.js")
    assert found.certain and "lib/server.js" in found.seen and found.line


@pytest.mark.parametrize(("image", "count"), [("node:20-alpine", 1), ("node:24-alpine", 0)])
def test_typescript_that_node_runs_itself(image: str, count: int, tmp_path: Path) -> None:
    package = {"scripts": {"start": "node src/index.ts"}}
    files = {"package.json": json.dumps(package), "src/index.ts": ""}
    found = find(tmp_path, files, {"node.image": image}, USE_NODE="true")
    assert len([f for f in found if f.rule == "start.node_command"]) == count


def test_bun_that_runs_the_app_is_in_its_image(tmp_path: Path) -> None:
    package = {"packageManager": "bun@1.1.38", "scripts": {"start": "bun run src/index.ts"}}
    files = {"package.json": json.dumps(package), "src/index.ts": ""}
    subject = subject_of(tmp_path, files, USE_NODE="true")
    assert subject.stack.apps[0].command == ("bun", "run", "src/index.ts")
    assert subject.stack.apps[0].build.runs_tool  # type: ignore[union-attr]
    assert [f for f in find(tmp_path, files, USE_NODE="true") if f.rule.endswith("command")] == []


@pytest.mark.parametrize(
    "start",
    [
        "nx serve api",
        "nx run api:serve",
        "nx dev",
        "turbo dev",
        "turbo run dev",
        "npm run dev",
        "next",
    ],
)
def test_a_server_of_development_is_told_wherever_it_stands(start: str, tmp_path: Path) -> None:
    scripts = {"build": "tsc", "start": start, "dev": "next dev -p 3000"}
    held = dict.fromkeys(("nx", "turbo", "next", "express"), "1")
    found = _found(tmp_path, scripts, dependencies=held)
    assert any("server of development" in one.seen for one in found)


@pytest.mark.parametrize("start", ["next start", "turbo run start", "node nx.js"])
def test_others_of_these_tools_are_none(start: str, tmp_path: Path) -> None:
    held = dict.fromkeys(("nx", "turbo", "next", "express"), "1")
    found = _found(tmp_path, {"build": "tsc", "start": start}, {"nx.js": ""}, dependencies=held)
    assert not any("server of development" in one.seen for one in found)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("pm2 start ecosystem.config.js --env production", True),
        ("NODE_ENV=production npx pm2 start server.js -i max", True),
        ("forever start server.js", True),
        ("pm2 start server.js --no-daemon", False),
        ("pm2-runtime start ecosystem.config.js", False),
    ],
)
def test_what_starts_the_app_behind_itself(start: str, told: bool, tmp_path: Path) -> None:
    files = {"server.js": "", "ecosystem.config.js": ""}
    scripts = {"start": start}
    found = _found(tmp_path, scripts, files, dependencies={"pm2": "5", "forever": "4"})
    assert [one.certain and "background" in one.seen for one in found] == ([True] if told else [])
