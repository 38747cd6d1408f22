"""Where every fact comes from: one origin each, and the evidence stands where it says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions import origins
from extensions.facts import Reading, read_facts, read_project
from extensions.origins import BY_HAND, Origin
from tests.cases import NOTHING_TO_DEPLOY, SHAPES
from tests.projects.compose import compose

from .support import write_files, write_project

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"

# What must stand on the line of a field's origin; `{}` is the fact, or the first in its list.
EVIDENCE = {
    "image": "image: ",
    "dir": '"next"',
    "entry": "FastAPI(",
    "factory": "FastAPI(",
    "paths": "FastAPI(",
    "health": "{}",
    "alembic": "script_location",
    "variables": "{}",
    "required": "{}",
    "driver": "connect(",
    "output": "output: '{}'",
    "build": '"build":',
    "command": '"start":',
    "port": "{}",
    "extensions": "CREATE EXTENSION",
    "builder": '"{}":',
    "script": '"{}":',
    "webpack_4": '"vite":',
    "api_addresses": "VITE_API_URL",
}


def keys_of(facts: Mapping[str, Any]) -> set[str]:
    """The name of every component and every field."""
    components = {key: value for key, value in facts.items() if isinstance(value, dict)}
    return set(facts) | {f"{key}.{field}" for key, value in components.items() for field in value}


def fact(reading: Reading, key: str) -> Any:
    """The fact that an origin belongs to."""
    component, _, field = key.partition(".")
    return reading.facts[component][field] if field else reading.facts[component]


def line_of(root: Path, origin: Origin) -> str:
    """The text that an origin points at."""
    assert origin.path is not None and origin.line is not None
    return (root / origin.path).read_text("utf-8-sig").split("\n")[origin.line - 1]


def evidence(reading: Reading, key: str) -> str:
    """What has to stand there."""
    origin, value = reading.origins[key], fact(reading, key)
    if origin.path and origin.path.endswith(".conf"):
        return f"{origin.reason.split()[0]}="
    field = key.partition(".")[2]
    # No flag switches a site on: what builds it does.
    if key == "static.webpack_4" or (
        key.partition(".")[0] == "static" and origin.reason.startswith("Vite")
    ):
        return '"vite":'
    if field == "libraries":
        return origin.reason.split()[2]
    if field == "addresses":
        return origin.reason.split()[0]
    return EVIDENCE[field].format(value[0] if isinstance(value, list) else value)


def origin_of(key: str, root: Path, files: Mapping[str, str], **flags: str) -> Origin:
    """The origin of one fact of a project."""
    return read_project(write_project(root, files, **flags)).origins[key]


UNUSUAL: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str]]] = {
    "nothing-known": (
        {},
        dict.fromkeys(["USE_FASTAPI", "USE_NEXTJS", "USE_POSTGRESQL", "USE_REDIS"], "true"),
        {},
    ),
    "several-entries": (
        {"backend/a.py": FASTAPI, "backend/b.py": FASTAPI},
        {"USE_FASTAPI": "true"},
        {},
    ),
    "folders-by-hand": (
        {},
        {},
        {"fastapi.dir": "api", "nextjs.dir": "web", "node.dir": "worker"},
    ),
    "python-by-hand": ({}, {}, {"python.dir": "jobs"}),
    "fastapi-in-place-of-a-script": ({"main.py": FASTAPI}, {"USE_PYTHON": "true"}, {}),
}


@pytest.mark.parametrize("shape", [*SHAPES, *NOTHING_TO_DEPLOY])
def test_every_fact_has_one_origin(shape: str, tmp_path: Path) -> None:
    """And no origin is without a fact."""
    reading = read_project(compose(shape, tmp_path))
    assert set(reading.origins) == keys_of(reading.facts)


@pytest.mark.parametrize("name", UNUSUAL)
def test_every_fact_of_unusual_projects_has_one_origin(name: str, tmp_path: Path) -> None:
    """Also where little was found, or the user says where to look."""
    files, flags, hints = UNUSUAL[name]
    reading = read_project(write_project(tmp_path, files, **flags), hints)
    assert len(reading.facts) > 1
    assert set(reading.origins) == keys_of(reading.facts)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_evidence_stands_where_it_says(shape: str, tmp_path: Path) -> None:
    """Files exist, and the line holds what makes the fact."""
    root = compose(shape, tmp_path)
    reading = read_project(root)
    for key, origin in reading.origins.items():
        assert origin.path is None or (root / origin.path).exists(), key
        assert origin.path is not None or origin.line is None, key
        if origin.line is not None:
            assert evidence(reading, key) in line_of(root, origin), (key, origin)


@pytest.mark.parametrize("shape", SHAPES)
def test_reasons_are_phrases(shape: str, tmp_path: Path) -> None:
    """Short, on one line, without a full stop."""
    for origin in read_project(compose(shape, tmp_path)).origins.values():
        assert re.fullmatch(r"[\w/].{2,90}[^.\s]", origin.reason), origin


@pytest.mark.parametrize("shape", SHAPES)
def test_facts_are_the_same_without_origins(shape: str, tmp_path: Path) -> None:
    """There is one way of finding them."""
    root = compose(shape, tmp_path)
    assert read_facts(root) == read_project(root).facts


def test_a_legacy_key_is_named_as_it_stands_there(tmp_path: Path) -> None:
    """Not under its present name."""
    origin = origin_of("fastapi", tmp_path, {}, USE_BACKEND="true")
    assert origin == Origin(".config/project.conf", 2, "USE_BACKEND is true")


@pytest.mark.parametrize(
    "line", ["USE_REDIS=true", "export USE_REDIS='true'  # on", '  USE_REDIS="1"']
)
def test_every_form_of_an_assignment_has_its_line(line: str, tmp_path: Path) -> None:
    """Exported, quoted, indented, with a comment."""
    write_files(tmp_path, {".config/project.conf": f"# Project\n\n{line}\n"})
    origin = read_project(tmp_path).origins["redis"]
    assert (origin.path, origin.line) == (".config/project.conf", 3)


def test_the_last_of_several_assignments_counts(tmp_path: Path) -> None:
    """As in Bash."""
    text = 'USE_REDIS="true"\nUSE_REDIS="false"\nUSE_REDIS="yes"\n'
    write_files(tmp_path, {".config/project.conf": text})
    origin = read_project(tmp_path).origins["redis"]
    assert origin == Origin(".config/project.conf", 3, "USE_REDIS is yes")


def test_windows_line_ends_count_once(tmp_path: Path) -> None:
    """Also behind a BOM."""
    text = '\ufeffPROJECT_NAME="demo"\r\n\r\nUSE_REDIS="true"\r\n'
    write_files(tmp_path, {".config/project.conf": text})
    origins = read_project(tmp_path).origins
    assert (origins["name"].line, origins["redis"].line) == (1, 3)


def test_a_project_without_a_name(tmp_path: Path) -> None:
    """The folder's is no file's."""
    write_files(tmp_path, {".config/project.conf": "USE_REDIS=true\n"})
    assert read_project(tmp_path).origins["name"] == Origin(None, None, "the folder's name")


def test_an_image_of_the_development_compose_file(tmp_path: Path) -> None:
    """The line is that of the service's own image."""
    text = (
        "services:\n  redis:\n    image: redis:6\n  mongodb:\n    ports: []\n    image: mongo:6.0\n"
    )
    origin = origin_of("mongodb.image", tmp_path, {"docker-compose.yml": text}, USE_MONGODB="true")
    assert origin == Origin("docker-compose.yml", 6, "image of service mongodb")


