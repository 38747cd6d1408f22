"""Under which name the example of `.env` is generated, and what the apps' own examples name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from extensions.env_example import lines, propose, theirs
from extensions.facts import read_facts
from tests.unit.support import deployment_of, facts_of, write_files, write_project

ANSWERS = ".copier-answers.yml"
OWN = "STRIPE_KEY=x\n"
GENERATED = "# Settings of shop in production. Make .env of this file, with new secrets:\nTAG=\n"


def name_in(root: Path) -> str:
    return propose(root, ANSWERS)["env_example"]


def test_a_free_name_is_taken(tmp_path: Path) -> None:
    assert name_in(tmp_path) == ".env.example"


def test_an_app_keeps_its_own_file(tmp_path: Path) -> None:
    assert name_in(write_files(tmp_path, {".env.example": OWN})) == ".env.prod.example"


@pytest.mark.parametrize("text", [GENERATED, OWN + GENERATED])
def test_what_was_generated_before_is_in_nobody_s_way(text: str, tmp_path: Path) -> None:
    assert name_in(write_files(tmp_path, {".env.example": text})) == ".env.example"


def test_files_that_were_generated_before_keep_their_names(tmp_path: Path) -> None:
    """The user may have kept a file of their own in place of ours, with `--adopt`."""
    assert name_in(write_files(tmp_path, {".env.example": OWN, ANSWERS: ""})) == ".env.example"


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env.example")
    assert name_in(tmp_path) == ".env.example"


def test_the_name_is_one_for_all_templates(tmp_path: Path) -> None:
    deployment = deployment_of(facts_of("fastapi", tmp_path), env_example=".env.prod.example")
    assert deployment.context["env_example"] == ".env.prod.example"


def test_only_what_stands_before_generated_lines_is_the_app_s() -> None:
    assert theirs(OWN + GENERATED) == OWN


def test_lines_of_an_example() -> None:
    text = "# A=1\nexport B = 'x # y' # z\nC=\"q\"\nD=v # note\nE=#\nnothing\n"
    found = [(line.name, line.value, line.number) for line in lines(text)]
    assert found == [("B", "x # y", 2), ("C", "q", 3), ("D", "v", 4), ("E", "", 5)]


NAMES = [
    ".env.dist",
    ".env.example",
    ".env.local.example",
    ".env.sample",
    ".env.template",
    "env.example",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["", "backend/"])
def test_examples_are_read_under_each_name(folder: str, name: str, tmp_path: Path) -> None:
    app = {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n# STRIPE_KEY\n"}
    files = {f"{folder}{path}": text for path, text in app.items()}
    root = write_project(tmp_path, {**files, f"{folder}{name}": OWN}, USE_FASTAPI="true")
    assert read_facts(root)["fastapi"]["variables"] == ["STRIPE_KEY"]


def test_an_example_at_the_top_is_of_the_app_that_reads_it(tmp_path: Path) -> None:
    """Each name where it is read: as it stands, as a field of pydantic's, or by a prefix."""
    files = {
        ".env.example": "STRIPE_KEY=\nMAIL_FROM=\nSHOP_LIMIT=\nCOMPOSE_PROJECT_NAME=x\n",
        "backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "backend/config.py": "class Settings(BaseSettings):\n    mail_from: str\n",
        "backend/limits.py": 'class Limits(BaseSettings, env_prefix="SHOP_"):\n    limit: int\n',
        "frontend/package.json": '{"dependencies": {"next": "15"}}',
        "frontend/app/page.tsx": "export default () => process.env.STRIPE_KEY\n",
    }
    facts = read_facts(write_project(tmp_path, files, USE_FASTAPI="true", USE_NEXTJS="true"))
    assert facts["fastapi"]["variables"] == ["MAIL_FROM", "SHOP_LIMIT"]
    assert facts["nextjs"]["variables"] == ["STRIPE_KEY"]


def test_a_source_that_is_no_text_names_nothing(tmp_path: Path) -> None:
    files = {
        ".env.example": OWN,
        "backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    }
    root = write_project(tmp_path, files, USE_FASTAPI="true")
    (root / "backend/latin.py").write_bytes(b"# STRIPE_KEY \xe9\n")
    assert read_facts(root)["fastapi"]["variables"] == []
