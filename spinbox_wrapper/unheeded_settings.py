"""Settings that a stack gives its apps itself: another value in a settings file does not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import derivation
from .missing_settings import settings_in

_HOST = re.compile(r"(?:[\w+]+://)?(?:[^@/]*@)?(?P<host>\[[^\]]*\]|[^:/?,]+)")
_HERE = re.compile(r"localhost|127(?:\.\d+){3}|0\.0\.0\.0|host\.docker\.internal|.*\.localhost")


def services(
    stack: derivation.model.Stack,
) -> Mapping[str, derivation.model.BackingService]:
    """What the stack gives apps of each backing service that it runs: URLs, hosts and ports."""
    return {
        name: service
        for service in stack.services
        for name in (
            *service.urls,
            *(e.name for e in service.app_environment if e.variable is None),
        )
    }


def is_elsewhere(value: str) -> bool:
    """Whether a value is an address outside of the stack and of this machine."""
    match = _HOST.match(value.strip())
    host = match["host"] if match else ""
    return "." in host and not _HERE.fullmatch(host)


def sentences(
    root: Path, deployment: derivation.deployment.Deployment, build: str
) -> Iterator[str]:
    """One sentence for each address of a service elsewhere that a settings file has in vain.

    Args:
        root: The folder of the generated files.
        deployment: All that is generated.
        build: The command that generates it.
    """
    if not deployment.on_engine:
        return
    given = services(deployment.stack)
    for path in (root / ".env", *sorted((root / "deploy/env").glob("*.env"))):
        for name, value in (settings_in(path) or {}).items():
            service = given.get(name)
            if service and value and is_elsewhere(value):
                yield f"{path.relative_to(root)}: {said(name, service)} {mend(service, build)}"


def said(name: str, service: derivation.model.BackingService) -> str:
    """That a name does not count, as a sentence."""
    return f"{name} does not count, as the stack runs {service.title} itself."


def mend(service: derivation.model.BackingService, build: str) -> str:
    """What to do about it."""
    return (
        f"For a {service.title} elsewhere: {build} --set {service.name}=external; else take it out."
    )
