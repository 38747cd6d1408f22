"""One server with Docker Compose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Stack
from ..target import EngineSurface, Target


def _build(answers: Mapping[str, Any], stack: Stack) -> EngineSurface:
    return EngineSurface(stack, wanted=bool(answers["compose"]))


TARGET = Target(
    name="docker",
    title="one server with Docker Compose",
    surface="docker",
    guide="deploy/README.md",
    build=_build,
    files={
        "": ("/docker-compose.prod.yml",),
        "stack.with_proxy": ("/deploy/Caddyfile",),
        "stack.rolled": ("/deploy/deploy.sh", "/deploy/rollback.sh", "/deploy/prune.sh"),
        "stack.has_data": ("/deploy/backup.sh", "/deploy/backup-check.sh", "/deploy/restore.sh"),
        "stack.rolled or stack.has_data": (
            "/deploy/common.sh",
            "/deploy/status.sh",
            "/deploy/logs.sh",
            "/deploy/run.sh",
            "/deploy/prepare-server.sh",
        ),
        "stack.protected": ("/deploy/change-password.sh",),
        "stack.upgraded": ("/deploy/upgrade-postgres.sh",),
    },
    rank=0,
)
