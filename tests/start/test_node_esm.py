"""Code that does not fit the module system that Node loads it with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from tests.start.support import find

LISTENS = "\nhttp.createServer().listen(3000);\n"
IMPORT = 'import http from "node:http";\n'
REQUIRE = 'const http = require("node:http");\n'


def found_of(
    root: Path, files: dict[str, str], kind: str | None = "module", **scripts: str
) -> list[Finding]:
    package: dict[str, Any] = {"scripts": {"start": "node server.js", **scripts}}
    package |= {"type": kind} if kind else {}
    package["devDependencies"] = {"typescript": "5"}
    project = {"package.json": json.dumps(package), **files}
    found = find(root, project, USE_NODE="true")
    return [one for one in found if one.rule == "start.node_esm"]


@pytest.mark.parametrize(
    ("code", "word", "certain"),
    [
        ("const top = __dirname;", "__dirname", True),
        ("function page() { return __filename; }", "__filename", False),
        ('const cors = require("cors");', "require", True),
        ("if (require.main === module) run();", "require", True),
        ("module.exports = {};", "module", True),
    ],
)
def test_words_of_commonjs(code: str, word: str, certain: bool, tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, {"server.js": IMPORT + code + LISTENS})
    assert f"server.js:2: {word} is not defined" in found.seen and found.certain is certain


@pytest.mark.parametrize(
    "code",
    [
        "const __dirname = import.meta.dirname; const top = __dirname;",
        'import { createRequire } from "node:module"; const require = '
        'createRequire(import.meta.url);\nrequire("./a.cjs");',
        'if (typeof require !== "undefined") require("x");',
        "const text = `no __dirname here`; // __dirname",
        "object.require('x'); const o = { require: 1, module: 2 };",
        'import data from "./data.json" with { type: "json" };',
        'import { a } from "./lib/a.js";',
        'import { b } from "#lib";',
    ],
)
def test_what_works_in_modules(code: str, tmp_path: Path) -> None:
    files = {"server.js": IMPORT + code + LISTENS, "lib/a.js": "export const a = 1;\n",
             "data.json": "{}", "a.cjs": "module.exports = 1;\n"}  # fmt: skip
    assert found_of(tmp_path, files) == []


@pytest.mark.parametrize(
    ("name", "file", "mend"),
    [
        ("./lib/a", "lib/a.js", "./lib/a.js"),
        ("./lib", "lib/index.js", "./lib/index.js"),
        ("./data.json", "data.json", 'type: "json"'),
    ],
)
def test_imports_that_node_does_not_take(name: str, file: str, mend: str, tmp_path: Path) -> None:
    files = {"server.js": f'{IMPORT}import a from "{name}";{LISTENS}', file: "export default 1;\n"}
    (found,) = found_of(tmp_path, files)
    assert found.certain and name in found.seen and mend in found.mend


@pytest.mark.parametrize(
    ("options", "kind", "name", "wanted"),
    [
        ({"module": "ESNext", "moduleResolution": "bundler"}, "module", "./a", "./a.js there"),
        ({"module": "ESNext", "moduleResolution": "node"}, None, "./a", "./a.js there"),
        ({"module": "commonjs"}, "module", "./a", "nodenext"),
        ({"module": "commonjs"}, None, "./a", ""),
        ({"module": "nodenext"}, "module", "./a.js", ""),
        ({"module": "nodenext"}, None, "./a", ""),
        ({"module": "ESNext"}, "module", "./types", ""),
    ],
)
def test_what_tsc_writes(
    options: dict[str, str], kind: str | None, name: str, wanted: str, tmp_path: Path
) -> None:
    files = {
        "src/server.ts": f'{IMPORT}import {{ a }} from "{name}";{LISTENS}',
        "src/a.ts": "export const a = 1;\n",
        "src/types.ts": "export interface a {}\n",
        "tsconfig.json": json.dumps({"compilerOptions": {"outDir": "dist", **options}}),
    }
    found = found_of(tmp_path, files, kind, start="node dist/server.js", build="tsc")
    assert [wanted in one.mend and one.certain for one in found] == ([True] if wanted else [])


def test_a_bundler_finds_them(tmp_path: Path) -> None:
    files = {"src/server.ts": f'{IMPORT}import "./a";{LISTENS}', "src/a.ts": "export const a = 1;",
             "tsconfig.json": '{"compilerOptions": {"module": "ESNext"}}'}  # fmt: skip
    assert found_of(tmp_path, files, start="node dist/server.js", build="tsup src/server.ts") == []


@pytest.mark.parametrize(("kind", "told"), [("commonjs", True), (None, False)])
def test_an_import_in_commonjs(kind: str | None, told: bool, tmp_path: Path) -> None:
    """Where package.json says nothing, Node looks at the syntax itself."""
    assert bool(found_of(tmp_path, {"server.js": IMPORT + LISTENS}, kind)) is told


def test_commonjs_as_it_is(tmp_path: Path) -> None:
    files = {"server.js": f'{REQUIRE}const a = require("./a");\nconst d = __dirname;{LISTENS}',
             "a.js": "module.exports = 1;\n"}  # fmt: skip
    assert found_of(tmp_path, files, None) == []
