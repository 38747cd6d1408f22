"""What runs in the background, from the command lines of workers and schedulers."""

from __future__ import annotations

import shlex

import pytest

from extensions.workers import celery

from .support import stack_of
from .test_stack import fastapi

SCHEDULE = "--schedule /var/lib/celery/celerybeat-schedule"


def commands(**facts: str | None) -> dict[str, str]:
    """The command line of each, by its name."""
    return {one.name: shlex.join(one.command) for one in stack_of(fastapi(**facts)).workers}


@pytest.mark.parametrize(
    ("worker", "alone", "scheduler"),
    [
        ("celery -A x worker -B", "celery -A x worker", "celery -A x beat --loglevel info"),
        (
            "celery -A beat worker --beat -l debug -c 2",
            "celery -A beat worker -l debug -c 2",
            "celery -A beat beat --loglevel debug",
        ),
        ("celery -Ax worker -EB", "celery -Ax worker -E", "celery -Ax beat --loglevel info"),
        (
            "python -m celery --app=x worker --beat --schedule /tmp/celerybeat-schedule",
            "python -m celery --app=x worker",
            "python -m celery --app=x beat --loglevel info",
        ),
        (
            "newrelic-admin run-program celery -A x -q worker -B --scheduler x.Own",
            "newrelic-admin run-program celery -A x -q worker",
            "newrelic-admin run-program celery -A x -q beat --loglevel info --scheduler x.Own",
        ),
    ],
)
def test_a_scheduler_in_a_worker_is_taken_out(worker: str, alone: str, scheduler: str) -> None:
    assert commands(worker=worker) == {"worker": alone, "scheduler": f"{scheduler} {SCHEDULE}"}


def test_it_is_told() -> None:
    (warning,) = stack_of(fastapi(worker="celery -A x worker -B")).warnings
    assert "fastapi.worker" in warning and "leave --beat out" in warning


@pytest.mark.parametrize("worker", ["celery -A B worker -Q beat", "dramatiq x", "rq worker -B"])
def test_another_worker_stays_as_it_is(worker: str) -> None:
    assert commands(worker=worker) == {"worker": worker}


def test_a_scheduler_given_by_hand_is_the_one() -> None:
    found = commands(worker="celery -A x worker -B", scheduler="celery -A y beat")
    assert found["scheduler"] == f"celery -A y beat {SCHEDULE}"


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_scheduler_is_alone_with_a_schedule_that_lasts(name: str) -> None:
    (one,) = stack_of(fastapi(**{name: "celery -A x beat"})).workers
    assert (one.name, one.alone) == (name, True)
    assert [volume.name for volume in one.volumes] == ["schedule"]


def test_a_schedule_that_is_lost_is_told() -> None:
    (warning,) = stack_of(fastapi(scheduler="celery -A x beat -s /tmp/schedule")).warnings
    assert "/var/lib/celery/" in warning


@pytest.mark.parametrize(
    ("options", "node"),
    [
        ("", '"celery@$HOSTNAME"'),
        (" -n jobs", '"jobs@$HOSTNAME"'),
        (" --hostname=jobs@%h", '"jobs@$HOSTNAME"'),
        (" -n 'my jobs@%h'", "'my jobs@'\"$HOSTNAME\""),
    ],
)
@pytest.mark.parametrize("app", ["--app x", "--app=x", "-A x", "-Ax"])
def test_a_worker_is_asked_by_its_own_name(options: str, node: str, app: str) -> None:
    words = tuple(shlex.split(f"celery {app} worker{options}"))
    assert celery.health(words) == f"entrypoint celery --app x inspect ping --destination {node}"


@pytest.mark.parametrize("options", ["-P solo", "--pool=solo", "-n jobs@%i"])
def test_a_worker_that_could_not_answer_is_not_asked(options: str) -> None:
    words = tuple(shlex.split(f"celery -A x worker {options}"))
    assert celery.health(words) is None and celery.alive(words) is None
