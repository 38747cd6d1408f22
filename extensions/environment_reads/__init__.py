"""Environment variables that an app's code reads, told by its syntax: one module per language.

A module has `reads(tree, folder, …)`: the project's files and the app's folder -> the `Read`s of
its code, each place once, in the order of files and lines. Nothing is run or imported.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Read:
    """One place where code reads an environment variable.

    Attributes:
        name: The variable, as the environment has it.
        path: The file, relative to the project's top folder.
        line: The line in that file, counted from 1.
        required: The app does not start without it: it is read without a default while the entry
            is loaded.
        default: The text that holds where it is not set; None where there is none, or it is not
            a constant.
    """

    name: str
    path: str
    line: int
    required: bool
    default: str | None = None
