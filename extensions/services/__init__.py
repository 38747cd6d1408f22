"""The catalogue of backing services: one module each, found by being here.

A module has `define(facts, project)`: the service's facts and the project's name -> its
`BackingService`. Nothing else has to be edited to add one (see CONTRIBUTING.md).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from ..model import BackingService

NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def define(name: str, facts: Mapping[str, Any], project: str) -> BackingService:
    """The backing service `name` as the project needs it.

    Raises:
        ProjectError: The project needs something that the chosen image does not have.
    """
    module = importlib.import_module(f".{name}", __name__)
    service: BackingService = module.define(facts, project)
    return service
