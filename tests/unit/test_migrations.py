"""What brings the schema up to date: how each tool is found, and that a new one is three files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions import migrations
from extensions.errors import ProjectError
from extensions.migrations import alembic
from spinbox_wrapper.checks import migrations as checks

from .support import stack_of, tree_of, write_files, write_project

REPOSITORY = Path(__file__).resolve().parents[2]

# --- Alembic --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ini", "env"),
    [
        ("[alembic]\nscript_location = alembic\n", "alembic/env.py"),
        ("[alembic]\nscript_location = %(here)s/alembic\n", "alembic/env.py"),
        ("[alembic]\nscript_location = ./migrations\n", "migrations/env.py"),
        ("[alembic]\nscript_location = app/db/migrations\n", "app/db/migrations/env.py"),
        ("[alembic]\nscript_location = app:migrations\n", "app/migrations/env.py"),
        ("[alembic]\nfile_template = %%(year)d_%%(slug)s\nscript_location=db\n", "db/env.py"),
        ("[alembic]\nsqlalchemy.url = driver://user:p%ss@host/db\n", "alembic/env.py"),
    ],
)
@pytest.mark.parametrize("folder", [".", "backend"])
def test_alembic_with_an_environment(ini: str, env: str, folder: str, tmp_path: Path) -> None:
    """Alembic is real where its env.py is."""
    prefix = "" if folder == "." else f"{folder}/"
    tree = tree_of(tmp_path, {f"{prefix}alembic.ini": ini, f"{prefix}{env}": ""})
    assert alembic.find(tree, folder).value


@pytest.mark.parametrize(
    "files",
    [
        {"alembic.ini": "[alembic]\nscript_location = alembic\n"},
        {"alembic.ini": "[alembic]\nscript_location = alembic\n", "alembic/README": ""},
        {"alembic.ini": "[alembic]\nscript_location = alembic\n", "migrations/env.py": ""},
        {"alembic/env.py": ""},
        {},
    ],
    ids=["ini-only", "without-env", "elsewhere", "without-ini", "nothing"],
)
def test_alembic_that_is_not_real(files: dict[str, str], tmp_path: Path) -> None:
    """An alembic.ini alone, as Spinbox writes it, migrates nothing."""
    assert not alembic.find(tree_of(tmp_path, files), ".").value


def test_alembic_hidden_by_git_is_not_real(tmp_path: Path) -> None:
    """A clone would not have it."""
    ini = "[alembic]\nscript_location = alembic\n"
    files = {".gitignore": "alembic/\n", "alembic.ini": ini, "alembic/env.py": ""}
    assert not alembic.find(tree_of(tmp_path, files), ".").value


def test_broken_alembic_ini_is_named(tmp_path: Path) -> None:
    """The error says which file has to be mended."""
    with pytest.raises(ProjectError, match=r"alembic\.ini"):
        alembic.find(tree_of(tmp_path, {"alembic.ini": "no section\n"}), ".")


SCRIPT: dict[str, Any] = {"dir": ".", "entry": "main.py", "sources": ["main.py"]}
API: dict[str, Any] = {"dir": "backend", "entry": "a:app", "libraries": ["uvicorn"]}
NEXT: dict[str, Any] = {"dir": "frontend", "port": 3000}
NODE: dict[str, Any] = {"dir": "jobs", "command": "node index.js", "port": 3001}


# --- One place per tool ---------------------------------------------------------------------------


def test_names() -> None:
    """Every module of the folder, then the one that stands for no tool."""
    assert migrations.NAMES == ("alembic", "sql", "none")


@pytest.mark.parametrize("name", migrations.NAMES)
def test_every_tool_has_its_partial(name: str) -> None:
    """Guides include it by name."""
    text = (REPOSITORY / f"template/_partials/migrations/{name}.jinja").read_text()
    for macro in ("schema", "rollback", "imported"):
        assert f"{{% macro {macro}() %}}" in text


def test_every_module_of_checks_has_its_tool() -> None:
    """A check of another name would never run."""
    folder = Path(str(checks.__file__)).parent
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert names == migrations.TOOLS.keys()


def test_no_name_of_a_tool_is_compared_elsewhere() -> None:
    """Whoever asks for a name would have to be edited for the next tool."""
    asking = set()
    for top in ("template", "extensions", "spinbox_wrapper"):
        for file in (REPOSITORY / top).rglob("*"):
            if file.is_dir() or file.suffix == ".pyc" or "migrations" in file.parts:
                continue
            text = file.read_text()
            assert "alembic" not in text.lower(), file
            if "migrations.kind" in text:
                asking.add(file.name)
    # It includes the partial of that name.
    assert asking == {"README.md.jinja"}


class TestPsql:
    """What is left to do in the database's image."""

    @pytest.mark.parametrize(
        ("kind", "extensions", "folder", "in_database_image", "job", "concurrent"),
        [
            ("alembic", [], None, False, "extensions", False),
            ("alembic", ["vector"], None, True, "extensions", False),
            ("sql", [], "database/migrations", True, "migrate", True),
            ("none", ["vector"], None, True, "migrate", True),
        ],
    )
    def test_parts(
        self,
        kind: str,
        extensions: list[str],
        folder: str | None,
        in_database_image: bool,
        job: str,
        concurrent: bool,
    ) -> None:
        """What templates ask of each."""
        database = {"migrations": kind, "extensions": extensions}
        found = stack_of({"name": "x", "python": SCRIPT, "postgres": database}).migrations
        assert (found.folder, found.in_database_image) == (folder, in_database_image)
        assert (found.psql_job, found.concurrent) == (job, concurrent)
        assert found.migrates is (kind != "none")
        assert bool(found.app) is bool(found.command) is (kind == "alembic")


