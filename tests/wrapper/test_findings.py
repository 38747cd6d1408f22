"""What `build` says of what keeps the stack from starting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.runs import build, run

pytestmark = pytest.mark.integration

FOLDER = "services/with/a/path/that/is/long/enough/to/be/wrapped/somewhere/in/the/line"


@pytest.fixture
def many(project: Project) -> Path:
    """A project with two heads of Alembic, and twelve services that production lacks."""
    root = project("fastapi-postgresql-redis--with-deps")
    files = {"alembic.ini": "[alembic]\nscript_location = alembic\n", "alembic/env.py": ""}
    for name in "ab":
        text = f"revision = {name!r}\ndown_revision = None\n"
        files[f"alembic/versions/{name}.py"] = text
    for path, text in files.items():
        (root / "backend" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "backend" / path).write_text(text)
    services = [f"  s{n}: {{build: ./{FOLDER}{n}}}\n" for n in range(12)]
    (root / "docker-compose.override.yml").write_text("services:\n" + "".join(services))
    return root


def test_the_certain_come_first_ten_at_most_in_80_columns(many: Path) -> None:
    said = build(many)
    lines = said[said.index("Will not start:") : said.index("Next, as")].splitlines()
    assert lines[1].startswith("- Alembic")
    assert "May not start:" in lines
    assert sum(line.startswith("- ") for line in lines) == 10
    assert lines[-2].startswith("3 more: -v, or ")
    assert [line for line in lines if len(line) > 80 and FOLDER not in line] == []


def test_all_of_them_with_v(many: Path) -> None:
    said = build(many, "-v")
    assert said.count("\n- ") == 13
    assert "more: -v" not in said


def test_where_nothing_is_to_be_done_guesses_are_counted(many: Path) -> None:
    build(many)
    said = build(many)
    assert "Everything is up to date." in said
    assert "Will not start:" in said
    assert "May not start:" not in said
    assert "12 more: -v, or" in said


def test_guesses_alone_are_counted_in_one_line(many: Path) -> None:
    (many / "backend/alembic/versions/b.py").unlink()
    build(many)
    assert build(many).splitlines()[-1].startswith("12 guesses at what may keep it from starting")


def test_the_check_of_files_is_of_files_alone(many: Path) -> None:
    build(many)
    result = run(many, "--check")
    assert result.code == 0
    assert "start" not in result.stdout + result.stderr


def test_json_has_all_of_them_with_their_places(many: Path) -> None:
    found = json.loads(build(many, "--format", "json"))["start"]
    assert len(found) == 13
    assert [one["certain"] for one in found] == [True] + [False] * 12
    assert (found[1]["file"], found[1]["line"]) == ("docker-compose.override.yml", 2)


def test_where_facts_come_from_is_told_as_before(many: Path) -> None:
    assert "not start:" not in run(many, "--explain").stdout
