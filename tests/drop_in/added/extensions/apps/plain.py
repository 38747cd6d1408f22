"""Plain, a web framework that never was: a server of Python's own library, in `plain/server.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import framework
from ..framework import Situation
from ..model import App, Env, password
from ..origins import Fields, Found
from ..project import Place, Project
from ..runtimes import python
from ..setting import Setting

TITLE = "Plain"
RUNTIME = python.RUNTIME
RANK = 10
GENERIC = False
FLAG = "USE_PLAIN"
SERVICE = "plain"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("plain", TITLE),
    Setting("plain.paths", "list", "Path prefixes that the proxy sends to it"),
)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By its flag, in the folder with `server.py`."""
    origin = project.wanted("plain", FLAG)
    if origin is None:
        return None
    script = project.tree.first("plain", "server.py")
    folder = Found("plain", "holds server.py", script) if script else Found(None, "no server.py")
    return Place(origin, project.by_hand("plain.dir") or folder)


def read(project: Project, folder: str) -> Fields:
    """Port and health check are always the same."""
    modules, _ = python.modules(project, folder)
    return {
        "port": Found(8080, "Plain's usual port"),
        "health": Found("/health", "every Plain app has it"),
        "source_root": Found(".", "the app's folder"),
        **python.read(project, folder, modules),
    }


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by itself."""
    return python.define(
        facts,
        situation,
        framework.command(facts) or ("python", "server.py"),
        environment=(Env("COOKIE_KEY", variable="COOKIE_KEY"),),
        variables=(password("COOKIE_KEY", "Application", "Signs cookies."),),
    )
