"""What brings the schema up to date: how each tool is found."""

from pathlib import Path
from typing import Any

import pytest

from extensions import migrations
from extensions.errors import ProjectError
from extensions.migrations import alembic, flask_migrate
from spinbox_wrapper.checks import migrations as checks

from .support import stack_of, tree_of

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
    ("files", "command"),
    [
        (("src/alembic.ini", "src/alembic/env.py"),
         ("sh", "-c", "cd src && exec alembic upgrade head")),
        (("app/db/alembic.ini", "alembic/env.py"),
         ("alembic", "--config", "app/db/alembic.ini", "upgrade", "head")),
        (("alembic.ini", "alembic/env.py"), ("alembic", "upgrade", "head")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("folder", [".", "backend"])
def test_alembic_is_called_where_its_settings_are(
    files: tuple[str, str], command: tuple[str, ...], folder: str, tmp_path: Path
) -> None:
    ini = "[alembic]\nscript_location = alembic\n"
    prefix = "" if folder == "." else f"{folder}/"
    tree = tree_of(tmp_path, {f"{prefix}{files[0]}": ini, f"{prefix}{files[1]}": ""})
    assert alembic.find(tree, folder).value
    facts = {name: found.value for name, found in alembic.fields(tree, folder).items()}
    assert alembic.define((), None, facts).command == command


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


@pytest.mark.parametrize("location", ["migrations", "%(here)s/migrations"])
def test_alembic_in_a_pyproject(location: str, tmp_path: Path) -> None:
    """`[tool.alembic]`, and no alembic.ini."""
    text = f"[tool.alembic]\nscript_location = '{location}'\n"
    files = {"backend/pyproject.toml": text, "backend/migrations/env.py": ""}
    assert alembic.find(tree_of(tmp_path, files), "backend").value


def test_flask_migrate_in_a_folder_of_another_name(tmp_path: Path) -> None:
    files = {"web/db/migrations/env.py": "from flask import current_app\n"}
    tree = tree_of(tmp_path, files)
    assert flask_migrate.find(tree, "web").value
    facts = {name: found.value for name, found in flask_migrate.fields(tree, "web").items()}
    command = flask_migrate.define((), None, facts).command
    assert command == ("flask", "db", "upgrade", "--directory", "db/migrations")


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
    tools = ("alembic", "django", "drizzle", "flask_migrate", "knex", "prisma", "sequelize", "sql")
    assert (*tools, "typeorm", "none") == migrations.NAMES


@pytest.mark.parametrize("name", migrations.NAMES)
def test_every_tool_has_its_partial(name: str) -> None:
    """Guides include it by name."""
    text = (REPOSITORY / f"template/_partials/migrations/{name}.jinja").read_text()
    for macro in ("schema", "rollback", "imported"):
        assert f"{{% macro {macro}() %}}" in text or f"{{% set {macro} = node." in text


def test_every_module_of_checks_has_its_tool() -> None:
    """A check of another name would never run."""
    folder = Path(str(checks.__file__)).parent
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert names <= migrations.TOOLS.keys()


def test_no_name_of_a_tool_is_compared_elsewhere() -> None:
    """Whoever asks for a name would have to be edited for the next tool."""
    asking = set()
    for top in ("template", "extensions", "spinbox_wrapper"):
        for file in (REPOSITORY / top).rglob("*"):
            if file.is_dir() or file.suffix == ".pyc" or "migrations" in file.parts:
                continue
            text = file.read_text()
            # But what is installed has its names, too.
            if file.name != "python_distributions.py":
                assert "alembic" not in text.lower(), file
            if "migrations.kind" in text:
                asking.add(file.name)
    # They include the partial of that name.
    assert asking == {"README.md.jinja", "postgres.jinja"}


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
        api = {**NODE, "paths": ["/api"]}
        assert self.of(nextjs={**NEXT, "alembic": True}, python=SCRIPT).app.kind == "nextjs"
        assert self.of(nextjs=NEXT, node={**api, "alembic": True}).app.kind == "node"

    def test_one_that_leaves_the_database_to_another(self) -> None:
        """Next.js beside an API has no address of it."""
        with pytest.raises(ProjectError, match=r"leaves the database to another.*=none"):
            self.of(fastapi=API, nextjs=NEXT)
