"""What stands in front of the apps: one module each, found by being here, with a `PROXY`."""

from __future__ import annotations

import importlib
import pkgutil

from ..proxy import Proxy


def _all() -> list[Proxy]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f".{name}", __name__).PROXY for name in names]


PROXIES: dict[str, Proxy] = {proxy.name: proxy for proxy in _all()}