def test_an_image_that_yaml_merges_into_the_service(tmp_path: Path) -> None:
    """The line is where it is written."""
    text = "x-base: &base\n  image: mongo:6.0\nservices:\n  mongodb:\n    <<: *base\n"
    origin = origin_of("mongodb.image", tmp_path, {"compose.yml": text}, USE_MONGODB="true")
    assert (origin.path, origin.line) == ("compose.yml", 2)


def test_a_moving_tag_is_shown_although_it_is_not_taken(tmp_path: Path) -> None:
    """The user sees why the image is not the one written there."""
    text = "services:\n  chroma:\n    image: chromadb/chroma:latest\n"
    origin = origin_of("chroma.image", tmp_path, {"compose.yml": text}, USE_CHROMA="true")
    assert (origin.path, origin.line) == ("compose.yml", 3)
    assert "no fixed version" in origin.reason


def test_an_image_made_of_a_version(tmp_path: Path) -> None:
    """The version's line counts."""
    files = {".config/versions.conf": "# Versions\nPOSTGRES_VERSION=16\n"}
    origin = origin_of("postgres.image", tmp_path, files, USE_POSTGRESQL="true")
    assert origin == Origin(".config/versions.conf", 2, "POSTGRES_VERSION")


@pytest.mark.parametrize("key", ["fastapi.image", "postgres.image"])
def test_a_missing_image_says_what_was_looked_for(key: str, tmp_path: Path) -> None:
    """By the names of the keys."""
    files = {"backend/main.py": FASTAPI}
    origin = origin_of(key, tmp_path, files, USE_FASTAPI="true", USE_POSTGRESQL="true")
    assert origin.path is None and "_IMAGE" in origin.reason


