"""Caddy, a container of the stack."""

from ..proxy import Proxy

PROXY = Proxy("caddy", "Caddy, with automatic HTTPS", generated=True)
