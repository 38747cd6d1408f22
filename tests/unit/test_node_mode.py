"""Apps on Node without a port: found by what they import and do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from extensions.model import App
from tests.start.support import subject_of


def _app(
    root: Path, files: Mapping[str, str], scripts: dict[str, str], overrides: dict[str, str]
) -> App:
    package = {"scripts": {"start": "node index.js", **scripts}}
    project = {"package.json": json.dumps(package), **files}
    return subject_of(root, project, overrides, USE_NODE="true").stack.apps[0]


WORKERS = {
    "discord.js": "const { Client } = require('discord.js');\nnew Client({}).login(token);",
    "telegraf": "import { Telegraf } from 'telegraf';\nnew Telegraf(token).launch();",
    "grammy": "import { Bot } from 'grammy';\nconst bot = new Bot(token);\nbot.start();",
    "@slack/bolt": "const { App } = require('@slack/bolt');\n"
    "new App({ socketMode: true }).start();",
    "bullmq": "import { Worker } from 'bullmq';\nnew Worker('a', run);",
    "agenda": "import Agenda from 'agenda';\nconst a = new Agenda({});\nawait a.start();",
    "node-cron": "const cron = require('node-cron');\ncron.schedule('* * * * *', run);",
    "croner": "import { Cron } from 'croner';\nCron('* * * * *', run);",
    "nest": "import { NestFactory } from '@nestjs/core';\n"
    "NestFactory.createApplicationContext(AppModule);",
    "nest with a broker": "import { NestFactory } from '@nestjs/core';\n"
    "const app = await NestFactory.createMicroservice(M, { transport: Transport.REDIS });\n"
    "await app.listen();",
    "a loop": "const { Pool } = require('pg');\nsetInterval(() => new Pool(), 1000);",
}


@pytest.mark.parametrize("library", WORKERS)
def test_a_worker(library: str, tmp_path: Path) -> None:
    app = _app(tmp_path, {"index.js": WORKERS[library]}, {}, {})
    assert (app.port, app.health, app.job) == (None, None, False)


@pytest.mark.parametrize(
    "code",
    [
        "const { Pool } = require('pg');\nnew Pool().query('SELECT 1');",
        "import { readFile } from 'node:fs/promises';\nconsole.log(await readFile('a.txt'));",
    ],
)
def test_a_script_that_ends(code: str, tmp_path: Path) -> None:
    assert _app(tmp_path, {"index.js": code}, {}, {}).job


@pytest.mark.parametrize(
    "code",
    [
        "import { NestFactory } from '@nestjs/core';\nconst app = await NestFactory"
        ".createMicroservice(M, { transport: Transport.TCP });\nawait app.listen();",
        "import { NestFactory } from '@nestjs/core';\nconst app = await NestFactory.create(M);\n"
        "app.connectMicroservice({ transport: Transport.REDIS });\nawait app.listen(3000);",
        "require('http').createServer().listen(3000)",
        "require('express')().listen(process.env.PORT);\nrequire('node-cron').schedule('', run);",
        # Something else may listen in a library that is not known.
        "import { start } from 'some-framework';\nstart();",
        "import { Hono } from 'hono';\nexport default new Hono();",
        "const { App } = require('@slack/bolt');\nnew App({}).start(process.env.PORT);",
        "import { Telegraf } from 'telegraf';\nnew Telegraf(a).launch({ webhook: { port: 1 } });",
        "import { app } from './app.js';\napp.listen(3000);",
    ],
)
def test_what_may_serve_keeps_its_port(code: str, tmp_path: Path) -> None:
    app = _app(tmp_path, {"index.js": code}, {}, {})
    assert app.port == 3000 and not app.job


def test_the_mode_by_hand(tmp_path: Path) -> None:
    served = "require('http').createServer().listen(3000)"
    for name, (mode, port, job) in enumerate(
        [("worker", None, False), ("job", None, True), ("service", 3000, False)]
    ):
        root = tmp_path / str(name)
        app = _app(root, {"index.js": served}, {}, {"node.mode": mode})
        assert (app.port, app.job) == (port, job)
    ends = "console.log('done')"
    app = _app(tmp_path / "service", {"index.js": ends}, {}, {"node.mode": "service"})
    assert (app.port, app.job) == (3000, False)


def test_a_worker_beside_an_api(tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps(
            {"scripts": {"start": "node index.js", "worker": "node worker.js"}}
        ),
        "index.js": "require('http').createServer().listen(3000)",
        "worker.js": "const { Worker } = require('bullmq');\nnew Worker('a', run);",
    }
    (worker,) = subject_of(tmp_path, files, USE_NODE="true").stack.workers
    assert worker.command == ("node", "worker.js") and worker.app.port == 3000


@pytest.mark.parametrize(
    ("script", "worker", "index"),
    [
        # A tool of development, a script that is none, and one that the app itself loads.
        ("nodemon worker.js", "new (require('bullmq').Worker)()", ""),
        ("node worker.js", "console.log()", ""),
        ("node worker.js", "const { Worker } = require('bullmq'); new Worker()", "./worker.js"),
    ],
)
def test_no_worker_beside_it(script: str, worker: str, index: str, tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps({"scripts": {"start": "node index.js", "worker": script}}),
        "index.js": f"require('{index or 'http'}');\nrequire('http').createServer().listen(3000)",
        "worker.js": worker,
    }
    assert subject_of(tmp_path, files, USE_NODE="true").stack.workers == ()