def test_an_object_is_found_where_it_is_made(tmp_path: Path) -> None:
    """In the module that the entry names."""
    origin = origin_of("fastapi.entry", tmp_path, {"backend/main.py": FASTAPI}, USE_FASTAPI="true")
    assert origin == Origin("backend/main.py", 3, "FastAPI object")


def test_a_factory_is_found_at_its_call(tmp_path: Path) -> None:
    """The line is that of FastAPI's call inside it."""
    text = "from fastapi import FastAPI\n\ndef create_app():\n    app = FastAPI()\n    return app\n"
    origin = origin_of("fastapi.entry", tmp_path, {"backend/main.py": text}, USE_FASTAPI="true")
    assert origin == Origin("backend/main.py", 4, "FastAPI factory")


def test_an_object_made_by_another_modules_factory(tmp_path: Path) -> None:
    """The line is where the entry's own module makes it."""
    factory = "from fastapi import FastAPI\n\ndef create_app():\n    return FastAPI()\n"
    files = {
        "backend/app/factory.py": factory,
        "backend/app/main.py": "from app.factory import create_app\napp = create_app()\n",
    }
    origin = origin_of("fastapi.entry", tmp_path, files, USE_FASTAPI="true")
    assert origin == Origin("backend/app/main.py", 2, "FastAPI object")


def test_several_objects_are_no_entry(tmp_path: Path) -> None:
    """The candidates have the place of the first."""
    files = {"backend/a.py": FASTAPI, "backend/b.py": FASTAPI}
    origins = read_project(write_project(tmp_path, files, USE_FASTAPI="true")).origins
    assert origins["fastapi.entry"] == Origin(None, None, "several FastAPI objects")
    assert origins["fastapi.entries"].path == "backend/a.py"


def test_a_folder_given_by_hand(tmp_path: Path) -> None:
    """What is read there has its own place."""
    root = write_project(tmp_path, {"api/server.py": FASTAPI})
    origins = read_project(root, {"fastapi.dir": "api"}).origins
    assert origins["fastapi"] == origins["fastapi.dir"] == Origin(None, None, BY_HAND)
    assert origins["fastapi.entry"].path == "api/server.py"


def test_an_entry_given_by_hand(tmp_path: Path) -> None:
    """Only the choice is the user's."""
    source = "from fastapi import FastAPI\napi = FastAPI()\n\n@api.get('/ping')\ndef ping(): ...\n"
    files = {"backend/main.py": FASTAPI, "backend/admin.py": source}
    root = write_project(tmp_path, files, USE_FASTAPI="true")
    origins = read_project(root, {"fastapi.entry": "admin:api"}).origins
    assert origins["fastapi.entry"] == Origin(None, None, BY_HAND)
    assert origins["fastapi.health"] == Origin("backend/admin.py", 4, "GET route")


