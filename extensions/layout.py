"""Where generated files lie relative to the project, and the context that templates see."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from . import kubernetes as kubernetes_module
from . import pins, quoting
from . import platforms as platforms_module
from .container import GRACE_SECONDS, INNER_HOST, INNER_PORT, UID
from .kubernetes import Kubernetes
from .model import Stack
from .pipeline import Pipeline, language_version, service_environment, test_environment
from .platforms import Platforms

# Pinned, so that a rebuild years later installs with the same tool.
UV_VERSION = "0.13.9"
COMPOSE_COMMAND = "docker compose -f docker-compose.prod.yml"


def project_root(destination: Path, output: str) -> Path:
    """The project's top folder, seen from the folder that generated files go to."""
    # By name: Copier asks before it has made the output folder.
    return Path(os.path.normpath(destination.joinpath(*[".."] * len(PurePosixPath(output).parts))))


def context(
    stack: Stack,
    pipeline: Pipeline,
    kubernetes: Kubernetes,
    swarm: bool,
    platforms: Platforms,
    output: str,
) -> dict[str, Any]:
    """What every template sees besides the answers.

    Returns:
        `stack`, `pipeline`, `kubernetes`, `swarm`, `platforms`; `pins`, `k8s` and `on` (of the
        platforms), modules; some functions;
        `to_project` (from the output folder to the project's, `.` or `../`…); `to_output` (the
        way back, ending in `/` or empty); `uid`, `uv_version`, `grace_seconds`, `compose_command`,
        `inner_host`, `inner_port`; and the quoting functions of `quoting.py` under `q`.
    """
    depth = len(PurePosixPath(output).parts)
    return {
        "stack": stack,
        "pipeline": pipeline,
        "kubernetes": kubernetes,
        "swarm": swarm,
        "platforms": platforms,
        "on": platforms_module,
        "k8s": kubernetes_module,
        "pins": pins,
        "language_version": language_version,
        "service_environment": service_environment,
        "test_environment": test_environment,
        "to_project": "/".join([".."] * depth) or ".",
        "to_output": f"{PurePosixPath(output)}/" if depth else "",
        "uid": UID,
        "uv_version": UV_VERSION,
        "grace_seconds": GRACE_SECONDS,
        "compose_command": COMPOSE_COMMAND,
        "inner_host": INNER_HOST,
        "inner_port": INNER_PORT,
        "q": quoting,
    }
