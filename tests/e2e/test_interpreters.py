"""The wheel on another Python, in a container that has no network."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, files_below
from tests.e2e.stacks import run
from tests.projects.compose import compose
from tests.releases import PRESENT, make_repository, template_at
from tests.runs import build, edit, switch

VERSIONS = ("3.13",)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = make_repository(tmp_path_factory.mktemp("interpreters") / "repository")
    dist = repository.parent / "dist"
    run(sys.executable, "-m", "build", "--outdir", dist, repository)
    return next(dist.glob("*.whl"))


@pytest.fixture(params=VERSIONS, scope="module")
def image(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image with that Python, git and the installed wheel."""
    context = tmp_path_factory.mktemp("image")
    shutil.copy(wheel, context)
    shutil.copy(REPOSITORY / "pyproject.toml", context)
    (context / "Dockerfile").write_text(
        f"FROM python:{request.param}-slim\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends git\n"
        f"COPY {wheel.name} pyproject.toml /tmp/\n"
        f"RUN pip install --no-cache-dir --upgrade pip /tmp/{wheel.name}\n"
        "RUN pip install --no-cache-dir --group /tmp/pyproject.toml:dev\n"
    )
    name = f"spinbox-deploy-test-{secrets.token_hex(4)}"
    run("docker", "build", "--quiet", "--tag", name, context)
    yield name
    run("docker", "image", "rm", "--force", name)


def test_the_unit_tests_pass(image: str) -> None:
    run(
        *("docker", "run", "--rm", "--network", "none"),
        *("--volume", f"{REPOSITORY}:/repository:ro", "--workdir", "/repository"),
        *("--env", "PYTHONDONTWRITEBYTECODE=1", "--env", "PYTHONPATH=/repository"),
        *(image, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2"),
        *(
            "-m",
            "not integration and not lint and not e2e",
            "tests/unit",
            "tests/sync",
            "tests/checks",
        ),
    )


def _in_container(image: str, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    container = ["docker", "run", "--rm", "--network", "none", "--workdir", "/project"]
    mount = ["--volume", f"{root}:/project"]
    command = [*container, *mount, image, "spinbox-deploy", "build", "--prod", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_generates_updates_and_checks_offline(image: str, wheel: Path, tmp_path: Path) -> None:
    """The same files as here, from the oldest release to the present one."""
    repository = wheel.parent.parent / "repository"
    oldest = template_at(repository, "v0.0.1", tmp_path / "oldest")
    present = template_at(repository, PRESENT, tmp_path / "present")
    roots = []
    for name in ("there", "here"):
        root = compose("profile-web-app", tmp_path / name)
        build(root, template=oldest)
        edit(root / "docker-compose.prod.yml", "HTTP_PORT:-80", "HTTP_PORT:-8080")
        switch(root, "USE_REDIS", True)
        roots.append(root)
    assert _in_container(image, roots[0], "--check").returncode == 1
    result = _in_container(image, roots[0])
    assert result.returncode == 0, result.stderr
    assert _in_container(image, roots[0], "--check").returncode == 0
    build(roots[1], template=present)
    assert files_below(roots[0]) == files_below(roots[1])


def test_a_fresh_project(image: str, tmp_path: Path) -> None:
    root = compose("fastapi", tmp_path / "project")
    result = _in_container(image, root)
    assert result.returncode == 0, result.stderr
    assert (root / "docker-compose.prod.yml").is_file()
