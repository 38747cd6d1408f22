"""Projects that are ready to deploy, and what the checks say of them."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from spinbox_wrapper.checks import Check, Context
from spinbox_wrapper.sync import Request, plan

SECRET = "0123456789abcdef" * 4


def git(root: Path, *arguments: str) -> None:
    """Run git as a user who has set up nothing."""
    user = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    subprocess.run(["git", *user, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    """Put everything that is not ignored into one commit."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "state")


def context(root: Path, environment: str = "production") -> Context:
    """What the checks look at, in a project as it is now."""
    return Context(plan(Request(project=root)), environment)


def one(checks: Iterable[Check | None], id_: str) -> Check:
    """The check of that id."""
    return next(check for check in checks if check and check.id == id_)


def by_id(checks: Iterable[Check]) -> dict[str, Check]:
    """The checks by their ids, each of which is there once."""
    listed = list(checks)
    found = {check.id: check for check in listed}
    assert len(found) == len(listed)
    return found


def hear_signals() -> None:
    """Undo what a shell does to a program in the background, which ignores Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def fake_docker(folder: Path, answers: dict[str, str], *, error: str = "") -> Path:
    """A `docker` that prints an answer by the first words of its arguments; else it fails.

    Returns:
        The folder to put first on PATH.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = "".join(
        f"    {shlex.quote(words)}*) printf '%s\\n' {shlex.quote(answer)} ;;\n"
        for words, answer in answers.items()
    )
    program = folder / "docker"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in\n{cases}    *) echo {shlex.quote(error)} >&2; exit 1 ;;\nesac\n'
    )
    program.chmod(0o755)
    return folder


# What the lab's engine says, shortened.
ANSWERS = {
    "version": "26.1.5+dfsg1",
    "compose version": "2.26.1-4",
    "info": '{"MemTotal": 8589934592, "NCPU": 4, "DockerRootDir": "/nowhere"}',
    "ps": "",
}
