"""The CI platforms: one module each, found by being here, with a `PLATFORM`."""

from __future__ import annotations

import importlib
import pkgutil

from ..pipeline_platform import PipelinePlatform


def _all() -> list[PipelinePlatform]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f".{name}", __name__).PLATFORM for name in names]


PLATFORMS: dict[str, PipelinePlatform] = {platform.name: platform for platform in _all()}
