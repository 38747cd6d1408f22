"""A proxy or load balancer that is there already."""

from ..proxy import Proxy

PROXY = Proxy("none", "Nothing; another proxy or load balancer is there", generated=False)
