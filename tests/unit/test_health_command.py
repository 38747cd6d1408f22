"""The health checks of the images, asked of a real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "profile-web-app"
COMMANDS = {"python": sys.executable, "node": shutil.which("node")}
FILES = {"python": GOLDEN / "Dockerfile.prod", "node": GOLDEN / "Dockerfile.frontend.prod"}


class Handler(BaseHTTPRequestHandler):
    """Sends whom it does not take to come by HTTPS there, as HTTPSRedirectMiddleware does."""

    status = 200
    asked = ""

    def do_GET(self) -> None:
        """Any path."""
        Handler.asked = self.headers["Host"]
        secure = self.headers["X-Forwarded-Proto"] == "https"
        self.send_response(self.status if secure else 500)
        self.send_header("Location", "https://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="port")
def _port() -> Iterator[int]:
    server = HTTPServer(("", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(name="language", params=COMMANDS)
def _language(request: pytest.FixtureRequest) -> str:
    language: str = request.param
    if COMMANDS[language] is None:
        pytest.skip("there is no Node")
    return language


def ask(language: str, port: int, **environment: str) -> int:
    """The exit code of the image's health check."""
    match = re.search(r"HEALTHCHECK .*\\\n    CMD (\[.*\])", FILES[language].read_text())
    assert match is not None
    _, *arguments = json.loads(match[1])
    command = [str(COMMANDS[language]), *arguments]
    return subprocess.run(command, env={"PORT": str(port), **environment}, check=False).returncode


@pytest.mark.parametrize(
    ("status", "healthy"), [(200, True), (307, True), (400, False), (503, False)]
)
def test_alive_are_answers_and_redirects(
    status: int, healthy: bool, language: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it came by HTTPS, and follows no redirect."""
    monkeypatch.setattr(Handler, "status", status)
    assert (ask(language, port) == 0) is healthy


@pytest.mark.parametrize(
    ("domain", "asked"),
    [
        ("shop.io", "shop.io"),
        ("*.shop.io", "www.shop.io"),
        ("shop.io, www.shop.io", "shop.io"),
        ("http://shop.io/", "shop.io"),
        ("shop.io:8443", "shop.io:8443"),
    ],
)
def test_it_asks_for_the_domain(domain: str, asked: str, language: str, port: int) -> None:
    assert ask(language, port, HEALTH_HOST=domain) == 0
    assert Handler.asked == asked


def test_without_a_domain_it_asks_for_the_container(language: str, port: int) -> None:
    assert ask(language, port, HEALTH_HOST="") == 0
    assert Handler.asked.endswith(f":{port}")