def test_a_fastapi_app_in_the_place_of_a_script(tmp_path: Path) -> None:
    """Its object makes the component, not the flag."""
    origin = origin_of("fastapi", tmp_path, {"main.py": FASTAPI}, USE_PYTHON="true")
    assert origin == Origin("main.py", 3, "FastAPI object")


def test_a_missing_health_path_says_what_was_looked_for(tmp_path: Path) -> None:
    """And in which file."""
    origin = origin_of("fastapi.health", tmp_path, {"backend/main.py": FASTAPI}, USE_FASTAPI="true")
    assert (origin.path, origin.line) == ("backend/main.py", None)
    assert origin.reason.startswith("no /health, /healthz,")


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("import celery\nworker = celery.Celery('x')\n", 2, "Celery object"),
        ("\n\nclass WorkerSettings: ...\n", 3, "arq's settings"),
        ("import dramatiq\n\n@dramatiq.actor\ndef send(): ...\n", 3, "Dramatiq actor"),
    ],
)
def test_workers(source: str, line: int, reason: str, tmp_path: Path) -> None:
    """The line that makes it one."""
    files = {"backend/main.py": FASTAPI, "backend/tasks.py": source}
    origin = origin_of("fastapi.worker", tmp_path, files, USE_FASTAPI="true")
    assert origin == Origin("backend/tasks.py", line, reason)


def test_alembic(tmp_path: Path) -> None:
    """Its env.py makes it real, and the migrations with it."""
    files = {
        "main.py": "",
        "alembic.ini": "[alembic]\nscript_location = alembic\n",
        "alembic/env.py": "",
    }
    root = write_project(tmp_path, files, USE_PYTHON="true", USE_POSTGRESQL="true")
    origins = read_project(root).origins
    assert origins["python.alembic"] == origins["postgres.migrations"]
    assert origins["python.alembic"].path == "alembic/env.py"


def test_extensions_count_the_lines_of_comments(tmp_path: Path) -> None:
    """What is commented out is no evidence, but it takes lines."""
    text = (
        "/*\nCREATE EXTENSION vector;\n*/\n-- CREATE EXTENSION vector;\nCREATE EXTENSION hstore;\n"
    )
    files = {"database/init/1.sql": text}
    origin = origin_of("postgres.extensions", tmp_path, files, USE_POSTGRESQL="true")
    assert origin == Origin("database/init/1.sql", 5, "CREATE EXTENSION hstore")


def test_an_extension_that_a_library_needs(tmp_path: Path) -> None:
    """No SQL says it."""
    files = {"main.py": "", "requirements.txt": "pgvector\n"}
    origin = origin_of(
        "postgres.extensions", tmp_path, files, USE_PYTHON="true", USE_POSTGRESQL="true"
    )
    assert origin == Origin(None, None, "pgvector is one of the libraries")


def test_libraries_of_an_included_file(tmp_path: Path) -> None:
    """The file and line that name the first of them."""
    files = {
        "main.py": "",
        "requirements.txt": "-r base.txt\nrequests\n",
        "base.txt": "flask\n# the server\nuvicorn>=0.30\ntorch\n",
    }
    origin = origin_of("python.libraries", tmp_path, files, USE_PYTHON="true")
    assert origin == Origin("base.txt", 3, "depends on uvicorn and 1 more")


@pytest.mark.parametrize(("elsewhere", "line"), [("", 3), ('# once "uvicorn>=0.30"\n', None)])
def test_a_line_that_would_be_a_guess_is_left_out(
    elsewhere: str, line: int | None, tmp_path: Path
) -> None:
    """TOML has no line numbers: only the one place counts."""
    text = f'[project]\ndependencies = [\n  "uvicorn>=0.30",\n]\n{elsewhere}'
    origin = origin_of(
        "python.libraries", tmp_path, {"main.py": "", "pyproject.toml": text}, USE_PYTHON="true"
    )
    assert (origin.path, origin.line) == ("pyproject.toml", line)


