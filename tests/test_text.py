"""What every generated text must be, whatever it holds."""

from __future__ import annotations

import re

import pytest

from tests.cases import CASES
from tests.conftest import REPOSITORY
from tests.trees import Trees, generate

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """What is generated for every case."""
    return generate(CASES, tmp_path_factory.mktemp("trees"))


def test_text_is_tidy(trees: Trees) -> None:
    untidy = re.compile(r"\A\n|\n\n\n|\n\n\Z|[^\n]\Z|[ \t]+$|\r", re.MULTILINE)
    assert [path for path in trees.files() if untidy.search(path.read_text("utf-8"))] == []


def test_no_trace_of_template_logic(trees: Trees) -> None:
    for path in trees.files():
        # Docker's own templates have the same braces, as have expressions of GitHub and Railway.
        text = re.sub(r"--format\s+(?:\\\n\s*)?'[^']*'", "", path.read_text("utf-8"))
        text = re.sub(r"\$\{\{[^{}]*\}\}", "", text)
        assert not re.search(r"\{\{|\{%|%\}|\{#-|-#\}|Undefined", text), path


def test_lines_fit_a_reader_s_window(trees: Trees) -> None:
    """But for the command of a health check: a JSON text of one line (docs.docker.com, "CMD")."""
    for path in trees.files():
        if path.name != ".copier-answers.yml" and path.suffix != ".md":
            lines = path.read_text("utf-8").splitlines()
            long = [n for n in lines if len(n) > (400 if n.startswith("    CMD [") else 160)]
            assert long == [], path


def test_template_scripts_do_not_open_a_comment_by_accident() -> None:
    for path in (REPOSITORY / "template").rglob("*"):
        if path.is_file():
            assert "${#-" not in path.read_text("utf-8"), path


def test_template_file_names_work_on_every_system() -> None:
    assert [path for path in (REPOSITORY / "template").rglob("*") if '"' in path.name] == []


def test_the_template_mirrors_its_output() -> None:
    """Conditions stand in copier.yml; names are templates where one makes several files, or where a
    run chooses them."""
    template = REPOSITORY / "template"
    names = [path.relative_to(template).as_posix() for path in template.rglob("*")]
    assert [name for name in names if "{% if" in name] == []
    chosen = [name for name in names if "{{" in name and "{% yield" not in name]
    assert sorted(chosen) == [
        "{{ _copier_conf.answers_file }}.jinja",
        "{{ env_example }}.jinja",
        "{{ pipeline.github_rollback }}.jinja",
        "{{ pipeline.github_workflow }}.jinja",
        "{{ pipeline.gitlab_file }}.jinja",
    ]
