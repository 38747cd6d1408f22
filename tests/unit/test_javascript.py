"""JavaScript as tokens, and what runs when a module is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import javascript
from extensions.javascript import Script, tokenize

from .support import tree_of


def texts(source: str) -> list[str]:
    """The tokens as they are written."""
    return [token.text for token in tokenize(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a // b\n/* c */ d", ["a", "d"]),
        ("'// no comment' + \"/* nor */\"", ["'// no comment'", "+", '"/* nor */"']),
        ("`a ${b + `${c}`} d`", ["`a ${", "b", "+", "`${", "c", "}`", "} d`"]),
        ("`${ {a: 1}.a } //`", ["`${", "{", "a", ":", "1", "}", ".", "a", "} //`"]),
        ("x = /[/'\"`]\\//g.test(y)", ["x", "=", "/[/'\"`]\\//g", ".", "test", "(", "y", ")"]),
        ("a / b / c", ["a", "/", "b", "/", "c"]),
        ("if (a) /`/.test(b)", ["if", "(", "a", ")", "/`/", ".", "test", "(", "b", ")"]),
        ("f(a) / 2 // `", ["f", "(", "a", ")", "/", "2"]),
        ("a?.b ?? c?.5:1", ["a", "?.", "b", "??", "c", "?", ".5", ":", "1"]),
        ("<p>Don't {a}, it's</p>", ["<", "p", ">", "Don", "'", "t", "{", "a", "}", ",", "it"]),
        ("#!/usr/bin/env node\na", ["a"]),
        ("`never closed", ["`", "never", "closed"]),
    ],
)
def test_tokens(source: str, expected: list[str]) -> None:
    assert texts(source)[: len(expected)] == expected


@pytest.mark.parametrize(
    "source",
    [
        "HERE()",
        "if (a) { HERE() }",
        "const a = { b: [HERE()] }",
        "for (const a of b) { HERE() }",
        "function main() { HERE() }\nmain()",
        "const main = async () => { HERE() }\nvoid main().catch(f)",
        "(async () => { HERE() })()",
        "(function () { HERE() }())",
        "const f = () => 1\nconst a = HERE()",
    ],
)
def test_what_runs_when_a_module_is_loaded(source: str) -> None:
    script = Script("a.ts", source)
    assert script.loads(next(script.finds("HERE")))


@pytest.mark.parametrize(
    "source",
    [
        "function f() { HERE() }",
        "async function f(a: string): Promise<Map<string, { a: 1 }>> { HERE() }",
        "const f = (a: number): string => HERE()",
        "const f = async a => { HERE() }",
        "export default { fetch() { HERE() } }",
        "class A { b = HERE() }",
        "class A extends B<C> { constructor(private d: D) { HERE() } }",
        "app.get('/', (q, r) => { HERE() })",
        "function f() { HERE() }\nfunction g() { f() }",
    ],
)
def test_what_does_not(source: str) -> None:
    script = Script("a.ts", source)
    assert not script.loads(next(script.finds("HERE")))


def test_what_entries_import_is_reachable(tmp_path: Path) -> None:
    files = {
        "src/index.ts": "import { a } from './a.js'\nimport b from '@/b'\nconst c = require('./c')",
        "src/a.ts": "export * from '../lib/d'",
        "src/b/index.tsx": "import express from 'express'",
        "src/c.js": "",
        "lib/d.mts": "import 'src/index'",
        "src/alone.ts": "",
    }
    found = javascript.reachable(tree_of(tmp_path, files), ".", ["src/index.ts"])
    assert found == set(files) - {"src/alone.ts"}


def test_tests_and_types_are_no_source() -> None:
    paths = ["src/a.test.ts", "tests/a.js", "src/__tests__/a.ts", "src/a.d.ts", "src/a.css"]
    assert not any(map(javascript.is_source, paths))
    assert all(map(javascript.is_source, ["src/a.ts", "src/latest/a.jsx", "contest/a.mjs"]))
