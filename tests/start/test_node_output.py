"""What the compiler writes, and what the start script runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import find

ENTRY = "require('http').createServer().listen(process.env.PORT)\n"


def found_of(
    root: Path,
    config: Mapping[str, Any] | str,
    start: str = "node dist/index.js",
    build: str = "tsc",
    typescript: str = "^5.6.0",
    swc: str = "^0.7.0",
    **files: str,
) -> list[Finding]:
    package = {
        "name": "api",
        "scripts": {"build": build, "start": start},
        "dependencies": {"express": "4"},
        "devDependencies": {
            "typescript": typescript,
            "@nestjs/cli": "11",
            "tsup": "8",
            "@swc/cli": swc,
        },
    }
    text = config if isinstance(config, str) else json.dumps(config, indent=2)
    project = {
        "package.json": json.dumps(package, indent=2),
        "package-lock.json": '{"lockfileVersion": 3, "packages": {}}',
        "tsconfig.json": text,
        **({} if any("index.ts" in name for name in files) else {"src/index.ts": ENTRY}),
        **files,
    }
    found = find(root, project, USE_NODE="true")
    return [one for one in found if one.rule == "start.node_output"]


def options(**given: Any) -> dict[str, Any]:
    return {"compilerOptions": given, "include": ["src"]}


def test_another_folder_is_told(tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, options(outDir="build", rootDir="src"))
    assert found.certain and "build/index.js" in found.seen
    assert "tsconfig.json:3" in found.seen and found.path == "package.json"
    assert "node build/index.js" in found.mend


def test_a_root_above_is_told(tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, options(outDir="./dist", rootDir="."))
    assert not found.certain and "dist/src/index.js" in found.seen


def test_a_file_beside_the_source_moves_all(tmp_path: Path) -> None:
    config = {"compilerOptions": {"outDir": "dist"}, "exclude": ["node_modules"]}
    more = {"prisma/seed.ts": "console.log(1)\n"}
    (found,) = found_of(tmp_path, config, **more)
    assert "prisma/seed.ts is compiled as well" in found.seen


def test_a_json_file_that_is_imported_does_so_too(tmp_path: Path) -> None:
    config = options(outDir="dist", resolveJsonModule=True)
    index = f"import {{ version }} from '../package.json'\nconsole.log(version)\n{ENTRY}"
    (found,) = found_of(tmp_path, config, **{"src/index.ts": index})
    assert "dist/src/index.js" in found.mend


def test_version_6_takes_the_folder_of_the_configuration(tmp_path: Path) -> None:
    assert found_of(tmp_path / "a", options(outDir="dist")) == []
    (found,) = found_of(tmp_path / "b", options(outDir="dist"), typescript="^6.0.2")
    assert "dist/src/index.js" in found.seen


def test_nest_s_own_compiler(tmp_path: Path) -> None:
    files = {
        "tsconfig.build.json": '{"extends": "./tsconfig.json", "exclude": ["node_modules"]}',
        "src/main.ts": ENTRY,
        "libs/a.ts": "export const a = 1\n",
    }
    config = '{\n  // a comment\n  "compilerOptions": {"outDir": "./dist",},\n}\n'
    (found,) = found_of(tmp_path, config, "node dist/main", "nest build", **files)
    assert "dist/src/main.js" in found.seen


@pytest.mark.parametrize(
    ("config", "start", "build", "files"),
    [
        (options(outDir="dist", rootDir="src"), "node dist/index.js", "tsc", {}),
        (options(outDir="dist"), "node dist/index", "rimraf dist && tsc", {}),
        (options(outDir="dist"), "node dist", "tsc -p tsconfig.json", {}),
        (options(outDir="dist"), "node ./dist/index.js", "tsc", {"test/a.test.ts": "1\n"}),
        (options(outDir="build"), "node dist/index.js", "tsup src/index.ts", {}),
        (options(outDir="build"), "node dist/index.js", "tsc && node scripts/bundle.js", {}),
        (options(outDir="build", noEmit=True), "node dist/index.js", "tsc", {}),
        (options(outDir="build"), "node dist/index.js", "tsc --outDir dist", {}),
        ({**options(outDir="build"), "extends": "some-config"}, "node dist/index.js", "tsc", {}),
        (options(outDir="dist", rootDir="."), "node dist/src/index.js", "tsc", {}),
        # The tests of a project's top folder enter no image, so they move nothing.
        ({"compilerOptions": {"outDir": "dist"}}, "node dist/index.js", "tsc", {"tests/a.ts": ""}),
        ("{ not json", "node dist/index.js", "tsc", {}),
    ],
)
def test_what_works_or_cannot_be_told_is_left_alone(
    config: Any, start: str, build: str, files: dict[str, str], tmp_path: Path
) -> None:
    assert found_of(tmp_path, config, start, build, **files) == []


@pytest.mark.parametrize(
    ("build", "start", "made"),
    [
        ("swc src -d dist", "node dist/index.js", "dist/src/index.js"),
        ("rimraf dist && swc ./src --out-dir=dist", "node dist/index", "dist/src/index.js"),
        ("swc src -d dist --strip-leading-paths", "node dist/src/index.js", "dist/index.js"),
        ("tsc --noEmit && esbuild src/index.ts --outdir=out", "node out/main.js", "out/index.js"),
        ("esbuild src/index.ts --outfile=out/a.cjs", "node out/a.js", "out/a.cjs"),
    ],
)
def test_what_swc_and_esbuild_write_elsewhere(
    build: str, start: str, made: str, tmp_path: Path
) -> None:
    (found,) = found_of(tmp_path, "{}", start, build)
    assert found.certain and f"writes it to {made}" in found.seen


@pytest.mark.parametrize(
    ("build", "start"),
    [
        ("swc src -d dist", "node dist/src/index.js"),
        ("swc src -d dist --strip-leading-paths", "node dist"),
        ("swc src -d dist -C jsc.target=es2022 --strip-leading-paths", "node dist/index.js"),
        ("swc src -o dist/a.js", "node dist/index.js"),
        ("esbuild src/index.ts --bundle --outdir=out", "node out/index.js"),
        ("esbuild src/*.ts --outdir=out", "node out/main.js"),
        ("esbuild src/index.ts --outdir=out --out-extension:.js=.cjs", "node out/index.cjs"),
        ("swc src -d dist && node scripts/move.js", "node dist/index.js"),
    ],
)
def test_what_they_write_there(build: str, start: str, tmp_path: Path) -> None:
    assert found_of(tmp_path, "{}", start, build) == []


def test_an_old_swc_leaves_out_the_first_folder(tmp_path: Path) -> None:
    found = found_of(tmp_path, "{}", "node dist/index.js", "swc src -d dist", swc="0.1.62")
    assert found == []
