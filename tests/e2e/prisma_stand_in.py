"""Stand-ins for `prisma` and `@prisma/client`, whose engines come from a host of their own.

The mechanism is theirs: the client lies in `node_modules/.prisma`, where `prisma generate` puts
it; `prisma migrate deploy` runs each folder of `migrations/` once; both read the schema.
"""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

_COMMAND = r"""#!/usr/bin/env node
const fs = require("fs");
const path = require("path");
const [verb, second, ...rest] = process.argv.slice(2);
const named = rest.indexOf("--schema");
const schema = named < 0 ? "prisma/schema.prisma" : rest[named + 1];
if (!/provider\s*=\s*"postgresql"/.test(fs.readFileSync(schema, "utf8"))) process.exit(2);
if (verb === "generate") {
  const found = require.resolve("@prisma/client/package.json", { paths: [process.cwd()] });
  const place = path.join(fs.realpathSync(path.dirname(found)), "../../.prisma/client");
  fs.mkdirSync(place, { recursive: true });
  fs.copyFileSync(path.join(__dirname, "client.js"), path.join(place, "default.js"));
} else if (verb === "migrate" && second === "deploy") {
  const { Client } = require("pg");
  const folder = path.join(path.dirname(schema), "migrations");
  const run = async () => {
    const client = new Client({ connectionString: process.env.DATABASE_URL });
    await client.connect();
    await client.query("CREATE TABLE IF NOT EXISTS _prisma_migrations (name text PRIMARY KEY)");
    for (const name of fs.readdirSync(folder).sort()) {
      const file = path.join(folder, name, "migration.sql");
      if (!fs.existsSync(file)) continue;
      const done = await client.query("SELECT 1 FROM _prisma_migrations WHERE name = $1", [name]);
      if (done.rowCount) continue;
      await client.query(fs.readFileSync(file, "utf8"));
      await client.query("INSERT INTO _prisma_migrations VALUES ($1)", [name]);
    }
    await client.end();
  };
  run().catch((error) => { console.error(error); process.exit(1); });
} else process.exit(2);
"""
_GENERATED = r"""
const { Pool } = require("pg");
exports.PrismaClient = class {
  pool = new Pool({ connectionString: process.env.DATABASE_URL });
  async $queryRawUnsafe(text) { return (await this.pool.query(text)).rows; }
};
"""
_PACKAGES = {
    "prisma": {
        "package.json": json.dumps(
            {
                "name": "prisma",
                "version": "6.99.0",
                "bin": {"prisma": "build/index.js"},
                "dependencies": {"pg": "^8.13.0"},
            }
        ),
        "build/index.js": _COMMAND,
        "build/client.js": _GENERATED,
    },
    "client": {
        "package.json": json.dumps(
            {
                "name": "@prisma/client",
                "version": "6.99.0",
                "main": "default.js",
                "peerDependencies": {"prisma": "*"},
                "peerDependenciesMeta": {"prisma": {"optional": True}},
            }
        ),
        "default.js": 'module.exports = require(".prisma/client/default");\n',
    },
}


def write(project: Path, name: str = "packages") -> None:
    """Write `prisma.tgz` and `client.tgz` into a folder of a project, `packages`."""
    folder = project / name
    folder.mkdir()
    for package, files in _PACKAGES.items():
        with tarfile.open(folder / f"{package}.tgz", "w:gz") as archive:
            for path, text in files.items():
                entry = tarfile.TarInfo(f"package/{path}")
                entry.size = len(content := text.encode())
                entry.mode = 0o644
                archive.addfile(entry, io.BytesIO(content))
