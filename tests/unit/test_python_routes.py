"""The routes of a FastAPI app, wherever its routers are included."""

from pathlib import Path

import pytest

from extensions import python_entries, python_routes, python_source
from extensions.apps import fastapi
from extensions.facts import read_facts
from extensions.python_program import Program
from extensions.python_routes import Routes

from .support import tree_of, write_project

APP = "from fastapi import APIRouter, FastAPI\napp = FastAPI()\n"
ROUTER = "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/list')\ndef f(): ...\n"


def read(root: Path, files: dict[str, str]) -> Routes:
    """What the app of these files serves."""
    tree = tree_of(root, files)
    program = Program(python_source.parse_modules(tree, ".")[0])
    (entry,) = python_entries.find_served(
        program, fastapi.find_entries([*program.modules.values()])
    )
    return fastapi.read_routes(program, entry)


def paths(root: Path, files: dict[str, str]) -> list[str]:
    """Its paths."""
    return sorted(route.path for route in read(root, files).listed)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("@app.get('/x')\ndef f(): ...\n", "/x"),
        ("@app.post(path='/x')\nasync def f(): ...\n", "/x"),
        ("@app.websocket('/ws')\nasync def f(s): ...\n", "/ws"),
        ("@app.api_route('/x', methods=['PUT'])\ndef f(): ...\n", "/x"),
        ("def f(): ...\napp.add_api_route('/x', f)\n", "/x"),
        ("def f(): ...\napp.add_api_websocket_route('/ws', f)\n", "/ws"),
        ("PATH = '/x'\n@app.get(PATH + '/y')\ndef f(): ...\n", "/x/y"),
        ("P = '/x'\n@app.get(f'{P}/y')\ndef f(): ...\n", "/x/y"),
        ("r = APIRouter(prefix='/r')\n@r.get('/x')\ndef f(): ...\napp.include_router(r)\n", "/r/x"),
        (
            "r = APIRouter(prefix='/r')\n@r.get('/x')\ndef f(): ...\n"
            "app.include_router(r, prefix='/p')\n",
            "/p/r/x",
        ),
        ("app.mount('/static', StaticFiles(directory='static'))\n", "/static"),
        ("sub = FastAPI()\n@sub.get('/x')\ndef f(): ...\napp.mount('/sub', sub)\n", "/sub/x"),
        ("app.include_router(users.get_auth_router(b), prefix='/auth')\n", "/auth"),
    ],
)
def test_a_route_has_all_its_prefixes(source: str, path: str, tmp_path: Path) -> None:
    """Of the router, of where it is included and of constants."""
    assert paths(tmp_path, {"main.py": APP + source}) == [path]


@pytest.mark.parametrize(
    "main",
    [
        "from app.users import router\napp.include_router(router, prefix='/u')\n",
        "from app import users\napp.include_router(users.router, prefix='/u')\n",
        "import app.users\napp.include_router(app.users.router, prefix='/u')\n".replace(
            "app.include", "api.include"
        ),
        "from .users import router as r\napp.include_router(r, prefix='/u')\n",
        "from app.routers import users\napp.include_router(users, prefix='/u')\n",
        "from app import users\nfor m in [users]:\n    app.include_router(m.router, prefix='/u')\n",
        "from app import users\nfor r, p in [(users.router, '/u')]:\n"
        "    app.include_router(r, prefix=p)\n",
        "from app.setup import add\nadd(app)\n",
        "from app.made import make\napp.include_router(make(), prefix='/u')\n",
        "from app.config import settings\nfrom app.users import router\n"
        "app.include_router(router, prefix=settings.PREFIX)\n",
    ],
    ids=["object", "module", "dotted", "renamed", "on", "loop", "pairs", "call", "made", "default"],
)
def test_routers_are_followed_through_imports(main: str, tmp_path: Path) -> None:
    """Where the project's own modules make and pass them on."""
    name = "api" if "api.include" in main else "app"
    files = {
        "app/__init__.py": "",
        "app/users.py": ROUTER,
        "app/routers.py": "from app.users import router as users\n",
        "app/setup.py": "from app.users import router\ndef add(app):\n"
        "    app.include_router(router, prefix='/u')\n",
        "app/made.py": "from fastapi import APIRouter\ndef make():\n    router = APIRouter()\n"
        "    @router.get('/list')\n    def f(): ...\n    return router\n",
        "app/config.py": "class Settings(BaseSettings):\n    PREFIX: str = '/u'\n"
        "settings = Settings()\n",
        "app/main.py": f"from fastapi import FastAPI\n{name} = FastAPI()\n{main}",
    }
    assert paths(tmp_path, files) == ["/u/list"]


