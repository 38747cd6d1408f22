"""Revisions that Alembic would not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.support import API, find, find_api

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


FIXED = INI["alembic.ini"] + "sqlalchemy.url = postgresql://postgres:postgres@localhost/shop\n"
ENGINE = "engine = engine_from_config(config.get_section('alembic'), prefix='sqlalchemy.')\n"


def test_an_address_in_the_settings_alone_is_told(tmp_path: Path) -> None:
    """`env.py` takes what `alembic init` has written, with models of the app or without."""
    env = f"from models import Base\ntarget_metadata = Base.metadata\n{ENGINE}"
    files = {**INI, "alembic.ini": FIXED, "alembic/env.py": env, "models.py": "Base = object\n"}
    (found,) = [
        one
        for one in find_api(tmp_path, files, USE_POSTGRESQL="true")
        if one.rule == "start.migrations"
    ]
    assert found.certain and found.line == 3 and found.seen.startswith("alembic.ini:3 has")
    assert 'config.set_main_option("sqlalchemy.url"' in found.mend


@pytest.mark.parametrize(
    "env",
    [
        "config.set_main_option('sqlalchemy.url', settings.database_url)\n" + ENGINE,
        "from app.db import engine\nwith engine.connect() as connection: pass\n",
        "import os\nengine = create_engine(os.environ['DATABASE_URL'])\n",
        "section = config.get_section('alembic')\nsection['sqlalchemy.url'] = url()\n",
    ],
)
def test_another_address_than_that_of_the_settings_is_fine(env: str, tmp_path: Path) -> None:
    files = {**INI, "alembic.ini": FIXED, "alembic/env.py": env}
    found = find_api(tmp_path, files, USE_POSTGRESQL="true")
    assert not [one for one in found if one.rule == "start.migrations"]


def test_revisions_beside_the_folder_of_the_app_are_told(tmp_path: Path) -> None:
    """`script_location = ../migrations`: the image lacks them."""
    files = {
        "backend/main.py": API["main.py"],
        "backend/requirements.txt": INI["requirements.txt"],
        "backend/alembic.ini": "[alembic]\nscript_location = ../migrations\n",
        "migrations/env.py": "import os\nos.environ['DATABASE_URL']\n",
    }
    found = find(tmp_path, files, USE_FASTAPI="true", USE_POSTGRESQL="true")
    (told,) = [one for one in found if one.rule == "start.migrations"]
    assert told.certain and "names migrations/, which lies outside of backend/" in told.seen
