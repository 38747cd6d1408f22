"""Small projects of a few files, and what is found of their start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extensions import start
from extensions.choices import complete
from extensions.facts import read_project
from extensions.finding import Finding
from extensions.settings import check_overrides, hints, lay_over
from extensions.stack import build_stack
from extensions.subject import Subject
from tests.unit.support import write_project

API = {
    "requirements.txt": "fastapi\nuvicorn\n",
    "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
    '@app.get("/health")\ndef health() -> str:\n    return "ok"\n',
}
WITH_API = {"USE_FASTAPI": "true"}


def subject_of(
    root: Path,
    files: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    **settings: str,
) -> Subject:
    """The project of these files, whose `.config/project.conf` has these settings."""
    checked = check_overrides(overrides or {})
    reading = read_project(write_project(root, files, **settings), hints(checked))
    stack = build_stack(reading.facts, checked, complete({}))
    return Subject(reading.tree, stack, lay_over(reading.facts, checked), checked)


def find(
    root: Path,
    files: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    **settings: str,
) -> list[Finding]:
    """What is found of its start; every finding names its file in what it says."""
    found = list(start.find(subject_of(root, files, overrides, **settings)))
    for finding in found:
        assert finding.rule in start.IDS
        assert finding.seen.endswith(".")
        assert finding.path is None or finding.path in finding.seen
    return found


def find_api(
    root: Path, files: Mapping[str, str], overrides: Mapping[str, Any] | None = None, **more: str
) -> list[Finding]:
    """The same of a FastAPI app in the top folder that starts, with these files beside or in it."""
    return find(root, {**API, **files}, overrides, **WITH_API, **more)
