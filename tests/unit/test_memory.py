"""Reading a project of many files does not look for garbage among their trees."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from extensions.facts import read_project
from extensions.memory import no_collection
from tests.unit.support import write_project


def test_nothing_is_collected_while_a_project_is_read(tmp_path: Path) -> None:
    files = {f"backend/part{n}.py": "x = [[1], [2], [3]]\n" * 50 for n in range(10)}
    files["backend/main.py"] = "from fastapi import FastAPI\napp = FastAPI()\n"
    root = write_project(tmp_path, files, USE_FASTAPI="true")
    seen: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        seen.append(phase)

    gc.collect()
    gc.callbacks.append(note)
    try:
        read_project(root)
        during = list(seen)
    finally:
        gc.callbacks.remove(note)
    assert during == []
    assert gc.isenabled()


@pytest.mark.parametrize("enabled", [True, False])
def test_it_is_afterwards_as_it_was(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    try:
        with no_collection():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
