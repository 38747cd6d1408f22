"""`--explain`: where facts and choices come from, for a detection to be understood and mended."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cases import SHAPES
from tests.conftest import REPOSITORY, Project, files_below
from tests.runs import build, edit, run

SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/report.schema.json").read_text())


def explained(root: Path, *arguments: str) -> dict[str, dict[str, object]]:
    result = run(root, "--explain", "--format", "json", *arguments)
    assert result.code == 0, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    return {line["key"]: line for line in document["facts"] + document["choices"]}


def test_a_fact_names_its_file_and_line(project: Project) -> None:
    root = project("profile-web-app")
    line = explained(root)["fastapi.entry"]
    file, _, number = str(line["where"]).partition(":")
    assert line["value"] == "app.main:app"
    assert "FastAPI(" in (root / file).read_text().splitlines()[int(number) - 1]


def test_what_was_set_by_hand_says_so_and_what_was_found(project: Project) -> None:
    root = project("profile-web-app")
    build(root, "--set", "fastapi.port=9000")
    lines = explained(root, "--set", "name=other")
    assert lines["fastapi.port"] == {
        "key": "fastapi.port",
        "value": 9000,
        "by": "you",
        "where": ".copier-answers.yml",
        "reason": "set earlier with --set; found: 8000",
    }
    assert lines["name"]["reason"] == "set in this call; found: web-app"


def test_choices_say_who_made_them(project: Project) -> None:
    root = project("profile-web-app")
    build(root, "--set", "proxy=none")
    lines = explained(root, "--no-compose")
    assert (lines["proxy"]["value"], lines["proxy"]["reason"]) == ("none", "chosen earlier")
    assert (lines["compose"]["value"], lines["compose"]["reason"]) == (False, "set in this call")
    assert (lines["gpu"]["value"], lines["gpu"]["by"]) == (False, "default")


def test_a_choice_that_is_taken_back_is_the_default_again(project: Project) -> None:
    root = project("fastapi")
    build(root, "--set", "proxy=none")
    assert explained(root, "--set", "proxy=")["proxy"]["value"] == "caddy"


def test_it_works_where_a_run_does_not(project: Project) -> None:
    """Several FastAPI objects: that is when it is needed."""
    root = project("fastapi")
    main = root / "backend/app/main.py"
    main.write_text(main.read_text() + "\nother = FastAPI()\n")
    assert run(root).code == 1
    assert explained(root)["fastapi.entries"]["value"] == ["app.main:app", "app.main:other"]


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_readable_in_80_columns_and_writes_nothing(shape: str, project: Project) -> None:
    root = project(shape)
    before = files_below(root)
    output = run(root, "--explain").stdout
    assert max(len(line) for line in output.splitlines()) <= 80
    assert "--set KEY=VALUE" in output
    assert files_below(root) == before


def test_a_mended_detection_is_followed(project: Project) -> None:
    root = project("fastapi")
    edit(root / "backend/app/main.py", '"/health"', '"/alive"')
    where = str(explained(root)["fastapi.health"]["reason"])
    assert "/health" in where
    build(root, "--set", "fastapi.health=/alive")
    assert explained(root)["fastapi.health"]["value"] == "/alive"


def test_what_fills_a_name_is_said(project: Project) -> None:
    root = project("profile-web-app")
    main = root / "backend/app/main.py"
    reads = 'import os\nA = os.environ["PGHOST"]\nB = os.environ["FRONTEND_URL"]\n'
    main.write_text(main.read_text() + reads)
    result = run(root, "--explain", "--format", "json")
    filled = {line["key"]: line for line in json.loads(result.stdout)["filled"]}
    line = filled["PGHOST of app"]
    assert line["value"] == "host of PostgreSQL (POSTGRES_SERVER)" and line["by"] == "stack"
    assert "table of extensions/services/postgres.py" in line["reason"]
    assert filled["FRONTEND_URL of app"]["value"] == "address of the site for browsers"
    build(root, "--set", "fastapi.optional=PGHOST")
    assert "PGHOST of app" not in run(root, "--explain").stdout
