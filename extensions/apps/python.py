"""A Python script, without any framework that is known."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import framework, python_mode, python_program, python_scripts
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
    Setting("python.entry", "text", "What runs: FILE, PACKAGE.MODULE or PACKAGE.MODULE:FUNCTION"),
    Setting("python.mode", "job|service", "A script that ends, or one that serves or loops"),
    Setting("python.paths", "list", "Path prefixes that the proxy sends to it"),
)


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """The script in the top folder, where no framework's app was found."""
    origin = project.wanted("python", FLAG)
    if taken or origin is None:
        return None
    if folder := project.by_hand("python.dir"):
        return Place(origin, folder)
    if by_hand := project.by_hand("python.entry") or project.by_hand("python.command"):
        return Place(origin, replace(by_hand, value="."))
    found = python_scripts.find(project.tree, ".", python.modules(project, ".")[0])
    return Place(origin, Found(".", found.reason, found.path, found.line)) if found else None


def read(project: Project, folder: str) -> Fields:
    """The script that runs, whether it ends, and where it listens.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    modules = python.modules(project, folder)[0]
    found = python_scripts.find(project.tree, folder, modules)
    if by_hand := project.hints.get("python.entry"):
        found = python_scripts.named(folder, modules, by_hand) or found
    program = python_program.of(project.tree, folder, modules)
    module = found.value.module if found else None
    mode, port = python_mode.find(program, module)
    words: tuple[str, ...] = python_scripts.command(found.value.name) if found else ()
    if text := project.hints.get("python.command"):
        words = tuple(shlex.split(text))
    by_name = found is not None and not found.value.name.endswith(".py")
    root = module.source_root if module and by_name else "."
    reason = "the app's folder" if root == "." else f"{root}/ is no package"
    return {
        "entry": Found(found.value.name, found.reason, found.path, found.line)
        if found
        else Found(None, f"no {either(python_scripts.USUAL)}, and no other script that is alone"),
        "source_root": Found(root, reason, module.path if module and root != "." else None),
        "mode": mode,
        "port": port,
        "health": Found(
            None, "a connection to its port is what is tried" if port.value else "it has no port"
        ),
        **python.read(project, folder, modules, command=words),
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
    return bool(facts.get("mode", python_mode.JOB) == python_mode.JOB)


def _command(facts: Mapping[str, Any]) -> tuple[str, ...]:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError(
            "The script to run was not found: name it with --set python.entry=FILE, or the module "
            "with --set python.entry=PACKAGE.MODULE."
        )
    return python_scripts.command(entry)
