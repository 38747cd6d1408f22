"""The targets: one module each, found by being here, with a `TARGET`.

They do not import each other; what managed platforms share is `managed_platform.py`.
"""

from __future__ import annotations

from .. import registry
from ..target import Target

# The one that is there without being asked for: one server with Compose.
DEFAULT = "docker"
_TARGETS: list[Target] = [module.TARGET for module in registry.modules(__name__).values()]
TARGETS = {target.name: target for target in sorted(_TARGETS, key=lambda t: (t.rank, t.name))}
# Those that the answer `targets` lists.
LISTED = tuple(name for name in TARGETS if name != DEFAULT)
