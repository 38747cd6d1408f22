"""Memo, a store of small texts over HTTP: it never was, but shows all that a service needs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ..model import BackingService, Env, Health, Resources, ServiceKind, Variable, Volume, password

KIND = ServiceKind(
    title="Memo",
    flag="USE_MEMO",
    folder="memo",
    images=("python",),
    settings=(("limit", "number", "The longest text that it keeps"),),
)
_CONNECT = "import socket; socket.create_connection(('127.0.0.1', 11300))"
# A file for each text, named by its key, in /memo.
_SERVER = """
import http.server, os, pathlib
folder = pathlib.Path('/memo')
password = os.environ.get('MEMO_PASSWORD') or open(os.environ['MEMO_PASSWORD_FILE']).read()
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b''):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        file = folder / self.path.strip('/')
        if self.path == '/health':
            self.answer(200)
        elif self.headers['Password'] != password:
            self.answer(403)
        elif file.is_file():
            self.answer(200, file.read_bytes())
        else:
            self.answer(404)
    def do_PUT(self):
        if self.headers['Password'] != password:
            return self.answer(403)
        body = self.rfile.read(int(self.headers['Content-Length']))
        (folder / self.path.strip('/')).write_bytes(body)
        self.answer(201)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(('0.0.0.0', 11300), Handler).serve_forever()
"""


def define(facts: Mapping[str, Any], project: str) -> BackingService:
    """A container that keeps its texts in a volume."""
    return BackingService(
        name="memo",
        title=KIND.title,
        image=facts.get("image") or "python:3.13-slim",
        port=11300,
        command=("python", "-c", _SERVER),
        environment=(Env("MEMO_PASSWORD", variable="MEMO_PASSWORD"),),
        app_environment=(
            Env("MEMO_HOST", "memo"),
            Env("MEMO_PORT", "11300"),
            Env("MEMO_PASSWORD", variable="MEMO_PASSWORD"),
        ),
        urls=("MEMO_URL",),
        variables=(
            password("MEMO_PASSWORD", "Memo", "Its password."),
            Variable("MEMO_LIMIT", "Memo", "The longest text.", str(facts.get("limit") or 1000)),
        ),
        volume=Volume("memo_data", "/memo"),
        health=Health(("python", "-c", _CONNECT)),
        resources=Resources("128M"),
        test_health=shlex.join(("python", "-c", _CONNECT)),
        host_variable="MEMO_HOST",
        backup="every text. One that is written meanwhile is in it, or is not.",
        import_file="FILE.tar.gz",
        import_form="its texts, as in `tar -C FOLDER -czf FILE.tar.gz .`",
        troubles=(("`403` from Memo", "`MEMO_PASSWORD` is not the one that it was started with"),),
    )
