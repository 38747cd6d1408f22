"""Redis, which has a password in production."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find_api

HOST = 'import os\nimport redis\nfrom redis.asyncio import Redis\nhost = os.environ["REDIS_HOST"]\n'


def found(root: Path, code: str) -> list[Finding]:
    files = {"requirements.txt": "fastapi\nuvicorn\nredis\n", "cache.py": code}
    return [f for f in find_api(root, files, USE_REDIS="true") if f.rule == "start.redis"]


@pytest.mark.parametrize(
    "code",
    [
        "client = redis.Redis(host=host, port=6379, db=0)\n",
        "client = redis.StrictRedis(host)\n",
        "async def f():\n    return Redis(host=host)\n",
        "pool = redis.ConnectionPool(host=host)\n",
        'url = f"redis://{host}:{6379}/0"\n',
    ],
)
def test_a_connection_without_it_is_told(tmp_path: Path, code: str) -> None:
    (one,) = found(tmp_path, HOST + code)
    assert not one.certain and "cache.py:" in one.seen
    assert "REDIS_PASSWORD" in one.mend


@pytest.mark.parametrize(
    "code",
    [
        'client = redis.Redis(host=host, password=os.getenv("REDIS_PASSWORD"))\n',
        "client = redis.Redis(host, 6379, 0, secret)\n",
        "client = redis.Redis(**options)\n",
        'client = redis.Redis.from_url(os.environ["REDIS_URL"])\n',
        'url = f"redis://{login}{host}:6379"\n',
        'url = f"redis://{user}:{word}@{host}:6379"\n',
        'url = "redis://localhost:6379"\n',
        "class Redis: ...\nclient = Redis(host=host)\n",
    ],
)
def test_what_gives_it_or_is_none(tmp_path: Path, code: str) -> None:
    assert found(tmp_path, HOST + code) == []


def test_of_a_settings_object_the_field_is_named(tmp_path: Path) -> None:
    code = "import redis\nfrom config import settings\nc = redis.Redis(host=settings.REDIS_HOST)\n"
    (one,) = found(tmp_path, code)
    assert "password=settings.REDIS_PASSWORD" in one.mend
    assert "`REDIS_PASSWORD: str | None = None` to the settings class" in one.mend


def test_a_redis_elsewhere_may_have_none(tmp_path: Path) -> None:
    files = {"cache.py": f"{HOST}client = redis.Redis(host=host)\n"}
    assert find_api(tmp_path, files, {"redis": "external"}, USE_REDIS="true") == []


def test_without_a_password_by_choice_nothing_is_said(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "fastapi\nuvicorn\nredis\n",
        "cache.py": HOST + "redis.Redis(host)",
    }
    rules = {f.rule for f in find_api(tmp_path, files, {"redis.password": "off"}, USE_REDIS="true")}
    assert "start.redis" not in rules


def test_the_way_without_a_password_is_named(tmp_path: Path) -> None:
    (one,) = found(tmp_path, HOST + "client = redis.Redis(host=host)\n")
    assert one.mend.endswith("spinbox build --prod --set redis.password=off")
