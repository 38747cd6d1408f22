"""The image follows the version of Python that a project asks for."""

from pathlib import Path

import pytest

from extensions.facts import read_facts

from .support import write_project

API = "from fastapi import FastAPI\napp = FastAPI()\n"


def image_of(root: Path, files: dict[str, str], python: str | None = "3.11") -> str | None:
    """The image of a FastAPI app in `backend/` with these files."""
    conf = {".config/versions.conf": f'PYTHON_VERSION="{python}"\n'} if python else {}
    if python and ":" in python:
        conf = {".config/versions.conf": f'PYTHON_IMAGE="{python}"\n'}
    files = {"backend/requirements.txt": "fastapi\n", "backend/main.py": API, **conf, **files}
    facts = read_facts(write_project(root, files, USE_FASTAPI="true"))["fastapi"]
    image: str | None = facts["image"]
    return image


@pytest.mark.parametrize(
    ("name", "text", "minor"),
    [
        ("pyproject.toml", '[project]\nrequires-python = ">=3.12"\n', 12),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.12,<4"\n', 12),
        ("pyproject.toml", '[project]\nrequires-python = "==3.13.*"\n', 13),
        ("pyproject.toml", '[project]\nrequires-python = "<3.11"\n', 10),
        ("pyproject.toml", '[project]\nrequires-python = "!=3.11.*"\n', 12),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.13"\n', 13),
        ("setup.cfg", "[options]\npython_requires = >=3.14\n", 14),
        ("Pipfile", '[requires]\npython_version = "3.13"\n', 13),
        ("Pipfile", '[requires]\npython_full_version = "3.12.4"\n', 12),
        (".python-version", "3.12\n", 12),
        (".python-version", "# ours\n\n3.12.7\n", 12),
        (".python-version", "cpython@3.13\n", 13),
        (".python-version", ">=3.12,<3.14\n", 12),
        ("runtime.txt", "python-3.12.4\n", 12),
        (".tool-versions", "nodejs 20.1.0\npython 3.13.1 3.12.0\n", 13),
        ("mise.toml", '[tools]\npython = "3.13"\nnode = "20"\n', 13),
        (".mise.toml", '[tools]\npython = ["3.12.1", "3.13"]\n', 12),
        (".config/mise.toml", '[tools]\npython = { version = "3.14" }\n', 14),
    ],
)
def test_the_nearest_version_that_is_asked_for(
    name: str, text: str, minor: int, tmp_path: Path
) -> None:
    assert image_of(tmp_path, {f"backend/{name}": text}) == f"python:3.{minor}-slim"


def test_what_tools_read_counts_in_the_top_folder_too(tmp_path: Path) -> None:
    assert image_of(tmp_path, {".python-version": "3.12"}) == "python:3.12-slim"
    project = {"pyproject.toml": '[project]\nrequires-python = ">=3.13"\n'}
    assert image_of(tmp_path / "b", project) == "python:3.11-slim"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[project]\nrequires-python = ">=3.10"\n'),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.99"\n'),
        ("pyproject.toml", '[project]\nrequires-python = "whatever"\n'),
        (".python-version", "3.11.9\n"),
        (".python-version", "pypy3.10\n"),
        (".python-version", "3.13t\n"),
        (".python-version", ""),
        (".python-version", "system\n"),
        ("runtime.txt", "something else\n"),
        ("mise.toml", "not toml\n"),
        ("mise.toml", "tools = 1\n"),
        ("mise.toml", '[tools]\npython = "latest"\n'),
    ],
)
def test_else_that_of_versions_conf(name: str, text: str, tmp_path: Path) -> None:
    assert image_of(tmp_path, {f"backend/{name}": text}) == "python:3.11-slim"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("python:3.11-slim-bookworm", "python:3.12-slim-bookworm"),
        ("docker.io/library/python:3.11", "docker.io/library/python:3.12"),
        ("python:3.11-slim@sha256:0", "python:3.11-slim@sha256:0"),
        ("example.com/python:3.11", "example.com/python:3.11"),
    ],
)
def test_the_kind_of_image_stays(image: str, expected: str, tmp_path: Path) -> None:
    assert image_of(tmp_path, {"backend/.python-version": "3.12"}, image) == expected


def test_without_versions_conf(tmp_path: Path) -> None:
    """Nothing is written down where the usual image fits."""
    assert image_of(tmp_path / "a", {"backend/.python-version": "3.13"}, None) is None
    assert image_of(tmp_path / "b", {"backend/.python-version": "3.12"}, None) == "python:3.12-slim"


def test_what_is_required_counts_before_what_is_pinned(tmp_path: Path) -> None:
    files = {
        "backend/pyproject.toml": '[project]\nrequires-python = ">=3.12"\n',
        "backend/.python-version": "3.11\n",
    }
    assert image_of(tmp_path / "a", files) == "python:3.12-slim"
    files["backend/.python-version"] = "3.13\n"
    assert image_of(tmp_path / "b", files) == "python:3.13-slim"
