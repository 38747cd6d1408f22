"""Flask, Dash and others that speak WSGI: Gunicorn serves them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from .. import framework, python_servers, python_web
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..origins import Fields, Found
from ..project import Place, Project
from ..python_source import Module, called_name, statements
from ..runtimes import python
from ..setting import Setting

TITLE = "WSGI"
RUNTIME = python.RUNTIME
RANK = 4
GENERIC = False
FLAG = "USE_WSGI"
SERVICE = "wsgi"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("wsgi", TITLE),
    Setting("wsgi.entry", "text", "The WSGI object or factory, as module:name"),
    Setting("wsgi.factory", "boolean", "The entry is an application factory"),
    Setting("wsgi.paths", "list", "Path prefixes that the proxy sends to it"),
)
_PORT = Found(8000, "Gunicorn's usual port")
_LIBRARIES = python_servers.SERVERS | {"flask", "dash", "flask-socketio", "flask-migrate"}


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By the object that its code makes."""
    return python_web.find(project, "wsgi")


def read(project: Project, folder: str) -> Fields:
    """The entry, and what it says of health check and paths.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules = python.modules(project, folder)[0]
    fields = python_web.read(project, folder, "wsgi", modules, _PORT)
    if fields["framework"].value == "Dash":
        fields["health"] = _dash_health(fields["health"])
        server = _dash_server(modules)
        if server and "wsgi.entry" not in project.hints:
            fields["entry"] = server
    entry = fields["entry"].value
    command = ("gunicorn", entry) if entry else ()
    sockets = _sockets(modules)
    return {
        **fields,
        **({"sockets": sockets} if sockets else {}),
        **python.read(project, folder, modules, _LIBRARIES, command=command),
    }


def _dash_health(found: Found[str | None]) -> Found[str | None]:
    return found if found.value else Found("/", "Dash's only page", found.path)


def _dash_server(modules: Sequence[Module]) -> Found[str] | None:
    """`server = app.server`, the Flask app within, which older releases alone can serve."""
    for module in modules:
        for node in statements(module.body.body):
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Attribute(ast.Name(), "server")
                ):
                    target = f"{module.name}:{name}"
                    return Found(target, "Dash's server", module.path, node.lineno)
    return None


def _sockets(modules: Sequence[Module]) -> Found[bool] | None:
    """Flask-SocketIO, whose clients have to reach one and the same process (its "Deployment")."""
    for module in modules:
        if not python_web.imports(module, "flask_socketio"):
            continue
        for node in ast.walk(module.body):
            if isinstance(node, ast.Call) and called_name(node) == "SocketIO":
                return Found(True, "Flask-SocketIO", module.path, node.lineno)
    return None


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by Gunicorn, unless another command was set.

    Raises:
        ProjectError: No app was found, and no command that would do without.
    """
    own = framework.command(facts)
    server = python_servers.Server(own) if own else _server(facts, situation)
    return python.define(
        facts,
        situation,
        server.command,
        serving=server.environment,
        variables=server.variables,
        web=python.Web(
            title=python_web.title(facts, TITLE),
            servers=server.packages,
            alone=bool(facts.get("sockets")),
            warnings=(
                *python_servers.told(facts, server.packages),
                *python_web.others(facts, situation.kind),
            ),
        ),
    )


def _server(facts: Mapping[str, Any], situation: Situation) -> python_servers.Server:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError(
            f"No app for a WSGI server was found in {facts['dir']}: name it with "
            "--set wsgi.entry=MODULE:NAME."
        )
    if facts.get("sockets"):
        return python_servers.wsgi(facts, entry, threads=100, alone=True)
    return python_servers.wsgi(facts, entry)
