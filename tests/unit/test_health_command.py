"""The health check of Python's images, asked of a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

DOCKERFILE = Path(__file__).parents[1] / "golden" / "profile-web-app" / "Dockerfile.prod"


class Handler(BaseHTTPRequestHandler):
    """Sends whom it does not take to come by HTTPS there, as HTTPSRedirectMiddleware does."""

    status = 200

    def do_GET(self) -> None:
        """Any path."""
        secure = self.headers["X-Forwarded-Proto"] == "https"
        self.send_response(self.status if secure else 500)
        self.send_header("Location", "https://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="port")
def _port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "healthy"), [(200, True), (307, True), (400, False), (503, False)]
)
def test_alive_are_answers_and_redirects(
    status: int, healthy: bool, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it came by HTTPS, and follows no redirect."""
    monkeypatch.setattr(Handler, "status", status)
    match = re.search(r"HEALTHCHECK .*\\\n    CMD (\[.*\])", DOCKERFILE.read_text())
    assert match is not None
    _, *arguments = json.loads(match[1])
    done = subprocess.run([sys.executable, *arguments], env={"PORT": str(port)}, check=False)
    assert (done.returncode == 0) is healthy
