"""What apps on Node write under their read-only root, and migrations that nothing runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from extensions.finding import Finding
from extensions.model import Volume
from extensions.start import node_files
from tests.start.support import find, subject_of

PACKAGE = '{"scripts": {"start": "node src/index.js"}}'


def _found(root: Path, source: str, files: Mapping[str, str] | None = None) -> list[Finding]:
    project = {"package.json": PACKAGE, "src/index.js": source, **(files or {})}
    found = find(root, project, USE_NODE="true")
    return [finding for finding in found if finding.rule == "start.node_files"]


@pytest.mark.parametrize(
    ("source", "mend"),
    [
        (
            "const upload = multer({ dest: 'uploads/' })",
            "spinbox build --prod --set node.volumes=/app/uploads",
        ),
        (
            "const upload = multer({ dest: path.join(__dirname, '../uploads') })",
            "node.volumes=/app/uploads",
        ),
        ("fs.mkdirSync('data/cache', { recursive: true })", "node.volumes=/app/data/cache"),
        (
            "const dir = path.join(process.cwd(), 'media')\nfs.mkdirSync(dir)",
            "node.volumes=/app/media",
        ),
        ("fs.writeFileSync('state.json', '{}')", "data/state.json"),
        (
            "import Database from 'better-sqlite3'\nnew Database('data/app.db')",
            "node.volumes=/app/data",
        ),
        ("import Database from 'better-sqlite3'\nnew Database('app.db')", "data/app.db"),
        (
            "import { createClient } from '@libsql/client'\ncreateClient({ url: 'file:a.db' })",
            "data/",
        ),
        (
            "winston.createLogger({ t: [new transports.File({ filename: 'logs/a.log' })] })",
            "console",
        ),
    ],
)
def test_what_is_written_when_the_app_starts(source: str, mend: str, tmp_path: Path) -> None:
    (found,) = _found(tmp_path, source)
    assert found.certain and found.path == "src/index.js" and found.line
    assert "read-only" in found.seen and mend in found.mend


@pytest.mark.parametrize(
    "source",
    [
        "const upload = multer({ storage: multer.memoryStorage() })",
        "const upload = multer({ dest: '/tmp/uploads' })",
        "const upload = multer({ dest: process.env.UPLOADS })",
        "fs.mkdirSync(os.tmpdir() + '/a')",
        "fs.writeFileSync(target, '')",
        "import Database from 'better-sqlite3'\nnew Database(':memory:')",
        "import Database from 'better-sqlite3'\nnew Database(process.env.DB ?? 'app.db')",
        "fs.readFileSync('data/a.json')",
    ],
)
def test_what_is_not(source: str, tmp_path: Path) -> None:
    assert _found(tmp_path, source) == []


def test_what_is_written_later_is_a_guess(tmp_path: Path) -> None:
    (found,) = _found(tmp_path, "app.post('/a', () => { fs.writeFileSync('data/a.json', '') })")
    assert not found.certain


def test_a_volume_takes_it(tmp_path: Path) -> None:
    files = {"package.json": PACKAGE, "src/index.js": "multer({ dest: 'uploads/' })"}
    subject = subject_of(tmp_path, files, USE_NODE="true")
    assert list(node_files.find(subject)) != []
    app = replace(subject.stack.apps[0], volumes=(Volume("uploads", "/app/uploads"),))
    with_volume = replace(subject, stack=replace(subject.stack, apps=(app,)))
    assert list(node_files.find(with_volume)) == []


def test_what_no_start_loads_is_left_out(tmp_path: Path) -> None:
    files = {"scripts/make.js": "fs.writeFileSync('out.json', '')"}
    assert _found(tmp_path, "", files) == []


def test_sqlite_of_prisma(tmp_path: Path) -> None:
    schema = 'datasource db {\n  provider = "sqlite"\n  url = "file:./dev.db"\n}\n'
    (found,) = _found(tmp_path, "", {"prisma/schema.prisma": schema})
    assert found.line == 3 and "file:/app/data/dev.db" in found.mend


_MIGRATIONS = {
    "@prisma/client": ("prisma/migrations/1_init/migration.sql", "prisma migrate deploy"),
    "drizzle-orm": ("drizzle/0000_init.sql", "drizzle-kit migrate"),
    "knex": ("migrations/20240101000000_init.js", "knex migrate:latest"),
    "typeorm": ("src/migrations/1700000000000-Init.ts", "typeorm migration:run -d a.js"),
    "sequelize": ("migrations/20240101000000-init.js", "sequelize db:migrate"),
    "@mikro-orm/core": ("migrations/Migration20240101.ts", "mikro-orm migration:up"),
}


@pytest.mark.parametrize("package", _MIGRATIONS)
def test_migrations_that_nothing_runs(package: str, tmp_path: Path) -> None:
    path, command = _MIGRATIONS[package]

    def found(root: Path, start: str) -> list[Finding]:
        manifest = {"scripts": {"start": start}, "dependencies": {package: "1"}}
        files = {"package.json": json.dumps(manifest), "index.js": "", path: ""}
        all_found = find(root, files, USE_NODE="true", USE_POSTGRESQL="true")
        return [finding for finding in all_found if finding.rule == "start.node_migrations"]

    not_run = found(tmp_path / "not-run", "node index.js")
    if package in {"knex", "typeorm"}:
        assert not_run == [], "the stack's own job runs them"
    else:
        (told,) = not_run
        assert not told.certain and told.path == path
        assert "npm install" in told.mend or "&& node index.js" in told.mend
    assert found(tmp_path / "run", f"{command} && node index.js") == []


def test_migrations_that_the_code_runs(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {"start": "node index.js"}, "dependencies": {"knex": "3"}}',
        "index.js": "await db.migrate.latest()",
        "migrations/20240101000000_init.js": "",
    }
    found = find(tmp_path, files, USE_NODE="true")
    assert [f for f in found if f.rule == "start.node_migrations"] == []


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("writeFile(path.join(process.cwd(), 'public/uploads', file.name), data)",
         "public/uploads"),
        ("writeFile(`./media/${user.id}.png`, data)", "media"),
        ("createWriteStream('exports/' + name)", "exports"),
        ("writeFile(path.join(folder, name), data)", "storage/files"),
        ("writeFile(path.join(os.tmpdir(), 'a', name), data)", None),
        ("writeFile(path.join(process.env.DIR, 'a', name), data)", None),
        ("writeFile(`${folder}/a.txt`, data)", None),
    ],
)  # fmt: skip
def test_a_file_whose_name_alone_is_no_constant(
    written: str, folder: str | None, tmp_path: Path
) -> None:
    source = f"const folder = path.join(process.cwd(), 'storage', 'files')\nasync () => {written}\n"
    found = _found(tmp_path, source)
    assert [one.mend.rpartition("=/app/")[2] for one in found] == ([folder] if folder else [])
    assert not any(one.certain for one in found)


def test_uploads_of_next_js(tmp_path: Path) -> None:
    route = (
        'import { writeFile } from "fs/promises";\nimport path from "path";\n'
        "export async function POST(request) {\n  const file = await upload(request);\n"
        '  await writeFile(path.join(process.cwd(), "public", "uploads", file.name), "");\n}\n'
    )
    files = {
        "package.json": '{"scripts": {"build": "next build"}, "dependencies": {"next": "15"}}',
        "app/api/upload/route.js": route,
        "app/page.js": "",
    }
    found = [one for one in find(tmp_path, files, USE_NEXTJS="true") if "read-only" in one.seen]
    assert [one.line for one in found] == [5] and "when it starts" in found[0].seen


def test_migrations_of_a_package_that_the_app_needs(tmp_path: Path) -> None:
    """Of a tool that no stack runs: it is told where to run it."""
    db = {"name": "db", "main": "index.js", "dependencies": {"@mikro-orm/core": "6"}}
    api = {"scripts": {"start": "node index.js"}, "dependencies": {"db": "*"}}
    files = {
        "package.json": '{"private": true, "workspaces": ["api", "db"]}',
        "package-lock.json": "{}",
        "api/package.json": json.dumps(api),
        "api/index.js": "require('http').createServer().listen(3000)",
        "db/package.json": json.dumps(db),
        "db/index.js": "",
        "db/migrations/Migration20240101000000.js": "",
    }
    found = find(tmp_path, files, USE_NODE="true", USE_POSTGRESQL="true")
    (told,) = [finding for finding in found if finding.rule == "start.node_migrations"]
    assert "MikroORM" in told.seen and "in db/" in told.mend
