"""What every generated text must be, whatever it holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path for path in GOLDEN.rglob("*") if path.is_file())


def _name(path: Path) -> str:
    return path.relative_to(GOLDEN).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_text_is_tidy(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not text.startswith("\n")
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)
    assert "\r" not in text


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_trace_of_template_logic(path: Path) -> None:
    # Docker's own templates have the same braces, as have expressions of GitHub and Railway.
    text = re.sub(r"--format\s+(?:\\\n\s*)?'[^']*'", "", path.read_text("utf-8"))
    text = re.sub(r"\$\{\{[^{}]*\}\}", "", text)
    assert not re.search(r"\{\{|\{%|%\}|\{#-|-#\}|Undefined", text)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_lines_fit_a_reader_s_window(path: Path) -> None:
    if path.name in {".copier-answers.yml"} or path.suffix == ".md":
        return
    long = [line for line in path.read_text("utf-8").splitlines() if len(line) > 160]
    assert long == []


def test_template_scripts_do_not_open_a_comment_by_accident() -> None:
    template = Path(__file__).parents[1] / "template"
    for path in template.rglob("*"):
        if path.is_file():
            assert "${#-" not in path.read_text("utf-8"), path


def test_template_file_names_work_on_every_system() -> None:
    template = Path(__file__).parents[1] / "template"
    assert [path for path in template.rglob("*") if '"' in path.name] == []


def test_the_template_mirrors_its_output() -> None:
    """Conditions stand in copier.yml; names are templates where one makes several files, or where a
    run chooses them."""
    template = Path(__file__).parents[1] / "template"
    names = [path.relative_to(template).as_posix() for path in template.rglob("*")]
    assert [name for name in names if "{% if" in name] == []
    chosen = [name for name in names if "{{" in name and "{% yield" not in name]
    assert sorted(chosen) == [
        "{{ _copier_conf.answers_file }}.jinja",
        "{{ pipeline.github_rollback }}.jinja",
        "{{ pipeline.github_workflow }}.jinja",
        "{{ pipeline.gitlab_file }}.jinja",
    ]
