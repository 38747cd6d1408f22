"""Migrations of tools for Node: what runs them, and what the image needs for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions.choices import complete
from extensions.facts import read_facts
from extensions.model import App, Migrations, NodeBuild, Stack
from extensions.stack import build_stack
from tests.start.support import subject_of
from tests.unit.support import write_project

STEPS = {
    "prisma": ("prisma/migrations/1_init/migration.sql", "prisma"),
    "drizzle": ("drizzle/0000_init.sql", "drizzle-kit"),
    "knex": ("migrations/20240101000000_init.js", "knex"),
    "typeorm": ("src/migrations/1700000000000-Init.ts", "typeorm"),
    "sequelize": ("migrations/20240101000000-init.js", "sequelize-cli"),
}
LIBRARIES = {"prisma": "@prisma/client", "drizzle": "drizzle-orm"}


def _stack(
    root: Path,
    files: dict[str, str],
    *,
    held: list[str],
    tools: list[str] | None = None,
    scripts: dict[str, str] | None = None,
    kind: str = "node",
    **more: Any,
) -> Stack:
    package = {
        "scripts": {"start": "node index.js", **(scripts or {})},
        "dependencies": dict.fromkeys(held, "1"),
        "devDependencies": dict.fromkeys(tools or [], "1"),
    }
    entry = {"index.js": "require('http').createServer().listen(3000)"}
    project = {"package.json": json.dumps(package), **(entry if kind == "node" else {}), **files}
    flags = {f"USE_{kind.upper()}": "true", "USE_POSTGRESQL": "true"}
    return subject_of(root, project, more.get("overrides"), **flags).stack


def _migrations(stack: Stack) -> Migrations:
    assert stack.migrations is not None
    return stack.migrations


@pytest.mark.parametrize("name", STEPS)
def test_the_stack_runs_them(name: str, tmp_path: Path) -> None:
    """In the app's folder, or, where the tool is for development alone, in one of its own."""
    path, tool = STEPS[name]
    library = LIBRARIES.get(name, name)
    ran = _migrations(_stack(tmp_path / "held", {path: ""}, held=[library, tool]))
    assert ran.kind == name and not ran.packages
    assert ran.command[0] == f"node_modules/.bin/{tool}"
    if name in {"knex", "typeorm"}:
        return
    ran = _migrations(_stack(tmp_path / "tool", {path: ""}, held=[library], tools=[tool]))
    assert ran.kind == name and tool in ran.packages
    assert ran.command[:2] == ("sh", "-c") and ran.command[2].startswith("cd /migrator && exec ")
    assert ran.in_project[0] == f"node_modules/.bin/{tool}"
    folder = path.rpartition("/")[0] + "/"
    assert any(folder.startswith(one) for one in ran.files)


def test_they_do_not_run_where_the_app_runs_them(tmp_path: Path) -> None:
    path, _ = STEPS["knex"]
    files = {path: "", "index.js": "require('knex')({}).migrate.latest()"}
    stack = _stack(tmp_path, files, held=["knex"])
    assert stack.migrations is None or not stack.migrations.migrates


def test_the_scripts_own_options_are_kept(tmp_path: Path) -> None:
    """Of a script of production before others."""
    scripts = {
        "migrate:dev": "knex migrate:latest --knexfile dev.js",
        "migrate:prod": "cross-env A=b knex migrate:latest --knexfile db/knexfile.js",
    }
    files = {STEPS["knex"][0]: "", "db/knexfile.js": "require('dotenv').config()"}
    ran = _migrations(_stack(tmp_path, files, held=["knex", "pg", "dotenv"], scripts=scripts))
    assert ran.shown == "knex migrate:latest --knexfile db/knexfile.js"


