"""Queues whose jobs nobody would run."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, find_api, subject_of


def find_workers(root: Path, files: dict[str, str]) -> list[Finding]:
    """What is found of the workers of an app with these files."""
    return [one for one in find_api(root, files) if one.rule == "start.workers"]


@pytest.mark.parametrize("name", ["rq", "celery", "arq", "dramatiq", "huey", "taskiq", "saq"])
def test_a_queue_without_a_worker_is_told(name: str, tmp_path: Path) -> None:
    (found,) = find_workers(tmp_path, {"jobs.py": f"import {name}\n"})
    assert not found.certain and found.seen.startswith(f"No worker of {name} is started")
    assert f"--set fastapi.worker='{name}" in found.mend.replace("huey_consumer", "huey")


def test_a_second_queue_is_told(tmp_path: Path) -> None:
    celery = "from celery import Celery\napp = Celery('x')\n"
    (found,) = find_workers(tmp_path, {"a.py": celery, "b.py": "from rq import Queue\n"})
    assert "No worker of rq is started, but one of celery" in found.seen


def test_a_module_of_the_same_name_is_no_queue(tmp_path: Path) -> None:
    assert find_workers(tmp_path, {"rq.py": "", "main.py": "import rq\n" + API["main.py"]}) == []


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (
            "from rq import Worker\nif __name__ == '__main__':\n    Worker(['q']).work()\n",
            "python -m jobs",
        ),
        (
            "from taskiq_redis import ListQueueBroker\n"
            "broker = ListQueueBroker('redis://').with_result_backend(x)\n",
            "taskiq worker --workers 2 jobs:broker",
        ),
        ("from huey import RedisHuey\nhuey = RedisHuey('x')\n", "huey_consumer jobs.huey -w 2"),
    ],
)
def test_the_worker_is_found(source: str, command: str, tmp_path: Path) -> None:
    files = {**API, "jobs.py": source}
    (worker,) = subject_of(tmp_path, files, None, USE_FASTAPI="true").stack.workers
    assert " ".join(worker.command) == command
    assert find_workers(tmp_path, {"jobs.py": source}) == []


def test_a_worker_that_no_script_runs_is_not_found(tmp_path: Path) -> None:
    files = {**API, "jobs.py": "from rq import Worker\ndef f():\n    Worker(['q']).work()\n"}
    assert subject_of(tmp_path, files, None, USE_FASTAPI="true").stack.workers == ()