@pytest.mark.parametrize("given", ["router", "router=router"])
def test_a_router_that_a_factory_is_given_counts(given: str, tmp_path: Path) -> None:
    """As some templates write it."""
    files = {
        "users.py": ROUTER,
        "setup.py": "from fastapi import FastAPI\ndef create(router):\n    made = FastAPI()\n"
        "    made.include_router(router)\n    return made\n",
        "main.py": f"from setup import create\nfrom users import router\napp = create({given})\n",
    }
    assert paths(tmp_path, files) == ["/list"]


def test_what_only_running_code_knows_is_said(tmp_path: Path) -> None:
    """An included router that nobody finds, and a prefix from elsewhere."""
    source = APP + "app.include_router(load('plugins'))\n"
    assert read(tmp_path, {"main.py": source}).unknown == (("main.py", 3),)


@pytest.mark.parametrize(
    "source",
    [
        "client.get('/x')\n",
        "cache = {}\ncache.get('/x')\n",
        "def f(session):\n    session.get('/x')\n",
    ],
)
def test_other_calls_are_no_routes(source: str, tmp_path: Path) -> None:
    """Clients and dictionaries have the same methods."""
    assert paths(tmp_path, {"main.py": APP + source}) == []


def health(root: Path, source: str) -> str | None:
    """The health path of an app in one module."""
    return fastapi.find_health_path(read(root, {"main.py": APP + source}), "main.py").value


@pytest.mark.parametrize(
    "path",
    [
        *("/health", "/healthz", "/healthcheck", "/health-check", "/livez", "/ready"),
        *("/probe/health", "/api/health", "/ping", "/status", "/api/v1/utils/health-check/"),
    ],
)
def test_health_behind_any_prefix(path: str, tmp_path: Path) -> None:
    """A router's, wherever it is included."""
    first, _, last = path.rstrip("/").rpartition("/")
    source = f"r = APIRouter(prefix={first!r})\n@r.get('/{last}{'/' * path.endswith('/')}')\n"
    assert health(tmp_path, f"{source}def f(): ...\napp.include_router(r)\n") == path


def test_health_of_its_own_is_asked_before_one_below_a_prefix(tmp_path: Path) -> None:
    """Which may be of another part of the app."""
    source = "@app.get('/db/health')\ndef a(): ...\n@app.get('/health')\ndef b(): ...\n"
    assert health(tmp_path, source) == "/health"


@pytest.mark.parametrize(
    "source",
    [
        "@app.get('/health', dependencies=[Depends(check)])\ndef f(): ...\n",
        "@app.get('/health')\ndef f(user=Depends(current_user)): ...\n",
        "@app.get('/health')\ndef f(name: str): ...\n",
        "r = APIRouter(dependencies=[Depends(check)])\n@r.get('/health')\ndef f(): ...\n"
        "app.include_router(r)\n",
        "r = APIRouter()\n@r.get('/health')\ndef f(): ...\n"
        "app.include_router(r, dependencies=[Depends(check)])\n",
        "r = APIRouter()\n@r.get('/health')\ndef f(): ...\n",
    ],
    ids=["route", "user", "parameter", "router", "included", "not-included"],
)
def test_health_that_would_refuse_is_not_asked(source: str, tmp_path: Path) -> None:
    """One that wants a login or a parameter, or that nobody includes."""
    assert health(tmp_path, source) is None


def test_health_with_a_session_of_the_database_is_asked(tmp_path: Path) -> None:
    """What FastAPI brings itself, nobody has to send."""
    source = "@app.get('/health')\ndef f(db: SessionDep, r: Request, s=Depends(get_db)): ...\n"
    assert health(tmp_path, source) == "/health"


def served(root: Path, files: dict[str, str]) -> list[str]:
    """What Uvicorn would serve."""
    program = Program(python_source.parse_modules(tree_of(root, files), ".")[0])
    entries = fastapi.find_entries([*program.modules.values()])
    return [entry.target for entry in python_entries.find_served(program, entries)]