def test_a_script_of_the_project_that_runs_them(tmp_path: Path) -> None:
    scripts = {"build": "tsc", "db:migrate": "node dist/migrate.js"}
    files = {
        STEPS["drizzle"][0]: "",
        "src/migrate.ts": "import { migrate } from 'drizzle-orm/node-postgres/migrator';",
    }
    ran = _migrations(_stack(tmp_path, files, held=["drizzle-orm", "pg"], scripts=scripts))
    assert ran.command == ("node", "dist/migrate.js") and not ran.packages


@pytest.mark.parametrize(
    ("source", "scripts", "expected"),
    [
        ("migrations: ['dist/migrations/*.js']", {"build": "tsc"}, "-d dist/data-source.js"),
        ("migrations: ['src/migrations/*.ts']", {"build": "tsc"}, "-d src/data-source.ts"),
        (
            "migrations: []",
            {"build": "tsc", "typeorm": "typeorm migration:run -d dist/db.js"},
            "-d dist/db.js",
        ),
    ],
)
def test_typeorms_data_source(
    source: str, scripts: dict[str, str], expected: str, tmp_path: Path
) -> None:
    text = f"export const source = new DataSource({{ {source} }});"
    files = {STEPS["typeorm"][0]: "", "src/data-source.ts": text}
    scripts = {"start": "node dist/index.js", **scripts}
    ran = _migrations(_stack(tmp_path, files, held=["typeorm"], tools=["ts-node"], scripts=scripts))
    assert expected in ran.shown


def test_next_has_them_in_a_folder_of_their_own(tmp_path: Path) -> None:
    """Its image holds no dependencies but what its server loads."""
    files = {STEPS["prisma"][0]: "", "app/page.js": "", "next.config.js": ""}
    held = ["next", "prisma", "@prisma/client"]
    scripts = {"build": "next build"}
    stack = _stack(tmp_path, files, held=held, scripts=scripts, kind="nextjs")
    assert _migrations(stack).packages == ("prisma",)


