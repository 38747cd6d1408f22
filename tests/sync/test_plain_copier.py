"""Plain Copier on the same template: the same content as the command line, over every shape."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from copier import run_copy

from tests.cases import NOTHING_TO_DEPLOY, SHAPES
from tests.conftest import Project, files_below
from tests.projects.compose import compose

GOLDEN = Path(__file__).parents[1] / "golden"


def copier(
    *arguments: str | Path, cwd: Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "copier", *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if check:
        assert result.returncode == 0, result.stderr
    return result


def content(root: Path) -> dict[str, object]:
    """All files, the answers without their origin."""
    files: dict[str, object] = dict(files_below(root))
    stored = yaml.safe_load((root / ".copier-answers.yml").read_text())
    files[".copier-answers.yml"] = {k: v for k, v in stored.items() if not k.startswith("_")}
    return files


@pytest.mark.parametrize("shape", SHAPES)
def test_copier_copy_gives_the_same(shape: str, tmp_path: Path, template: Path) -> None:
    """As the golden trees, which the command line's are compared with as well."""
    root = compose(shape, tmp_path / "project")
    before = files_below(root).keys()
    run_copy(str(template), root, defaults=True, quiet=True, unsafe=True)
    generated = {path: text for path, text in content(root).items() if path not in before}
    assert generated == content(GOLDEN / shape)


def test_the_command_copier_copy(project: Project, template: Path) -> None:
    root = project("profile-web-app")
    copier("copy", "--trust", "--defaults", "--quiet", template, ".", cwd=root)
    assert content(root).items() >= content(GOLDEN / "profile-web-app").items()


@pytest.mark.parametrize("shape", NOTHING_TO_DEPLOY)
def test_nothing_to_deploy_is_one_clean_sentence(
    shape: str, project: Project, template: Path
) -> None:
    result = copier("copy", "--trust", "--defaults", template, ".", cwd=project(shape), check=False)
    assert result.returncode == 1
    assert "There is nothing to deploy" in result.stderr
    assert "Traceback" not in result.stderr


def test_elsewhere_it_says_that_this_is_no_project(tmp_path: Path, template: Path) -> None:
    result = copier("copy", "--trust", "--defaults", template, ".", cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert "not a Spinbox project" in result.stderr
    assert "Traceback" not in result.stderr


def test_overrides_as_data(project: Project, template: Path) -> None:
    root = project("fastapi")
    data = "overrides={fastapi.port: 9000}"
    copier("copy", "--trust", "--defaults", "--quiet", "-d", data, template, ".", cwd=root)
    assert "PORT=9000" in (root / "Dockerfile.prod").read_text()


def test_copier_update_follows_the_project_and_merges(tmp_path: Path, template: Path) -> None:
    repository = tmp_path / "repository"
    subprocess.run(["cp", "-r", template, repository], check=True)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]

    def commit(folder: Path, message: str) -> None:
        subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
        subprocess.run([*git, "add", "-A"], cwd=folder, check=True)
        subprocess.run([*git, "commit", "-qm", message], cwd=folder, check=True)

    commit(repository, "template")
    root = compose("fastapi", tmp_path / "project")
    copier("copy", "--trust", "--defaults", "--quiet", repository, ".", cwd=root)
    compose_file = root / "docker-compose.prod.yml"
    compose_file.write_text(compose_file.read_text().replace("max-size: 10m", "max-size: 90m"))
    conf = root / ".config/project.conf"
    conf.write_text(conf.read_text().replace('USE_REDIS="false"', 'USE_REDIS="true"'))
    commit(root, "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=root)
    text = compose_file.read_text()
    assert "redis:" in text
    assert "max-size: 90m" in text
    assert "<<<<<<<" not in text
