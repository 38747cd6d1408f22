"""Apps that answer to some names only."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, find, find_api


def find_hosts(root: Path, source: str) -> list[Finding]:
    """What is found where this is added to an app that starts."""
    return find_api(root, {"main.py": API["main.py"] + source})


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
    assert "main.py:" in found.seen and "127.0.0.1" in found.mend


@pytest.mark.parametrize("hosts", ["['*']", "['example.com', '127.0.0.1']"])
def test_names_that_the_check_has_are_fine(hosts: str, tmp_path: Path) -> None:
    source = f"app.add_middleware(TrustedHostMiddleware, allowed_hosts={hosts})\n"
    assert find_hosts(tmp_path, source) == []


def test_names_from_settings_are_a_guess(tmp_path: Path) -> None:
    source = "app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.HOSTS)\n"
    (found,) = find_hosts(tmp_path, source)
    assert not found.certain and "settings.HOSTS" in found.seen


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