def test_next_beside_an_api_leaves_them_to_it(tmp_path: Path) -> None:
    """And a project that ran SQL files goes on to."""
    package = {"dependencies": {"next": "15", "prisma": "6"}, "scripts": {"build": "next build"}}
    files = {
        "frontend/package.json": json.dumps(package),
        "frontend/app/page.js": "",
        "frontend/prisma/migrations/1_a/migration.sql": "",
        "database/migrations/001_a.sql": "CREATE TABLE a (id int);",
        "requirements.txt": "fastapi\nuvicorn\n",
        "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    }
    flags = {"USE_NEXTJS": "true", "USE_FASTAPI": "true", "USE_POSTGRESQL": "true"}
    stack = subject_of(tmp_path, files, None, **flags).stack
    assert stack.migrations is not None and stack.migrations.kind == "sql"


SCHEMA = (
    'generator client {{\n  provider = "{0}"\n{1}}}\ndatasource db {{ provider = "postgresql" }}\n'
)


def _node(app: App) -> NodeBuild:
    assert isinstance(app.build, NodeBuild)
    return app.build


@pytest.mark.parametrize(
    ("schema", "scripts", "generate", "build"),
    [
        (SCHEMA.format("prisma-client-js", ""), {}, "npx --no prisma generate", None),
        (SCHEMA.format("prisma-client-js", ""), {"postinstall": "prisma generate"}, None, None),
        (
            SCHEMA.format("prisma-client", '  output = "../src/generated"\n'),
            {"build": "tsc"},
            None,
            "npx --no prisma generate \\\n    && npm run build",
        ),
        (
            SCHEMA.format("prisma-client", '  output = "../src/generated"\n'),
            {"build": "prisma generate && tsc"},
            None,
            "npm run build",
        ),
    ],
)
def test_prismas_client_is_made(
    schema: str, scripts: dict[str, str], generate: str | None, build: str | None, tmp_path: Path
) -> None:
    """Among the dependencies, where it stays, or in the source."""
    files = {"prisma/schema.prisma": schema}
    app = _stack(tmp_path, files, held=["@prisma/client"], tools=["prisma"], scripts=scripts).apps[
        0
    ]
    made = _node(app)
    assert (made.generate, made.build) == (generate, build)
    assert made.generated == (None if "generated" in schema else ".prisma")
    assert made.runtime_packages == ("openssl",) and "prisma/" in made.manifests


def test_prisma_7_asks_for_its_address_while_nothing_connects(tmp_path: Path) -> None:
    files = {
        "prisma/schema.prisma": SCHEMA.format("prisma-client", '  output = "../generated"\n'),
        "prisma.config.ts": "import 'dotenv/config';\nimport { defineConfig, env } from "
        "'prisma/config';\nexport default defineConfig({ datasource: { url: env('DATABASE_URL') } "
        "});",
        STEPS["prisma"][0]: "",
    }
    stack = _stack(tmp_path, files, held=["@prisma/client", "dotenv"], tools=["prisma"])
    build = _node(stack.apps[0]).build
    assert build == "DATABASE_URL=postgresql://localhost/none npx --no prisma generate"
    ran = _migrations(stack)
    assert ran.packages == ("dotenv", "prisma") and "prisma.config.ts" in ran.files


def test_a_start_script_that_migrates_by_a_tool_of_development(tmp_path: Path) -> None:
    """It fails for certain in an image: the stack migrates, and the rest of it is started."""
    path, tool = STEPS["prisma"]
    scripts = {"start": "prisma migrate deploy && node index.js"}
    stack = _stack(tmp_path, {path: ""}, held=["@prisma/client"], tools=[tool], scripts=scripts)
    assert stack.apps[0].command == ("node", "index.js")
    assert _migrations(stack).packages == ("prisma",)


def test_a_start_script_that_migrates_by_what_the_image_holds(tmp_path: Path) -> None:
    """It is started as it is."""
    path, tool = STEPS["prisma"]
    scripts = {"start": "prisma migrate deploy && node index.js"}
    stack = _stack(tmp_path, {path: ""}, held=["@prisma/client", tool], scripts=scripts)
    assert stack.apps[0].command == ("npm", "start")
    assert stack.migrations is None or not stack.migrations.migrates


def test_scripts_that_the_start_does_not_call(tmp_path: Path) -> None:
    """Those of the deployment, which name the tool, are none of the app's."""
    files = {STEPS["drizzle"][0]: "", "deploy/swarm/deploy.sh": "drizzle-kit migrate\n"}
    held = ["drizzle-orm", "drizzle-kit"]
    assert _migrations(_stack(tmp_path / "not", files, held=held)).kind == "drizzle"
    files = {STEPS["drizzle"][0]: "", "start.sh": "drizzle-kit migrate\nexec node index.js\n"}
    stack = _stack(tmp_path / "called", files, held=held, scripts={"start": "sh ./start.sh"})
    assert stack.migrations is None or not stack.migrations.migrates


def test_an_app_that_was_left_out_takes_its_migrations_along(tmp_path: Path) -> None:
    """The others are deployed as before."""
    files = {
        "package.json": '{"scripts": {"start": "node index.js"}, "dependencies": {"knex": "3"}}',
        "index.js": "require('http').createServer().listen(3000)",
        STEPS["knex"][0]: "",
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    }
    flags = {"USE_NODE": "true", "USE_FASTAPI": "true", "USE_POSTGRESQL": "true"}
    facts = read_facts(write_project(tmp_path, files, **flags))
    assert facts["postgres"]["migrations"] == "knex"
    stack = build_stack(facts, {}, complete({"runtime": "python"}))
    assert stack.migrations is None or not stack.migrations.migrates


SERVES = "require('http').createServer().listen(3000)"
WORKSPACE = {
    "package.json": '{"private": true, "workspaces": ["apps/*", "packages/*"]}',
    "package-lock.json": "{}",
    "apps/api/index.js": SERVES,
    "packages/db/index.js": "",
}


def _workspace(root: Path, files: dict[str, str], **packages: dict[str, Any]) -> Stack:
    api = {"name": "api", "scripts": {"start": "node index.js"}, **packages.get("api", {})}
    db = {"name": "db", "main": "index.js", **packages.get("db", {})}
    own = {"apps/api/package.json": json.dumps(api), "packages/db/package.json": json.dumps(db)}
    flags = {"USE_NODE": "true", "USE_POSTGRESQL": "true"}
    return subject_of(root, {**WORKSPACE, **own, **files}, None, **flags).stack


def test_a_member_of_a_workspace_has_them_in_its_folder(tmp_path: Path) -> None:
    """Also where production has the tool: its program is where the package manager puts it."""
    files = {
        "apps/api/prisma/migrations/1_a/migration.sql": "",
        "apps/api/prisma/schema.prisma": "",
    }
    ran = _migrations(_workspace(tmp_path, files, api={"dependencies": {"prisma": "6"}}))
    assert ran.command == (
        "sh",
        "-c",
        "cd /migrator/apps/api && exec node_modules/.bin/prisma migrate deploy",
    )
    assert "apps/api/prisma/migrations/" in ran.files and ran.place == "apps/api/"
    assert "$PWD/../../node_modules/.bin" in ran.in_project[2]


def test_a_package_that_the_app_needs_has_them(tmp_path: Path) -> None:
    """With settings that it extends, and tools that are installed at the top."""
    top = {"private": True, "workspaces": ["apps/*", "packages/*"]}
    files = {
        "package.json": json.dumps({**top, "devDependencies": {"drizzle-kit": "1"}}),
        "packages/db/drizzle/0000_a.sql": "",
        "packages/db/drizzle.config.ts": "export default {};",
        "packages/db/tsconfig.json": '{"extends": "../../tsconfig.base.json"}',
        "tsconfig.base.json": "{}",
    }
    needs = {"dependencies": {"db": "*"}}
    ran = _migrations(
        _workspace(tmp_path / "a", files, api=needs, db={"dependencies": {"drizzle-orm": "1"}})
    )
    assert ran.command[2].startswith("cd /migrator/packages/db && ")
    assert {"packages/db/drizzle/", "tsconfig.base.json"} <= set(ran.files)
    assert "drizzle-kit" in ran.packages
    migrates = {"apps/api/index.js": f"import 'drizzle-orm/node-postgres/migrator';\n{SERVES}"}
    stack = _workspace(
        tmp_path / "b", {**files, **migrates}, api=needs, db={"dependencies": {"drizzle-orm": "1"}}
    )
    assert stack.migrations is None or not stack.migrations.migrates
    stack = _workspace(tmp_path / "c", files, db={"dependencies": {"drizzle-orm": "1"}})
    assert stack.migrations is None or not stack.migrations.migrates


def test_prismas_client_of_a_package_that_the_app_needs(tmp_path: Path) -> None:
    files = {"packages/db/prisma/schema.prisma": SCHEMA.format("prisma-client-js", "")}
    held = {"dependencies": {"@prisma/client": "6"}, "devDependencies": {"prisma": "6"}}
    stack = _workspace(tmp_path, files, api={"dependencies": {"db": "*"}}, db=held)
    made = _node(stack.apps[0])
    assert made.generate == "cd packages/db && npx --no prisma generate"
    assert made.generated == ".prisma" and "packages/db/prisma/" in made.manifests


def test_a_file_beside_the_members_is_there_at_the_installation(tmp_path: Path) -> None:
    files = {"vendor/a.tgz": "", "vendor/b/package.json": "{}"}
    held = {"dependencies": {"a": "file:../../vendor/a.tgz", "b": "file:../../vendor/b", "db": "*"}}
    made = _node(_workspace(tmp_path, files, api=held).apps[0])
    assert {"vendor/a.tgz", "vendor/b/"} <= set(made.manifests)
