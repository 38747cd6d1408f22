"""aiohttp (docs.aiohttp.org, "Deployment"): its own server, or Gunicorn with its worker."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from .. import framework, python_program, python_servers, python_web
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..origins import Fields, Found
from ..project import Place, Project
from ..python_program import Program
from ..python_source import Module, called_name
from ..runtimes import python
from ..setting import Setting

TITLE = "aiohttp"
RUNTIME = python.RUNTIME
RANK = 5
GENERIC = False
FLAG = "USE_AIOHTTP"
SERVICE = "aiohttp"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("aiohttp", TITLE),
    Setting("aiohttp.entry", "text", "The application as module:name, or the script that runs it"),
    Setting("aiohttp.factory", "boolean", "The entry is an application factory"),
    Setting("aiohttp.paths", "list", "Path prefixes that the proxy sends to it"),
)
# Where run_app is given none (docs.aiohttp.org, "Server Reference").
_USUAL = 8080
_LOCAL = frozenset({"127.0.0.1", "localhost"})
_WORKER = "aiohttp.GunicornWebWorker"


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By the `Application` that its code makes."""
    return python_web.find(project, "aiohttp")


def read(project: Project, folder: str) -> Fields:
    """The script that serves it, else the application that Gunicorn is given.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules = python.modules(project, folder)[0]
    port = Found(_USUAL, "aiohttp's usual port")
    fields = python_web.read(project, folder, "aiohttp", modules, port)
    program = python_program.of(project.tree, folder, modules)
    entry = fields["entry"].value
    if not project.hints.get("aiohttp.entry") and (script := _script(program, modules)):
        path = (script.path or "").removeprefix("" if folder == "." else f"{folder}/")
        fields["entry"] = Found(path, "runs the application", script.path, script.line)
        fields["port"] = Found(script.value, "port of run_app", script.path, script.line)
        entry = path
    command = ("gunicorn", entry or "")
    libraries = python_servers.SERVERS
    return {**fields, **python.read(project, folder, modules, libraries, command=command)}


def _script(program: Program, modules: Sequence[Module]) -> Found[int] | None:
    """The script that serves on all addresses at a port that is told."""
    for module in modules:
        for node in ast.walk(module.body):
            if not isinstance(node, ast.Call) or called_name(node) != "run_app":
                continue
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            host = program.text(module, given.get("host"))
            if ("host" in given and (host is None or host in _LOCAL)) or "sock" in given:
                return None
            if "path" in given:
                return None
            port = given.get("port")
            if port is None:
                return Found(_USUAL, "", module.path, node.lineno)
            if "PORT" in ast.unparse(port):
                return Found(_USUAL, "", module.path, node.lineno)
            if isinstance(port, ast.Constant) and isinstance(port.value, int):
                return Found(port.value, "", module.path, node.lineno)
            return None
    return None


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by its own script, or by Gunicorn, unless another command was set.

    Raises:
        ProjectError: No application was found, and no command that would do without.
    """
    own = framework.command(facts)
    server = python_servers.Server(own) if own else _server(facts)
    return python.define(
        facts,
        situation,
        server.command,
        serving=server.environment,
        variables=server.variables,
        web=python.Web(
            servers=server.packages, warnings=python_servers.told(facts, server.packages)
        ),
    )


def _server(facts: Mapping[str, Any]) -> python_servers.Server:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError(
            f"No application of aiohttp was found in {facts['dir']}: name it with "
            "--set aiohttp.entry=MODULE:NAME."
        )
    if entry.endswith(".py"):
        return python_servers.Server(("python", entry))
    # Its worker calls a factory by its name alone.
    return python_servers.wsgi({**facts, "factory": False}, entry, worker=_WORKER)
