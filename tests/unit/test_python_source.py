"""What the source of a Python app says, without importing it."""

from pathlib import Path
from typing import Any

import pytest

from extensions import python_entries, python_source, workers
from extensions.apps import fastapi
from extensions.python_program import Program

from .support import tree_of

FASTAPI = "from fastapi import FastAPI\n"
FACTORY = "def create_app():\n    app = FastAPI()\n    return app\n"


def entries(root: Path, files: dict[str, str], folder: str = ".") -> list[python_entries.Entry]:
    """The FastAPI entries of an app made of `files`."""
    modules = python_source.parse_modules(tree_of(root, files), folder)[0]
    return fastapi.find_entries(modules)


def targets(root: Path, files: dict[str, str], folder: str = ".") -> list[str]:
    """Their names in uvicorn's notation."""
    return [entry.target for entry in entries(root, files, folder)]


def worker(root: Path, files: dict[str, str]) -> str | None:
    """The worker command of an app made of `files`."""
    modules = python_source.parse_modules(tree_of(root, files), ".")[0]
    return workers.find(modules).value


@pytest.mark.parametrize(
    ("path", "source", "target"),
    [
        ("app/main.py", "app = FastAPI()", "app.main:app"),
        ("main.py", "app = FastAPI()", "main:app"),
        ("app/server.py", "api = FastAPI()", "app.server:api"),
        ("app/main.py", "app: FastAPI = FastAPI()", "app.main:app"),
        ("app/main.py", "import fastapi\napp = fastapi.FastAPI()", "app.main:app"),
        ("app/__init__.py", "app = FastAPI()", "app:app"),
        ("a/b/c/d.py", "app = FastAPI()", "a.b.c.d:app"),
        ("app/main.py", "app = application = FastAPI()", "app.main:app"),
    ],
)
def test_one_object_is_found(path: str, source: str, target: str, tmp_path: Path) -> None:
    """The module and the object's name are read from the source."""
    assert targets(tmp_path, {path: f"{FASTAPI}{source}\n"})[0] == target


@pytest.mark.parametrize("folder", ["backend", "."])
def test_names_are_relative_to_the_folder(folder: str, tmp_path: Path) -> None:
    """Modules are named as the app in that folder imports them."""
    path = "app/main.py" if folder == "." else f"{folder}/app/main.py"
    assert targets(tmp_path, {path: f"{FASTAPI}app = FastAPI()\n"}, folder) == ["app.main:app"]


def test_other_folders_do_not_count(tmp_path: Path) -> None:
    """An app in a neighbouring folder is another app."""
    source = f"{FASTAPI}app = FastAPI()\n"
    files = {"backend/main.py": source, "backend2/main.py": source, "main.py": source}
    assert targets(tmp_path, files, "backend") == ["main:app"]


@pytest.mark.parametrize(
    "source",
    [
        "app = FastAPIUsers()\n",
        "x = 1\n",
        "# app = FastAPI()\n",
        '"""app = FastAPI()"""\n',
        "text = 'app = FastAPI()'\n",
        "def helper():\n    return 1\n",
        "",
    ],
)
def test_no_app(source: str, tmp_path: Path) -> None:
    """Text that only looks like an app is none."""
    assert targets(tmp_path, {"main.py": source}) == []


def test_several_objects_are_all_named(tmp_path: Path) -> None:
    """All candidates come back, so that the user can choose."""
    source = f"{FASTAPI}app = FastAPI()\n"
    found = targets(tmp_path, {"app/main.py": source, "app/admin.py": source})
    assert sorted(found) == ["app.admin:app", "app.main:app"]


def test_two_objects_in_one_module(tmp_path: Path) -> None:
    """A mounted sub-application makes the entry unclear."""
    source = f"{FASTAPI}app = FastAPI()\napi = FastAPI()\napp.mount('/api', api)\n"
    assert sorted(targets(tmp_path, {"main.py": source})) == ["main:api", "main:app"]


def test_an_object_assigned_twice_is_one_candidate(tmp_path: Path) -> None:
    """A name that is given twice leaves nothing to choose."""
    source = f"{FASTAPI}app = FastAPI()\napp = FastAPI(title='x')\n"
    assert set(targets(tmp_path, {"main.py": source})) == {"main:app"}
    assert len(targets(tmp_path, {"main.py": source})) == 1


