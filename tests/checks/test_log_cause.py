"""Causes that logs name: texts as the programs print them."""

from __future__ import annotations

import pytest

from spinbox_wrapper import log_cause

PYDANTIC = """\
app-1  |   File "/app/app/config.py", line 9, in <module>
app-1  |     settings = Settings()
app-1  |                ^^^^^^^^^^
app-1  |   File "/opt/venv/lib/python3.13/site-packages/pydantic_settings/main.py", line 194
app-1  |     super().__init__(
app-1  | pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings
app-1  | stripe_key
app-1  |   Field required [type=missing, input_value={}, input_type=dict]
app-1  |     For further information visit https://errors.pydantic.dev/2.11/v/missing
app-1  | mail_from
app-1  |   Field required [type=missing, input_value={}, input_type=dict]
app-1  |     For further information visit https://errors.pydantic.dev/2.11/v/missing
"""
KEY = """\
app-1  |   File "/app/main.py", line 6, in <module>
app-1  |     KEY = os.environ["STRIPE_KEY"]
app-1  |           ~~~~~~~~~~^^^^^^^^^^^^^^
app-1  |   File "<frozen os>", line 717, in __getitem__
app-1  | KeyError: 'STRIPE_KEY'
"""
FROM_OS = """\
  File "/app/main.py", line 6, in <module>
    KEY = environ["STRIPE_KEY"]
          ~~~~~~~^^^^^^^^^^^^^^
  File "<frozen os>", line 685, in __getitem__
KeyError: 'STRIPE_KEY'
"""
PSYCOPG = (
    'psycopg.OperationalError: connection failed: connection to server at "127.0.0.1", port 5432 '
    "failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP "
    "connections?\n"
)
ASYNCPG = "OSError: Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 5432), ..."
PYMONGO = (
    "pymongo.errors.ServerSelectionTimeoutError: localhost:27017: [Errno 111] Connection refused"
)
NODE_REFUSED = """\
worker-1  | Error: connect ECONNREFUSED 127.0.0.1:6379
worker-1  |     at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {
worker-1  |   errno: -111,
"""
PRISMA = """\
PrismaClientInitializationError:
Invalid `prisma.user.count()` invocation:
Prisma Client could not locate the Query Engine for runtime "linux-musl-openssl-3.0.x".
"""
LOGS = {
    "pydantic": (PYDANTIC, "STRIPE_KEY, MAIL_FROM"),
    "environ": (KEY, "reads STRIPE_KEY"),
    "environ of os": (FROM_OS, "reads STRIPE_KEY"),
    "module": ("ModuleNotFoundError: No module named 'app.api'", "no module app.api"),
    "module of another name": ("ModuleNotFoundError: No module named 'yaml'", "add pyyaml"),
    "multipart": ('RuntimeError: Form data requires "python-multipart" to be installed.',
                  "needs python-multipart"),
    "email": ("ImportError: email-validator is not installed, run `pip install 'pydantic[email]'`",
              "needs email-validator"),
    "greenlet": ("ValueError: the greenlet library is required to use this function. No module "
                 "named 'greenlet'", "needs greenlet"),
    "redis without password": ("redis.exceptions.AuthenticationError: Authentication required.",
                               "no password"),
    "ioredis without password": ("ReplyError: NOAUTH Authentication required.", "no password"),
    "redis with one too many": ("redis.exceptions.AuthenticationError: AUTH <password> called "
                                "without any password configured for the default user. Are you "
                                "sure your configuration is correct?", "has none"),
    "host": ("Invalid HTTP_HOST header: '127.0.0.1:8000'. You may need to add '127.0.0.1' to "
             "ALLOWED_HOSTS.", "requests for 127.0.0.1:8000"),
    "errno 30": ("OSError: [Errno 30] Read-only file system: '/app/data'", "writes /app/data"),
    "EROFS": ("Error: EROFS: read-only file system, mkdir '/app/uploads'", "writes /app/uploads"),
    "sqlite": ("sqlite3.OperationalError: unable to open database file", "writes a file"),
    "errno 13": ("PermissionError: [Errno 13] Permission denied: 'logs'", "writes logs"),
    "EACCES": ("Error: EACCES: permission denied, open '/app/x.log'", "writes /app/x.log"),
    "errno 98": ("ERROR: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): "
                 "address already in use", "same port"),
    "EADDRINUSE": ("Error: listen EADDRINUSE: address already in use :::3000", "same port"),
    "psycopg": (PSYCOPG, "localhost:5432"),
    "asyncpg": (ASYNCPG, "localhost:5432"),
    "pymongo": (PYMONGO, "localhost:27017"),
    "redis": ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. "
              "Connection refused.", "localhost:6379"),
    "ioredis": (NODE_REFUSED, "localhost:6379"),
    "library": ("ImportError: libGL.so.1: cannot open shared object file: No such file or "
                "directory", "library libGL.so.1"),
    "musl": ("Error loading shared library libssl.so.1.1: No such file or directory (needed by "
             "/app/node_modules/.prisma/client/query.node)", "library libssl.so.1.1"),
    "prisma": (PRISMA, "Prisma's engine"),
    "node": ("Error: Cannot find module 'express'\nRequire stack:\n- /app/dist/main.js",
             "no package express"),
    "node file": ("Error: Cannot find module '/app/dist/main.js'", "no file /app/dist/main.js"),
    "esm": ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod' imported from /app/env.js",
            "no package zod"),
    "format": ("app-1  | exec /usr/local/bin/python: exec format error", "kind of processor"),
    "program": ("app-1  | sh: nest: not found", "program nest"),
    "runc": ('exec: "gunicorn": executable file not found in $PATH: unknown', "program gunicorn"),
    "entrypoint": ("exec /app/start.sh: no such file or directory", "/app/start.sh cannot be run"),
    "file": ("FileNotFoundError: [Errno 2] No such file or directory: 'models/a.bin'",
             "reads models/a.bin"),
    "ENOENT": ("Error: ENOENT: no such file or directory, open '/app/templates/a.html'",
               "reads /app/templates/a.html"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOGS)
def test_a_known_cause_is_one_sentence(kind: str) -> None:
    log, said = LOGS[kind]
    found = log_cause.find(f"INFO:     Started server process [1]\n{log}")
    assert found is not None and said in found
    assert found.endswith(".") and "\n" not in found


@pytest.mark.parametrize(
    "log",
    [
        "",
        "INFO:     Application startup complete.\n",
        "KeyError: 'price'\n",
        "connect ECONNREFUSED 10.0.0.7:5432\n",
        "GET /field required 404\n",
    ],
)
def test_anything_else_is_left_to_the_log(log: str) -> None:
    assert log_cause.find(log) is None


def test_the_last_of_several_starts_counts() -> None:
    log = "ModuleNotFoundError: No module named 'a'\nModuleNotFoundError: No module named 'b'\n"
    assert "no module b" in str(log_cause.find(log))
