"""Locked installs with every package manager: the image holds what was locked, and no tools."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from extensions.deployment import UV_VERSION
from tests.e2e.stacks import eventually, run
from tests.projects.compose import compose
from tests.runs import build

PYPROJECT = """\
[project]
name = "locked"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["iniconfig==2.1.0"]

[dependency-groups]
dev = ["packaging"]

[tool.poetry]
package-mode = false

[tool.pdm]
distribution = false
"""
# Poetry and PDM need more of a package index than a mirror has; their lockfiles are written here:
# the package's hash comes from the index, Poetry's content hash from Poetry itself.
WHEEL = "iniconfig-2.1.0-py3-none-any.whl"
POETRY_LOCK = """\
[[package]]
name = "iniconfig"
version = "2.1.0"
description = ""
optional = false
python-versions = ">=3.8"
groups = ["main"]
files = [{{file = "{wheel}", hash = "sha256:{digest}"}}]

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "CONTENT-HASH"
"""
PDM_LOCK = """\
[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:0"

[[metadata.targets]]
requires_python = ">=3.11"

[[package]]
name = "iniconfig"
version = "2.1.0"
requires_python = ">=3.8"
summary = ""
groups = ["default"]
files = [{{file = "{wheel}", hash = "sha256:{digest}"}}]
"""
CONTENT_HASH = (
    "from poetry.factory import Factory;"
    "print(Factory().create_poetry('.').locker._get_content_hash())"
)
LOCK_NODE = {
    "npm": "npm install --package-lock-only",
    "pnpm": "npm install --global pnpm@10 && pnpm install --lockfile-only",
    "yarn": "yarn install --ignore-scripts && rm -rf node_modules",
    "yarn@1.22.19": "yarn install --ignore-scripts && rm -rf node_modules",
    # As `yarn set version` leaves it: with its own release, in the repository.
    "yarn@3.8.7": "npm install --global --force @yarnpkg/cli-dist@3.8.7 && yarn install"
    " && rm -rf node_modules .yarn .pnp* && mkdir -p .yarn/releases"
    " && cp $(npm root -g)/@yarnpkg/cli-dist/bin/yarn.js .yarn/releases/yarn-3.8.7.cjs"
    " && echo 'yarnPath: .yarn/releases/yarn-3.8.7.cjs' >.yarnrc.yml",
    "yarn@4.5.0": "npm install --global --force @yarnpkg/cli-dist@4.5.0 && yarn install"
    " && rm -rf node_modules .yarn .pnp*",
    # Not pinned: later ones of the same major version write another lockfile.
    "yarn-4.9": "npm install --global --force @yarnpkg/cli-dist@4.9.1 && yarn install"
    " && rm -rf node_modules .yarn .pnp*",
    "bun": "npm install --global bun@1 && bun install --lockfile-only",
}


@pytest.fixture
def image() -> Iterator[str]:
    """A name for an image that is removed afterwards."""
    name = f"e2e-{uuid.uuid4().hex[:12]}"
    yield name
    run("docker", "image", "rm", "--force", name)


@pytest.fixture(scope="module")
def uv_image() -> Iterator[str]:
    """Python with uv, to write lockfiles with."""
    name = "e2e-uv-with-python"
    uv = f"ghcr.io/astral-sh/uv:{UV_VERSION}"
    dockerfile = f"FROM python:3.11-slim\nCOPY --from={uv} /uv /uvx /usr/local/bin/\n"
    run("bash", "-c", f"printf '{dockerfile}' | docker build -q -t {name} -")
    yield name
    run("docker", "image", "rm", "--force", name)


def _in_container(image: str, folder: Path, command: str) -> str:
    mount = f"{folder}:/lock"
    return run("docker", "run", "--rm", "-v", mount, "-w", "/lock", image, "sh", "-c", command)


def _lock(manager: str, image: str, folder: Path) -> None:
    if manager == "uv":
        _in_container(image, folder, "uv lock")
        return
    fetch = "pip download -q --no-deps -d /tmp iniconfig==2.1.0 2>/dev/null"
    digest = _in_container(image, folder, f"{fetch} && sha256sum /tmp/{WHEEL}").split()[0]
    text = {"poetry": POETRY_LOCK, "pdm": PDM_LOCK}[manager].format(wheel=WHEEL, digest=digest)
    (folder / f"{manager}.lock").write_text(text)
    if manager == "poetry":
        content = _in_container(image, folder, f'uvx --from poetry python -c "{CONTENT_HASH}"')
        lockfile = folder / "poetry.lock"
        lockfile.write_text(text.replace("CONTENT-HASH", content.strip()))


@pytest.mark.parametrize("manager", ["uv", "poetry", "pdm"])
def test_python(manager: str, image: str, uv_image: str, tmp_path: Path) -> None:
    root = compose("python", tmp_path / "project")
    (root / "requirements.txt").unlink()
    (root / "pyproject.toml").write_text(PYPROJECT)
    _lock(manager, uv_image, root)
    build(root)
    run("docker", "build", "-t", image, "-f", "Dockerfile.prod", ".", cwd=root)
    probe = (
        "import iniconfig, importlib.util as u, os;"
        "print(u.find_spec('packaging'), os.path.exists('/app/.venv'))"
    )
    output = run("docker", "run", "--rm", "--read-only", image, "python", "-c", probe)
    assert output == "None False\n"


def test_python_pyproject_without_lockfile(image: str, tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "project")
    (root / "backend/requirements.txt").unlink()
    text = PYPROJECT.replace('"iniconfig==2.1.0"', '"fastapi", "uvicorn", "pydantic-settings"')
    (root / "backend/pyproject.toml").write_text(text)
    build(root)
    run("docker", "build", "-t", image, "-f", "Dockerfile.prod", ".", cwd=root)
    run("docker", "run", "--rm", "--read-only", image, "python", "-c", "import app.main, uvicorn")


def test_python_system_packages(image: str, tmp_path: Path) -> None:
    """psycopg2 is built from source: the compiler stays behind, libpq comes along."""
    root = compose("e2e-fastapi", tmp_path / "project")
    requirements = root / "backend/requirements.txt"
    requirements.write_text(requirements.read_text() + "\npsycopg2>=2.9\n")
    build(root)
    run("docker", "build", "-t", image, "-f", "Dockerfile.prod", ".", cwd=root)
    probe = "import psycopg2, shutil; print(shutil.which('gcc'))"
    assert run("docker", "run", "--rm", "--read-only", image, "python", "-c", probe) == "None\n"


@pytest.mark.parametrize("manager", LOCK_NODE)
def test_node(manager: str, image: str, tmp_path: Path) -> None:
    root = compose("e2e-node", tmp_path / "project")
    package = json.loads((root / "package.json").read_text())
    package["devDependencies"] = {
        name: version
        for name, version in package["devDependencies"].items()
        if name in {"typescript", "@types/node"}
    }
    if "@" in manager:
        package["packageManager"] = manager
    (root / "package.json").write_text(json.dumps(package, indent=2))
    _in_container("node:20-alpine", root, LOCK_NODE[manager])
    build(root)
    run("docker", "build", "-t", image, "-f", "Dockerfile.prod", ".", cwd=root)
    probe = (
        "require('express'); try { require('typescript'); console.log('tools') }"
        " catch { console.log('clean') }"
    )
    output = run("docker", "run", "--rm", "--read-only", "-w", "/app", image, "node", "-e", probe)
    assert output == "clean\n"
    files = run("docker", "run", "--rm", "--entrypoint", "ls", image, "-A", "/app").split()
    assert ".yarn" not in files
    container = run("docker", "run", "--detach", "--read-only", image).strip()
    try:
        health = ("docker", "inspect", "--format", "{{.State.Health.Status}}", container)
        eventually(lambda: run(*health) == "healthy\n")
    finally:
        run("docker", "rm", "--force", container)
