"""Folders whose modules are all of one kind: found by being there, listed nowhere."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from typing import Any


def modules(package: str) -> dict[str, Any]:
    """The modules of a package that is being imported, by their names, which are sorted.

    They are `Any`, as each registry says in its own words what a module of it has.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(sys.modules[package].__path__))
    return {name: import_module(f"{package}.{name}") for name in names}
