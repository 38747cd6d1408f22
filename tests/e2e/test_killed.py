"""Twenty kills of the scripts under load: what was acknowledged stays, and the next run heals."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.stacks import Stack, run
from tests.projects.compose import compose
from tests.runs import build

# Each is killed four times.
SCRIPTS = (
    ("deploy",),
    ("backup",),
    ("restore", "--yes"),
    ("change-password", "postgres"),
    ("change-password", "redis"),
)
ROUNDS = 4


class Writer(threading.Thread):
    """Posts items, and remembers which were acknowledged; what fails was none."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.stack = stack
        self.acknowledged: set[str] = set()
        self.ended = threading.Event()
        self.paused = threading.Lock()

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            with self.paused:
                name = f"load {number}"
                number += 1
                with suppress(AssertionError, OSError, ValueError):
                    self.stack.post("/api/v1/items", {"name": name})
                    self.acknowledged.add(name)
            time.sleep(0.05)


def start(stack: Stack, *command: str) -> subprocess.Popen[str]:
    name, *arguments = command
    return subprocess.Popen(
        ["sh", f"deploy/{name}.sh", *arguments],
        cwd=stack.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def succeed(stack: Stack, *command: str) -> float:
    """Runs a script; the seconds that it took."""
    before = time.monotonic()
    with start(stack, *command) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    return time.monotonic() - before


def kill(stack: Stack, after: float, *command: str, group: bool) -> None:
    """Kills a script by itself, so that what it started goes on, or with all of that."""
    process = start(stack, *command)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    with suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    folder = compose("e2e-fastapi-postgresql-redis", tmp_path / "project")
    build(folder, "--set", "name=e2e-killed", "--set", "fastapi.worker=off")
    stack = Stack(folder)
    try:
        stack.write_env(DEPLOY_TIMEOUT="180", DRAIN_SECONDS="2")
        succeed(stack, "deploy")
        yield stack
    finally:
        stack.remove()
        images = run("docker", "image", "ls", "-q", "e2e-killed-app").split()
        if images:
            subprocess.run(["docker", "image", "rm", "-f", *set(images)], check=False)


def test_nothing_acknowledged_is_lost_and_each_next_run_heals(stack: Stack) -> None:
    chance = random.Random(17)
    writer = Writer(stack)
    writer.start()
    usual: dict[tuple[str, ...], float] = {}
    try:
        for number in range(ROUNDS * len(SCRIPTS)):
            command = SCRIPTS[number % len(SCRIPTS)]
            restores = command[0] == "restore"
            # A restore goes back on purpose: to a state that has everything.
            if restores:
                writer.paused.acquire()
            try:
                whole = command
                if restores:
                    succeed(stack, "backup")
                    listed = run("sh", "deploy/restore.sh", "--list", cwd=stack.folder)
                    whole = (*command, "--no-backup", listed.splitlines()[-1].split()[0])
                if command not in usual:
                    usual[command] = succeed(stack, *whole)
                delay = usual[command] * chance.random()
                kill(stack, delay, *whole, group=number % 2 == 1)
                succeed(stack, *whole)
            finally:
                if restores:
                    writer.paused.release()
            acknowledged = set(writer.acknowledged)
            kept = {item["name"] for item in stack.get("/api/v1/items")}
            assert acknowledged - kept == set(), (number, command)
            before = len(writer.acknowledged)
            stack.post("/api/v1/visits")
            while len(writer.acknowledged) == before:
                assert writer.is_alive()
                time.sleep(0.1)
    finally:
        writer.ended.set()
        writer.join()
    assert len(writer.acknowledged) > 100
