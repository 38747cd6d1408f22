"""What JavaScript and TypeScript read of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.environment_reads.javascript import reads

from .support import tree_of

REQUIRED = "required"


def found(root: Path, source: str, path: str = "src/index.ts") -> dict[str, str | None]:
    """By each name its default, or REQUIRED, in a file that the app begins with."""
    made = reads(tree_of(root, {path: source}), ".", [path])
    return {read.name: REQUIRED if read.required else read.default for read in made}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const a = process.env.A", {"A": None}),
        ("const a = process.env['A']", {"A": None}),
        ("const a = process.env?.A", {"A": None}),
        ("const a = globalThis.process.env.A", {"A": None}),
        ("const a = import.meta.env.VITE_A", {"VITE_A": None}),
        ("const a = Bun.env.A", {"A": None}),
        ("const a = `${process.env.A ?? 'b'}`", {"A": "b"}),
        ("const a = process.env.A || 'b'", {"A": "b"}),
        ("const { A, B = 'b', C: c } = process.env", {"A": None, "B": "b", "C": None}),
        ("export default () => <p>Don't {process.env.NEXT_PUBLIC_A}</p>", {"NEXT_PUBLIC_A": None}),
    ],
)
def test_a_name_that_is_read(source: str, expected: dict[str, str | None], tmp_path: Path) -> None:
    assert found(tmp_path, source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "// process.env.A",
        "const a = 'process.env.A'",
        "const a = /process.env.A/",
        "process.env.A = 'b'",
        "delete process.env.A",
        "const a = my.process.environment.A",
        "const a = process.env.NODE_ENV",
        "const a = import.meta.env.DEV",
        "const a = process.env[key]",
        "start({ ...process.env })",
    ],
)
def test_what_is_no_setting(source: str, tmp_path: Path) -> None:
    assert found(tmp_path, source) == {}


@pytest.mark.parametrize(
    "source",
    [
        "new Client(process.env.A!)",
        "if (!process.env.A) throw new Error('A')",
        "if (!process.env.A) { console.error('A'); process.exit(1) }",
        "if (process.env.B || !process.env.A) throw new Error('A')",
        "if (!process.env.A && process.env.NODE_ENV === 'production') throw new Error('A')",
        "const a = process.env.A\nif (!a) throw new Error('A')",
        "const a = process.env.A as string\nif (a === undefined) { throw new Error('A') }",
        "const { A } = process.env\nif (!A) throw new Error('A')",
        "assert(process.env.A, 'A')",
        "const a = process.env.A ?? (() => { throw new Error('A') })()",
        "function main() { if (!process.env.A) throw new Error('A') }\nmain()",
        "const names = ['A']\nfor (const n of names) if (!process.env[n]) throw new Error(n)",
        "['A'].forEach((n) => { if (!process.env[n]) { throw new Error(n) } })",
        "function need(n: string) { const v = process.env[n]; if (!v) throw 1; return v }\n"
        "export const a = need('A')",
        "const need = (n) => { if (!process.env[n]) throw 1; return process.env[n] }\nneed('A')",
        "const s = z.object({ A: z.string().url() })\nexport const env = s.parse(process.env)",
        "export const env = z.object({ A: z.coerce.number() }).parse(process.env)",
        "const r = z.object({ A: z.string() }).safeParse(process.env)\nif (!r.success) throw r",
        "export const env = createEnv({ server: { A: z.string() }, runtimeEnv: process.env })",
        "const env = cleanEnv(process.env, { A: str() })",
        "ConfigModule.forRoot({ validationSchema: Joi.object({ A: Joi.string().required() }) })",
        "import { ConfigService } from '@nestjs/config'\n"
        "class S { constructor(config: ConfigService) { config.getOrThrow<string>('A') } }",
        "import env from 'env-var'\nconst a = env.get('A').required().asString()",
    ],
)
def test_what_the_app_does_not_start_without(source: str, tmp_path: Path) -> None:
    assert found(tmp_path, source)["A"] == REQUIRED


@pytest.mark.parametrize(
    "source",
    [
        "if (process.env.A) use(process.env.A)",
        "if (!process.env.A) console.warn('no A')",
        "if (!process.env.A && !process.env.B) throw new Error('A or B')",
        "if (!process.env.A && process.env.NODE_ENV === 'development') throw new Error('A')",
        "const f = () => new Client(process.env.A!)",
        "export function f() { if (!process.env.A) throw new Error('A') }",
        "function need(n: string) { const v = process.env[n]; if (!v) throw 1; return v }\n"
        "export const f = () => need('A')",
        "function need(n: string, d?: string) { const v = process.env[n]; if (!v) throw 1 }\n"
        "need('A', 'a')",
        "z.object({ A: z.string().optional() }).parse(process.env)",
        "z.object({ A: z.string().default('a') }).parse(process.env)",
        "z.object({ A: z.coerce.boolean() }).parse(process.env)",
        "const r = z.object({ A: z.string() }).safeParse(process.env)\nlog(r.success)",
        "cleanEnv(process.env, { A: str({ default: 'a' }) })",
        "ConfigModule.forRoot({ validationSchema: Joi.object({ A: Joi.string() }) })",
        "import { ConfigService } from '@nestjs/config'\n"
        "class S { constructor(config: ConfigService) { config.get('A') } }",
        "class S { a = process.env.A! }",
    ],
)
def test_what_the_app_starts_without(source: str, tmp_path: Path) -> None:
    assert found(tmp_path, source)["A"] != REQUIRED


def test_a_body_that_is_parsed_is_no_setting(tmp_path: Path) -> None:
    source = "const s = z.object({ A: z.string() })\nf(s.parse(body), process.env.B)"
    assert found(tmp_path, source) == {"B": None}


def test_what_no_entry_loads_is_not_required(tmp_path: Path) -> None:
    files = {
        "src/index.ts": "import './a'",
        "src/a.ts": "\nif (!process.env.A) throw 1",
        "scripts/seed.ts": "if (!process.env.B) throw 1",
        "src/a.test.ts": "if (!process.env.C) throw 1",
    }
    made = reads(tree_of(tmp_path, files), ".", ["src/index.ts"])
    assert [(r.name, r.path, r.line, r.required) for r in made] == [
        ("B", "scripts/seed.ts", 1, False),
        ("A", "src/a.ts", 2, True),
    ]


def test_a_function_that_is_imported_reads_what_it_is_asked_for(tmp_path: Path) -> None:
    files = {
        "src/env.ts": "export function need(n: string) { const v = process.env[n];"
        " if (!v) throw 1; return v }",
        "src/index.ts": "import { need } from './env'\nconst a = need('A_B')",
    }
    (read,) = reads(tree_of(tmp_path, files), ".", ["src/index.ts"])
    assert (read.name, read.path, read.line, read.required) == ("A_B", "src/index.ts", 2, True)


@pytest.mark.parametrize(
    ("client", "url"),
    [("import { PrismaClient } from '@prisma/client'\n", True), ("export const a = 1\n", False)],
)
def test_prismas_schema_asks_where_a_client_is_made(client: str, url: bool, tmp_path: Path) -> None:
    text = (
        'datasource db {\n  url = env("DATABASE_URL")\n'
        '  shadowDatabaseUrl = env("SHADOW")\n  // url = env("OLD")\n}\n'
    )
    files = {"prisma/schema.prisma": text, "src/db.ts": client}
    made = reads(tree_of(tmp_path, files), ".", ["src/db.ts"])
    assert {read.name: read.required for read in made} == {"DATABASE_URL": url, "SHADOW": False}
