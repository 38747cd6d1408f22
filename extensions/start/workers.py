"""Queues whose jobs nobody would run."""

from __future__ import annotations

from collections.abc import Iterator

from .. import finding, python_program
from ..finding import Finding
from ..model import App
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.workers": "Something runs the jobs that apps put into queues"}

# How a worker is started, by what code imports: the command as far as it is always the same.
_COMMANDS = {
    "rq": "rq worker",
    "celery": "celery --app MODULE worker",
    "dramatiq": "dramatiq MODULE",
    "arq": "arq MODULE.WorkerSettings",
    "taskiq": "taskiq worker MODULE:broker",
    "huey": "huey_consumer MODULE.huey",
    "saq": "saq MODULE.settings",
    "procrastinate": "procrastinate --app MODULE.app worker",
    "streaq": "streaq MODULE:worker",
}


def find(subject: Subject) -> Iterator[Finding]:
    """A library for queues that code imports, and no worker of it in the stack."""
    for app in subject.of("python"):
        yield from _of(subject, app)


def _of(subject: Subject, app: App) -> Iterator[Finding]:
    commands = [worker.command for worker in subject.stack.workers]
    words = commands[0] if commands else ()
    run = " ".join(word for command in (*commands, app.command) for word in command)
    program = python_program.of(subject.tree, app.directory, subject.modules(app))
    told = set()
    for module in program.modules.values():
        for one in program.imports(module):
            name = one.name.partition(".")[0]
            if name not in _COMMANDS or name in told or name in program.modules:
                continue
            told.add(name)
            # A script of the app's own may run any of them.
            if name in run or run.startswith("python") or words[:1] == ("python",):
                continue
            instead = f", but one of {words[0]}" if words else ""
            yield Finding(
                "start.workers",
                False,
                f"No worker of {name} is started{instead}: its jobs stay in the queue "
                f"({finding.where(module.path, one.line)}).",
                f"spinbox build --prod --set {app.kind}.worker='{_COMMANDS[name]}'",
                module.path,
                one.line,
            )
