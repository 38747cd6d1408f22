"""Migrations that their tool refuses to run."""

from __future__ import annotations

from collections.abc import Iterator

from .. import migrations
from ..finding import Finding
from ..subject import Subject

IDS = {"start.migrations": "The migration tool takes its files as they are"}


def concerns(subject: Subject) -> bool:
    """Where a tool changes tables."""
    return subject.stack.migrations is not None and subject.stack.migrations.migrates


def find(subject: Subject) -> Iterator[Finding]:
    """What the project's tool says itself."""
    if subject.stack.migrations:
        yield from migrations.find_faults(
            "start.migrations", subject.tree, subject.stack.migrations
        )
