"""What stands in front of the apps: one module each, found by being here, with a `PROXY`."""

from __future__ import annotations

from .. import registry
from ..proxy import Proxy

_PROXIES: list[Proxy] = [module.PROXY for module in registry.modules(__name__).values()]
PROXIES = {proxy.name: proxy for proxy in _PROXIES}
