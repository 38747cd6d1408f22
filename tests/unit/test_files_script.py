"""The script that saves and brings back the files of a volume, with SQLite's databases."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.projects.compose import compose
from tests.runs import build

pytestmark = pytest.mark.integration


@pytest.fixture(name="scripts", scope="module")
def _scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is generated for each language, by its interpreter."""
    folder = tmp_path_factory.mktemp("files")
    root = compose("profile-web-app", folder / "p")
    build(root, "--set", "fastapi.volumes=/app/data", "--set", "nextjs.volumes=/app/data")
    data = root / "deploy/data"
    return {
        "python": (data / "files-data.sh").read_text(),
        "node": (data / "files-frontend-data.sh").read_text(),
    }


def run(script: str, folder: Path, verb: str, given: bytes = b"") -> tuple[bytes, str]:
    """The output and what is said beside it, where `/app/data` is that folder."""
    text = re.sub(r"(?m)^cd /app/data$", f"cd '{folder}'", script)
    assert text != script
    text = text.replace("python - <<", f"'{sys.executable}' - <<")
    done = subprocess.run(
        ["sh", "-c", text, "files.sh", verb], input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, done.stderr.decode()


def database(path: Path, journal: str = "wal") -> sqlite3.Connection:
    """A database with a row, which stays open: in WAL mode the row is in the log alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE TABLE notes (text)")
    connection.execute("INSERT INTO notes VALUES ('kept')")
    return connection


def rows(path: Path) -> list[Any]:
    """What a database holds, as whoever opens it next sees it."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT text FROM notes").fetchall()
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return [text for (text,) in found]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_database_that_is_open_comes_back_whole(
    journal: str, scripts: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    connection = database(folder / "in/app [1].db", journal)
    (folder / "x.txt").write_text("x")
    saved, said = run(scripts["python"], folder, "backup")
    assert said == "count files 2\n"
    assert not (folder / ".sqlite-copies").exists()
    connection.execute("INSERT INTO notes VALUES ('later')")
    connection.close()
    run(scripts["python"], folder, "restore", saved)
    assert rows(folder / "in/app [1].db") == ["kept"]
    assert (folder / "x.txt").read_text() == "x"
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert names == {"app [1].db", "x.txt"}
    assert run(scripts["python"], folder, "count")[0] == b"count files 2\n"


def test_a_write_that_has_not_ended_is_left_out(scripts: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    connection = database(folder / "app.db")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO notes VALUES ('half')")
    saved, _ = run(scripts["python"], folder, "backup")
    connection.close()
    run(scripts["python"], folder, "restore", saved)
    assert rows(folder / "app.db") == ["kept"]


def test_what_only_looks_like_one_is_saved_as_it_is(
    scripts: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    saved, said = run(scripts["python"], folder, "backup")
    assert said.startswith("warning: ./broken.db is saved as it lies there: ")
    assert said.endswith("count files 1\n")
    run(scripts["python"], folder, "restore", saved)
    assert (folder / "broken.db").stat().st_size == 5016


def test_a_folder_without_any(scripts: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for script in scripts.values() if shutil.which("node") else [scripts["python"]]:
        saved, said = run(script, folder, "backup")
        assert said == "count files 0\n"
        run(script, folder, "restore", saved)
    assert list(folder.iterdir()) == []


def test_node_copies_it_or_says_that_it_cannot(scripts: dict[str, str], tmp_path: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("there is no Node")
    folder = tmp_path / "data"
    connection = database(folder / "app.db")
    saved, said = run(scripts["node"], folder, "backup")
    can = subprocess.run(["node", "-e", "require('node:sqlite')"], capture_output=True, check=False)
    assert said.startswith("warning: ") == (can.returncode != 0)
    connection.close()
    run(scripts["node"], folder, "restore", saved)
    assert rows(folder / "app.db") == ["kept"]


def test_a_tar_that_leaves_nothing_out_saves_it_twice(
    scripts: dict[str, str], tmp_path: Path
) -> None:
    """The copy is what counts, and what comes back."""
    folder = tmp_path / "data"
    connection = database(folder / "in/app.db")
    script = scripts["python"].replace("tar --help 2>&1", "echo")
    saved, said = run(script, folder, "backup")
    assert said == "count files 1\n"
    connection.close()
    run(script, folder, "restore", saved)
    assert rows(folder / "in/app.db") == ["kept"]
    assert run(script, folder, "count")[0] == b"count files 1\n"
