"""Modules and files that the images of Python apps lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, WITH_API, find, find_api


def find_sources(root: Path, source: str, **more: str) -> list[Finding]:
    """What is found where this stands in front of an app at the root."""
    found = find_api(root, {"main.py": source + API["main.py"], **more})
    return [one for one in found if one.rule == "start.sources"]


def find_beside(root: Path, source: str, files: dict[str, str]) -> list[Finding]:
    """The same of an app in a folder, with files beside it."""
    app = {f"backend/{path}": text for path, text in API.items()}
    app["backend/main.py"] = source + API["main.py"]
    found = find(root, {**app, **files}, None, **WITH_API)
    return [one for one in found if one.rule == "start.sources"]


@pytest.mark.parametrize("folder", ["database", "scripts", "docs", "deploy"])
def test_a_package_that_the_image_does_not_get_is_told(folder: str, tmp_path: Path) -> None:
    files = {f"{folder}/__init__.py": "", f"{folder}/x.py": ""}
    (found,) = find_sources(tmp_path, f"from {folder} import x\n", **files)
    assert found.certain and found.seen == (
        f"main.py:1 imports {folder}/, which the image does not get."
    )
    assert found.mend == f"spinbox build --prod --set fastapi.sources=main.py,{folder}/"


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("import redis\n", {"redis/x.py": ""}),
        ("import docs\n", {"requirements.txt": "fastapi\nuvicorn\ndocs\n", "docs/conf.py": ""}),
        ("import helpers\n", {"helpers.py": ""}),
        ("import lib.x\n", {"lib/x.py": ""}),
        ("import json\n", {"scripts/json.py": ""}),
        ("import shop\n", {"src/shop/__init__.py": ""}),
    ],
)
def test_what_the_image_has_is_fine(source: str, files: dict[str, str], tmp_path: Path) -> None:
    assert find_sources(tmp_path, source, **files) == []


def test_an_import_that_may_fail_is_a_guess(tmp_path: Path) -> None:
    source = "try:\n    import scripts.x\nexcept ImportError:\n    pass\n"
    (found,) = find_sources(tmp_path, source, **{"scripts/x.py": ""})
    assert not found.certain


@pytest.mark.parametrize(
    "source",
    [
        "TEXT = open('docs/prompt.txt').read()\n",
        "TEXT = Path('docs/prompt.txt').read_text()\n",
        "HERE = Path(__file__).parent\nTEXT = (HERE / 'docs' / 'prompt.txt').read_text()\n",
        "templates = Jinja2Templates(directory='docs')\n",
    ],
)
def test_a_file_that_the_image_does_not_get_is_told(source: str, tmp_path: Path) -> None:
    (found,) = find_sources(tmp_path, source, **{"docs/prompt.txt": ""})
    assert found.certain and "opens docs" in found.seen and found.mend.endswith("main.py,docs/")


@pytest.mark.parametrize(
    "source",
    ["open('data/x.json')\n", "open('docs/missing.txt')\n", "open('/etc/hosts')\n", "open(NAME)\n"],
)
def test_files_that_the_image_has_or_nobody_are_fine(source: str, tmp_path: Path) -> None:
    files = {"data/x.json": "{}", "docs/prompt.txt": ""}
    assert find_sources(tmp_path, source, **files) == []


def test_a_package_beside_the_apps_folder_is_told(tmp_path: Path) -> None:
    (found,) = find_beside(tmp_path, "import shared\n", {"shared/__init__.py": ""})
    assert found.certain and found.mend == "Move shared/ into backend/."


def test_the_apps_own_folder_is_no_package_in_the_image(tmp_path: Path) -> None:
    files = {"backend/__init__.py": "", "backend/db.py": ""}
    (found,) = find_beside(tmp_path, "from backend import db\n", files)
    assert found.certain and "without `backend.` in front" in found.mend


@pytest.mark.parametrize(
    "source",
    [
        "open('data/x.json')\n",
        "(Path(__file__).resolve().parents[1] / 'data/x.json').read_text()\n",
    ],
)
def test_a_file_beside_the_apps_folder_is_told(source: str, tmp_path: Path) -> None:
    (found,) = find_beside(tmp_path, source, {"data/x.json": "{}"})
    assert "data/x.json, which lies outside of backend/" in found.seen


def test_a_name_beside_the_apps_folder_that_is_a_dependency_is_fine(tmp_path: Path) -> None:
    files = {"backend/requirements.txt": "fastapi\nuvicorn\ndocker\n", "docker/x.py": ""}
    assert find_beside(tmp_path, "import docker\n", files) == []


INNER = {"src/main.py": "", "src/static/x.css": "", "src/templates/x.html": "", "src/x.json": ""}


def find_inner(root: Path, source: str, files: dict[str, str]) -> list[Finding]:
    """What is found of an app in `src/`, which is started at the top."""
    listed = {"requirements.txt": "fastapi\nuvicorn\njinja2\n", **INNER, **files}
    listed["src/main.py"] = source + API["main.py"]
    found = find(root, listed, None, USE_FASTAPI="true")
    return [one for one in found if one.rule in {"start.sources", "start.files"}]


@pytest.mark.parametrize(
    ("source", "certain"),
    [
        ("from fastapi.staticfiles import StaticFiles\nStaticFiles(directory='static')\n", True),
        ("from x import Jinja2Templates\nJinja2Templates(directory='templates')\n", False),
        ("open('x.json').read()\n", True),
    ],
)
def test_paths_from_the_folder_of_the_code_are_told(
    source: str, certain: bool, tmp_path: Path
) -> None:
    (found,) = find_inner(tmp_path, source, {})
    assert found.certain is certain and "Path(__file__).resolve().parent /" in found.mend


def test_paths_that_hold_are_fine(tmp_path: Path) -> None:
    source = "from x import Jinja2Templates\nJinja2Templates(directory='templates')\n"
    assert find_inner(tmp_path, source, {"templates/x.html": ""}) == []


def test_an_app_that_goes_to_its_folder_itself_is_fine(tmp_path: Path) -> None:
    source = "import os\nos.chdir(os.path.dirname(__file__))\nopen('x.json').read()\n"
    assert find_inner(tmp_path, source, {}) == []


def test_a_module_beside_another_in_a_package_is_told(tmp_path: Path) -> None:
    """`from models import X` in web/app.py, which is started as `web.app` from above."""
    files = {"web/main.py": "from models import X\n" + API["main.py"], "web/models.py": "X = 1\n"}
    found = find(tmp_path, {"requirements.txt": "fastapi\nuvicorn\n", **files}, None, **WITH_API)
    (told,) = [one for one in found if one.rule == "start.sources"]
    assert told.certain
    assert told.seen.startswith("web/main.py:1 imports models, which lies in web/")
    assert told.mend.endswith("--set fastapi.dir=web")


def test_a_module_beside_another_where_the_app_starts_is_fine(tmp_path: Path) -> None:
    files = {
        "web/main.py": "from web.models import X\n" + API["main.py"],
        "web/models.py": "X = 1\n",
        "src/main.py": "import models\n",
        "src/models.py": "",
    }
    found = find(tmp_path, {"requirements.txt": "fastapi\nuvicorn\n", **files}, None, **WITH_API)
    assert not [one for one in found if one.rule == "start.sources"]
