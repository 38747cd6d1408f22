"""Background workers of Python apps: one module for each library, found by being here.

A module has

- `RANK`: its place where an app has several; the first to be found runs;
- `SIGN`: what it is found by, for people;
- `find(modules)`: the command line of the worker, or None;
- `health(words)`: a shell's command that tells whether what that command line starts works, its
  queue included, or None where there is none, or where it is another library's;
- `additions(libraries, services)`: requirements that apps leave out, by the dependencies that they
  name and the backing services that they use.

It may have

- `alive(words)`: as `health`, but it fails only where a new start would help;

and where what starts jobs by the clock, the scheduler, is a program of its own:

- `find_scheduler(modules)`: its command line where the project schedules something, or None;
- `split(words)`: a worker's command without the scheduler that it starts, and that one's; the
  command as it is and nothing where it starts none;
- `schedule(words)`: a scheduler's command with a schedule that lasts, and the volume of that, or
  None where it needs none; None where it is no scheduler.

Nothing else has to be edited to add one.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import Any

from .. import limits, registry
from ..model import App, Worker
from ..origins import Found, either
from ..python_source import Module

_MODULES = sorted(
    registry.modules(__name__).values(), key=lambda module: (module.RANK, module.__name__)
)


def find(modules: list[Module]) -> Found[str | None]:
    """The command line that runs the project's background worker, or None."""
    for module in _MODULES:
        if found := module.find(modules):
            worker: Found[str | None] = found
            return worker
    return Found(None, f"no {either([module.SIGN for module in _MODULES])}")


def find_scheduler(modules: list[Module]) -> Found[str | None]:
    """The command line of what starts its jobs by the clock, or None."""
    for module in _MODULES:
        if module.find(modules):
            look = getattr(module, "find_scheduler", lambda _: None)
            scheduler: Found[str | None] | None = look(modules)
            return scheduler or Found(None, "no schedule that a program of its own starts")
    return Found(None, "no background worker")


def define(app: App, worker: str | None, scheduler: str | None) -> tuple[Worker, ...]:
    """What runs in an app's image beside it.

    Args:
        app: The app.
        worker: The worker's command line, or None.
        scheduler: The scheduler's; None for the one that the worker's starts, if it does.
    """
    if not app.runtime.runs_workers:
        return ()
    words = tuple(shlex.split(worker or ""))
    words, inside = next(filter(lambda pair: pair[1], _asked("split", words)), (words, ()))
    found = {"worker": words, "scheduler": tuple(shlex.split(scheduler or "")) or inside}
    return tuple(_define(name, app, command) for name, command in found.items() if command)


def warnings(app: App, worker: str | None, scheduler: str | None) -> tuple[str, ...]:
    """What is not as the command lines of `define` say, one sentence each."""
    made = []
    if any(pair[1] for pair in _asked("split", tuple(shlex.split(worker or "")))):
        made.append(
            f"The scheduler in {app.kind}.worker runs as a service of its own, so that there is "
            "never a second one: leave --beat out of that command."
        )
    for one in define(app, worker, scheduler):
        for volume in one.volumes:
            if not any(volume.path in word for word in one.command):
                made.append(
                    f"The command of the {one.name} keeps its schedule where a new container has "
                    f"none, so intervals begin anew: name a file in {volume.path}/."
                )
    return tuple(made) if app.runtime.runs_workers else ()


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """Requirements that an app leaves out, but its worker needs."""
    return tuple(name for module in _MODULES for name in module.additions(libraries, services))


def _define(name: str, app: App, words: tuple[str, ...]) -> Worker:
    scheduled = next(filter(None, _asked("schedule", words)), None)
    words, volume = scheduled or (words, None)
    return Worker(
        name=name,
        app=app,
        command=words,
        resources=limits.of_worker(app.resources),
        health=next(filter(None, _asked("health", words)), None),
        alive=next(filter(None, _asked("alive", words)), None),
        alone=scheduled is not None,
        volumes=(volume,) if volume else (),
    )


def _asked(question: str, words: tuple[str, ...]) -> list[Any]:
    """What each library says of a command line."""
    answering = (module for module in _MODULES if hasattr(module, question))
    return [getattr(module, question)(words) for module in answering]
