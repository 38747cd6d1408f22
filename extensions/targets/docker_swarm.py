"""Docker Swarm: the same stack on several nodes, or on one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ProjectError
from ..model import Stack
from ..target import EngineSurface, Target

NAME = "docker-swarm"
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


@dataclass(frozen=True)
class Swarm(EngineSurface):
    """What the templates of `deploy/swarm/` see."""

    def octets(self, size: str) -> int:
        """A size of Docker's, such as `64m`, in bytes (docs.docker.com, "byte values")."""
        return int(size[:-1]) * _UNITS[size[-1].upper()]


def _build(answers: Mapping[str, Any], stack: Stack) -> Swarm:
    wanted = NAME in answers["targets"]
    if wanted and not stack.rolled and not stack.services:
        raise ProjectError(
            "Docker Swarm has nothing to keep running: the project's app ends by itself. Leave it "
            f"out with spinbox-deploy deploy --remove-target {NAME}."
        )
    return Swarm(stack, wanted)


TARGET = Target(
    name=NAME,
    title="Docker Swarm",
    surface="swarm",
    guide="deploy/swarm/README.md",
    build=_build,
    files={
        "": ("/deploy/swarm",),
        "stack.with_proxy": ("/deploy/swarm/Caddyfile",),
        "stack.rolled": ("/deploy/swarm/rollback.sh",),
        "stack.has_data": ("/deploy/swarm/backup.sh", "/deploy/swarm/restore.sh"),
        "stack.protected": ("/deploy/swarm/change-password.sh",),
    },
    rank=10,
)
