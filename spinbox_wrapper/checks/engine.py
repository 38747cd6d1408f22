"""Docker Engine and Compose: there, running, new enough."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.version import Version

from ..derivation import programs, versions
from .model import Check, failed, passed

IDS = {
    "engine.docker": "Docker Engine 25 or newer is installed and running",
    "engine.compose": "Docker Compose 2.24 or newer is installed",
}
# `start_interval` of health checks needs Engine 25; `!reset` in files, Compose 2.24.
_ENGINE = Version("25")
_COMPOSE = Version("2.24")


@dataclass(frozen=True)
class Container:
    """A running container: its Compose project, and its open ports of the host.

    Its service is Compose's name of it, or Swarm's, which begins with the stack's.
    """

    project: str
    ports: frozenset[int]
    service: str = ""
    image: str = ""

    def is_of(self, project: str, service: str) -> bool:
        """Whether it runs a service, of a project of Compose or of a stack of Swarm."""
        return (self.project, self.service) in {(project, service), ("", f"{project}_{service}")}


@dataclass(frozen=True)
class Engine:
    """What Docker says of itself.

    Attributes:
        installed: Whether there is a `docker` program.
        problem: What it says where the engine does not answer; else empty.
        version: The engine's version; empty where it does not answer.
        compose: The version of its Compose plugin; empty where there is none.
        info: `docker info`; empty where the engine does not answer.
        containers: Those that run.
    """

    installed: bool
    problem: str = ""
    version: str = ""
    compose: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    containers: tuple[Container, ...] = ()

    @property
    def running(self) -> bool:
        """Whether the engine answers."""
        return bool(self.version)


def observe() -> Engine:
    """Ask the `docker` program; nothing is changed."""
    version = _docker("version", "--format", "{{.Server.Version}}")
    if not version.started:
        return Engine(installed=False)
    compose = _docker("compose", "version", "--short")
    found = compose.text.strip() if compose.ok else ""
    if not version.ok:
        problem = (version.error or "it does not answer").splitlines()[-1]
        return Engine(True, problem, compose=found)
    info = _docker("info", "--format", "{{json .}}")
    running = _docker("ps", "--no-trunc", "--format", "{{json .}}")
    return Engine(
        True,
        version=version.text.strip(),
        compose=found,
        info=_json(info.text),
        containers=tuple(map(container, running.text.splitlines())),
    )


def container(line: str) -> Container:
    """A line of `docker ps --format '{{json .}}'`."""
    document = _json(line)

    def label(name: str) -> str:
        found = re.search(rf"(?:^|,){re.escape(name)}=([^,]*)", str(document.get("Labels", "")))
        return found[1] if found else ""

    return Container(
        label("com.docker.compose.project"),
        published_ports(str(document.get("Ports", ""))),
        label("com.docker.compose.service") or label("com.docker.swarm.service.name"),
        str(document.get("Image", "")),
    )


def published_ports(text: str) -> frozenset[int]:
    """The host's ports in a text such as `0.0.0.0:80->80/tcp, [::]:8000-8001->8000-8001/tcp`."""
    ports: set[int] = set()
    for match in re.finditer(r":(\d+)(?:-(\d+))?->", text):
        first = int(match[1])
        ports |= set(range(first, int(match[2] or first) + 1))
    return frozenset(ports)


def judge(engine: Engine) -> list[Check]:
    """Whether the engine can run what is generated."""
    return [_engine(engine), *([_compose(engine)] if engine.installed else [])]


def _engine(engine: Engine) -> Check:
    id_ = "engine.docker"
    install = "Install it as on https://docs.docker.com/engine/install/"
    if not engine.installed:
        return failed(id_, "Docker is not installed here.", install)
    if not engine.running:
        if "permission denied" in engine.problem.lower():
            mend = 'sudo usermod -aG docker "$USER", then log in again'
            return failed(id_, "You may not talk to the Docker engine.", mend)
        return failed(id_, "The Docker engine does not answer.", "sudo systemctl start docker")
    version = versions.leading_version(engine.version)
    if version is None or version < _ENGINE:
        seen = f"Docker Engine is {engine.version}, but 25 or newer is needed."
        return failed(id_, seen, install)
    return passed(id_, f"Docker Engine {engine.version} runs.")


def _compose(engine: Engine) -> Check:
    id_ = "engine.compose"
    install = "Install it as on https://docs.docker.com/compose/install/linux/"
    if not engine.compose:
        return failed(id_, "The Compose plugin is not installed.", install)
    version = versions.leading_version(engine.compose)
    if version is None or version < _COMPOSE:
        seen = f"Docker Compose is {engine.compose}, but 2.24 or newer is needed."
        return failed(id_, seen, install)
    return passed(id_, f"Docker Compose {engine.compose.removeprefix('v')} is installed.")


def _json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _docker(*arguments: str) -> programs.Result:
    return programs.run(["docker", *arguments])
