"""Apps that answer to some names only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from extensions import start
from extensions.finding import Finding
from extensions.model import Env
from tests.start.support import API, WITH_API, find, find_api, subject_of


def find_hosts(root: Path, source: str) -> list[Finding]:
    """What is found where this is added to an app that starts."""
    return find_api(root, {"main.py": API["main.py"] + source})


def find_without_proxy(root: Path, files: Mapping[str, str]) -> list[Finding]:
    """What is found where another proxy stands in front."""
    subject = subject_of(root, files, None, **WITH_API)
    return list(start.find(replace(subject, stack=replace(subject.stack, with_proxy=False))))


@pytest.mark.parametrize(
    "source",
    [
        "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['example.com'])\n",
        "HOSTS = ['example.com']\napp.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)\n",
        "m = [Middleware(TrustedHostMiddleware, allowed_hosts=['example.com', '*.example.com'])]\n",
    ],
)
def test_a_health_check_that_is_refused_is_told(source: str, tmp_path: Path) -> None:
    (found,) = find_hosts(tmp_path, source)
    assert found.rule == "start.hosts" and found.certain
    assert "main.py:" in found.seen and "example.com" in found.seen
    assert found.variable == "DOMAIN" and found.is_mended("example.com")
    assert not found.is_mended("") and not found.is_mended("shop.io")


def test_without_a_proxy_it_asks_for_the_container_itself(tmp_path: Path) -> None:
    source = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['example.com'])\n"
    files = {**API, "main.py": API["main.py"] + source}
    (found,) = find_without_proxy(tmp_path, files)
    assert found.certain and '"127.0.0.1"' in found.mend and found.variable is None
    files["main.py"] = files["main.py"].replace("com'", "com', '127.0.0.1'")
    assert find_without_proxy(tmp_path, files) == []


def test_any_name_is_fine(tmp_path: Path) -> None:
    source = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['*'])\n"
    assert find_hosts(tmp_path, source) == []


def test_a_domain_of_the_list_mends_it_and_none_where_the_container_is_in_it(
    tmp_path: Path,
) -> None:
    hosts = "['example.com', '*.example.org', '127.0.0.1']"
    source = f"app.add_middleware(TrustedHostMiddleware, allowed_hosts={hosts})\n"
    (found,) = find_hosts(tmp_path, source)
    assert all(map(found.is_mended, ("", "example.com", "shop.example.org")))
    assert not found.is_mended("example.org")


def test_names_of_the_machine_alone_refuse_every_domain(tmp_path: Path) -> None:
    source = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['localhost', '127.0.0.1'])\n"
    (found,) = find_hosts(tmp_path, source)
    assert not found.certain and "every visitor" in found.seen
    assert not found.is_mended("shop.io") and not found.is_mended("")


def test_djangos_list_is_one_too(tmp_path: Path) -> None:
    service = {"python.mode": "service", "python.port": 8000, "python.health": "/health"}
    settings = "INSTALLED_APPS = []\nALLOWED_HOSTS = ['.example.com']\n"
    files = {"main.py": "", "shop/settings.py": settings}
    (found,) = find(tmp_path, files, service, USE_PYTHON="true")
    assert "shop/settings.py:2" in found.seen
    assert found.is_mended("example.com") and found.is_mended("www.example.com")
    files["shop/settings.py"] = settings.replace("['.example.com']", "env.list('HOSTS')")
    assert find(tmp_path, files, service, USE_PYTHON="true") == []


def test_names_from_settings_are_a_guess(tmp_path: Path) -> None:
    source = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.HOSTS)\n"
    (found,) = find_hosts(tmp_path, source)
    assert not found.certain and "settings.HOSTS" in found.seen


def test_names_that_the_stack_gives_are_fine(tmp_path: Path) -> None:
    code = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts)\n"
    subject = subject_of(tmp_path, {**API, "main.py": API["main.py"] + code}, None, **WITH_API)
    (app,) = subject.stack.apps
    assert start.find(subject) != ()
    given = replace(app, environment=(*app.environment, Env("ALLOWED_HOSTS", "x")))
    assert start.find(replace(subject, stack=replace(subject.stack, apps=(given,)))) == ()


def test_without_a_health_endpoint_only_the_port_is_looked_at(tmp_path: Path) -> None:
    source = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['example.com'])\n"
    main = f"from fastapi import FastAPI\napp = FastAPI()\n{source}"
    assert find_api(tmp_path, {"main.py": main}) == []


def test_djangos_endless_redirect_is_told(tmp_path: Path) -> None:
    service = {"python.mode": "service", "python.port": 8000}
    files = {"main.py": "", "shop/settings.py": "DEBUG = False\nSECURE_SSL_REDIRECT = True\n"}
    (found,) = find(tmp_path, files, service, USE_PYTHON="true")
    assert not found.certain and "shop/settings.py:2" in found.seen
    files["shop/settings.py"] += 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\n'
    assert find(tmp_path, files, service, USE_PYTHON="true") == []


def test_names_that_the_stack_fills_are_fine(tmp_path: Path) -> None:
    source = (
        'import os\nHOSTS = os.getenv("ALLOWED_HOSTS", "localhost").split(",")\n'
        "app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.ALLOWED_HOSTS)\n"
    )
    assert find_hosts(tmp_path, source) == []