class TestApp:
    """Whose image a tool runs in."""

    @pytest.fixture(autouse=True)
    def tool(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A tool of Node apps, in the place of Alembic."""
        monkeypatch.setattr(alembic, "RUNTIMES", ("node",))

    def of(self, **apps: dict[str, Any]) -> Any:
        return stack_of({"name": "x", "postgres": {"migrations": "alembic"}, **apps}).migrations

    def test_the_first_of_its_runtime(self) -> None:
        """Here the second app."""
        assert self.of(fastapi=API, node=NODE).app.name == "node"

    def test_the_one_that_it_was_found_in(self) -> None:
        """Whichever comes first."""
        assert self.of(nextjs=NEXT, node=NODE).app.kind == "nextjs"
        assert self.of(nextjs=NEXT, node={**NODE, "alembic": True}).app.kind == "node"

    def test_one_that_leaves_the_database_to_another(self) -> None:
        """Next.js beside an API has no address of it."""
        with pytest.raises(ProjectError, match=r"leaves the database to another.*=none"):
            self.of(fastapi=API, nextjs=NEXT)


# --- A tool that is not there yet -----------------------------------------------------------------

MODULE = '''
"""Prisma, made up: one command in a Node app's image, known by its schema."""

from __future__ import annotations

from ..model import App, Migrations
from ..origins import Found
from ..tree import Tree

TITLE = "Prisma"
SOUGHT = "Prisma"
RUNTIMES = ("node",)
FOLDERS: frozenset[str] = frozenset()


def find(tree: Tree, folder: str) -> Found[bool]:
    path = tree.first(folder, "prisma/schema.prisma")
    return Found(path is not None, "Prisma's schema" if path else "no schema.prisma", path)


def scripts(tree: Tree) -> list[str]:
    return [path for path in tree.below(".", "/migration.sql")]


def define(extensions: tuple[str, ...], app: App | None) -> Migrations:
    command = ("prisma", "migrate", "deploy")
    return Migrations("prisma", TITLE, extensions, app=app, command=command, concurrent=True)
'''
PARTIAL = """\
{% macro schema() %}
`migrate` runs `prisma migrate deploy` at every start.
{% endmacro %}
{% macro rollback() %}
Prisma takes a database that is newer than its code.
{% endmacro %}
{% macro imported() %}
{% endmacro %}
"""
CHECK = '''
"""Prisma, made up."""

from ..model import Check, Context, passed

IDS = {"project.prisma": "Prisma has its migrations"}


def look(context: Context) -> list[Check]:
    return [passed("project.prisma", f"Runs in {context.stack.migrations.app.name}.")]
'''
NEW_FILES = {
    "extensions/migrations/prisma.py": MODULE,
    "template/_partials/migrations/prisma.jinja": PARTIAL,
    "spinbox_wrapper/checks/migrations/prisma.py": CHECK,
}
NODE_APP = {
    "package.json": json.dumps(
        {"name": "demo", "scripts": {"start": "node index.js", "test": "node --test"}}
    ),
    "package-lock.json": "{}",
    "index.test.js": "",
    "index.js": "require('http').createServer().listen(process.env.PORT || 3000)\n",
    "prisma/schema.prisma": "",
    "prisma/migrations/1_init/migration.sql": "CREATE TABLE items (id int);\n",
}
RUN = "prisma migrate deploy"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository with one tool more."""
    root = tmp_path_factory.mktemp("checkout")
    for part in ("extensions", "template", "spinbox_wrapper"):
        shutil.copytree(REPOSITORY / part, root / part)
    shutil.copy(REPOSITORY / "copier.yml", root)
    for name in NEW_FILES:
        assert not (root / name).exists()
    return write_files(root, NEW_FILES)


def _spinbox(checkout: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "spinbox_wrapper", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=environment, text=True, capture_output=True)


@pytest.fixture(scope="module")
def deployed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Node app that uses it, for Compose, Kubernetes and Render."""
    root = tmp_path_factory.mktemp("demo")
    write_project(root, NODE_APP, USE_NODE="true", USE_POSTGRESQL="true")
    targets = ("--target", "kubernetes", "--target", "render", "--target", "docker-swarm")
    pipeline = ("generate", "--ci", "github", "-C", root)
    for command in (("deploy", *targets, "--generate", "-C", root), pipeline):
        result = _spinbox(checkout, *command)
        assert result.returncode == 0, result.stderr
    return root


def test_a_new_tool_is_found(deployed: Path) -> None:
    """By the file that its module looks for."""
    answers = yaml.safe_load((deployed / ".copier-answers.yml").read_text())
    assert answers["project"]["postgres"]["migrations"] == "prisma"
    assert answers["project"]["node"]["prisma"] is True


def test_a_new_tool_in_compose(deployed: Path) -> None:
    """One container of the app's image, before the app starts, and no psql."""
    services = yaml.safe_load((deployed / "docker-compose.prod.yml").read_text())["services"]
    migrate, app = services["migrate"], services["app"]
    assert migrate["command"] == RUN.split()
    assert (migrate["image"], migrate["environment"]) == (app["image"], app["environment"])
    assert app["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "extensions" not in services
    assert not (deployed / "deploy/migrate.sh").exists()


def test_a_new_tool_in_kubernetes(deployed: Path) -> None:
    """A job of the app's image."""
    job = yaml.safe_load((deployed / "deploy/kubernetes/base/migrate.yaml").read_text())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["image"], container["args"]) == ("demo-app", RUN.split())
    assert [one["name"] for one in pod["initContainers"]] == ["reach"]


def test_a_new_tool_on_render(deployed: Path) -> None:
    """Before the app's new version."""
    services = yaml.safe_load((deployed / "render.yaml").read_text())["services"]
    commands = [s["preDeployCommand"] for s in services if "preDeployCommand" in s]
    assert commands == [f"entrypoint {RUN}"]


def test_a_new_tool_in_a_swarm(deployed: Path) -> None:
    """A job of the app's image."""
    assert f'"$IMAGE_APP" {RUN} ' in (deployed / "deploy/swarm/deploy.sh").read_text()


def test_a_new_tool_before_tests(deployed: Path) -> None:
    """So that they find the schema."""
    (workflow,) = (deployed / ".github/workflows").iterdir()
    assert f"sh deploy/entrypoint.sh {RUN}\n" in workflow.read_text()


def test_what_guides_say_of_a_new_tool(deployed: Path) -> None:
    """What its partial holds, at its place."""
    guide = (deployed / "deploy/README.md").read_text()
    schema = guide.partition("\n## Database schema\n")[2].partition("\n## ")[0]
    assert schema.strip().startswith(f"`migrate` runs `{RUN}` at every start.")
    back = guide.partition("\n### Back to the version before\n")[2].partition("\n### ")[0]
    assert "Prisma takes a database that is newer than its code." in back


def test_a_new_tool_is_checked(checkout: Path, deployed: Path) -> None:
    """By the module of its name alone."""
    result = _spinbox(
        checkout, *("deploy", "--check", "--target", "render", "--format", "json", "-C", deployed)
    )
    found = {check["id"]: check["seen"] for check in json.loads(result.stdout)["checks"]}
    assert found["project.prisma"] == "Runs in app."
    assert not {"project.alembic", "project.migrations"} & found.keys()


def test_a_new_tool_can_be_named_by_hand(checkout: Path, deployed: Path) -> None:
    """And one that is none is told so, with all that are."""
    refused = _spinbox(
        checkout, "build", "--prod", "-C", deployed, "--set", "postgres.migrations=x"
    )
    assert "postgres.migrations must be alembic or prisma or sql or none" in refused.stderr
