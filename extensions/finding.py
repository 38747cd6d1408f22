"""What keeps a stack from starting, or may: what the rules of `extensions/start/` find."""

from __future__ import annotations

import fnmatch
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
        values: Those of that setting that mend it, as patterns of whole names (`fnmatch`), where
            not all do; with an empty one among them, it is mended without a value, too.
    """

    rule: str
    certain: bool
    seen: str
    mend: str
    path: str | None = None
    line: int | None = None
    variable: str | None = None
    values: tuple[str, ...] = ("?*",)

    def is_mended(self, value: str) -> bool:
        """Whether that value of its variable mends it; an empty one is that of no setting."""
        return any(fnmatch.fnmatchcase(value, pattern) for pattern in self.values)


def where(path: str, line: int | None = None) -> str:
    """A place as it is told: `FILE:LINE`, or the file alone."""
    return path if line is None else f"{path}:{line}"
