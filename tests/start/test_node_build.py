"""What builds of apps on Node lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from extensions.model import NodeBuild
from tests.start.support import find, subject_of

NEXT = '{"scripts": {"build": "next build"}, "dependencies": {"next": "15"}}'


def _found(
    root: Path,
    files: dict[str, str],
    rule: str = "start.node_build",
    overrides: dict[str, str] | None = None,
) -> list[Finding]:
    project = {"frontend/package.json": NEXT, "frontend/app/page.tsx": "", **files}
    return [f for f in find(root, project, overrides, USE_NEXTJS="true") if f.rule == rule]


def _build(root: Path, files: dict[str, str]) -> str:
    project = {"frontend/package.json": NEXT, "frontend/app/page.tsx": "", **files}
    build = subject_of(root, project, USE_NEXTJS="true").stack.apps[0].build
    assert isinstance(build, NodeBuild) and build.build
    return build.build


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("next.config.js", "if (!process.env.AUTH_SECRET) throw new Error('no AUTH_SECRET')"),
        ("app/api/a/route.ts", "const c = new Client(process.env.AUTH_SECRET!)"),
        ("pages/index.tsx", "import { env } from '@/env'"),
    ],
)
def test_a_variable_that_the_build_fails_without(path: str, text: str, tmp_path: Path) -> None:
    """It is a secret of the build; where that was taken back, it is told."""
    schema = "export const env = z.object({ AUTH_SECRET: z.string() }).parse(process.env)"
    files = {"frontend/src/env.ts": schema, f"frontend/{path}": text}
    assert _found(tmp_path / "given", files) == []
    (found,) = _found(tmp_path, files, overrides={"nextjs.build_needs": "off"})
    assert found.certain and found.line == 1
    assert "AUTH_SECRET" in found.seen and "next build" in found.seen


def test_the_switch_of_t3s_schema_is_named(tmp_path: Path) -> None:
    text = (
        "export const env = createEnv({ server: { A: z.string() }, runtimeEnv: process.env,\n"
        "  skipValidation: !!process.env.SKIP_ENV_VALIDATION })"
    )
    files = {"frontend/src/env.ts": text, "frontend/next.config.js": "import './src/env.ts'"}
    (found,) = _found(tmp_path, files, overrides={"nextjs.build_needs": "off"})
    assert '"SKIP_ENV_VALIDATION=1 next build"' in found.mend


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("next.config.js", "const url = process.env.A ?? 'b'"),
        ("app/api/a/route.ts", "export function GET() { if (!process.env.A) throw 1 }"),
        ("middleware.ts", "if (!process.env.A) throw 1"),
        ("scripts/seed.ts", "if (!process.env.A) throw 1"),
        ("next.config.js", "if (!process.env.NEXT_PUBLIC_A) throw 1"),
        (
            "lib/a.ts",
            "if (!process.env.A && process.env.NEXT_PHASE !== 'phase-production-build') throw 1",
        ),
    ],
)
def test_one_that_it_does_not_need(path: str, text: str, tmp_path: Path) -> None:
    files = {f"frontend/{path}": text, "frontend/app/b/page.tsx": "import '../../lib/a'"}
    assert _found(tmp_path, files) == []


def test_an_import_from_outside_of_the_apps_folder(tmp_path: Path) -> None:
    files = {
        "shared/types.ts": "",
        "frontend/app/b/page.tsx": "import a from '../c'\n"
        "import { T } from '../../../shared/types'",
        "frontend/app/c.ts": "",
    }
    (found,) = _found(tmp_path, files)
    assert found.certain and found.line == 2 and "shared/types.ts" in found.seen


def test_a_program_that_the_image_lacks(tmp_path: Path) -> None:
    package = NEXT.replace("next build", "git rev-parse HEAD > v && next build")
    (found,) = _found(tmp_path, {"frontend/package.json": package})
    assert found.certain and "git" in found.seen


@pytest.mark.parametrize(
    "build", ["node scripts/build.mjs", "npm run x", "node ./scripts/build && tsc"]
)
def test_a_folder_that_the_build_script_names_enters_the_image(build: str, tmp_path: Path) -> None:
    scripts = {"build": build, "x": "sh scripts/build.sh", "start": "node dist/index.js"}
    files = {
        "package.json": json.dumps({"scripts": scripts}),
        "src/index.ts": "",
        "scripts/build.mjs": "",
        "scripts/build.sh": "",
        "docs/a.md": "",
    }
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.sources == ("scripts/", "src/")


@pytest.mark.parametrize(
    "build", ["cd client && npm install && npm run build", "npm run build --prefix client"]
)
def test_a_folder_that_the_build_script_goes_into_enters_the_image(
    build: str, tmp_path: Path
) -> None:
    """Though it has dependencies of its own, as those that are apps of the stack."""
    scripts = {"build": build, "start": "node index.js"}
    files = {
        "package.json": json.dumps({"scripts": scripts}),
        "index.js": "require('http').createServer().listen(3000)",
        "client/package.json": '{"scripts": {"build": "vite build"}}',
        "other/package.json": "{}",
    }
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert "client/" in app.sources and "other/" not in app.sources


def test_a_folder_that_source_imports_from_enters_the_image(tmp_path: Path) -> None:
    files = {
        "package.json": "{}",
        "index.js": "import './database/client.js'",
        "database/client.js": "",
        "docs/a.js": "import '../tests/b.js'",
        "tests/b.js": "",
    }
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.sources == ("database/", "index.js")


RULE = "start.nextjs"


@pytest.mark.parametrize(
    "page",
    [
        "export const revalidate = 60",
        "export async function generateStaticParams() {}",
        "export async function getStaticProps() { return { props: {}, revalidate: 10 } }",
        "export async function getStaticPaths() { return { paths: [], fallback: 'blocking' } }",
    ],
)
def test_pages_that_are_written_anew(page: str, tmp_path: Path) -> None:
    """They are kept in memory, as the image's folder is read-only."""
    assert "isrFlushToDisk" in _build(tmp_path, {"frontend/app/a/page.tsx": page})