@pytest.mark.parametrize("folder", ["tests", "test", "docs", "examples", "app/tests"])
def test_apps_of_tests_and_examples_do_not_count(folder: str, tmp_path: Path) -> None:
    """An app in a test does not make the entry unclear."""
    source = f"{FASTAPI}app = FastAPI()\n"
    files = {"app/main.py": source, f"{folder}/helper.py": source}
    assert targets(tmp_path, files) == ["app.main:app"]


def test_skipped_folders_are_not_parsed(tmp_path: Path) -> None:
    """Sample code of the backing services may be anything."""
    tree = tree_of(tmp_path, {"database/x.py": "not Python at all", "main.py": ""})
    modules = python_source.parse_modules(tree, ".", frozenset({"database"}))[0]
    assert [module.path for module in modules] == ["main.py"]


class TestFactory:
    """Application factories."""

    def test_is_found(self, tmp_path: Path) -> None:
        """A function that makes and returns the app is the entry, as a factory."""
        (entry,) = entries(tmp_path, {"app/main.py": FASTAPI + FACTORY})
        assert (entry.target, entry.factory) == ("app.main:create_app", True)

    def test_annotated(self, tmp_path: Path) -> None:
        """Annotations and optional arguments change nothing."""
        source = (
            f"{FASTAPI}def build(debug: bool = False) -> FastAPI:\n"
            "    app: FastAPI = FastAPI(debug=debug)\n    return app\n"
        )
        (entry,) = entries(tmp_path, {"main.py": source})
        assert (entry.target, entry.factory) == ("main:build", True)

    def test_called_in_the_same_module(self, tmp_path: Path) -> None:
        """The object that it makes is the entry then."""
        source = f"{FASTAPI}{FACTORY}app = create_app()\n"
        (entry,) = entries(tmp_path, {"app/main.py": source})
        assert (entry.target, entry.factory) == ("app.main:app", False)

    @pytest.mark.parametrize(
        "caller",
        [
            "from app.factory import create_app\napp = create_app()\n",
            "from app import factory\napp = factory.create_app()\n",
            "from app.factory import create_app\napp: object = create_app()\n",
        ],
    )
    def test_called_in_another_module(self, caller: str, tmp_path: Path) -> None:
        """Wherever the object is made, there is the entry."""
        files = {"app/factory.py": FASTAPI + FACTORY, "app/main.py": caller}
        (entry,) = entries(tmp_path, files)
        assert (entry.target, entry.factory) == ("app.main:app", False)

    def test_called_with_arguments(self, tmp_path: Path) -> None:
        """A factory that needs arguments gets them where the object is made."""
        source = (
            f"{FASTAPI}def create_app(settings):\n    return FastAPI(title=settings)\n"
            "app = create_app('demo')\n"
        )
        (entry,) = entries(tmp_path, {"main.py": source})
        assert (entry.target, entry.factory) == ("main:app", False)

    @pytest.mark.parametrize(
        "signature", ["settings", "settings, /", "*, settings", "a=1, *, settings"]
    )
    def test_that_needs_arguments_is_none(self, signature: str, tmp_path: Path) -> None:
        """uvicorn --factory calls without arguments."""
        source = f"{FASTAPI}def create_app({signature}):\n    return FastAPI()\n"
        assert targets(tmp_path, {"main.py": source}) == []

    def test_that_returns_nothing_is_none(self, tmp_path: Path) -> None:
        """A function that only uses an app is no factory."""
        source = f"{FASTAPI}def check():\n    app = FastAPI()\n    print(app)\n"
        assert targets(tmp_path, {"main.py": source}) == []

    def test_several(self, tmp_path: Path) -> None:
        """Two factories that nobody calls are two candidates."""
        files = {"a.py": FASTAPI + FACTORY, "b.py": FASTAPI + FACTORY}
        assert sorted(targets(tmp_path, files)) == ["a:create_app", "b:create_app"]

    def test_a_function_that_serves_its_app_is_no_factory(self, tmp_path: Path) -> None:
        """What its routes return is not what it returns."""
        body = "def main():\n    app = FastAPI()\n\n    @app.get('/')\n    def index():\n"
        source = f"{FASTAPI}{body}        return 1\n\n    uvicorn.run(app)\n"
        assert targets(tmp_path, {"main.py": source}) == []

    def test_object_wins_over_factory(self, tmp_path: Path) -> None:
        """A ready object is the entry, also beside a factory for tests."""
        files = {"main.py": f"{FASTAPI}app = FastAPI()\n", "testing.py": FASTAPI + FACTORY}
        assert targets(tmp_path, files) == ["main:app"]


