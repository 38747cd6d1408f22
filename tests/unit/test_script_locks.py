"""One run at a time: who is refused, and what is waited for."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.trees import generate

pytestmark = pytest.mark.integration

# A number that no process can have.
DEAD = 99999999


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locks")
    generate(["fastapi-postgresql--py312-pg16"], folder)
    root = folder / "fastapi-postgresql--py312-pg16"
    (root / ".env").touch()
    (root / "deploy/state").mkdir()
    (root / "docker").write_text("#!/bin/sh\n")
    (root / "docker").chmod(0o755)
    (root / "deploy/locks.sh").write_text('. deploy/common.sh\nlock "$1"\necho locked\n')
    return root


@contextmanager
def held(root: Path, name: str, holder: int, caller: int | None = None) -> Iterator[None]:
    with (root / f"deploy/state/v312-prod.{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{holder} {caller or os.getppid()}\n")
        file.flush()
        yield


@contextmanager
def locking(root: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        ["sh", "deploy/locks.sh", name],
        cwd=root,
        env={"PATH": f"{root}:{os.defpath}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process


@pytest.mark.parametrize(
    ("name", "alive"), [("backup", True), ("backup", False), ("deploy", False)]
)
def test_a_backup_and_what_a_killed_run_left_are_waited_for(
    tree: Path, name: str, alive: bool
) -> None:
    holder = os.getpid() if alive else DEAD
    with ExitStack() as stack:
        with held(tree, name, holder):
            process = stack.enter_context(locking(tree, name))
            assert process.stdout is not None
            assert process.stdout.readline() == (
                f"locks: Another run ({name}, process {holder}) has not ended yet: "
                "waiting for it.\n"
            )
        assert process.stdout.read() == "locked\n"


def test_a_run_whose_caller_was_killed_is_waited_for(tree: Path) -> None:
    """As the deployment that a change of a password has started."""
    with ExitStack() as stack:
        with held(tree, "deploy", os.getpid(), caller=DEAD):
            process = stack.enter_context(locking(tree, "deploy"))
            assert process.stdout is not None
            assert "waiting for it" in process.stdout.readline()
        assert process.stdout.read() == "locked\n"


def test_another_deployment_is_refused(tree: Path) -> None:
    with held(tree, "deploy", os.getpid()), locking(tree, "deploy") as process:
        assert process.communicate()[0] == (
            f"locks: Another run (deploy, process {os.getpid()}) has not ended yet: wait for it.\n"
        )
    assert process.returncode == 1


def test_a_process_that_ended_and_still_has_its_number_holds_nothing(tree: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with held(tree, "deploy", ended.pid), locking(tree, "deploy") as process:
            assert process.stdout is not None
            assert "waiting for it" in process.stdout.readline()
            process.kill()
