"""Variables that the code does not start without, and that nothing sets."""

from __future__ import annotations

from collections.abc import Iterator

from ..environment_reads import Read
from ..finding import Finding, where
from ..model import App
from ..own_variables import OPTIONAL, REQUIRED
from ..subject import Subject

IDS = {"start.settings": "The stack sets or demands every variable that the code needs"}


def find(subject: Subject) -> Iterator[Finding]:
    """Names that code requires since the project was generated: no update demands them by itself.

    Others that it requires are demanded of the settings file, which `settings.complete` looks at.
    """
    for app in subject.stack.apps:
        excused = {*((subject.facts.get(app.kind) or {}).get(OPTIONAL) or ()), *app.filled_names}
        missing: dict[str, Read] = {}
        for read in subject.reads(app):
            if read.required and read.name in app.passed_on and read.name not in excused:
                missing.setdefault(read.name, read)
        for read in missing.values():
            yield _finding(app, read)


def _finding(app: App, read: Read) -> Finding:
    return Finding(
        "start.settings",
        certain=True,
        seen=f"{app.title} does not start without {read.name}, which "
        f"{where(read.path, read.line)} reads without a default, and nothing demands it.",
        mend=f"Demand it with --set {app.kind}.{REQUIRED}={read.name}, or, if the app starts "
        f"without it, use --set {app.kind}.{OPTIONAL}={read.name}",
        path=read.path,
        line=read.line,
        variable=read.name,
    )
