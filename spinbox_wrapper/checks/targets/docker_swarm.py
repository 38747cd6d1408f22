"""What `deploy/swarm/` needs before it can be deployed: a swarm, labels, images for all nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from ... import derivation
from ...derivation import programs, versions
from .. import backups, databases, engine, network
from .. import settings as settings_checks
from ..model import Check, Context, Status, failed, passed, warned

IDS = {
    "swarm.engine": "Docker Engine 25 or newer runs here, and you may use it",
    "swarm.manager": "This node is a manager of a swarm",
    "swarm.labels": "One node has each label that services ask for; a single node needs none",
    "swarm.data_here": "The node with the data is this one, where backups are made",
    "swarm.images": "With several nodes, the images have a registry's name",
    "swarm.privileges": "Every container of this node is kept from new privileges",
}
ENV_FILE = True
_OLDEST = Version("25")


@dataclass(frozen=True)
class Swarm:
    """What an engine says of its swarm.

    Attributes:
        version: The engine's; empty where none answers.
        manager: It is a manager.
        node: This node's id.
        labels: The labels of each node, by its id.
        security: The engine's security options.
    """

    version: str = ""
    manager: bool = False
    node: str = ""
    labels: Mapping[str, Mapping[str, str]] | None = None
    security: tuple[str, ...] = ()


def observe() -> Swarm:
    """Ask the `docker` program; nothing is changed."""
    info = _json("info", "--format", "{{json .}}")
    if not isinstance(info, dict) or not info.get("ServerVersion"):
        return Swarm()
    state = info.get("Swarm") or {}
    manager = bool(state.get("ControlAvailable"))
    nodes = _text("node", "ls", "--quiet").split() if manager else []
    inspected = _json("node", "inspect", *nodes) if nodes else []
    return Swarm(
        version=str(info["ServerVersion"]),
        manager=manager,
        node=str(state.get("NodeID") or ""),
        labels={node["ID"]: node["Spec"].get("Labels") or {} for node in inspected or ()},
        security=tuple(info.get("SecurityOptions") or ()),
    )


def judge(swarm: Swarm) -> list[Check]:
    """Checks of the engine and its swarm."""
    if not swarm.version:
        mend = "Install Docker, or let this user use it: https://docs.docker.com/engine/install/"
        return [failed("swarm.engine", "No Docker engine answers here.", mend)]
    version = versions.leading_version(swarm.version)
    if version is not None and version < _OLDEST:
        seen = f"Docker Engine {swarm.version} is older than {_OLDEST}."
        engine = failed("swarm.engine", seen, "https://docs.docker.com/engine/install/")
    else:
        engine = passed("swarm.engine", f"Docker Engine {swarm.version} answers.")
    if not swarm.manager:
        mend = "docker swarm init --advertise-addr ADDRESS-OF-THIS-NODE"
        return [engine, failed("swarm.manager", "This node is no manager of a swarm.", mend)]
    number = len(swarm.labels or ())
    seen = f"This node is a manager of a swarm of {number} node{'' if number == 1 else 's'}."
    return [engine, passed("swarm.manager", seen)]


def look(context: Context) -> list[Check]:
    """All checks of this target."""
    swarm = observe()
    guide = context.outcome.request.named("deploy/swarm/README.md")
    mend = f"{guide} says how to move it: A new major version of PostgreSQL."
    return [
        *judge(swarm),
        *judge_stack(context, swarm),
        *databases.judge(context, engine.observe(), mend),
        *network.look_at_domain(context),
        *backups.look(context, "deploy/swarm"),
    ]


def done(context: Context) -> Mapping[str, bool]:
    """The swarm and the settings."""
    found = {check.id: check.status for check in judge(observe())}
    return {
        "swarm": found.get("swarm.manager") is Status.PASS,
        "settings": settings_checks.are_made(context),
    }


def judge_stack(context: Context, swarm: Swarm) -> list[Check]:
    """Checks of what the stack needs of the swarm."""
    if not swarm.manager:
        return []
    stack, nodes = context.stack, swarm.labels or {}
    checks = [*_labels(stack, swarm.node, nodes), *_images(context, nodes)]
    id_ = "swarm.privileges"
    if any(option.startswith("name=no-new-privileges") for option in swarm.security):
        checks.append(passed(id_, "No container of this node can gain privileges."))
    else:
        mend = 'Set "no-new-privileges": true in /etc/docker/daemon.json, and start Docker anew.'
        checks.append(warned(id_, "A stack file cannot forbid new privileges.", mend))
    return checks


def _labels(
    stack: derivation.model.Stack, own: str, nodes: Mapping[str, Mapping[str, str]]
) -> list[Check]:
    wanted = [f"{stack.name}.data"] if stack.volume_names else []
    wanted += [f"{stack.name}.edge"] if stack.with_proxy else []
    id_ = "swarm.labels"
    having = {
        label: [node for node, labels in nodes.items() if labels.get(label) == "true"]
        for label in wanted
    }
    missing = [label for label in wanted if not having[label]]
    if missing and len(nodes) > 1:
        mend = f"docker node update --label-add {missing[0]}=true NODE"
        return [failed(id_, f"No node has the label {missing[0]}.", mend)]
    several = [label for label in wanted if len(having[label]) > 1]
    if several:
        mend = f"docker node update --label-rm {several[0]} NODE"
        return [failed(id_, f"Several nodes have the label {several[0]}; one may.", mend)]
    checks = [passed(id_, "Every service has a node to run on.")]
    data = having.get(f"{stack.name}.data")
    if data and own not in data:
        seen = "The node with the data is another one: backups cannot be made from here."
        mend = f"docker node update --label-add {stack.name}.data=true {own}"
        checks.append(warned("swarm.data_here", seen, mend))
    elif stack.kept:
        checks.append(passed("swarm.data_here", "The data is on this node."))
    return checks


def _images(context: Context, nodes: Mapping[str, Mapping[str, str]]) -> list[Check]:
    id_ = "swarm.images"
    if len(nodes) < 2:
        return []
    settings = context.settings or {}
    for app in context.stack.apps:
        name = f"IMAGE_{app.name.upper()}"
        if "/" not in settings.get(name, ""):
            seen = f"Other nodes cannot pull the image of {app.name}."
            mend = f"Set {name} in {context.settings_name} to a registry's name."
            return [failed(id_, seen, mend)]
    return [passed(id_, "Every node can pull the images.")]


def _text(*arguments: str) -> str:
    result = programs.run(["docker", *arguments])
    return result.text if result.ok else ""


def _json(*arguments: str) -> Any:
    try:
        return json.loads(_text(*arguments) or "null")
    except ValueError:
        return None
