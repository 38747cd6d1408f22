"""Plain Copier on the same template: the same content as the command line, over every shape."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pexpect
import pytest
import yaml
from copier import run_copy

from spinbox_wrapper.template import Template
from tests.cases import NOTHING_TO_DEPLOY, SHAPES
from tests.conftest import Project, files_below
from tests.projects.compose import compose
from tests.releases import PRESENT, commit
from tests.runs import build, edit, switch

pytestmark = pytest.mark.integration

# An update takes longer than a copy: two shapes stand for all, which follow in `make test-all`.
UPDATED = ("everything--with-deps", "python-postgresql")
OTHERS = [pytest.param(s, marks=pytest.mark.extended) for s in SHAPES if s not in UPDATED]


def copier(*arguments: str | Path, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "copier", *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stderr
    return result


def content(root: Path) -> dict[str, object]:
    """All files, the answers without their origin."""
    files: dict[str, object] = dict(files_below(root))
    stored = yaml.safe_load((root / ".copier-answers.yml").read_text())
    files[".copier-answers.yml"] = {k: v for k, v in stored.items() if not k.startswith("_")}
    return files


def wrapped(folder: Path) -> Path:
    """A project with what the command line makes of it."""
    root = compose("profile-web-app", folder / "wrapped")
    build(root)
    return root


@pytest.mark.parametrize("shape", SHAPES)
def test_copier_copy_gives_the_same(shape: str, tmp_path: Path, template: Path) -> None:
    root, other = (compose(shape, tmp_path / name) for name in ("copier", "wrapper"))
    run_copy(str(template), root, defaults=True, quiet=True, unsafe=True)
    build(other)
    assert content(root) == content(other)


# Of every project, in their order; `PROXY` is the third one where it is asked.
QUESTIONS = ("compose.prod.yml be", "get their secrets", "uploaded files", "NVIDIA", "Where else",
             "CI platforms")  # fmt: skip
PROXY = "in front of the apps"
# Of a project that ends by itself.
FOR_A_JOB = tuple(question for question in QUESTIONS if question != "get their secrets")
RUNTIME = "Which apps should run"


def _dialog(root: Path, template: Path, questions: Sequence[str]) -> str:
    """What Copier says on a terminal where the proposals are taken."""
    arguments = ["-m", "copier", "copy", "--trust", str(template), "."]
    child = pexpect.spawn(
        sys.executable, arguments, cwd=str(root), timeout=120, encoding="utf-8",
        dimensions=(50, 200),
    )  # fmt: skip
    said = ""
    for question in questions:
        child.expect_exact(question)
        said += f"{child.before}{question}"
        child.sendline("")
    child.expect(pexpect.EOF)
    child.close()
    return f"{said}{child.before}"


def test_nothing_is_asked_where_there_is_no_project(tmp_path: Path, template: Path) -> None:
    said = _dialog(tmp_path, template, ())
    assert "is not a Spinbox project" in said
    assert RUNTIME not in said
    assert QUESTIONS[0] not in said
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shape", "questions"),
    [
        ("python", FOR_A_JOB),
        ("python-node", (RUNTIME, QUESTIONS[0], PROXY, *QUESTIONS[1:])),
    ],
)
def test_only_what_can_matter_is_asked(
    shape: str, questions: Sequence[str], tmp_path: Path, template: Path
) -> None:
    root, other = (compose(shape, tmp_path / name) for name in ("copier", "wrapper"))
    said = _dialog(root, template, questions)
    for question in (PROXY, RUNTIME, *QUESTIONS):
        assert (question in said) == (question in questions)
    build(other)
    assert content(root) == content(other)


def test_the_answers_of_another_template_are_not_written_over(
    tmp_path: Path, template: Path
) -> None:
    root = compose("fastapi", tmp_path / "project")
    answers = root / ".copier-answers.yml"
    answers.write_text("_src_path: gh:other/template\nproject: theirs\n")
    before = files_below(root)
    command = ("copy", "--trust", "--defaults", template, root)
    said = copier(*command, cwd=tmp_path, code=1).stderr
    assert "belongs to another template" in said
    assert "--answers-file .copier-answers.spinbox.yml" in said
    assert files_below(root) == before
    copier(*command, "--answers-file", ".copier-answers.spinbox.yml", cwd=tmp_path)
    assert files_below(root).items() > before.items()


def test_pretending_says_so(tmp_path: Path, template: Path) -> None:
    root = compose("fastapi", tmp_path / "project")
    said = copier("copy", "--trust", "--defaults", "--pretend", template, root, cwd=tmp_path)
    assert "Nothing is written." in said.stderr
    assert "are written" not in said.stderr


@pytest.mark.parametrize("platform", ["github", "gitlab"])
def test_copier_makes_the_same_pipelines(platform: str, tmp_path: Path, template: Path) -> None:
    shape = "profile-web-app"
    root, other = (compose(shape, tmp_path / name) for name in ("copier", "wrapper"))
    data = {"ci": [platform], "ci_deploy": True}
    run_copy(str(template), root, data=data, defaults=True, quiet=True, unsafe=True)
    build(other, "generate", "--ci", platform, "--deploy")
    assert content(root) == content(other)


def test_copier_makes_the_same_targets(tmp_path: Path, template: Path) -> None:
    shape = "profile-web-app"
    root, other = (compose(shape, tmp_path / name) for name in ("copier", "wrapper"))
    targets = ["docker-swarm", "kubernetes", "fly", "railway", "render"]
    data = {"targets": targets, "kubernetes_route": "ingress", "fly_name": "shop"}
    run_copy(str(template), root, data=data, defaults=True, quiet=True, unsafe=True)
    options = ("--generate", "--set", "kubernetes_route=ingress")
    build(other, "deploy", "--target", "kubernetes", *options)
    managed = [word for target in targets[2:] for word in ("--target", target)]
    build(other, "deploy", *managed, "--generate", "--set", "fly_name=shop")
    build(other, "deploy", "--target", "docker-swarm", "--generate")
    assert content(root) == content(other)


@pytest.mark.parametrize("shape", [*UPDATED, *OTHERS])
def test_copier_update_gives_the_same(
    shape: str, tmp_path: Path, published: str, oldest: Template, present: Template
) -> None:
    """From the first release to the present one, with an edit and a change of the project."""
    roots = []
    for name in ("wrapper", "copier"):
        root = compose(shape, tmp_path / name)
        build(root, template=oldest)
        edit(root / "deploy/README.md", "\n## ", "\nMine.\n\n## ")
        switch(root, "USE_REDIS", on="redis" not in shape and "everything" not in shape)
        roots.append(root)
    build(roots[0], template=present)
    commit(roots[1], "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=roots[1])
    (roots[1] / ".git").rename(tmp_path / "git")
    assert files_below(roots[0]) == files_below(roots[1])


def test_all_commands_of_copier_follow_one_another(
    project: Project, published: str, releases: Mapping[str, Template], tmp_path: Path
) -> None:
    """copy, check-update, update, recopy, and the command line before, between and after."""
    root = project("profile-web-app")
    copier("copy", "--trust", "--defaults", "--quiet", "-r", "v0.0.1", published, ".", cwd=root)
    build(root, template=releases["v0.0.2"])
    commit(root, "v0.0.2")
    newer = copier("check-update", cwd=root)
    assert "New template version available" in newer.stdout + newer.stderr
    copier("update", "--trust", "--defaults", "--quiet", cwd=root)
    commit(root, "present")
    assert "Everything is up to date." in build(root, template=releases[PRESENT])
    current = copier("check-update", cwd=root)
    assert "up-to-date" in current.stdout + current.stderr
    updated = files_below(root)
    edit(root / "Dockerfile.prod", "FROM", "# Mine.\nFROM")
    copier("recopy", "--trust", "--defaults", "--quiet", "--overwrite", cwd=root)
    assert files_below(root) == updated
    assert content(root).items() >= content(wrapped(tmp_path)).items()


def test_the_answers_file_is_the_same_to_the_byte(
    project: Project, published: str, present: Template, tmp_path: Path
) -> None:
    root = project("everything--with-deps")
    copier("copy", "--trust", "--defaults", "--quiet", published, ".", cwd=root)
    before = files_below(root)
    assert "Everything is up to date." in build(root, template=present)
    assert files_below(root) == before


def test_the_command_copier_copy(project: Project, template: Path, tmp_path: Path) -> None:
    root = project("profile-web-app")
    copier("copy", "--trust", "--defaults", "--quiet", template, ".", cwd=root)
    assert content(root) == content(wrapped(tmp_path))


@pytest.mark.parametrize("shape", NOTHING_TO_DEPLOY)
def test_nothing_to_deploy_is_one_clean_sentence(
    shape: str, project: Project, template: Path
) -> None:
    result = copier("copy", "--trust", "--defaults", template, ".", cwd=project(shape), code=1)
    assert "There is nothing to deploy" in result.stderr
    assert "Traceback" not in result.stderr


def test_elsewhere_it_says_that_this_is_no_project(tmp_path: Path, template: Path) -> None:
    result = copier("copy", "--trust", "--defaults", template, ".", cwd=tmp_path, code=1)
    assert "not a Spinbox project" in result.stderr
    assert "Traceback" not in result.stderr


def test_overrides_as_data(project: Project, template: Path) -> None:
    root = project("fastapi")
    data = "overrides={fastapi.port: 9000}"
    copier("copy", "--trust", "--defaults", "--quiet", "-d", data, template, ".", cwd=root)
    assert "PORT=9000" in (root / "Dockerfile.prod").read_text()


def test_copier_update_follows_the_project_and_merges(project: Project, published: str) -> None:
    root = project("fastapi")
    copier("copy", "--trust", "--defaults", "--quiet", published, ".", cwd=root)
    compose_file = root / "docker-compose.prod.yml"
    edit(compose_file, "max-size: 10m", "max-size: 90m")
    switch(root, "USE_REDIS", True)
    commit(root, "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=root)
    text = compose_file.read_text()
    assert "redis:" in text
    assert "max-size: 90m" in text
    assert "<<<<<<<" not in text


def _reads(root: Path, name: str) -> None:
    """Let the app's code need a variable."""
    edit(root / "backend/app/main.py", "app =", f'import os\n\nos.environ["{name}"]\napp =')