@pytest.mark.parametrize(
    ("page", "config"),
    [
        ("export const revalidate = 0", ""),
        ("export const revalidate = false", ""),
        ("// export const revalidate = 60", ""),
        ("export const dynamic = 'force-dynamic'\nexport const revalidate = 60", ""),
        (
            "export const revalidate = 60",
            "module.exports = { experimental: { isrFlushToDisk: false } }",
        ),
        ("export const revalidate = 60", "export default { cacheHandler: require.resolve('./c') }"),
    ],
)
def test_pages_that_are_not(page: str, config: str, tmp_path: Path) -> None:
    files = {"frontend/app/a/page.tsx": page, "frontend/next.config.js": config}
    assert "isrFlushToDisk" not in _build(tmp_path, files)


@pytest.mark.parametrize(
    ("config", "certain"),
    [
        ("module.exports = { distDir: 'build' }", True),
        ("module.exports = { assetPrefix: 'https://cdn.example.com' }", False),
        ("module.exports = { basePath: process.env.BASE_PATH }", False),
    ],
)
def test_settings_that_the_image_does_not_follow(
    config: str, certain: bool, tmp_path: Path
) -> None:
    (found,) = _found(tmp_path, {"frontend/next.config.js": config}, RULE)
    assert found.certain is certain and found.line == 1


@pytest.mark.parametrize(
    "config", ["{ basePath: '/shop' }", "{ distDir: '.next' }", "{ assetPrefix: '' }", "{ i18n }"]
)
def test_settings_that_it_follows(config: str, tmp_path: Path) -> None:
    assert _found(tmp_path, {"frontend/next.config.js": f"module.exports = {config}"}, RULE) == []


def test_a_server_of_ones_own_is_left_out(tmp_path: Path) -> None:
    package = NEXT.replace('"next build"', '"next build", "start": "node server.js"')
    files = {"frontend/package.json": package, "frontend/server.js": "const next = require('next')"}
    (found,) = _found(tmp_path, files, RULE)
    assert not found.certain and found.path == "frontend/server.js"


ALIAS = {
    "tsconfig.json": '{"compilerOptions": {"outDir": "dist", "paths": {"@/*": ["./src/*"]}}}',
    "src/index.ts": 'import { a } from "@/lib/a";\n',
    "src/lib/a.ts": "export const a = 1;\n",
}


@pytest.mark.parametrize(
    ("scripts", "told"),
    [
        ({"build": "tsc"}, True),
        ({"build": "rimraf dist && tsc -p ."}, True),
        ({"build": "tsc && tsc-alias"}, False),
        ({"build": "tsup src/index.ts"}, False),
        ({"build": "nest build"}, False),
        ({"build": "tsc", "start": "node -r tsconfig-paths/register dist/index.js"}, False),
    ],
)
def test_an_alias_that_tsc_leaves(scripts: dict[str, str], told: bool, tmp_path: Path) -> None:
    package = {"scripts": {"start": "node dist/index.js", **scripts}}
    files = {"package.json": json.dumps(package, indent=1), **ALIAS}
    found = [f for f in find(tmp_path, files, USE_NODE="true") if f.rule == "start.node_build"]
    assert [(f.certain, f.path, f.line) for f in found] == [(True, "src/index.ts", 1)] * told


def test_an_alias_of_types_alone_is_gone_when_it_is_compiled(tmp_path: Path) -> None:
    package = {"scripts": {"start": "node dist/index.js", "build": "tsc"}}
    types = {"src/index.ts": 'import type { A } from "@/lib/a";\n'}
    files = {"package.json": json.dumps(package), **ALIAS, **types}
    found = [f for f in find(tmp_path, files, USE_NODE="true") if f.rule == "start.node_build"]
    assert found == []


def test_a_worker_beside_next(tmp_path: Path) -> None:
    """Its image holds the server alone."""
    package = json.loads(NEXT)
    package["scripts"]["worker"] = "node worker.js"
    files = {
        "frontend/package.json": json.dumps(package),
        "frontend/worker.js": "const { Worker } = require('bullmq'); new Worker('a', run);",
    }
    (found,) = _found(tmp_path, files, RULE)
    assert not found.certain and "node worker.js" in found.seen


@pytest.mark.parametrize(
    ("scripts", "told"),
    [
        ({"heroku-postbuild": "cd client && npm install && npm run build"}, "cd client"),
        ({"build": "tsc", "gcp-build": "npm run build && node pack.js"}, "node pack.js"),
        ({"build": "tsc", "heroku-postbuild": "npm install && npm run build"}, None),
        ({"postinstall": "tsc", "heroku-postbuild": "tsc"}, None),
    ],
)
def test_what_one_platform_alone_builds(
    scripts: dict[str, str], told: str | None, tmp_path: Path
) -> None:
    package = {"scripts": {"start": "node index.js", **scripts}}
    files = {
        "package.json": json.dumps(package, indent=1),
        "index.js": "require('http').createServer().listen(3000)",
    }
    found = [f.seen for f in find(tmp_path, files, USE_NODE="true") if "alone runs" in f.seen]
    assert [f"without `{told}" in seen for seen in found] == ([True] if told else [])
