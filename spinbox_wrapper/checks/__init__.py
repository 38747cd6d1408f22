"""`spinbox deploy --check`: is everything ready? Looks, and changes nothing.

Each module has `IDS`, what its checks look at by their ids. A check that a project has no use
for, such as migrations without a database, is left out of the result.
"""

from __future__ import annotations

from . import files, lifecycle, project, settings, start
from .model import Check, Context, Status
from .targets import CHECKS

__all__ = ["CHECKS", "IDS", "Check", "Context", "Status", "run"]

IDS: dict[str, str] = {
    **files.IDS,
    **settings.IDS,
    **project.IDS,
    **start.IDS,
    **lifecycle.IDS,
}
for _checks in CHECKS.values():
    IDS |= _checks.IDS


def run(context: Context) -> list[Check]:
    """Look at everything that the target needs."""
    target = CHECKS[context.target]
    return [
        *files.look(context),
        *(settings.look(context) if target.ENV_FILE else ()),
        *project.look(context),
        *start.look(context),
        *lifecycle.look(context),
        *target.look(context),
    ]
