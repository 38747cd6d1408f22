"""`spinbox deploy --check`: is everything ready? Looks, and changes nothing.

Each module has `IDS`, what its checks look at by their ids. A check that a project has no use
for, such as migrations without a database, is left out of the result.
"""

from __future__ import annotations

from ..sync import Outcome
from . import (
    engine,
    files,
    kubernetes,
    lifecycle,
    network,
    platforms,
    project,
    server,
    settings,
    swarm,
)
from .model import Check, Context, Status

__all__ = ["IDS", "Check", "Context", "Status", "run", "statuses"]

IDS: dict[str, str] = {
    **files.IDS,
    **settings.IDS,
    **project.IDS,
    **lifecycle.IDS,
    **engine.IDS,
    **server.IDS,
    **network.IDS,
    **kubernetes.IDS,
    **swarm.IDS,
    **platforms.IDS,
}


def run(context: Context) -> list[Check]:
    """Look at everything that the target needs, in the order of `IDS`."""
    if context.target == "kubernetes":
        return [
            *files.look(context),
            *project.look(context),
            *lifecycle.look(context),
            *kubernetes.look(context),
        ]
    if context.target in platforms.PROGRAMS:
        return [
            *files.look(context),
            *project.look(context),
            *lifecycle.look(context),
            *platforms.look(context),
        ]
    if context.target == "docker-swarm":
        return [
            *_of_files(context),
            *lifecycle.look(context),
            *swarm.judge(swarm.observe()),
            *swarm.look(context, swarm.observe()),
            *network.look_at_domain(context),
        ]
    found = engine.observe()
    machine = server.observe(found, context.project)
    return [
        *_of_files(context),
        *lifecycle.look(context),
        *engine.judge(found),
        *server.judge(context, machine),
        *network.look_at_ports(context, found),
        *network.look_at_domain(context),
    ]


def statuses(outcome: Outcome, environment: str = "production") -> dict[str, Status]:
    """How the checks of files, settings and project end, by id.

    Cheap: asks git and reads files, but neither Docker nor the network.
    """
    context = Context(outcome, environment)
    return {check.id: check.status for check in _of_files(context)}


def _of_files(context: Context) -> list[Check]:
    return [*files.look(context), *settings.look(context), *project.look(context)]
