"""Files that would take for ever, or break what reads them: one sentence, or no harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.runs import build, run

DEEP = "[" * 100_000


def _names(root: Path) -> None:
    lines = (f"NAME_{number}=x\n" for number in range(20_000))
    (root / "backend/.env.example").write_text("".join(lines))


def _pipe(root: Path) -> None:
    (root / "backend/.gitignore").unlink(missing_ok=True)
    os.mkfifo(root / "backend/.gitignore")


def _bomb(root: Path) -> None:
    build(root)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 12):
        lines.append(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]")
    with (root / ".copier-answers.yml").open("a") as answers:
        answers.write("\n".join(lines) + "\n")


def _deep_answers(root: Path) -> None:
    (root / ".copier-answers.yml").write_text(f"project: {DEEP}")


def _deep_requirements(root: Path) -> None:
    (root / "backend/requirements.txt").unlink()
    (root / "backend/pyproject.toml").write_text(f"[project]\nname = {DEEP}")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_names, "backend/.env.example names more than 1000 variables"),
        (_pipe, "backend/.gitignore is not a regular file: remove it."),
        (_bomb, ".copier-answers.yml is not valid YAML: restore it from git."),
        (_deep_answers, ".copier-answers.yml is not valid YAML: restore it from git."),
        (_deep_requirements, "backend/pyproject.toml is nested too deeply to be read"),
    ],
)
def test_it_is_said_in_one_sentence(
    change: Callable[[Path], None], told: str, project: Project
) -> None:
    root = project("fastapi")
    change(root)
    result = run(root)
    assert result.code == 1
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.integration
@pytest.mark.parametrize(
    "text",
    [
        "x = [\n" + '"abcdefgh",\n' * 700_000 + "]\n",
        f"x = {'(' * 5000}{')' * 5000}\n",
        f"x = {'-' * 50_000}1\n",
        f"x = {'+'.join(['1'] * 50_000)}\n",
    ],
    ids=["large", "brackets", "signs", "sum"],
)
def test_a_module_that_cannot_be_read_harms_no_other(text: str, project: Project) -> None:
    root = project("fastapi")
    (root / "backend/app/data.py").write_text(text)
    build(root)
    assert "This should not happen" not in run(root, "deploy", "--check").stderr


def test_control_characters_of_names_are_not_printed(project: Project) -> None:
    root = project("fastapi")
    for app in root.rglob("main.py"):
        app.rename(app.with_name("ma\x1b]0;x\x07in\u202e.py"))
    for module in root.rglob("*in\u202e.py"):
        module.write_text("import (\n")
    result = run(root)
    assert result.code == 1
    assert r"ma\x1b]0;x\x07in\u202e.py" in result.stderr
