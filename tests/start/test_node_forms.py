"""Forms behind a proxy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find

PACKAGE = {
    "scripts": {"build": "astro build"},
    "dependencies": {"astro": "5", "@astrojs/node": "9"},
}
FORM = '<form method="POST"><button>Send</button></form>\n'


def _found(root: Path, files: dict[str, str]) -> list[Finding]:
    project = {"package.json": json.dumps(PACKAGE), **files}
    found = find(root, project, USE_NODE="true")
    return [one for one in found if one.rule == "start.node_forms"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/pages/index.astro", FORM),
        ("src/pages/api.ts", "export const POST: APIRoute = () => new Response();"),
        ("src/actions/index.ts", "import { defineAction } from 'astro:actions';"),
    ],
)
def test_what_astro_refuses(path: str, text: str, tmp_path: Path) -> None:
    config = "export default { output: 'server', adapter: node({ mode: 'standalone' }) };\n"
    (found,) = _found(tmp_path, {path: text, "astro.config.mjs": config})
    assert not found.certain and found.line == 1 and "allowedDomains" in found.mend


@pytest.mark.parametrize(
    ("page", "security"),
    [
        ("<main>a</main>", ""),
        (FORM, "security: { checkOrigin: false }"),
        (FORM, "security: { allowedDomains: [{ hostname: 'a.example' }] }"),
    ],
)
def test_what_it_takes(page: str, security: str, tmp_path: Path) -> None:
    config = f"export default {{ output: 'server', {security} }};\n"
    assert _found(tmp_path, {"src/pages/index.astro": page, "astro.config.mjs": config}) == []
