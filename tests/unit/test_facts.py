"""The facts of whole projects: what is there, and nothing that differs between two clones."""

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.errors import ProjectError
from extensions.facts import is_project, read_facts
from tests.projects.compose import SHAPES, compose

from .support import facts_of, write_files, write_project

APPS = ("fastapi", "python", "nextjs", "node")

# Each shape that Spinbox makes: (folder, entry or command) of its apps, and its services.
REAL: dict[str, tuple[dict[str, tuple[str, str | None]], set[str]]] = {
    "fastapi": ({"fastapi": ("backend", "app.main:app")}, set()),
    "nextjs": ({"nextjs": (".", None)}, set()),
    "python": ({"python": (".", "main.py")}, set()),
    "node": ({"node": (".", "node dist/index.js")}, set()),
    "python-node": ({"python": (".", "main.py"), "node": (".", "node dist/index.js")}, set()),
    "python-postgresql": ({"python": (".", "main.py")}, {"postgres"}),
    "nextjs-postgresql": ({"nextjs": (".", None)}, {"postgres"}),
    "fastapi-postgresql--py312-pg16": ({"fastapi": ("backend", "app.main:app")}, {"postgres"}),
    "fastapi-postgresql-redis--with-deps": (
        {"fastapi": ("backend", "app.main:app")},
        {"postgres", "redis"},
    ),
    "fastapi-mongodb--with-deps": ({"fastapi": ("backend", "app.main:app")}, {"mongodb"}),
    "fastapi-chroma--with-deps": ({"fastapi": ("backend", "app.main:app")}, {"chroma"}),
    "everything--with-deps": (
        {"fastapi": ("backend", "app.main:app"), "nextjs": ("frontend", None)},
        {"postgres", "redis", "mongodb", "chroma"},
    ),
    "profile-web-app": (
        {"fastapi": ("backend", "app.main:app"), "nextjs": ("frontend", None)},
        {"postgres"},
    ),
    "profile-api-only": ({"fastapi": ("backend", "app.main:app")}, {"postgres", "redis"}),
    "profile-ai-llm": ({"fastapi": ("backend", "app.main:app")}, {"postgres", "chroma"}),
    "profile-data-science": ({"python": (".", "main.py")}, set()),
    "profile-node": ({}, set()),
}
ROOT_SHAPES = ["nextjs", "python", "node", "python-node", "python-postgresql", "nextjs-postgresql"]

GENERATED = {
    "Dockerfile.prod": "FROM scratch\n",
    "Dockerfile.prod.dockerignore": "*\n",
    "Dockerfile.node.prod": "FROM scratch\n",
    "Dockerfile.node.prod.dockerignore": "*\n",
    "Dockerfile.frontend.prod": "FROM scratch\n",
    "Dockerfile.frontend.prod.dockerignore": "*\n",
    "docker-compose.prod.yml": "services:\n  mongodb:\n    image: mongo:1\n",
    ".env.example": "# Settings of x in production. Copy this file\nSECRET_KEY=\n",
    ".copier-answers.yml": "# Ours.\n_src_path: x\noutput: .\noverrides: {}\nproject: {}\n",
    "deploy/README.md": "# Guide\n",
    "deploy/Caddyfile": "\n",
    "deploy/entrypoint.sh": "#!/bin/sh\n",
    "deploy/migrate.sql": "CREATE EXTENSION hstore;\n",
    "deploy/env/production.env": "A=1\n",
}


@pytest.mark.parametrize("shape", REAL)
def test_components_of_real_shapes(shape: str, tmp_path: Path) -> None:
    """Exactly the apps and services that the project has."""
    apps, services = REAL[shape]
    assert set(facts_of(shape, tmp_path)) == {"name", *apps, *services}


