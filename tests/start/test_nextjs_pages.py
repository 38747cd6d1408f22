"""Pages that ask for what is not there while the image is built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find

POOL = 'import { Pool } from "pg";\nexport const pool = new Pool();\n'
POSTS = 'import { pool } from "./db";\nexport const posts = () => pool.query("SELECT 1");\n'
PAGE = (
    'import { pool } from "../lib/db";\nexport default async function Page() {\n'
    '  const r = await pool.query("SELECT 1");\n  return <p>{r.rows.length}</p>;\n}\n'
)
ANEW = 'export const dynamic = "force-dynamic";\n'
LAYOUT = "export default function L({ children }) { return <html><body>{children}</body></html>; }"


def found_of(root: Path, files: dict[str, str]) -> list[Finding]:
    package = {
        "scripts": {"build": "next build"},
        "dependencies": {"next": "15", "react": "19", "pg": "8"},
    }
    project = {
        "package.json": json.dumps(package),
        "app/layout.jsx": LAYOUT,
        "lib/db.ts": POOL,
        "lib/posts.ts": POSTS,
        **files,
    }
    found = find(root, project, USE_NEXTJS="true", USE_POSTGRESQL="true")
    return [one for one in found if one.rule == "start.nextjs_pages"]


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        PAGE.replace("../lib/db", "@/lib/db"),
        PAGE.replace("{ pool }", "{ posts }")
        .replace("lib/db", "lib/posts")
        .replace('pool.query("SELECT 1")', "posts()"),
        PAGE.replace("{ pool }", "{ posts }")
        .replace("lib/db", "lib/posts")
        .replace('await pool.query("SELECT 1")', "await Promise.all([posts(), 1])"),
        "export const revalidate = 60;\n" + PAGE,
    ],
)
def test_a_page_that_asks_a_database(page: str, tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, {"app/page.tsx": page})
    assert "a database does not answer" in found.seen and not found.certain
    assert found.path == "app/page.tsx" and "force-dynamic" in found.mend


def test_a_part_of_a_page(tmp_path: Path) -> None:
    files = {
        "app/page.tsx": 'import List from "../ui/list";\nexport default () => <List />;\n',
        "ui/list.tsx": PAGE,
    }
    (found,) = found_of(tmp_path, files)
    assert found.path == "ui/list.tsx" and "app/page.tsx" in found.mend


def test_a_page_that_asks_the_server_itself(tmp_path: Path) -> None:
    page = 'export default async () => { await fetch("http://localhost:3000/api"); return null; };'
    (found,) = found_of(tmp_path, {"app/page.tsx": page})
    assert "http://localhost does not answer" in found.seen


def test_static_props(tmp_path: Path) -> None:
    page = PAGE.replace("default async function Page", "async function getStaticProps")
    (found,) = found_of(tmp_path, {"pages/index.tsx": page})
    assert "getServerSideProps" in found.mend


@pytest.mark.parametrize(
    "files",
    [
        {"app/page.tsx": ANEW + PAGE},
        {"app/page.tsx": PAGE, "app/layout.jsx": f'{ANEW}{LAYOUT}'},
        {"app/page.tsx": PAGE.replace("Page()", "Page({ searchParams })")},
        {"app/page.tsx": 'import { cookies } from "next/headers";\n' + PAGE.replace(
            "const r", "await cookies();\n  const r")},
        {"app/[id]/page.tsx": PAGE.replace("../lib", "../../lib")},
        {"app/page.tsx": PAGE.replace("const r = await", "let r; try { r = await")},
        {"app/page.tsx": '"use client";\nexport default () => <p />;\n'},
        {"app/page.tsx": "export default () => <p />;\n", "app/api/a/route.ts": PAGE},
        {"pages/index.tsx": PAGE.replace("default async function Page",
                                         "async function getServerSideProps")},
        {"app/page.tsx": PAGE, "next.config.js": "module.exports = { cacheComponents: true };"},
    ],
)  # fmt: skip
def test_what_is_rendered_for_each_request(files: dict[str, str], tmp_path: Path) -> None:
    assert found_of(tmp_path, files) == []
