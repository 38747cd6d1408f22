"""What servers on Node take of the proxy in front of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find

SESSION = (
    "const session = require('express-session');\n"
    "app.use(session({ secret: s, cookie: { secure: process.env.NODE_ENV === 'production' } }));\n"
)
LIMIT = "const { rateLimit } = require('express-rate-limit');\napp.use(rateLimit({ limit: 9 }));\n"
LISTEN = "app.listen(process.env.PORT || 3000);\n"


def found_of(
    root: Path, code: str, files: dict[str, str] | None = None, **held: str
) -> list[Finding]:
    package = {"scripts": {"start": "node server.js"}, "dependencies": {"express": "4", **held}}
    app = "const app = require('express')();\n"
    project = {"package.json": json.dumps(package), "server.js": app + code, **(files or {})}
    found = find(root, project, USE_NODE="true")
    return [one for one in found if one.rule == "start.node_server"]


@pytest.mark.parametrize(("code", "word"), [(SESSION, "logged in"), (LIMIT, "share one limit")])
def test_a_proxy_that_is_not_trusted(code: str, word: str, tmp_path: Path) -> None:
    (found,) = found_of(tmp_path, code + LISTEN)
    assert word in found.seen and "trust proxy" in found.mend and not found.certain


@pytest.mark.parametrize(
    "code",
    [
        f"app.set('trust proxy', 1);\n{SESSION}{LIMIT}",
        f"app.enable('trust proxy');\n{LIMIT}",
        SESSION.replace("process.env.NODE_ENV === 'production'", "false"),
        "const session = require('express-session');\napp.use(session({ secret: s }));\n",
        "// express-rate-limit would do\n",
    ],
)
def test_one_that_is_or_need_not_be(code: str, tmp_path: Path) -> None:
    assert found_of(tmp_path, code + LISTEN) == []


def test_it_is_trusted_in_another_module(tmp_path: Path) -> None:
    files = {"setup.js": "module.exports = (app) => app.set('trust proxy', true);\n"}
    assert found_of(tmp_path, f"require('./setup')(app);\n{LIMIT}{LISTEN}", files) == []


@pytest.mark.parametrize(
    ("code", "certain"),
    [
        ("https.createServer({ key, cert }, app).listen(8443);\n", [True]),
        ("if (process.env.TLS) https.createServer({}, app).listen(8443);\napp.listen(80);\n",
         [False]),
        ("http.createServer(app).listen(process.env.PORT);\n", []),
    ],
)  # fmt: skip
def test_tls_of_its_own(code: str, certain: list[bool], tmp_path: Path) -> None:
    assert [one.certain for one in found_of(tmp_path, code)] == certain


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("app.listen(options.number);\n", True),
        ("const { PORT } = require('./env');\napp.listen(PORT);\n", False),
        ("app.listen(8080);\n", False),
        ("module.exports = app.listen;\n", False),
    ],
)
def test_a_port_that_nothing_tells(code: str, told: bool, tmp_path: Path) -> None:
    found = found_of(tmp_path, code)
    assert bool(found) is told and all("node.port" in one.mend for one in found)
