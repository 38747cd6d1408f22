"""Apps on Node that listen on no port: what waits for work, and what ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.first_deployment import commit, copy_app, first_deployment
from tests.e2e.stacks import Stack, run
from tests.runs import build

_ADD = (
    'import { Queue } from "bullmq";'
    "const queue = new Queue('words', { connection: { url: process.env.REDIS_URL } });"
    "await queue.add('word', { word: 'done' }); await queue.close();"
)


def _redis(stack: Stack, *words: str) -> str:
    return stack.compose("exec", "-T", "redis", "redis-cli", *words).strip()


def _wait_for(redis: Stack, key: str) -> str:
    for _ in range(40):
        if value := _redis(redis, "GET", key):
            return value
        time.sleep(0.5)
    raise AssertionError(f"{key} was not set")


def test_a_worker_of_bullmq_and_node_cron_alone(tmp_path: Path) -> None:
    with first_deployment(copy_app("node-worker", tmp_path / "node-worker")) as stack:
        assert "caddy" not in stack.compose("ps", "--services").split()
        add = ("exec", "-T", "app", "entrypoint", "node", "--input-type=module", "-e", _ADD)
        stack.compose(*add)
        assert _wait_for(stack, "word") == "done"
        assert int(_wait_for(stack, "ticks")) > 0


def test_a_worker_beside_an_api(tmp_path: Path) -> None:
    """With Mongoose and Redis; MongoDB is a stand-in."""
    with first_deployment(copy_app("node-api-worker", tmp_path / "node-api-worker")) as stack:
        stack.get("/add/first")
        for _ in range(40):
            if (words := stack.get("/")) != []:
                break
            time.sleep(0.5)
        assert words == ["first"]


def test_a_script_that_ends(tmp_path: Path) -> None:
    """`up` starts what it needs; it runs when it is called."""
    project = copy_app("node-job", tmp_path / "node-job")
    commit(project)
    build(project, "--set", "name=e2e-node-job")
    run("sh", "deploy/init-env.sh", cwd=project)
    stack = Stack(project)
    try:
        stack.compose("up", "-d", "--build", "--wait")
        assert "run 1" in stack.compose("run", "--rm", "--build", "app")
        assert "run 2" in run("sh", "deploy/run.sh", "node", "index.js", cwd=project)
    finally:
        stack.remove()
        run("docker", "image", "rm", "-f", "e2e-node-job-app")


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("node-bot", {"DISCORD_TOKEN": "none"}, "commands 1"),
        ("node-schedule", {}, "tick"),
        ("node-agenda", {}, "started"),
    ],
)
def test_what_waits(name: str, settings: dict[str, str], says: str, tmp_path: Path) -> None:
    """A bot of discord.js, which reaches nobody; node-cron; Agenda, whose MongoDB is a stand-in."""
    with first_deployment(copy_app(name, tmp_path / name), settings=settings) as stack:
        assert "caddy" not in stack.compose("ps", "--services").split()
        for _ in range(60):
            if says in stack.compose("logs", "--no-log-prefix", "app"):
                break
            time.sleep(0.5)
        assert says in stack.compose("logs", "--no-log-prefix", "app")
        assert "Up" in stack.compose("ps", "--format", "{{.Status}}", "app")