@pytest.mark.parametrize(
    ("path", "package", "target", "source_root"),
    [
        ("src/app/main.py", False, "app.main:app", "src"),
        ("src/main.py", False, "main:app", "src"),
        ("src/main.py", True, "src.main:app", "."),
        ("src/app/main.py", True, "src.app.main:app", "."),
        ("app/main.py", False, "app.main:app", "."),
    ],
)
@pytest.mark.parametrize("folder", [".", "backend"])
def test_source_layout(
    path: str, package: bool, target: str, source_root: str, folder: str, tmp_path: Path
) -> None:
    """`src/` is a root for imports unless it is a package itself."""
    prefix = "" if folder == "." else f"{folder}/"
    files = {f"{prefix}{path}": f"{FASTAPI}app = FastAPI()\n"}
    if package:
        files[f"{prefix}src/__init__.py"] = ""
    (entry,) = entries(tmp_path, files, folder)
    assert (entry.target, entry.module.source_root) == (target, source_root)


@pytest.mark.parametrize("source", ["def broken(:\n", "app = FastAPI(\n", "  indented = 1\n"])
def test_invalid_python_is_named(source: str, tmp_path: Path) -> None:
    """The other modules are read all the same."""
    files = {"a.py": source, "main.py": "app = FastAPI()\n"}
    modules, problem = python_source.parse_modules(tree_of(tmp_path, files), ".")
    assert [module.name for module in modules] == ["main"]
    assert problem is not None
    assert problem.startswith("a.py, line ")


def test_source_with_a_bom(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    assert targets(tmp_path, {"main.py": f"\ufeff{FASTAPI}app = FastAPI()\n"}) == ["main:app"]


def test_source_is_never_run(tmp_path: Path) -> None:
    """Reading an app does not import it."""
    marker = tmp_path / "imported"
    source = f"{FASTAPI}open({str(marker)!r}, 'w').close()\napp = FastAPI()\n"
    assert targets(tmp_path, {"main.py": source}) == ["main:app"]
    assert not marker.exists()


def health(root: Path, source: str) -> str | None:
    """The health path of the one app in `source`."""
    tree = tree_of(root, {"main.py": FASTAPI + source})
    program = Program(python_source.parse_modules(tree, ".")[0])
    (entry,) = fastapi.find_entries(list(program.modules.values()))
    routes = fastapi.read_routes(program, entry)
    return fastapi.find_health_path(routes, "main.py").value


@pytest.mark.parametrize("path", ["/health", "/healthz", "/livez", "/api/health", "/ping"])
@pytest.mark.parametrize("function", ["def", "async def"])
def test_health_path(path: str, function: str, tmp_path: Path) -> None:
    """A well-known path that the app serves with GET."""
    source = f"app = FastAPI()\n@app.get({path!r})\n{function} check():\n    return 'ok'\n"
    assert health(tmp_path, source) == path


@pytest.mark.parametrize(
    "route",
    [
        "@app.post('/health')",
        "@app.get('/')",
        "@app.get('/health/{name}')",
        "@router.get('/health')",
        "@app.get(PATH)",
    ],
)
def test_no_health_path(route: str, tmp_path: Path) -> None:
    """What is not certainly served with GET is not asked."""
    source = f"router = PATH = None\napp = FastAPI()\n{route}\ndef check(): ...\n"
    assert health(tmp_path, source) is None


def test_health_path_of_an_object_with_another_name(tmp_path: Path) -> None:
    """Routes are those of the object that runs."""
    assert health(tmp_path, "api = FastAPI()\n@api.get('/health')\ndef check(): ...\n") == "/health"


def test_health_path_in_a_factory(tmp_path: Path) -> None:
    """Routes that the factory adds count."""
    source = (
        "def create_app():\n    app = FastAPI()\n    @app.get('/health')\n"
        "    def check(): ...\n    return app\n"
    )
    assert health(tmp_path, source) == "/health"


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ("", ["/docs", "/redoc", "/openapi.json"]),
        ("docs_url='/api/docs'", ["/api/docs", "/redoc", "/openapi.json"]),
        ("docs_url=None, redoc_url=None", ["/openapi.json"]),
        ("docs_url=None, redoc_url=None, openapi_url=None", []),
        ("openapi_url='/api/v1/openapi.json'", ["/docs", "/redoc", "/api/v1/openapi.json"]),
        ("openapi_url=f'{PREFIX}/openapi.json'", ["/docs", "/redoc"]),
    ],
)
def test_documentation_paths(arguments: str, paths: list[str], tmp_path: Path) -> None:
    """Where the documentation is, as far as constants say it."""
    (entry,) = entries(tmp_path, {"main.py": f"{FASTAPI}app = FastAPI({arguments})\n"})
    assert sorted(fastapi.documentation_paths(entry)) == sorted(paths)


