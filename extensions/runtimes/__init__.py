"""The languages that apps are written in: what is the same for all frameworks of one.

Each module has its `RUNTIME`, and what its frameworks (`extensions/apps/`) are made with:
`settings(kind, title)`, what reads an app's folder, and `define(…)`, which makes the `App`.
"""

from __future__ import annotations

from .. import registry
from ..model import Runtime

_RUNTIMES: list[Runtime] = [module.RUNTIME for module in registry.modules(__name__).values()]
# In the order of the stack's apps.
RUNTIMES = {runtime.name: runtime for runtime in sorted(_RUNTIMES, key=lambda r: (r.rank, r.name))}