@pytest.mark.parametrize(
    ("files", "path", "reason"),
    [
        ({"pyproject.toml": "", "uv.lock": ""}, "uv.lock", "lockfile"),
        ({"requirements.txt": ""}, "requirements.txt", "requirements file"),
        (
            {"pyproject.toml": "[project]\ndependencies = []\n"},
            "pyproject.toml",
            "without a lockfile",
        ),
        ({}, None, "no requirements.txt"),
    ],
)
def test_the_manager_of_python(
    files: dict[str, str], path: str | None, reason: str, tmp_path: Path
) -> None:
    """The file that tells it."""
    origin = origin_of("python.manager", tmp_path, {"main.py": "", **files}, USE_PYTHON="true")
    assert origin.path == path and reason in origin.reason


PACKAGE = """{
  "config": {"build": "x", "start": "x", "packageManager": "x"},
  "packageManager": "pnpm@9.1.0",
  "scripts": {
    "test": "echo '\\"start\\": {[ ' && node --test",
    "build": "tsc",
    "start": "node dist/index.js"
  }
}
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [("node.manager", 3), ("node.manager_version", 3), ("node.build", 6), ("node.command", 7)],
)
def test_keys_of_package_json(key: str, line: int, tmp_path: Path) -> None:
    """Those at their own place, not others of that name."""
    files = {"package.json": PACKAGE, "index.ts": ""}
    origin = origin_of(key, tmp_path, files, USE_NODE="true")
    assert (origin.path, origin.line) == ("package.json", line)


def test_the_lockfile_of_node(tmp_path: Path) -> None:
    """It tells the manager, too."""
    files = {"package.json": "{}", "index.js": "", "yarn.lock": ""}
    origins = read_project(write_project(tmp_path, files, USE_NODE="true")).origins
    assert origins["node.lockfile"] == origins["node.manager"]
    assert origins["node.lockfile"] == Origin("yarn.lock", None, "lockfile")


@pytest.mark.parametrize(
    ("key", "line"), [("node.port", 5), ("node.health", 6)], ids=["port", "health"]
)
def test_sources_count_the_lines_of_comments(key: str, line: int, tmp_path: Path) -> None:
    """As for SQL."""
    text = (
        "/* app.listen(1)\n\n*/\n// app.get('/health')\napp.listen(8080)\napp.get('/health', h)\n"
    )
    origin = origin_of(key, tmp_path, {"package.json": "{}", "index.js": text}, USE_NODE="true")
    assert (origin.path, origin.line) == ("index.js", line)


def test_the_output_of_next(tmp_path: Path) -> None:
    """The setting that holds."""
    files = {
        "package.json": '{"dependencies": {"next": "14"}}',
        "next.config.mjs": "/*\n output: 'x'\n*/\nexport default {\n  output: 'standalone',\n}\n",
    }
    origin = origin_of("nextjs.output", tmp_path, files, USE_NEXTJS="true")
    assert origin == Origin("next.config.mjs", 5, "output")


def test_variables_have_the_place_of_the_first(tmp_path: Path) -> None:
    """Names from all example files, the place from one."""
    files = {
        "backend/main.py": FASTAPI,
        "backend/.env.example": "# Settings\n\nTOKEN=x\n",
        "backend/.env.sample": "OTHER=x\n",
    }
    origin = origin_of("fastapi.variables", tmp_path, files, USE_FASTAPI="true")
    assert origin == Origin("backend/.env.example", 3, "names TOKEN and 1 more")


def test_only_line() -> None:
    """One match is evidence, two are a guess."""
    assert origins.only_line("a\nb\nc\n", "^b") == 2
    assert origins.only_line("b\nb\n", "^b") is None
    assert origins.only_line("a\n", "^b") is None
