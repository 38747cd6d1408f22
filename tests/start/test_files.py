"""What Python apps write in their containers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from extensions import start
from extensions.choices import complete
from extensions.finding import Finding
from extensions.stack import build_stack
from tests.start.support import API, find, find_api, subject_of

UPLOADS = "spinbox build --prod --set fastapi.volumes=/app/uploads"


def find_files(
    root: Path, source: str, more: dict[str, str] | None = None, **conf: str
) -> list[Finding]:
    """What is found where this stands in front of an app that starts."""
    files = {"main.py": source + API["main.py"], **(more or {})}
    found = find_api(root, files, None, **conf)
    return [one for one in found if one.rule == "start.files"]


@pytest.mark.parametrize(
    "source",
    [
        "os.makedirs('uploads', exist_ok=True)\n",
        "os.mkdir('./uploads')\n",
        "Path('uploads').mkdir(exist_ok=True)\n",
        "os.makedirs(os.path.join(os.path.dirname(__file__), 'uploads'))\n",
        "BASE = Path(__file__).resolve().parent\n(BASE / 'uploads').mkdir()\n",
        "UPLOADS = os.getenv('UPLOADS', 'uploads')\nos.makedirs(UPLOADS)\n",
        "app2 = StaticFiles(directory='uploads')\n",
        "open('uploads/x', 'w')\n",
        "Path('/app/uploads/x').write_text('x')\n",
        "client = chromadb.PersistentClient(path='./uploads')\n",
        "db = sqlite3.connect('uploads/x.db')\n",
        "class S(BaseSettings):\n    DIR: str = 'uploads'\ns = S()\nos.makedirs(s.DIR)\n",
    ],
)
def test_what_is_written_at_the_start_fails_and_the_volume_is_named(
    source: str, tmp_path: Path
) -> None:
    (found,) = find_files(tmp_path, source)
    assert found.certain and "main.py:" in found.seen and "uploads" in found.seen
    assert found.mend == UPLOADS


@pytest.mark.parametrize(
    "source",
    [
        "def save(file):\n    open(f'uploads/{file.name}', 'wb')\n",
        "def save(file):\n    path = os.path.join('uploads', file.name)\n    open(path, 'wb')\n",
        "async def save(f):\n    async with aiofiles.open(DIR / f.name, 'wb') as out: ...\n"
        "DIR = Path('uploads')\n",
        "engine = create_engine('sqlite:///./uploads/app.db')\n",
        "URL = 'sqlite+aiosqlite:///uploads/app.db'\n",
        "class S(BaseSettings):\n    DATABASE_URL: str = 'sqlite:///uploads/app.db'\n",
    ],
)
def test_what_is_written_later_is_a_guess(source: str, tmp_path: Path) -> None:
    (found,) = find_files(tmp_path, source)
    assert not found.certain and found.mend == UPLOADS


def test_a_database_beside_the_code_is_told_where_to_go(tmp_path: Path) -> None:
    (found,) = find_files(tmp_path, "engine = create_engine('sqlite:///./app.db')\n")
    assert "app.db (sqlite:///./app.db)" in found.seen
    assert "sqlite:////app/data/app.db" in found.mend
    assert "--set fastapi.volumes=/app/data" in found.mend


def test_a_database_that_a_setting_names_takes_no_edit_of_the_code(tmp_path: Path) -> None:
    source = "URL = os.getenv('DATABASE_URL', 'sqlite:///./app.db')\n"
    (found,) = find_files(tmp_path, source)
    command = "spinbox build --prod --set fastapi.volumes=/app/data"
    assert found.mend == f"Set DATABASE_URL=sqlite:////app/data/app.db in .env, and run {command}"


@pytest.mark.parametrize(
    "source",
    [
        "db = sqlite3.connect(os.getenv('NOTES', 'notes.db'))\n",
        "NOTES = os.environ.get('NOTES', 'notes.db')\ndb = sqlite3.connect(NOTES)\n",
        "NOTES = Path(os.getenv('NOTES', 'notes.db'))\ndb = sqlite3.connect(str(NOTES))\n",
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n"
        "    notes: str = 'notes.db'\ns = S()\nsqlite3.connect(s.notes)\n",
    ],
)
def test_the_setting_of_a_path_is_named(source: str, tmp_path: Path) -> None:
    (found,) = find_files(tmp_path, source)
    command = "spinbox build --prod --set fastapi.volumes=/app/data"
    assert found.mend == f"Set NOTES=/app/data/notes.db in .env, and run {command}"


def test_a_folder_with_files_of_the_project_becomes_no_volume(tmp_path: Path) -> None:
    (found,) = find_files(tmp_path, "open('data/x', 'w')\n", more={"data/seed.json": "{}"})
    assert "--set fastapi.volumes=/app/storage" in found.mend


@pytest.mark.parametrize(
    "source",
    [
        "logging.basicConfig(filename='app.log')\n",
        "h = RotatingFileHandler('logs/app.log')\n",
        "from loguru import logger\nlogger.add('logs/app.log')\n",
        "LOG = {'handlers': {'f': {'class': 'logging.FileHandler', 'filename': 'app.log'}}}\n",
    ],
)
def test_logs_belong_on_the_console(source: str, tmp_path: Path) -> None:
    (found,) = find_files(tmp_path, source)
    assert "app.log" in found.seen and "console" in found.mend


def test_a_folder_that_is_made_for_logs_is_no_volume(tmp_path: Path) -> None:
    source = "if not os.path.exists('logs'):\n    os.makedirs('logs')\n"
    (found,) = find_files(tmp_path, source + "h = FileHandler('logs/app.log')\n")
    assert found.certain and "console" in found.mend


def test_each_folder_becomes_a_volume(tmp_path: Path) -> None:
    source = "os.makedirs('uploads/new')\nc = chromadb.PersistentClient(path='vectors')\n"
    source += "os.makedirs('uploads')\n"
    mends = {one.mend for one in find_files(tmp_path, source)}
    assert mends == {"spinbox build --prod --set fastapi.volumes=/app/uploads,/app/vectors"}


@pytest.mark.parametrize(
    "source",
    [
        "open('x.json')\n",
        "open('x.json', 'r')\n",
        "open('/tmp/x.json', 'w')\n",
        "os.makedirs('/tmp/cache', exist_ok=True)\n",
        "os.makedirs(tempfile.mkdtemp())\n",
        "Path.home().joinpath('.cache').mkdir()\n",
        "os.makedirs(os.environ['DATA_DIR'])\n",
        "engine = create_engine('sqlite:///:memory:')\n",
        "engine = create_engine('sqlite://')\n",
        "'''sqlite:///app.db'''\n",
        "conn = psycopg.connect('dbname=x')\n",
        "client = httpx.get('http://x'); session.add('a.b')\n",
        "webbrowser.open('http://x', 'w')\n",
        "logging.FileHandler('/dev/stdout')\n",
        "logging.basicConfig(level='INFO')\n",
        "if __name__ == '__main__':\n    open('out.json', 'w')\n",
    ],
)
def test_what_works_is_not_told(source: str, tmp_path: Path) -> None:
    assert find_files(tmp_path, source) == []


def test_a_folder_of_the_project_may_be_made_again_and_served(tmp_path: Path) -> None:
    source = "os.makedirs('static', exist_ok=True)\nfiles = StaticFiles(directory='static')\n"
    assert find_files(tmp_path, source, more={"static/x.css": ""}) == []


def test_a_script_that_nothing_imports_is_not_told(tmp_path: Path) -> None:
    assert find_files(tmp_path, "", more={"seed.py": "open('seed.json', 'w')\n"}) == []


def test_what_lies_in_a_volume_is_fine(tmp_path: Path) -> None:
    files = {**API, "main.py": "os.makedirs('uploads/a')\n" + API["main.py"]}
    plain = subject_of(tmp_path, files, None, USE_FASTAPI="true")
    stack = build_stack(dict(plain.facts), {}, complete({"uploads": "/app/uploads"}))
    assert start.find(replace(plain, stack=stack)) == ()


def test_what_lies_beside_a_volume_is_told_where_that_is(tmp_path: Path) -> None:
    files = {**API, "main.py": "open('x.json', 'w')\n" + API["main.py"]}
    plain = subject_of(tmp_path, files, None, USE_FASTAPI="true")
    stack = build_stack(dict(plain.facts), {}, complete({"uploads": "/app/uploads"}))
    (found,) = start.find(replace(plain, stack=stack))
    assert found.mend.startswith("Keep it in a volume, as in /app/uploads/x.json; ")


def test_sqlite_that_the_stacks_database_takes_the_place_of_is_not_told(tmp_path: Path) -> None:
    source = "URL = os.getenv('DATABASE_URL', 'sqlite:///./app.db')\n"
    assert find_files(tmp_path, source, USE_POSTGRESQL="true") == []


def test_a_script_writes_where_it_is_run_itself(tmp_path: Path) -> None:
    files = {"main.py": "if __name__ == '__main__':\n    open('out.json', 'w')\n"}
    (found,) = find(tmp_path, files, USE_PYTHON="true")
    assert found.certain and "out.json" in found.seen


@pytest.mark.parametrize(
    "source",
    [
        "register_tortoise(None, db_url='sqlite://uploads/db.sqlite3')\n",
        "db = SqliteDatabase('uploads/app.db')\n",
        "DB = SQLiteEngine(path='uploads/piccolo.sqlite')\n",
        "db = duckdb.connect('uploads/app.duckdb')\n",
        "store = QdrantClient(path='uploads/store')\n",
        "def save(model):\n    torch.save(model, 'uploads/model.pt')\n",
    ],
)
def test_databases_of_other_libraries(source: str, tmp_path: Path) -> None:
    """Tortoise, Peewee, Piccolo, DuckDB, Qdrant, PyTorch."""
    (found,) = find_files(tmp_path, source)
    assert "main.py:" in found.seen and found.mend.startswith(UPLOADS)


@pytest.mark.parametrize(
    "source",
    [
        "register_tortoise(None, db_url='sqlite://:memory:')\n",
        "engine = create_engine('sqlite://')\n",
        "db = SqliteDatabase(':memory:')\n",
        "store = QdrantClient('http://qdrant')\n",
    ],
)
def test_databases_in_memory_are_fine(source: str, tmp_path: Path) -> None:
    assert not find_files(tmp_path, source)
