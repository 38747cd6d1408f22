"""Variables that no code of an app's names, as a library reads them itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions.facts import read_facts
from tests.start.support import subject_of
from tests.unit.support import write_project


def _facts(root: Path, library: str, version: str, code: str) -> dict[str, Any]:
    package = {
        "scripts": {"build": "next build"},
        "dependencies": {"next": "15", "react": "19", library: version},
    }
    files = {"package.json": json.dumps(package), "app/page.js": "", "lib/auth.ts": code}
    facts: dict[str, Any] = read_facts(write_project(root, files, USE_NEXTJS="true"))["nextjs"]
    return facts


@pytest.mark.parametrize(
    ("library", "version", "code", "required", "others"),
    [
        ("next-auth", "^4.24.0", 'import NextAuth from "next-auth";', ["NEXTAUTH_SECRET"],
         ["NEXTAUTH_URL"]),
        ("next-auth", "5.0.0-beta.30",
         'import NextAuth from "next-auth";\nimport GitHub from "next-auth/providers/github";',
         ["AUTH_SECRET"], ["AUTH_GITHUB_ID", "AUTH_GITHUB_SECRET", "AUTH_URL"]),
        ("next-auth", "^4", 'import A from "next-auth";\nA({ secret: "x" })', [], ["NEXTAUTH_URL"]),
        ("next-auth", "beta", 'import A from "next-auth";\nA({ trustHost: true })',
         ["AUTH_SECRET"], []),
        ("next-auth", "^4", 'import { useSession } from "next-auth/react";', [], []),
        ("better-auth", "^1", 'import { betterAuth } from "better-auth";', ["BETTER_AUTH_SECRET"],
         ["BETTER_AUTH_URL"]),
        ("@clerk/nextjs", "^6", "",
         ["CLERK_SECRET_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"], []),
    ],
)  # fmt: skip
def test_what_a_library_reads(
    library: str, version: str, code: str, required: list[str], others: list[str], tmp_path: Path
) -> None:
    facts = _facts(tmp_path, library, version, code)
    assert facts["required"] == required
    assert sorted(facts["variables"]) == sorted([*required, *others])


def test_its_address_is_filled_and_its_secret_is_asked_for(tmp_path: Path) -> None:
    package = {"scripts": {"build": "next build"}, "dependencies": {"next": "15", "next-auth": "4"}}
    files = {
        "package.json": json.dumps(package),
        "app/page.js": "",
        "lib/auth.ts": 'import NextAuth from "next-auth";',
    }
    (app,) = subject_of(tmp_path, files, USE_NEXTJS="true").stack.apps
    assert [address.name for address in app.addresses] == ["NEXTAUTH_URL"]
    assert "NEXTAUTH_SECRET" in {env.name for env in app.environment}