def test_documentation_paths_of_a_factory(tmp_path: Path) -> None:
    """The call inside the factory counts, also where another module calls it."""
    factory = f"{FASTAPI}def make():\n    return FastAPI(docs_url='/d', redoc_url=None)\n"
    (entry,) = entries(tmp_path, {"f.py": factory, "main.py": "import f\napp = f.make()\n"})
    assert sorted(fastapi.documentation_paths(entry)) == ["/d", "/openapi.json"]


CELERY = "from celery import Celery\ncelery_app = Celery('worker')\n"


def scheduler(root: Path, files: dict[str, str]) -> str | None:
    """The scheduler command of an app made of `files`."""
    modules = python_source.parse_modules(tree_of(root, files), ".")[0]
    return workers.find_scheduler(modules).value


def test_celery(tmp_path: Path) -> None:
    """Celery's worker is started with the object's own name, without a scheduler."""
    files = {"app/worker.py": CELERY}
    command = worker(tmp_path, files)
    assert command is not None
    assert command.startswith("celery --app app.worker:celery_app worker")
    assert scheduler(tmp_path, files) is None


@pytest.mark.parametrize(
    "schedule",
    [
        "celery_app.conf.beat_schedule = {'a': {}}\n",
        "celery_app.conf.update(beat_schedule={'a': {}})\n",
        "celery_app.conf.beat_schedule['a'] = {}\n",
        "celery_app.conf.update({'beat_schedule': {'a': {}}})\n",
        "celery_app.conf['beat_schedule'] = {'a': {}}\n",
        "beat_schedule = {'a': {}}\n",
        "class Settings:\n    CELERY_BEAT_SCHEDULE: dict = {'a': {}}\n",
        "@celery_app.on_after_configure.connect\n"
        "def plan(sender, **_):\n    sender.add_periodic_task(10.0, task)\n",
    ],
    ids=["attribute", "update", "item", "mapping", "key", "module", "settings", "periodic-task"],
)
def test_celery_with_a_schedule(schedule: str, tmp_path: Path) -> None:
    """Periodic tasks need the scheduler; the worker has none."""
    files = {"app/worker.py": CELERY + schedule}
    command = scheduler(tmp_path, files)
    assert command is not None and command.startswith("celery --app app.worker:celery_app beat")
    assert "beat" not in (worker(tmp_path, files) or "")


def test_celery_with_a_schedule_in_another_module(tmp_path: Path) -> None:
    """The schedule may stand in a module of its own."""
    other = "from app.worker import celery_app\ncelery_app.conf.beat_schedule = {}\n"
    assert scheduler(tmp_path, {"app/worker.py": CELERY, "app/schedule.py": other})


def test_arq(tmp_path: Path) -> None:
    """arq runs a class of settings."""
    files = {"app/tasks.py": "class WorkerSettings:\n    functions = []\n"}
    assert worker(tmp_path, files) == "arq app.tasks.WorkerSettings"


@pytest.mark.parametrize("decorator", ["@dramatiq.actor", "@dramatiq.actor(max_retries=3)"])
def test_dramatiq(decorator: str, tmp_path: Path) -> None:
    """Dramatiq runs the modules that have actors."""
    source = f"import dramatiq\n{decorator}\ndef send(): ...\n"
    files = {"app/mail.py": source, "app/sms.py": source, "app/main.py": "x = 1\n"}
    assert worker(tmp_path, files) == "dramatiq --processes 2 app.mail app.sms"


@pytest.mark.parametrize("source", ["", "import celery\n", "class Settings: ...\n"])
def test_no_worker(source: str, tmp_path: Path) -> None:
    """Most apps have none."""
    assert worker(tmp_path, {"app/main.py": source}) is None


def test_entries_are_in_a_stable_order(tmp_path: Path) -> None:
    """The order does not depend on how the files were written."""
    source = f"{FASTAPI}app = FastAPI()\n"
    one: dict[str, Any] = dict.fromkeys(["c.py", "a.py", "b.py"], source)
    found = targets(tmp_path, one)
    assert found == sorted(found)
