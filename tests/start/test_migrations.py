"""Revisions that Alembic would not run."""

from __future__ import annotations

from pathlib import Path

from tests.start.support import find_api

INI = {
    "alembic.ini": "[alembic]\nscript_location = alembic\n",
    "alembic/env.py": "",
    "requirements.txt": "fastapi\nuvicorn\nalembic\n",
}


def _revision(name: str, *before: str) -> dict[str, str]:
    down = before[0] if len(before) == 1 else before
    text = f"revision: str = {name!r}\ndown_revision = {down or None!r}\n"
    return {f"alembic/versions/{name}.py": text}


def test_two_heads_are_told_with_the_command_that_merges_them(tmp_path: Path) -> None:
    files = {**INI, **_revision("a"), **_revision("b", "a"), **_revision("c", "a")}
    (found,) = find_api(tmp_path, files, USE_POSTGRESQL="true")
    assert found.rule == "start.migrations" and found.certain
    assert "alembic/versions/b.py, alembic/versions/c.py" in found.seen
    assert found.mend == "alembic merge heads -m 'Merge heads'"


def test_heads_that_were_merged_are_one(tmp_path: Path) -> None:
    files = {**INI, **_revision("a"), **_revision("b", "a"), **_revision("c", "a")}
    assert find_api(tmp_path, {**files, **_revision("d", "b", "c")}, USE_POSTGRESQL="true") == []


def test_a_file_beside_them_is_no_revision(tmp_path: Path) -> None:
    files = {**INI, **_revision("a"), "alembic/versions/helpers.py": "x = 1\n"}
    assert find_api(tmp_path, files, USE_POSTGRESQL="true") == []
