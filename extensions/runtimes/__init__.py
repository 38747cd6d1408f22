"""The languages that apps are written in: what is the same for all frameworks of one.

Each module has its `RUNTIME`, and what its frameworks (`extensions/apps/`) are made with:
`settings(kind, title)`, what reads an app's folder, and `define(…)`, which makes the `App`. One may
have `fitting_image(tree, folder, image)`: the image that fits what an app asks for, where that of
`versions.conf` does not.
"""

from __future__ import annotations

from .. import registry
from ..model import Runtime
from ..origins import Found
from ..tree import Tree

_MODULES = registry.modules(__name__)
_RUNTIMES: list[Runtime] = [module.RUNTIME for module in _MODULES.values()]
# In the order of the stack's apps.
RUNTIMES = {runtime.name: runtime for runtime in sorted(_RUNTIMES, key=lambda r: (r.rank, r.name))}


def fitting_image(
    runtime: Runtime, tree: Tree, folder: str, image: Found[str | None]
) -> Found[str | None]:
    """The image of `versions.conf`, or the nearest one that has what an app asks for."""
    choose = getattr(_MODULES[runtime.name], "fitting_image", None)
    return choose(tree, folder, image) if choose else image
