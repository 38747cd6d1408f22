"""One server with Docker Compose: its engine, the machine, the network."""

from __future__ import annotations

from collections.abc import Mapping

from .. import backups, databases, engine, network, server
from .. import settings as settings_checks
from ..model import Check, Context

IDS: dict[str, str] = {
    **engine.IDS,
    **databases.IDS,
    **server.IDS,
    **network.IDS,
    **backups.IDS,
}
ENV_FILE = True


def look(context: Context) -> list[Check]:
    """All checks of this target."""
    found = engine.observe()
    machine = server.observe(found, context.project)
    return [
        *engine.judge(found),
        *databases.judge(context, found, _upgrade(context)),
        *server.judge(context, machine),
        *network.look_at_ports(context, found),
        *network.look_at_domain(context),
        *backups.look(context, "deploy"),
    ]


def _upgrade(context: Context) -> str:
    script = context.outcome.request.named("deploy/{}.sh")
    return f"sh {script}{context.names.option}"


def done(context: Context) -> Mapping[str, bool]:
    """The settings, and what a stack that runs tells."""
    name = context.compose_project
    running = any(container.project == name for container in engine.observe().containers)
    return {
        "copy": running,
        "settings": settings_checks.are_made(context),
        "start": running,
    }