@pytest.mark.parametrize(
    "source",
    [
        "outer = socketio.ASGIApp(sio, app)\n",
        "outer = socketio.ASGIApp(sio, other_asgi_app=app)\n",
        "outer = SentryAsgiMiddleware(app)\n",
        "outer = CORSMiddleware(app=app, allow_origins=['*'])\n",
        "if DSN:\n    outer = SentryAsgiMiddleware(app)\n",
        "outer = FastAPI()\nouter.mount('/api', app)\n",
        "inner = SentryAsgiMiddleware(app)\nouter = CORSMiddleware(inner)\n",
    ],
)
def test_what_is_around_the_object_is_served(source: str, tmp_path: Path) -> None:
    """Else its part would be missing."""
    assert served(tmp_path, {"main.py": APP + source}) == ["main:outer"]


@pytest.mark.parametrize(
    "source",
    [
        "handler = Mangum(app)\n",
        "client = TestClient(app)\n",
        "admin = Admin(app, engine)\n",
        "mcp = FastApiMCP(app)\n",
        "app = socketio.ASGIApp(sio, app)\n",
        "middleware = SomeMiddleware(other)\n",
        "if __name__ == '__main__':\n    outer = SentryAsgiMiddleware(app)\n",
    ],
)
def test_what_takes_the_object_for_something_else_is_not(source: str, tmp_path: Path) -> None:
    """Clients, extensions and handlers of other servers."""
    assert served(tmp_path, {"main.py": APP + source}) == ["main:app"]


def test_a_wrapper_in_a_module_of_its_own(tmp_path: Path) -> None:
    """As asgi.py does."""
    wrapper = "from core import app\napplication = SentryAsgiMiddleware(app)\n"
    assert served(tmp_path, {"core.py": APP, "asgi.py": wrapper}) == ["asgi:application"]


@pytest.mark.parametrize(
    "more",
    [
        "app.include_router(users.router)\n",
        "app.add_middleware(CORSMiddleware)\n",
        "@app.get('/x')\ndef f(): ...\n",
    ],
)
def test_the_module_that_completes_an_app_is_served(more: str, tmp_path: Path) -> None:
    """What it adds would be missing otherwise."""
    files = {"core.py": APP, "users.py": ROUTER}
    main = f"from core import app\nimport users\n{more}"
    assert served(tmp_path, {**files, "main.py": main}) == ["main:app"]


def test_the_module_that_imports_all_that_complete_it_is_served(tmp_path: Path) -> None:
    """Routes that add themselves, brought together by one module."""
    routes = "from core import app\n@app.get('/{}')\ndef f(): ...\n"
    files = {
        "core.py": APP,
        "one.py": routes.format("one"),
        "two.py": routes.format("two"),
        "main.py": "from core import app\nimport one, two\n",
    }
    assert served(tmp_path, files) == ["main:app"]


@pytest.mark.parametrize(
    "main",
    [
        APP + "import routes\n",
        APP + "def start():\n    pass\nfrom routes import *\n",
    ],
)
def test_modules_that_the_app_imports_itself_complete_it_in_place(
    main: str, tmp_path: Path
) -> None:
    """As Flask's users write it."""
    routes = "from main import app\n@app.get('/x')\ndef f(): ...\n"
    assert served(tmp_path, {"main.py": main, "routes.py": routes}) == ["main:app"]


def test_a_module_that_only_uses_the_app_does_not_complete_it(tmp_path: Path) -> None:
    """A script that prints its routes, say."""
    script = "from main import app\nprint(app.openapi())\n"
    assert served(tmp_path, {"main.py": APP, "dump.py": script}) == ["main:app"]


def test_words_without_routes_need_no_look() -> None:
    """Most modules of an app have none."""
    assert not python_routes.has_routes("import os\nclass Model: ...\n")


@pytest.mark.parametrize(
    ("manifest", "folder"), [("backend/app/pyproject.toml", "backend/app"), ("x.txt", "backend")]
)
def test_a_backend_whose_dependencies_are_one_folder_below(
    manifest: str, folder: str, tmp_path: Path
) -> None:
    """As older templates have it."""
    files = {"backend/app/app/main.py": APP, manifest: "", "backend/README.md": ""}
    facts = read_facts(write_project(tmp_path, files, USE_FASTAPI="true"))
    assert facts["fastapi"]["dir"] == folder
