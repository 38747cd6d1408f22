"""Web frameworks of Python: the first deployment answers, with static files and a schema."""

from __future__ import annotations

import re
import ssl
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.stacks import Stack

# What the domain fills, where there is one.
HOSTS = {"ALLOWED_HOSTS": "localhost,127.0.0.1"}


def post_form(stack: Stack, path: str) -> str:
    """The answer to a form that a browser has loaded and sends back, with its origin."""
    address = f"https://localhost:{stack.https_port}"
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(CookieJar()),
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
    )
    token = opener.open(address + path, timeout=30).read().decode()
    data = urlencode({"csrfmiddlewaretoken": token}).encode()
    headers = {"Origin": address, "Referer": address + path}
    request = urllib.request.Request(address + path, data, headers)
    return str(opener.open(request, timeout=30).read().decode())


def test_django_with_static_files_migrations_and_media(tmp_path: Path) -> None:
    project = copy_app("django", tmp_path / "django")
    with first_deployment(project, settings=HOSTS) as stack:
        made = stack.post("/notes/", {"text": "first"})
        assert made == {"notes": ["first"], "secure": True, "debug": False}
        assert post_form(stack, "/form/") == "taken"
        login = stack.request("/admin/login/").body
        (style,) = re.findall(r'href="(/static/admin/css/base\.\w+\.css)"', login)
        assert stack.request(style).status == 200
        assert stack.post("/upload/", {"a": 1}) == {"name": "note.txt"}
        assert "note.txt" in stack.execute("app", "ls /app/media")
        checked = stack.execute("app", "entrypoint python manage.py check --deploy 2>&1 || true")
        assert set(re.findall(r"security\.W\d+", checked)) <= {"security.W004", "security.W008"}


def test_django_asgi_with_settings_for_production_and_celery(tmp_path: Path) -> None:
    project = copy_app("django-asgi", tmp_path / "django-asgi")
    hosts = {"DJANGO_ALLOWED_HOSTS": "localhost,127.0.0.1"}
    with first_deployment(project, settings=hosts) as stack:
        assert stack.get("/api/about") == {
            "settings": "config.settings.production",
            "server": "ASGIRequest",
            "secure": True,
        }
        assert stack.get("/api/double/21") == {"answer": 42}


def test_flask_factory_with_flask_migrate_and_no_gunicorn_of_its_own(tmp_path: Path) -> None:
    with first_deployment(copy_app("flask", tmp_path / "flask")) as stack:
        answer = stack.post("/api/notes", {"text": "first"})
        assert answer["notes"] == ["first"]
        assert answer["secure"] is True
        assert answer["server"].startswith("gunicorn")


@pytest.mark.parametrize(
    ("app", "path", "expected"),
    [
        ("flask-object", "/", '"scheme":"https"'),
        ("dash", "/_dash-layout", "Figures"),
        ("starlette", "/", '"scheme":"https"'),
        ("litestar", "/", '"scheme":"https"'),
        ("quart", "/", '"quart"'),
        ("aiohttp", "/", '"https"'),
        ("aiohttp-gunicorn", "/", "true"),
        ("fasthtml", "/", "Read me"),
        ("sanic", "/", "scheme"),
        ("socketio", "/socket.io/?EIO=4&transport=polling", "sid"),
        ("streamlit", "/", "Streamlit"),
        ("gradio", "/gradio_api/info", "named_endpoints"),
        ("mcp-http", "/about", "sums over MCP"),
    ],
)
def test_answers(app: str, path: str, expected: str, tmp_path: Path) -> None:
    with first_deployment(copy_app(app, tmp_path / app)) as stack:
        answer = stack.request(path)
        assert answer.status == 200
        assert expected in answer.body
        for container in stack.containers().values():
            assert container["RestartCount"] == 0


def test_django_with_sqlite_in_a_volume_is_migrated(tmp_path: Path) -> None:
    project = copy_app("django-sqlite", tmp_path / "django-sqlite")
    with first_deployment(project, "--set", "django.volumes=/app/data", settings=HOSTS) as stack:
        assert stack.get("/users/") == {"users": 1}


def test_requests_share_memory_and_streams_are_not_held_back(tmp_path: Path) -> None:
    with first_deployment(copy_app("fastapi-state", tmp_path / "fastapi-state")) as stack:
        counts = [stack.post("/items/", {"name": "x"})["items"] for _ in range(12)]
        assert counts == list(range(1, 13))
        assert stack.get("/address")["address"].startswith("https://localhost")
        assert parts_by_second(stack, "/stream") == [0, 1, 2]


def parts_by_second(stack: Stack, path: str) -> list[int]:
    """When each part of an answer came, in seconds since the first."""
    address = f"https://localhost:{stack.https_port}{path}"
    times = []
    with urllib.request.urlopen(
        address, timeout=30, context=ssl._create_unverified_context()
    ) as answer:
        while answer.read1(1000):
            times.append(time.monotonic())
    return [round(at - times[0]) for at in times]
