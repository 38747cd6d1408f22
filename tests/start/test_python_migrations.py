"""Migrations of Python's tools that nothing runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.support import API, find, find_api


@pytest.mark.parametrize(
    ("path", "text", "command"),
    [
        ("pyproject.toml", "[project]\nname = 'a'\nversion = '1'\n\n[tool.aerich]\n",
         "aerich upgrade"),
        ("yoyo.ini", "[DEFAULT]\nsources = migrations\n", "yoyo apply --batch"),
        ("piccolo_conf.py", "APP_REGISTRY = AppRegistry(apps=[])\n",
         "piccolo migrations forwards all"),
    ],
)  # fmt: skip
def test_a_tool_that_nothing_runs_is_told(
    path: str, text: str, command: str, tmp_path: Path
) -> None:
    found = find_api(tmp_path, {path: text})
    (told,) = [one for one in found if one.rule == "start.python_migrations"]
    assert not told.certain and f"`sh deploy/run.sh app {command}`" in told.mend


def test_settings_of_other_tools_are_fine(tmp_path: Path) -> None:
    assert find_api(tmp_path, {"pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n"}) == []


def test_alembic_above_the_app_is_told(tmp_path: Path) -> None:
    """The image has the app's folder alone."""
    files = {
        "backend/main.py": API["main.py"],
        "backend/requirements.txt": "fastapi\nuvicorn\nalembic\n",
        "alembic.ini": "[alembic]\nscript_location = alembic\n",
        "alembic/env.py": "",
    }
    found = find(tmp_path, files, USE_FASTAPI="true", USE_POSTGRESQL="true")
    (told,) = [one for one in found if one.rule == "start.python_migrations"]
    assert told.seen.startswith("alembic.ini lies outside of backend/")


YOYO = {"migrations/0001.py": "from yoyo import step\n\nsteps = [step('SELECT 1')]\n"}


def test_yoyo_without_settings_is_told(tmp_path: Path) -> None:
    files = {**YOYO, "requirements.txt": "fastapi\nuvicorn\nyoyo-migrations\n"}
    found = find_api(tmp_path, files)
    (told,) = [one for one in found if one.rule == "start.python_migrations"]
    assert 'yoyo apply --batch --database "$DATABASE_URL" migrations' in told.mend


def test_yoyo_that_the_app_applies_itself_is_fine(tmp_path: Path) -> None:
    main = (
        API["main.py"] + "\nfrom yoyo import get_backend\nget_backend('x').apply_migrations([])\n"
    )
    files = {**YOYO, "main.py": main, "requirements.txt": "fastapi\nuvicorn\nyoyo-migrations\n"}
    found = find_api(tmp_path, files)
    assert not [one for one in found if one.rule == "start.python_migrations"]
