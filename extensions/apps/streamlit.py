"""Streamlit (docs.streamlit.io, "Deploy"): its own program serves a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import framework, python_web
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..origins import BY_HAND, Fields, Found
from ..project import Place, Project
from ..runtimes import python
from ..setting import Setting

TITLE = "Streamlit"
RUNTIME = python.RUNTIME
RANK = 6
GENERIC = False
FLAG = "USE_STREAMLIT"
SERVICE = "streamlit"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("streamlit", TITLE),
    Setting("streamlit.entry", "text", "The script that it serves"),
    Setting("streamlit.paths", "list", "The path that it is at beside other apps"),
)
# As its configuration's reference names them.
_TOLD = (("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false"), ("STREAMLIT_SERVER_HEADLESS", "true"))
_CONFIGURATION = ".streamlit/config.toml"
_HEALTH = Found("/_stcore/health", "every Streamlit app has it")


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By a script that imports it."""
    return python_web.find(project, "streamlit")


def read(project: Project, folder: str) -> Fields:
    """The script; port and health check are Streamlit's.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules = python.modules(project, folder)[0]
    script = python_web.script(folder, "streamlit", modules)
    if hint := project.hints.get("streamlit.entry"):
        script = Found(hint, BY_HAND)
    fields = python.read(project, folder, modules, command=("streamlit", "run", script.value or ""))
    if folder == "." and project.tree.has(_CONFIGURATION):
        # Folders with a dot are no source otherwise, and its secrets stay out.
        listed = fields["sources"]
        fields["sources"] = replace(listed, value=sorted([*listed.value, _CONFIGURATION]))
    return {
        "entry": script,
        "source_root": Found(".", "the app's folder"),
        "port": Found(8501, "Streamlit's usual port"),
        "health": _HEALTH,
        **fields,
    }


def is_api(facts: Mapping[str, Any]) -> bool:
    """It shares a domain with other apps below a path of its own."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by its own program, unless another command was set.

    Raises:
        ProjectError: No script was found, and no command that would do without.
    """
    facts, base, warnings = python_web.below(facts, situation, "/streamlit")
    told = (*_TOLD, *((("STREAMLIT_SERVER_BASE_URL_PATH", base.strip("/")),) if base else ()))
    command = framework.command(facts) or _command(facts)
    web = python.Web(told=told, alone=True, warnings=warnings)
    return python.define(facts, situation, command, web=web)


def _command(facts: Mapping[str, Any]) -> tuple[str, ...]:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError(
            f"No script of Streamlit was found in {facts['dir']}: name it with "
            "--set streamlit.entry=FILE."
        )
    port = str(facts.get("port") or 8501)
    return ("streamlit", "run", entry, "--server.address", "0.0.0.0", "--server.port", port)
