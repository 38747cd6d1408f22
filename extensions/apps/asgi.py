"""Starlette, Litestar, Quart, FastHTML, Sanic, Socket.IO: what speaks ASGI, but is not FastAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import framework, python_servers, python_state, python_web
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..origins import Fields, Found
from ..project import Place, Project
from ..runtimes import python
from ..setting import Setting

TITLE = "ASGI"
RUNTIME = python.RUNTIME
RANK = 3
GENERIC = False
FLAG = "USE_ASGI"
SERVICE = "asgi"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("asgi", TITLE),
    Setting("asgi.entry", "text", "The ASGI object or factory, as module:name"),
    Setting("asgi.factory", "boolean", "The entry is an application factory"),
    Setting("asgi.paths", "list", "Path prefixes that the proxy sends to it"),
)
_PORT = Found(8000, "Uvicorn's usual port")
# The proxy before it says who asks, and how (sanic.dev, "Proxy Headers").
_SANIC = (("SANIC_PROXIES_COUNT", "1"),)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By the object that its code makes."""
    return python_web.find(project, "asgi")


def read(project: Project, folder: str) -> Fields:
    """The entry, and what it says of health check and paths.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules = python.modules(project, folder)[0]
    fields = python_web.read(project, folder, "asgi", modules, _PORT)
    entry = fields["entry"].value
    fields |= python.read(
        project,
        folder,
        modules,
        python_servers.SERVERS,
        command=("uvicorn", entry) if entry else (),
    )
    return {**fields, **python_servers.grace(project.tree, folder, fields["manifests"].value)}


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by the project's own ASGI server, unless another command was set.

    Raises:
        ProjectError: No app was found, and no command that would do without.
    """
    own = framework.command(facts)
    server = python_servers.Server(own) if own else _server(facts)
    told = _SANIC if server.command[:1] == ("sanic",) else ()
    return python.define(
        facts,
        situation,
        server.command,
        serving=server.environment,
        variables=server.variables,
        web=python.Web(
            told=told,
            title=python_web.title(facts, TITLE),
            servers=server.packages,
            warnings=(
                *python_servers.told(facts, server.packages),
                *python_web.others(facts, situation.kind),
            ),
        ),
    )


def _server(facts: Mapping[str, Any]) -> python_servers.Server:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError(
            f"No app for an ASGI server was found in {facts['dir']}: name it with "
            "--set asgi.entry=MODULE:NAME."
        )
    if facts.get("framework") == "Sanic" and "uvicorn" not in (facts.get("libraries") or ()):
        return python_servers.Server(_sanic(facts, entry))
    return python_servers.asgi(facts, entry)


def _sanic(facts: Mapping[str, Any], entry: str) -> tuple[str, ...]:
    """Its own server (sanic.dev, "Running Sanic")."""
    factory = ("--factory",) if facts.get("factory") else ()
    port = str(facts.get("port") or _PORT.value)
    workers = "1" if facts.get(python_state.FIELD) else "2"
    return ("sanic", entry, *factory, "--host", "0.0.0.0", "--port", port, "--workers", workers)
