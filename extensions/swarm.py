"""Whether the stack can run on Docker Swarm."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import ProjectError
from .model import Stack


def is_wanted(targets: Sequence[str] | None, stack: Stack) -> bool:
    """Whether `deploy/swarm/` is generated.

    Raises:
        ProjectError: It is asked for, but nothing keeps running.
    """
    if "docker-swarm" not in (targets or ()):
        return False
    if not stack.rolled and not stack.services:
        raise ProjectError(
            "Docker Swarm has nothing to keep running: the project's app ends by itself. Leave it "
            "out with spinbox-deploy deploy --remove-target docker-swarm."
        )
    return True
