"""A Python script, without any framework that is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import framework
from ..errors import ProjectError
from ..framework import Situation
from ..model import App
from ..origins import Fields, Found, either
from ..project import Place, Project
from ..runtimes import python
from ..setting import Setting

TITLE = "Python"
RUNTIME = python.RUNTIME
RANK = 1
GENERIC = True
FLAG = "USE_PYTHON"
SERVICE = "python"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("python", TITLE),
    Setting("python.entry", "text", "The script that runs"),
    Setting("python.mode", "job|service", "A script that ends, or one that serves or loops"),
    Setting("python.paths", "list", "Path prefixes that the proxy sends to it"),
)

_ENTRIES = ("main.py", "app.py", "run.py", "__main__.py")


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The script in the top folder, where no framework's app was found."""
    origin = project.wanted("python", FLAG)
    script = project.tree.first(".", *_ENTRIES)
    folder = project.by_hand("python.dir")
    if taken or origin is None or (folder is None and script is None):
        return None
    return Place(origin, folder or Found(".", "script in the top folder", script))


def read(project: Project, folder: str) -> Fields:
    """The script that runs.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    entry: Found[str | None] = Found(None, f"no {either(_ENTRIES)}")
    if script := project.tree.first(folder, *_ENTRIES):
        entry = Found(script.rsplit("/", 1)[-1], "the app's script", script)
    return {
        "entry": entry,
        "source_root": Found(".", "the app's folder"),
        "mode": Found("job", "a script is taken to end"),
        "port": Found(None, "a job has no port"),
        "health": Found(None, "a job has no port"),
        **python.read(
            project,
            folder,
            python.modules(project, folder)[0],
            command=("python", entry.value) if entry.value else (),
        ),
    }


def is_api(facts: Mapping[str, Any]) -> bool:
    """Unless it ends by itself."""
    return not _is_job(facts)


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """A job, or a service where that was set.

    Raises:
        ProjectError: There is no script, and no command that would do without.
    """
    return python.define(
        facts, situation, framework.command(facts) or _command(facts), job=_is_job(facts)
    )


def _is_job(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("mode", "job") == "job")


def _command(facts: Mapping[str, Any]) -> tuple[str, ...]:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError("The script to run was not found: name it with --set python.entry=FILE.")
    return ("python", entry)
