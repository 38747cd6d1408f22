"""Gradio (gradio.app, "Sharing Your App"): its script serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import framework, python_web
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..origins import BY_HAND, Fields, Found
from ..project import Place, Project
from ..runtimes import python
from ..setting import Setting

TITLE = "Gradio"
RUNTIME = python.RUNTIME
RANK = 7
GENERIC = False
FLAG = "USE_GRADIO"
SERVICE = "gradio"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("gradio", TITLE),
    Setting("gradio.entry", "text", "The script that serves it"),
    Setting("gradio.paths", "list", "The path that it is at beside other apps"),
)
# What launch() takes where it is given nothing (gradio.app, "Environment Variables"); all that it
# writes goes where it may.
_TOLD = (
    ("GRADIO_SERVER_NAME", "0.0.0.0"),
    ("GRADIO_ANALYTICS_ENABLED", "False"),
    ("GRADIO_TEMP_DIR", "/tmp/gradio"),
    ("GRADIO_EXAMPLES_CACHE", "/tmp/gradio-examples"),
)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By a script that launches an interface."""
    return python_web.find(project, "gradio")


def read(project: Project, folder: str) -> Fields:
    """The script, and the port that it launches on.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules = python.modules(project, folder)[0]
    script = python_web.script(folder, "gradio", modules, "launch")
    if hint := project.hints.get("gradio.entry"):
        script = Found(hint, BY_HAND)
    given = python_web.argument(modules, "launch", "server_port")
    port = Found(7860, "Gradio's usual port")
    if given and isinstance(given.value, int):
        port = Found(given.value, "server_port", given.path, given.line)
    return {
        "entry": script,
        "source_root": Found(".", "the app's folder"),
        "port": port,
        "health": Found("/", "its page", script.path),
        **python.read(project, folder, modules, command=("python", script.value or "")),
    }


def is_api(facts: Mapping[str, Any]) -> bool:
    """It shares a domain with other apps below a path of its own."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by its script, unless another command was set.

    Raises:
        ProjectError: No script was found, and no command that would do without.
    """
    facts, base, warnings = python_web.below(facts, situation, "/gradio")
    entry = facts.get("entry")
    command = framework.command(facts) or ("python", entry or "")
    if not entry and not framework.command(facts):
        raise ProjectError(
            f"No script of Gradio was found in {facts['dir']}: name it with "
            "--set gradio.entry=FILE."
        )
    root = (("GRADIO_ROOT_PATH", base),) if base else ()
    told = (*_TOLD, ("GRADIO_SERVER_PORT", str(facts.get("port") or 7860)), *root)
    web = python.Web(told=told, alone=True, warnings=warnings)
    return python.define(facts, situation, command, web=web)
