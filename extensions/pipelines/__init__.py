"""The CI platforms: one module each, found by being here, with a `PLATFORM`."""

from __future__ import annotations

from .. import registry
from ..pipeline_platform import PipelinePlatform

_PLATFORMS: list[PipelinePlatform] = [m.PLATFORM for m in registry.modules(__name__).values()]
PLATFORMS = {platform.name: platform for platform in _PLATFORMS}
