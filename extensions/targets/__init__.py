"""The targets: one module each, found by being here, with a `TARGET`.

They do not import each other; what managed platforms share is `managed_platform.py`.
"""

from __future__ import annotations

import importlib
import pkgutil

from ..target import Target

# The one that is there without being asked for: one server with Compose.
DEFAULT = "docker"


def _all() -> list[Target]:
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f".{name}", __name__).TARGET for name in names]


TARGETS: dict[str, Target] = {
    target.name: target for target in sorted(_all(), key=lambda t: (t.rank, t.name))
}
# Those that the answer `targets` lists.
LISTED = tuple(name for name in TARGETS if name != DEFAULT)
