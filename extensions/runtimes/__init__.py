"""The languages that apps are written in: what is the same for all frameworks of one.

Each module has its `RUNTIME`, and what its frameworks (`extensions/apps/`) are made with:
`settings(kind, title)`, what reads an app's folder, and `define(…)`, which makes the `App`.
"""

from __future__ import annotations

import importlib
import pkgutil

from ..model import Runtime


def _all() -> list[Runtime]:
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f".{name}", __name__).RUNTIME for name in names]


# In the order of the stack's apps.
RUNTIMES = {runtime.name: runtime for runtime in sorted(_all(), key=lambda r: (r.rank, r.name))}
