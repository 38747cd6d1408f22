"""What brings the database's schema up to date: a module of checks for each tool, by its name.

A module has `IDS` and `look(context)`, as those of other subjects have, and is called where the
stack uses the tool of that name (`extensions/migrations/`). It is found by being here.
"""

from __future__ import annotations

from ...derivation import registry
from ..model import Check, Context

_MODULES = registry.modules(__name__)
IDS: dict[str, str] = {
    id_: sentence for module in _MODULES.values() for id_, sentence in module.IDS.items()
}


def look(context: Context) -> list[Check]:
    """The checks of the tool that the stack uses, if it uses one."""
    migrations = context.stack.migrations
    module = _MODULES.get(migrations.kind) if migrations else None
    return list(module.look(context)) if module else []
