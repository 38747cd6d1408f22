"""Celery's scheduler: never two at a time, and a schedule that outlives a deployment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from extensions.workers import celery
from tests.e2e.stacks import Stack, run
from tests.e2e.test_deploy import deploy, deployed, write_version
from tests.projects.compose import compose
from tests.runs import build

SCHEDULE = """

@celery_app.task
def report() -> None:
    pass


celery_app.conf.beat_schedule = {"daily": {"task": "app.worker.report", "schedule": 86400.0}}
"""
BROKEN = """
import sys

if "beat" in sys.argv:
    raise SystemExit("no schedule")
"""
# Sends a signal to all of a worker's processes.
SIGNAL = """
import os, pathlib, signal, sys

for process in map(int, filter(str.isdigit, os.listdir("/proc"))):
    words = pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\\0")
    if b"worker" in words and process != 1:
        os.kill(process, signal.Signals[sys.argv[1]])
"""
LAST_RUN = (
    "import shelve; schedule = shelve.open('/var/lib/celery/celerybeat-schedule'); "
    "print(schedule['entries']['daily'].last_run_at.isoformat())"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A worker and a daily job; deploy.sh has put its first version into service."""
    folder = compose("e2e-fastapi-postgresql-redis", tmp_path_factory.mktemp("beat") / "project")
    with (folder / "backend/app/worker.py").open("a") as file:
        file.write(SCHEDULE)
    build(folder, "--set", "name=e2e-scheduler")
    stack = Stack(folder)
    try:
        stack.write_env(DEPLOY_TIMEOUT="180", DRAIN_SECONDS="1")
        write_version(stack, "first")
        deployed(stack)
        yield stack
    finally:
        stack.remove()
        images = run("docker", "image", "ls", "-q", "e2e-scheduler-app").split()
        subprocess.run(["docker", "image", "rm", "-f", *set(images)], check=False)


def last_run(stack: Stack) -> str:
    """When the daily job ran last, by the schedule's file; its scheduler is stopped for that."""
    stack.compose("stop", "scheduler")
    found = stack.compose("run", "--rm", "--no-deps", "-T", "scheduler", "python", "-c", LAST_RUN)
    stack.compose("start", "scheduler")
    return found.strip()


def lives(stack: Stack, since: str) -> list[str]:
    """What happened to the scheduler's containers: `start` and `die`, in order."""
    service = "label=com.docker.compose.service=scheduler"
    project = f"label=com.docker.compose.project={stack.configuration()['name']}"
    once = "label=com.docker.compose.oneoff=False"
    told = run(
        *("docker", "events", "--since", since, "--until", now(), "--format", "{{.Action}}"),
        *("--filter", service, "--filter", project, "--filter", once),
        *("--filter", "event=start", "--filter", "event=die"),
    )
    return told.split()


def now() -> str:
    """The engine's time."""
    return run("docker", "info", "--format", "{{.SystemTime}}").strip()


def test_a_deployment_keeps_the_schedule_and_has_never_two_schedulers(stack: Stack) -> None:
    before = last_run(stack)
    since = now()
    write_version(stack, "second")
    deployed(stack, "--no-backup")
    assert lives(stack, since) == ["die", "start"]
    assert last_run(stack) == before


def test_where_the_new_scheduler_fails_the_old_one_runs_on(stack: Stack) -> None:
    worker = stack.folder / "backend/app/worker.py"
    text = worker.read_text()
    serving = stack.containers()["scheduler"]["Id"]
    worker.write_text(text + BROKEN)
    code, said = deploy(stack, "--no-backup")
    worker.write_text(text)
    assert code == 1 and "no schedule" in said
    assert stack.containers()["scheduler"]["Id"] == serving
    assert stack.containers()["scheduler"]["State"]["Running"]


def test_a_worker_s_probes_tell_a_lost_queue_from_a_broker_that_is_away(stack: Stack) -> None:
    containers = stack.containers()
    health = containers["worker"]["Config"]["Healthcheck"]["Test"][1]
    alive = celery.alive(tuple(containers["worker"]["Config"]["Cmd"]))
    assert alive
    stack.execute("worker", f"{health} && {alive}")
    # It answers nobody, while the broker does.
    stack.compose("exec", "-T", "worker", "python", "-c", SIGNAL, "SIGSTOP")
    try:
        stack.execute("worker", f"! {{ {health}; }} && ! {{ {alive}; }}")
    finally:
        stack.compose("exec", "-T", "worker", "python", "-c", SIGNAL, "SIGCONT")
    stack.compose("stop", "redis")
    try:
        stack.execute("worker", f"! {{ {health}; }} && {{ {alive}; }}")
    finally:
        stack.compose("up", "--detach", "--no-deps", "--wait", "redis")