def test_an_update_demands_no_new_variable(project: Project, published: str) -> None:
    """What the first run demanded stays so; what the code needs since then is an option."""
    root = project("fastapi")
    _reads(root, "FIRST_KEY")
    copier("copy", "--trust", "--defaults", "--quiet", published, ".", cwd=root)
    assert "\nFIRST_KEY=\n" in (root / ".env.example").read_text()
    _reads(root, "SECOND_KEY")
    commit(root, "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=root)
    text = (root / ".env.example").read_text()
    assert "\nFIRST_KEY=\n" in text and "\n#SECOND_KEY=\n" in text
    before = {path: text for path, text in files_below(root).items() if ".git/" not in path}
    commit(root, "again")
    copier("update", "--trust", "--defaults", "--quiet", cwd=root)
    assert {path: files_below(root)[path] for path in before} == before


def test_an_update_of_a_project_without_such_facts(project: Project, published: str) -> None:
    root = project("fastapi")
    copier("copy", "--trust", "--defaults", "--quiet", published, ".", cwd=root)
    answers = root / ".copier-answers.yml"
    edit(answers, "        required: []\n", "")
    _reads(root, "FIRST_KEY")
    commit(root, "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=root)
    assert yaml.safe_load(answers.read_text())["project"]["fastapi"]["required"] == []
    assert "FIRST_KEY: ${" not in (root / "docker-compose.prod.yml").read_text()
