"""Web frameworks of Python: found by what the code makes, and served by what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions import health_routes
from extensions.choices import complete
from extensions.facts import read_facts
from extensions.model import App, PythonBuild
from extensions.settings import check_overrides, hints
from extensions.stack import build_stack
from tests.unit.support import stack_of, write_project

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FACTORY = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n'
WSGI = (
    "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n'
    "application = get_wsgi_application()\n"
)
SETTINGS = (
    "import os\nfrom pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\n"
    'INSTALLED_APPS = ["django.contrib.staticfiles"]\nROOT_URLCONF = "config.urls"\n'
)
DJANGO = {
    "manage.py": MANAGE,
    "config/__init__.py": "",
    "config/wsgi.py": WSGI,
    "config/asgi.py": WSGI.replace("wsgi", "asgi"),
    "config/settings.py": SETTINGS,
    "config/urls.py": "urlpatterns = []\n",
    "requirements.txt": "django\ngunicorn\n",
}
PYTHON = {"USE_PYTHON": "true"}


def facts_of(
    root: Path, files: Mapping[str, str], overrides: Mapping[str, Any] | None = None, **flags: str
) -> dict[str, Any]:
    """The facts of a project, by default one with USE_PYTHON."""
    checked = check_overrides(overrides or {})
    return read_facts(write_project(root, files, **(flags or PYTHON)), hints(checked))


def app_of(
    root: Path, files: Mapping[str, str], overrides: Mapping[str, Any] | None = None, **flags: str
) -> App:
    """Its only app in the stack."""
    facts = facts_of(root, files, overrides, **flags)
    (app,) = build_stack(facts, check_overrides(overrides or {}), complete({})).apps
    return app


def build_of(app: App) -> PythonBuild:
    """How the image of a Python app is built."""
    assert isinstance(app.build, PythonBuild)
    return app.build


@pytest.mark.parametrize(
    ("source", "kind", "title", "served"),
    [
        (FLASK, "wsgi", "Flask", ("gunicorn", "main:app")),
        (FACTORY, "wsgi", "Flask", ("gunicorn", "main:create_app()")),
        ("import dash\napp = dash.Dash()\n", "wsgi", "Dash", ("gunicorn", "main:app")),
        (
            "import dash\napp = dash.Dash()\nserver = app.server\n",
            "wsgi",
            "Dash",
            ("gunicorn", "main:server"),
        ),
        (
            "from starlette.applications import Starlette\napp = Starlette()\n",
            "asgi",
            "Starlette",
            ("uvicorn", "main:app"),
        ),
        (
            "from litestar import Litestar\napp = Litestar([])\n",
            "asgi",
            "Litestar",
            ("uvicorn", "main:app"),
        ),
        (
            "from fasthtml.common import *\napp, rt = fast_app()\n",
            "asgi",
            "FastHTML",
            ("uvicorn", "main:app"),
        ),
        (
            "import socketio\nsio = socketio.AsyncServer()\napp = socketio.ASGIApp(sio)\n",
            "asgi",
            "Socket.IO",
            ("uvicorn", "main:app"),
        ),
        (
            "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x')\n"
            "app = mcp.streamable_http_app()\n",
            "asgi",
            "MCP server",
            ("uvicorn", "main:app"),
        ),
        (
            "from aiohttp import web\napp = web.Application()\nweb.run_app(app, port=9000)\n",
            "aiohttp",
            "aiohttp",
            ("python", "main.py"),
        ),
        (
            "from aiohttp import web\napp = web.Application()\n"
            "web.run_app(app, host='127.0.0.1')\n",
            "aiohttp",
            "aiohttp",
            ("gunicorn", "main:app"),
        ),
        ("import streamlit as st\n", "streamlit", "Streamlit", ("streamlit", "run")),
        (
            "import gradio as gr\ndemo = gr.Blocks()\ndemo.launch()\n",
            "gradio",
            "Gradio",
            ("python", "main.py"),
        ),
    ],
)
@pytest.mark.parametrize("flag", ["USE_PYTHON", "USE_FASTAPI"])
def test_a_framework_is_found_whatever_the_flag_says(
    source: str, kind: str, title: str, served: tuple[str, ...], flag: str, tmp_path: Path
) -> None:
    app = app_of(tmp_path, {"main.py": source, "requirements.txt": "x\n"}, None, **{flag: "true"})
    assert (app.kind, app.title, app.command[:2]) == (kind, title, served)


@pytest.mark.parametrize("folder", ["", "src/", "backend/"])
def test_an_app_is_found_in_each_of_spinboxs_folders(folder: str, tmp_path: Path) -> None:
    place = "" if folder == "src/" else folder
    files = {f"{folder}main.py": FLASK, f"{place}requirements.txt": "flask\n"}
    app = app_of(tmp_path, files)
    assert app.directory == (place.rstrip("/") or ".")
    assert build_of(app).source_root == ("src" if folder == "src/" else ".")


def test_fastapi_is_served_as_before_whatever_is_beside_it(tmp_path: Path) -> None:
    source = "from fastapi import FastAPI\nfrom starlette.applications import Starlette\n"
    files = {"main.py": f"{source}app = FastAPI()\n", "requirements.txt": "fastapi\nuvicorn\n"}
    assert app_of(tmp_path, files, USE_FASTAPI="true").kind == "fastapi"


@pytest.mark.parametrize(
    "overrides",
    [
        {"python.command": "gunicorn main:app"},
        {"python.mode": "service", "python.port": 5000},
        {"python.entry": "main.py"},
    ],
)
def test_what_was_set_by_hand_before_stays(overrides: dict[str, Any], tmp_path: Path) -> None:
    files = {"main.py": FLASK, "requirements.txt": "flask\ngunicorn\n"}
    assert set(facts_of(tmp_path, files, overrides)) == {"name", "python"}


def test_the_module_that_is_made_for_servers_is_served(tmp_path: Path) -> None:
    made = "from site_app import create_app\napp = create_app()\n"
    files = {"site_app.py": FACTORY, "run.py": made, "wsgi.py": made, "requirements.txt": "flask\n"}
    assert app_of(tmp_path, files).command[1] == "wsgi:app"


def test_a_server_that_is_missing_is_added_and_told(tmp_path: Path) -> None:
    app = app_of(tmp_path, {"main.py": FLASK, "requirements.txt": "flask\n"})
    assert build_of(app).servers == ("gunicorn",)
    assert "add the line gunicorn to requirements.txt" in app.warnings[0]


def test_a_server_that_is_declared_is_not_added(tmp_path: Path) -> None:
    app = app_of(tmp_path, {"main.py": FLASK, "requirements.txt": "flask\ngunicorn\n"})
    assert build_of(app).servers == () and app.warnings == ()


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("hypercorn", ("hypercorn", "--bind", "0.0.0.0:8000", "--workers", "2")),
        ("granian", ("granian", "--interface", "asgi", "--host", "0.0.0.0")),
    ],
)
def test_fastapis_own_server_serves_it(server: str, words: tuple[str, ...], tmp_path: Path) -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\n"
    files = {"main.py": source, "requirements.txt": f"fastapi\n{server}\n"}
    app = app_of(tmp_path, files, USE_FASTAPI="true")
    assert app.command[: len(words)] == words and app.command[-1] == "main:app"
    assert build_of(app).servers == ()


def test_sanic_takes_scheme_and_address_from_the_proxy(tmp_path: Path) -> None:
    source = "from sanic import Sanic\napp = Sanic('a')\n"
    app = app_of(tmp_path, {"main.py": source, "requirements.txt": "sanic\n"})
    assert ("SANIC_PROXIES_COUNT", "1") in build_of(app).environment


def test_django_migrates_sqlite_in_a_volume_before_it_is_served(tmp_path: Path) -> None:
    settings = DJANGO["config/settings.py"] + "ENGINE = 'django.db.backends.sqlite3'\n"
    files = {**DJANGO, "config/settings.py": settings}
    facts = facts_of(tmp_path, files)
    for volumes, expected in ((["/app/data"], "python manage.py migrate --noinput"), ([], None)):
        (app,) = stack_of(facts, {"django.volumes": volumes}).apps
        told = {env.name: env.value for env in app.environment}
        assert told.get("MIGRATE_FIRST") == expected


def test_flask_socketio_gets_one_worker(tmp_path: Path) -> None:
    source = f"{FLASK}from flask_socketio import SocketIO\nsocketio = SocketIO(app)\n"
    app = app_of(tmp_path, {"main.py": source, "requirements.txt": "flask\ngunicorn\n"})
    assert app.command[2:6] == ("--workers", "1", "--threads", "100")
    assert "WEB_CONCURRENCY" not in {env.name for env in app.environment}


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (FLASK + "@app.get('/healthz')\ndef f(): ...\n", "/healthz"),
        (FLASK + "@app.route('/health', methods=['POST'])\ndef f(): ...\n", None),
        (FLASK + "@app.route('/health')\n@login_required\ndef f(): ...\n", None),
        (
            FLASK + "bp = Blueprint('a', __name__, url_prefix='/v1')\n@bp.route('/health')\n"
            "def f(): ...\napp.register_blueprint(bp)\n",
            "/v1/health",
        ),
        (
            FLASK + "bp = Blueprint('a', __name__, url_prefix='/v1')\n@bp.route('/health')\n"
            "def f(): ...\napp.register_blueprint(bp, url_prefix='/v2')\n",
            "/v2/health",
        ),
        (
            "from sanic import Sanic\napp = Sanic('a')\n@app.get('/ping')\n"
            "async def f(request): ...\n",
            "/ping",
        ),
        (
            "from aiohttp import web\napp = web.Application()\napp.router.add_get('/health', f)\n",
            "/health",
        ),
        (
            "from aiohttp import web\napp = web.Application()\napp.router.add_get('/health', f)\n"
            "main = web.Application()\nmain.add_subapp('/api', app)\n",
            None,
        ),
        (
            "from litestar import Litestar, get\n@get('/health')\nasync def f() -> str: ...\n"
            "app = Litestar([f])\n",
            "/health",
        ),
    ],
)
def test_health_routes_of_each_framework(source: str, path: str | None, tmp_path: Path) -> None:
    assert app_of(tmp_path, {"main.py": source, "requirements.txt": "x\n"}).health == path


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/health", True),
        ("/api/v1/health/", True),
        ("/jobs/status", False),
        ("/health/<name>", False),
        ("/api/ready", True),
    ],
)
def test_health_names_are_the_same_for_every_language(path: str, is_one: bool) -> None:
    assert health_routes.is_health(path) is is_one


def test_django_is_served_by_gunicorn_with_its_settings(tmp_path: Path) -> None:
    app = app_of(tmp_path, DJANGO)
    assert app.command[:2] == ("gunicorn", "config.wsgi:application")
    values = {env.name: env.value for env in app.environment}
    assert values["DJANGO_SETTINGS_MODULE"] == "config.settings"


def test_django_is_served_by_uvicorn_where_it_has_no_other(tmp_path: Path) -> None:
    app = app_of(tmp_path, {**DJANGO, "requirements.txt": "django\nuvicorn\n"})
    assert app.command[:2] == ("uvicorn", "config.asgi:application")


def test_djangos_settings_for_production_are_taken(tmp_path: Path) -> None:
    files = {k: v.replace("config.settings", "config.settings.local") for k, v in DJANGO.items()}
    del files["config/settings.py"]
    files |= {
        "config/settings/__init__.py": "",
        "config/settings/base.py": SETTINGS.replace("parent.parent", "parents[2]")
        + 'STATIC_ROOT = BASE_DIR / "static-root"\n',
        "config/settings/local.py": "from .base import *\nDEBUG = True\n",
        "config/settings/production.py": "from .base import *\nDEBUG = False\n",
    }
    found = facts_of(tmp_path, files)["django"]
    assert (found["settings"], found["static"]) == ("config.settings.production", True)


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ('DEBUG = os.environ.get("DEBUG", "True") == "True"', "DEBUG=0"),
        ('DEBUG = os.environ.get("DEBUG") != "False"', "DEBUG=False"),
        ('DEBUG = bool(os.environ.get("DJANGO_DEBUG", True))', "DJANGO_DEBUG="),
        ('DEBUG = int(os.environ.get("DEBUG", 1))', "DEBUG=0"),
        ('DEBUG = env.bool("DEBUG", default=True)', "DEBUG=0"),
        ('DEBUG = config("DEBUG", default=True, cast=bool)', "DEBUG=0"),
        ("DEBUG = False", None),
    ],
)
def test_debug_is_turned_off_as_it_is_read(line: str, setting: str | None, tmp_path: Path) -> None:
    files = {**DJANGO, "config/settings.py": f"{SETTINGS}{line}\n"}
    assert facts_of(tmp_path, files)["django"]["debug"] == setting


@pytest.mark.parametrize(
    ("line", "media"),
    [
        ('MEDIA_ROOT = BASE_DIR / "media"', "/app/media"),
        ('MEDIA_ROOT = os.path.join(BASE_DIR, "files", "up")', "/app/files/up"),
        ('MEDIA_ROOT = str(BASE_DIR / "media")', "/app/media"),
        ('MEDIA_ROOT = "/var/media"', None),
        ("", None),
    ],
)
def test_media_gets_a_volume(line: str, media: str | None, tmp_path: Path) -> None:
    app = app_of(tmp_path, {**DJANGO, "config/settings.py": f"{SETTINGS}{line}\n"})
    assert [volume.path for volume in app.volumes] == ([media] if media else [])


def test_static_files_are_collected_with_stand_ins(tmp_path: Path) -> None:
    more = (
        'STATIC_ROOT = BASE_DIR / "collected"\nSECRET_KEY = os.environ["DJANGO_KEY"]\n'
        'STRIPE = os.environ["STRIPE_KEY"]\n'
    )
    app = app_of(tmp_path, {**DJANGO, "config/settings.py": f"{SETTINGS}{more}"})
    (step,) = build_of(app).steps
    assert step.command == ("python", "manage.py", "collectstatic", "--noinput")
    assert {"DJANGO_KEY", "STRIPE_KEY", "DJANGO_SETTINGS_MODULE"} <= dict(step.environment).keys()
    assert {v.name for v in app.variables if v.secret} == {"DJANGO_KEY", "STRIPE_KEY"}


@pytest.mark.parametrize("place", ["", "src/"])
def test_djangos_urls_give_its_health_check(place: str, tmp_path: Path) -> None:
    files = {
        **DJANGO,
        "config/urls.py": 'urlpatterns = [path("api/", include("things.urls"))]\n',
        "things/__init__.py": "",
        "things/urls.py": 'urlpatterns = [path("health/", view), path("<int:id>/", view)]\n',
    }
    moved = {k if k == "requirements.txt" else f"{place}{k}": v for k, v in files.items()}
    app = app_of(tmp_path, moved)
    assert app.health == "/api/health/"


def test_djangos_migrations_run_in_its_image(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, DJANGO, USE_PYTHON="true", USE_POSTGRESQL="true")
    migrations = build_stack(facts, {}, complete({})).migrations
    assert migrations is not None
    assert migrations.command == ("python", "manage.py", "migrate", "--noinput")


def test_flask_migrates_revisions_run_in_its_image(tmp_path: Path) -> None:
    files = {
        "main.py": FACTORY,
        "requirements.txt": "flask\nflask-migrate\n",
        "migrations/alembic.ini": "[alembic]\n",
        "migrations/env.py": "from flask import current_app\n",
    }
    facts = facts_of(tmp_path, files, USE_PYTHON="true", USE_POSTGRESQL="true")
    migrations = build_stack(facts, {}, complete({})).migrations
    assert migrations is not None
    assert migrations.command == ("flask", "--app", "main:create_app()", "db", "upgrade")


@pytest.mark.parametrize(
    "files",
    [
        # What was deployed before stays what it was.
        {"backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"},
        {"main.py": "print('done')\n", "requirements.txt": "x\n"},
    ],
)
def test_an_app_beside_one_that_was_there_first_is_left_out(
    files: dict[str, str], tmp_path: Path
) -> None:
    beside = {"ui/app.py": "import streamlit\n", "ui/requirements.txt": "streamlit\n"}
    more = {"backend/requirements.txt": "fastapi\nuvicorn\n"} if "main.py" not in files else {}
    flag = "USE_PYTHON" if "main.py" in files else "USE_FASTAPI"
    facts = facts_of(tmp_path, {**files, **more, **beside}, None, **{flag: "true"})
    assert "streamlit" not in facts and len(facts) == 2


def test_an_app_beside_one_that_was_there_first_can_be_added(tmp_path: Path) -> None:
    files = {
        "backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "ui/app.py": "import streamlit\n",
        "ui/requirements.txt": "streamlit\n",
    }
    overrides = {"streamlit.dir": "ui"}
    facts = facts_of(tmp_path, files, overrides, USE_FASTAPI="true")
    stack = build_stack(facts, check_overrides(overrides), complete({}))
    assert [app.kind for app in stack.apps] == ["fastapi", "streamlit"]
    assert stack.apps[1].routes == ("/streamlit",)
    assert stack.apps[1].health == "/streamlit/_stcore/health"


def test_pages_beside_a_frontend_are_below_a_path_of_their_own(tmp_path: Path) -> None:
    files = {
        "backend/app.py": "import gradio as gr\ngr.Blocks().launch()\n",
        "backend/requirements.txt": "gradio\n",
        "frontend/package.json": '{"dependencies": {"next": "15"}, "scripts": {"build": "x"}}',
    }
    flags = {"USE_PYTHON": "true", "USE_NEXTJS": "true"}
    facts = facts_of(tmp_path, files, None, **flags)
    gradio, pages = build_stack(facts, {}, complete({})).apps
    assert (gradio.routes, pages.routes) == (("/gradio",), ())
    assert dict(build_of(gradio).environment)["GRADIO_ROOT_PATH"] == "/gradio"


def test_streamlits_configuration_is_in_the_image(tmp_path: Path) -> None:
    files = {
        "app.py": "import streamlit\n",
        "requirements.txt": "streamlit\n",
        ".streamlit/config.toml": "[theme]\n",
    }
    assert ".streamlit/config.toml" in app_of(tmp_path, files).sources


def test_django_in_a_folder_of_the_projects_name_is_found(tmp_path: Path) -> None:
    moved = {k if k == "requirements.txt" else f"mysite/{k}": v for k, v in DJANGO.items()}
    more = 'STATIC_ROOT = BASE_DIR / "static-root"\n'
    app = app_of(tmp_path, {**moved, "mysite/config/settings.py": SETTINGS + more})
    assert (app.directory, build_of(app).source_root) == (".", "mysite")
    assert build_of(app).steps[0].command[1] == "mysite/manage.py"
    assert app.command[1] == "config.wsgi:application"


def test_of_several_apps_the_others_are_told(tmp_path: Path) -> None:
    files = {"main.py": FLASK, "tools.py": FLASK, "requirements.txt": "flask\ngunicorn\n"}
    (told,) = app_of(tmp_path, files).warnings
    assert "main:app is served, and not tools:app" in told
    assert app_of(tmp_path, files, {"wsgi.entry": "tools:app"}).warnings == ()


@pytest.mark.parametrize(
    "bot",
    [
        "import discord\nfrom alive import start\nstart()\ndiscord.Client().run('x')\n",
        "from telegram.ext import Application\nApplication.builder().build().run_polling()\n",
    ],
)
def test_a_bot_that_says_that_it_is_alive_is_no_web_app(bot: str, tmp_path: Path) -> None:
    files = {"main.py": bot, "alive.py": FLASK, "requirements.txt": "flask\ndiscord.py\n"}
    assert set(facts_of(tmp_path, files)) == {"name", "python"}
