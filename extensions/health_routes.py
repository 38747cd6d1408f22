"""Which routes are health checks, by their names: the same for every language."""

from __future__ import annotations

import re

# What such a route is called; the first of these is taken.
NAMES = (
    "health", "healthz", "healthcheck", "health-check", "livez", "live", "liveness", "ready",
    "readyz", "readiness", "ping", "status", "up",
)  # fmt: skip
# These name other things, too, where they are not at the top, or below what has such a name.
_AT_THE_TOP = re.compile(
    r"/((api|rest|v\d+|health|probes?|internal|system|monitoring|_)/)*[\w-]+/?"
)
_PARAMETER = re.compile(r"[:*{(<\[]")


def is_health(path: str) -> bool:
    """Whether a path is called like a health check, at any depth, and has no parameter."""
    name = path.rstrip("/").rpartition("/")[2]
    if name not in NAMES or _PARAMETER.search(path):
        return False
    return name.startswith("health") or _AT_THE_TOP.fullmatch(path) is not None


def rank(path: str) -> tuple[int, int, str]:
    """The order in which paths are taken: by name, then the shortest."""
    path = path.rstrip("/")
    return (NAMES.index(path.rpartition("/")[2]), path.count("/"), path)
