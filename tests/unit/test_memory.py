"""Reading a project of many files does not look for garbage among their trees."""

from __future__ import annotations

import ast
import gc
from pathlib import Path

import pytest

from extensions import source_text
from extensions.facts import read_project
from extensions.memory import no_collection
from tests.unit.support import write_project


def test_nothing_is_collected_while_a_project_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"backend/part{n}.py": f"x = {n}\n" for n in range(10)}
    files["backend/main.py"] = "from fastapi import FastAPI\napp = FastAPI()\n"
    root = write_project(tmp_path, files, USE_FASTAPI="true")
    collects: list[bool] = []
    parse = source_text.parse

    def note(path: str, text: str) -> ast.Module:
        collects.append(gc.isenabled())
        return parse(path, text)

    monkeypatch.setattr(source_text, "parse", note)
    read_project(root)
    assert collects == [False] * len(files)
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
