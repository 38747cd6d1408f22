"""What a failed test leaves to be read: the state and the logs of every container there was."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.e2e.engines import STARTED

FOLDER = REPOSITORY / "build/logs"
_STATE = "{{json .State}}"
_TASKS = "{{.Name}} {{.CurrentState}} {{.Error}}"


def leave(test: str) -> tuple[str, Path]:
    """Write all logs to a file of the test's name.

    Returns:
        What troubled containers said last, and the file with all of it.
    """
    parts = list(_containers())
    file = FOLDER / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', test).strip('-')[:150]}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n\n".join(text for _, text in parts) + "\n")
    troubled = [_last(text, 25) for in_trouble, text in parts if in_trouble]
    return "\n\n".join(troubled), file


def _containers() -> Iterator[tuple[bool, str]]:
    """Of each container, whether it is in trouble, its state and its log."""
    for host in ([], *(["-H", address] for address in STARTED)):
        for id_ in _docker(*host, "ps", "--all", "--quiet").split():
            name = _docker(*host, "inspect", "--format", "{{.Name}}", id_).strip()
            state = json.loads(_docker(*host, "inspect", "--format", _STATE, id_) or "{}")
            health = state.get("Health", {})
            checks = [check.get("Output", "").strip() for check in health.get("Log", [])[-3:]]
            head = f"== {name} {state.get('Status')} {state.get('ExitCode')} {health.get('Status')}"
            log = _docker(*host, "logs", "--tail", "300", id_)
            ended = state.get("Status") != "running" and state.get("ExitCode") != 0
            yield ended or health.get("Status") == "unhealthy", "\n".join([head, *checks, log])
        for service in _docker(*host, "service", "ls", "--quiet").split() if host else ():
            tasks = _docker(*host, "service", "ps", "--no-trunc", "--format", _TASKS, service)
            yield " Failed" in tasks or " Rejected" in tasks, f"== tasks\n{tasks}"


def _docker(*arguments: str) -> str:
    result = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    return result.stdout if result.returncode == 0 else ""


def _last(text: str, lines: int) -> str:
    head, *rest = text.splitlines()
    return "\n".join([head, *rest[-lines:]])
