"""What keeps a stack from starting, or may: what the rules of `extensions/start/` find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that will not work at the first start.

    Attributes:
        rule: What was looked at, as in `start.settings`: one of `start.IDS`.
        certain: It fails for certain; else that is a guess.
        seen: What will not work and where (`FILE:LINE` where a line says it), as one sentence.
        mend: The command, run in the project's top folder, or the edit that mends it, as a
            sentence.
        path: The file that says it, relative to the project's top folder; None for none.
        line: The line in that file, counted from 1; None where no single line says it.
        variable: The setting that mends it as well, wherever it has a value; None for none.
    """

    rule: str
    certain: bool
    seen: str
    mend: str
    path: str | None = None
    line: int | None = None
    variable: str | None = None


def where(path: str, line: int | None = None) -> str:
    """A place as it is told: `FILE:LINE`, or the file alone."""
    return path if line is None else f"{path}:{line}"