@pytest.mark.parametrize("shape", REAL)
def test_places_and_entries_of_real_shapes(shape: str, tmp_path: Path) -> None:
    """Where each app lives and what starts it."""
    facts = facts_of(shape, tmp_path)
    found = {
        kind: (facts[kind]["dir"], facts[kind].get("entry") or facts[kind].get("command"))
        for kind in APPS
        if kind in facts
    }
    assert found == REAL[shape][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_facts_are_json(shape: str, tmp_path: Path) -> None:
    """They survive JSON unchanged."""
    facts = facts_of(shape, tmp_path)
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("shape", SHAPES)
def test_facts_survive_yaml(shape: str, tmp_path: Path) -> None:
    """They come back from an answers file as they were."""
    facts = facts_of(shape, tmp_path)
    assert yaml.safe_load(yaml.safe_dump(facts)) == facts


@pytest.mark.parametrize("shape", SHAPES)
def test_facts_do_not_change_by_themselves(shape: str, tmp_path: Path) -> None:
    """Two copies of a project in two places have the same facts."""
    assert facts_of(shape, tmp_path / "one") == facts_of(shape, tmp_path / "other")


@pytest.mark.parametrize("shape", REAL)
def test_empty_folders_change_nothing(shape: str, tmp_path: Path) -> None:
    """Git does not keep them."""
    facts = facts_of(shape, tmp_path)
    for folder in ("public", "frontend/public", "alembic", "src/app", "extra", "tests", "app"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    assert read_facts(tmp_path) == facts


@pytest.mark.parametrize("shape", REAL)
def test_ignored_files_change_nothing(shape: str, tmp_path: Path) -> None:
    """A laptop and CI agree."""
    facts = facts_of(shape, tmp_path)
    fastapi = "from fastapi import FastAPI\nother = FastAPI()\n"
    hidden = {
        ".env": "SECRET=1\n",
        "backend/.env": "SECRET=1\n",
        "frontend/.env.local": "SECRET=1\n",
        "lib/main.py": fastapi,
        "src/lib/main.py": fastapi,
        "backend/lib/main.py": fastapi,
        "backend/.venv/x/main.py": fastapi,
        "venv/broken.py": "(\n",
        "node_modules/next/package.json": "{broken",
        "frontend/.next/server.js": "app.listen(1)\n",
        "dist/index.js": "app.listen(1)\n",
        "build/Dockerfile": "\n",
        "logs/x.log": "\n",
        "tmp/package.json": '{"dependencies": {"next": "1"}}\n',
        "__pycache__/x.pyc": "\n",
        "database/migrations/tmp/9_x.sql": "CREATE EXTENSION hstore;\n",
    }
    write_files(tmp_path, hidden)
    assert read_facts(tmp_path) == facts


@pytest.mark.parametrize("shape", REAL)
def test_git_changes_nothing(shape: str, tmp_path: Path) -> None:
    """A repository, with or without a commit, has the facts of a plain folder."""
    facts = facts_of(shape, tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert read_facts(tmp_path) == facts


@pytest.mark.parametrize("shape", [*ROOT_SHAPES, "profile-web-app", "everything--with-deps"])
def test_generated_files_change_nothing(shape: str, tmp_path: Path) -> None:
    """The second run sees the project of the first."""
    facts = facts_of(shape, tmp_path)
    write_files(tmp_path, GENERATED)
    assert read_facts(tmp_path) == facts


@pytest.mark.parametrize("shape", ["python", "nextjs", "python-node", "profile-web-app"])
def test_files_generated_elsewhere_change_nothing(shape: str, tmp_path: Path) -> None:
    """Nor do those of `--output`."""
    facts = facts_of(shape, tmp_path)
    write_files(tmp_path, {f"production/{name}": text for name, text in GENERATED.items()})
    assert read_facts(tmp_path) == facts


@pytest.mark.parametrize("shape", REAL)
def test_conf_with_windows_line_ends(shape: str, tmp_path: Path) -> None:
    """CRLF and a BOM in the configuration make no difference."""
    facts = facts_of(shape, tmp_path)
    for name in ("project.conf", "versions.conf"):
        path = tmp_path / ".config" / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_facts(tmp_path) == facts


def test_facts_hold_no_values_of_variables(tmp_path: Path) -> None:
    """Names only."""
    files = {"backend/.env.example": 'TOKEN="hunter2"\nexport OTHER=hunter2\n#NOT=hunter2\nx y\n'}
    write_project(tmp_path, files, USE_FASTAPI="true")
    write_files(tmp_path, {"backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"})
    facts = read_facts(tmp_path)
    assert facts["fastapi"]["variables"] == ["TOKEN", "OTHER"]
    assert "hunter2" not in json.dumps(facts)


def test_variables_are_those_of_the_app(tmp_path: Path) -> None:
    """Each app's example files belong to that app."""
    facts = facts_of("profile-web-app", tmp_path)
    assert "SMTP_HOST" in facts["fastapi"]["variables"]
    assert "SMTP_HOST" not in facts["nextjs"]["variables"]
    assert "NEXT_PUBLIC_API_URL" in facts["nextjs"]["variables"]


def test_reading_does_not_write(tmp_path: Path) -> None:
    """The project is only looked at."""
    compose("everything--with-deps", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read_facts(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_versions_come_from_the_configuration(tmp_path: Path) -> None:
    """The base image is the project's own."""
    facts = facts_of("fastapi-postgresql--py312-pg16", tmp_path)
    assert facts["fastapi"]["image"] == "python:3.12-slim"
    assert facts["postgres"]["image"] == "postgres:16"


def test_versions_without_images(tmp_path: Path) -> None:
    """A version alone is enough."""
    write_project(tmp_path, {"main.py": ""}, USE_PYTHON="true", USE_POSTGRESQL="true")
    write_files(tmp_path, {".config/versions.conf": "PYTHON_VERSION=3.12\nPOSTGRES_VERSION='16'\n"})
    facts = read_facts(tmp_path)
    assert facts["python"]["image"].startswith("python:3.12")
    assert facts["postgres"]["image"] == "postgres:16"


def test_older_projects_without_versions(tmp_path: Path) -> None:
    """The file and its keys may be missing."""
    write_project(tmp_path, {"main.py": ""}, USE_PYTHON="true", USE_REDIS="true")
    facts = read_facts(tmp_path)
    assert facts["python"]["image"] is None and facts["redis"]["image"] is None


def test_legacy_keys(tmp_path: Path) -> None:
    """Key names of older versions mean the same."""
    files = {
        "backend/app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "frontend/package.json": '{"dependencies": {"next": "14"}}',
    }
    flags = {"USE_BACKEND": "true", "USE_FRONTEND": "true", "USE_DATABASE": "true"}
    write_project(tmp_path, files, **flags)
    assert set(read_facts(tmp_path)) == {"name", "fastapi", "nextjs", "postgres"}


@pytest.mark.parametrize(
    ("compose_file", "image"),
    [
        ("services:\n  mongodb:\n    image: mongo:6.0\n", "mongo:6.0"),
        ("services:\n  mongodb:\n    image: mongo:latest\n", None),
        ("services:\n  mongodb:\n    image: mongo:noble\n", None),
        ("services:\n  mongodb:\n    image: mongo\n", None),
        ("services:\n  mongodb:\n    build: .\n", None),
        ("services:\n", None),
        ("", None),
        ("- a\n", None),
        ("services: [a]\n", None),
        ("services: text\n", None),
    ],
)
def test_images_of_the_development_compose_file(
    compose_file: str, image: str | None, tmp_path: Path
) -> None:
    """MongoDB's version stands only there; a moving tag is none."""
    write_project(tmp_path, {"docker-compose.yml": compose_file}, USE_MONGODB="true")
    assert read_facts(tmp_path)["mongodb"]["image"] == image


def test_broken_development_compose_file_is_named(tmp_path: Path) -> None:
    """The error says which file has to be mended."""
    write_project(tmp_path, {"docker-compose.yml": "a: [\n"}, USE_MONGODB="true")
    with pytest.raises(ProjectError, match=r"docker-compose\.yml"):
        read_facts(tmp_path)


def test_the_folder_names_a_project_without_name(tmp_path: Path) -> None:
    """PROJECT_NAME may be missing."""
    root = tmp_path / "shop"
    write_files(root, {".config/project.conf": "USE_REDIS=true\n"})
    assert read_facts(root)["name"] == "shop"


@pytest.mark.parametrize("files", [{}, {".config/versions.conf": ""}, {"project.conf": ""}])
def test_other_folders_are_no_project(files: dict[str, str], tmp_path: Path) -> None:
    """The error says what is missing."""
    write_files(tmp_path, files)
    assert not is_project(tmp_path)
    with pytest.raises(ProjectError, match=r"\.config/project\.conf"):
        read_facts(tmp_path)


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"backend/app/main.py": "app = FastAPI()"}, "backend"),
        ({"main.py": "app = FastAPI()"}, "."),
        ({"api/main.py": "app = FastAPI()", "api/requirements.txt": ""}, "api"),
        ({"app/main.py": "app = FastAPI()", "requirements.txt": ""}, "."),
        (
            {
                "a/main.py": "app = FastAPI()",
                "a/requirements.txt": "",
                "b/main.py": "x = 1",
                "b/requirements.txt": "",
            },
            "a",
        ),
        # A member of a workspace.
        ({"apps/api/main.py": "app = FastAPI()", "apps/api/pyproject.toml": ""}, "apps/api"),
        # A folder in backend/ with the list: a place for modules, or a package with that name.
        (
            {"backend/app/main.py": "app = FastAPI()", "backend/app/requirements.txt": ""},
            "backend/app",
        ),
        (
            {
                "backend/app/main.py": "from app.x import y\napp = FastAPI()",
                "backend/app/requirements.txt": "",
            },
            "backend",
        ),
        # The list is at the top: backend/ is where modules are imported from, or a package.
        ({"backend/main.py": "import x\napp = FastAPI()", "requirements.txt": ""}, "backend"),
        ({"backend/main.py": "import backend.x\napp = FastAPI()", "requirements.txt": ""}, "."),
        ({"chroma/x.py": "app = FastAPI()"}, None),
        ({}, None),
    ],
)
def test_folder_of_fastapi(files: dict[str, str], folder: str | None, tmp_path: Path) -> None:
    """Spinbox's place, else the one that holds an app; unclear is None and no error."""
    write_project(tmp_path, files, USE_FASTAPI="true")
    assert read_facts(tmp_path)["fastapi"]["dir"] == folder


@pytest.mark.parametrize(
    ("packages", "folder"),
    [(["frontend"], "frontend"), (["."], "."), (["web"], "web"), (["a", "b"], None), ([], None)],
)
def test_folder_of_next(packages: list[str], folder: str | None, tmp_path: Path) -> None:
    """Spinbox's places, else the one folder that depends on Next.js."""
    text = '{"dependencies": {"next": "14"}}'
    write_project(tmp_path, {f"{p}/package.json": text for p in packages}, USE_NEXTJS="true")
    assert read_facts(tmp_path)["nextjs"]["dir"] == folder


def test_an_entry_given_by_hand_brings_its_health_path(tmp_path: Path) -> None:
    """What is read of the chosen one of several is read of it alone."""
    root = compose("fastapi", tmp_path / "project")
    (root / "backend/app/admin.py").write_text(
        "from fastapi import FastAPI\napi = FastAPI()\n\n@api.get('/ping')\ndef ping(): ...\n"
    )
    assert read_facts(root)["fastapi"]["entry"] is None
    chosen = read_facts(root, {"fastapi.entry": "app.admin:api"})["fastapi"]
    assert (chosen["entry"], chosen["health"]) == ("app.admin:api", "/ping")


def test_folders_given_by_hand_are_read_anew(tmp_path: Path) -> None:
    """Facts are those of the folder that the user names."""
    source = "from fastapi import FastAPI\napi = FastAPI()\n"
    compose("fastapi", tmp_path)
    write_files(tmp_path, {"services/api/server.py": source, "services/api/requirements.txt": ""})
    facts = read_facts(tmp_path, {"fastapi.dir": "services/api"})
    assert facts["fastapi"]["dir"] == "services/api"
    assert facts["fastapi"]["entry"] == "server:api"


def test_a_fastapi_app_in_the_place_of_a_script(tmp_path: Path) -> None:
    """A Python project that grew a FastAPI app is one."""
    source = "from fastapi import FastAPI\napp = FastAPI()\n"
    write_project(tmp_path, {"main.py": source, "requirements.txt": ""}, USE_PYTHON="true")
    assert read_facts(tmp_path)["fastapi"]["entry"] == "main:app"


@pytest.mark.parametrize(
    ("files", "entries"),
    [
        ({"a.py": "app = FastAPI()", "b.py": "app = FastAPI()"}, ["a:app", "b:app"]),
        ({"a.py": "x = 1"}, []),
    ],
)
def test_an_unclear_entry_is_none(
    files: dict[str, str], entries: list[str], tmp_path: Path
) -> None:
    """Nothing fails; what could be meant is kept for the question."""
    write_project(
        tmp_path, {f"backend/{name}": text for name, text in files.items()}, USE_FASTAPI="true"
    )
    facts = read_facts(tmp_path)["fastapi"]
    assert (facts["entry"], facts["entries"]) == (None, entries)


def test_root_apps_enumerate_their_sources(tmp_path: Path) -> None:
    """Only what belongs to the app enters its image."""
    compose("python-node", tmp_path)
    write_files(tmp_path, {"jobs/nightly.py": "", "notes.md": "", ".secret": "", "data.csv": ""})
    facts = read_facts(tmp_path)
    assert facts["python"]["sources"] == ["data.csv", "jobs/", "main.py", "src/"]
    assert {"src/", "tsconfig.json"} <= set(facts["node"]["sources"])
    assert "main.py" not in facts["node"]["sources"]


@pytest.mark.parametrize(
    "path", ["backend/x", "database/x.sql", "tests/x.py", "docs/x", ".github/x", ".config/x"]
)
def test_what_is_never_a_source_at_the_root(path: str, tmp_path: Path) -> None:
    """Other apps, services, tests, documents and settings of tools."""
    compose("python", tmp_path)
    write_files(tmp_path, {path: "", "backend/requirements.txt": ""})
    assert f"{path.split('/')[0]}/" not in read_facts(tmp_path)["python"]["sources"]


def test_apps_in_their_own_folder_enumerate_nothing(tmp_path: Path) -> None:
    """The whole folder enters."""
    facts = facts_of("profile-web-app", tmp_path)
    assert facts["fastapi"]["sources"] == facts["nextjs"]["sources"] == []


@pytest.mark.parametrize(
    ("files", "migrations"),
    [
        ({}, "none"),
        ({"database/migrations/001_x.sql": ""}, "sql"),
        ({"database/migrations/README.md": "", "database/migrations/x.sql": ""}, "none"),
        ({"alembic.ini": "[alembic]\nscript_location = alembic\n"}, "none"),
        (
            {"alembic.ini": "[alembic]\nscript_location = alembic\n", "alembic/env.py": ""},
            "alembic",
        ),
        (
            {
                "alembic.ini": "[alembic]\nscript_location = alembic\n",
                "alembic/env.py": "",
                "database/migrations/001_x.sql": "",
            },
            "alembic",
        ),
    ],
)
def test_migrations(files: dict[str, str], migrations: str, tmp_path: Path) -> None:
    """Alembic where it is real, else numbered SQL files."""
    write_project(tmp_path, {"main.py": "", **files}, USE_PYTHON="true", USE_POSTGRESQL="true")
    assert read_facts(tmp_path)["postgres"]["migrations"] == migrations


@pytest.mark.parametrize(
    ("path", "text", "extensions"),
    [
        ("database/init/1.sql", "CREATE EXTENSION vector;", ["vector"]),
        ("database/init/1.sql", 'create extension if not exists "uuid-ossp";', ["uuid-ossp"]),
        ("database/init/1.sql", "CREATE\n  EXTENSION\tIF NOT EXISTS pg_trgm;", ["pg_trgm"]),
        ("database/init/1.sql", "-- CREATE EXTENSION vector;", []),
        ("database/init/1.sql", "/* CREATE EXTENSION vector; */", []),
        ("database/init/1.sql", "CREATE EXTENSION Vector; CREATE EXTENSION vector;", ["vector"]),
        ("database/migrations/001.sql", "CREATE EXTENSION hstore;", ["hstore"]),
        ("alembic/versions/1.py", "op.execute('CREATE EXTENSION hstore')", ["hstore"]),
        ("requirements.txt", "pgvector>=0.2\n", ["vector"]),
        ("main.py", "x = 1", []),
    ],
)
def test_extensions(path: str, text: str, extensions: list[str], tmp_path: Path) -> None:
    """What the SQL and the requirements need, wherever it is said."""
    files = {"main.py": "", path: f"{text}\n"}
    write_project(tmp_path, files, USE_PYTHON="true", USE_POSTGRESQL="true")
    assert read_facts(tmp_path)["postgres"]["extensions"] == extensions


def test_next_env_production_is_seen(tmp_path: Path) -> None:
    """A committed .env.production is part of the build."""
    compose("nextjs", tmp_path)
    write_files(tmp_path, {".env.production": "NEXT_PUBLIC_A=1\n"})
    assert read_facts(tmp_path)["nextjs"]["env_production"] is True


def test_an_invalid_package_json_that_is_no_app_does_not_matter(tmp_path: Path) -> None:
    """As `everything --with-deps` has one in its root."""
    assert "node" not in facts_of("everything--with-deps", tmp_path)


def test_an_invalid_package_json_of_an_app_is_named(tmp_path: Path) -> None:
    """The error says which file has to be mended."""
    compose("node", tmp_path)
    write_files(tmp_path, {"package.json": "{broken"})
    with pytest.raises(ProjectError, match=r"package\.json"):
        read_facts(tmp_path)


def test_facts_are_not_shared(tmp_path: Path) -> None:
    """Changing what came back does not change what comes next."""
    facts: dict[str, Any] = facts_of("profile-web-app", tmp_path)
    original = copy.deepcopy(facts)
    facts["fastapi"]["variables"].append("X")
    assert read_facts(tmp_path) == original


@pytest.mark.parametrize("folder", [b"shop\x1bone", b"shop\xe9one", "shop\u2028one".encode()])
def test_a_folder_s_name_that_no_file_can_hold(folder: bytes, tmp_path: Path) -> None:
    """Whatever is no letter or digit is a dash in a project's name."""
    root = tmp_path / os.fsdecode(folder)
    write_files(root, {".config/project.conf": 'USE_PYTHON="true"\n', "main.py": ""})
    assert read_facts(root)["name"] == "shop-one"
