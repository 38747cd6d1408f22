"""Numbered SQL files: do they run in their order, each in a transaction?"""

from __future__ import annotations

import posixpath
import re

from ...derivation import source_text
from ..model import Check, Context, failed, passed

IDS = {
    "project.migrations": "SQL migrations have numbers of their own and no `BEGIN` or `COMMIT`",
}


def look(context: Context) -> list[Check]:
    """All checks of this module."""
    return [files(context)]


def files(context: Context) -> Check:
    """Whether the numbered files can be run in their order, each in a transaction."""
    id_ = "project.migrations"
    migrations = context.stack.migrations
    assert migrations is not None and migrations.folder is not None
    folder = migrations.folder
    paths = [
        p for p in context.outcome.tree.below(folder, ".sql") if posixpath.dirname(p) == folder
    ]
    names = [posixpath.basename(path) for path in paths if posixpath.basename(path)[0].isdigit()]
    by_number: dict[int, str] = {}
    for name in names:
        match = re.match(r"\d+", name)
        number = int(match[0]) if match else 0
        if number in by_number:
            seen = f"{by_number[number]} and {name} have one number."
            return failed(id_, seen, f"Give {folder}/{name} the next free number.")
        by_number[number] = name
    # They run in the order of their names, not of their numbers.
    if [by_number[number] for number in sorted(by_number)] != sorted(names):
        seen = "The names do not sort as their numbers do (10 comes before 2)."
        return failed(id_, seen, f"Rename the files of {folder}: 002_…, 010_…")
    for name in names:
        if problem := source_text.sql_problem(context.read(f"{folder}/{name}")):
            return failed(id_, f"{name} {problem}.", f"Take that out of {folder}/{name}.")
    those = "1 SQL file is" if len(names) == 1 else f"{len(names)} SQL files are"
    return passed(id_, f"{those} in order.")
