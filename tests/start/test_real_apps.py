"""Apps that people really have: nothing is said of those that start, but what is listed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import start
from extensions.choices import complete
from extensions.facts import read_project
from extensions.stack import build_stack
from extensions.subject import Subject
from tests.e2e.first_deployment import APPS, copy_app

pytestmark = pytest.mark.integration

# Their tests make lockfiles or wheels first.
PREPARED = {
    "python-pipenv",
    "python-poetry-groups",
    "python-requirements",
    "python-uv-workspace",
}
# What is right of those that start, with the words that tell it, and whether it is certain.
TOLD = {
    # Uploads are kept; that somebody has to serve them is the owner's choice.
    "django": [(False, "nothing serves")],
    # Its test names the volume.
    "django-sqlite": [(False, "keeps the database")],
    # What it is there for: its test sets the domain, the volume and the open Redis.
    "fastapi-sqlite": [(True, "TrustedHostMiddleware"), (False, "notes.db"), (False, "password")],
    # Two apps of one framework: one is deployed.
    "next-turborepo": [(False, "another Next.js app")],
}
NAMES = sorted(path.parent.name for path in APPS.glob("*/dot_config"))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PREPARED])
def test_no_false_alarm(name: str, tmp_path: Path) -> None:
    reading = read_project(copy_app(name, tmp_path / name))
    stack = build_stack(reading.facts, {}, complete({}))
    found = start.find(Subject(reading.tree, stack, reading.facts))
    expected = TOLD.get(name, [])
    assert len(found) == len(expected), [one.seen for one in found]
    for certain, words in expected:
        assert any(words in one.seen and one.certain is certain for one in found)
