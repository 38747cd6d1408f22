"""Copier's way into the derivation: adds `stack` and the detected facts to every context.

Design and traps: the hook reads the disk only to propose facts (`detected_project`); everything
that is rendered follows from stored answers, since `copier update` renders old and new states in
empty temporary folders.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from copier.errors import UserMessageError
from copier_template_extensions import ContextHook

_NOT_A_PROJECT = (
    "This is not a Spinbox project (.config/project.conf is missing): run it in the project's top "
    "folder."
)
CHOICES = ("runtime", "proxy", "gpu", "uploads")


def _load(name: str) -> ModuleType:
    """A sibling module, loaded under a package name that is unique per folder.

    Two versions of the template can then be rendered in one process (`copier update`).
    """
    folder = Path(__file__).resolve().parent
    package = f"spinbox_extensions_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if package not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[package] = module
        spec.loader.exec_module(module)
    return importlib.import_module(f"{package}.{name}")


class SpinboxContext(ContextHook):
    """Puts into the context what `layout.context` gives, and what the project's folder says.

    That is `detected_project`, `check_project()` and `propose()`.
    """

    def hook(self, context: dict[str, Any]) -> None:
        """Extend the context in place.

        Raises:
            UserMessageError: While files are rendered: stored answers make no stack.
        """
        error_type = _load("errors").ProjectError
        problem = None
        context["detected_project"] = None
        destination = str(Path(context["_copier_conf"]["dst_path"]).absolute())
        output = str(context.get("output") or ".")
        try:
            context["detected_project"] = _detect(
                destination,
                output,
                json.dumps(context.get("overrides") or {}, sort_keys=True, default=str),
            )
            project = context.get("project") or context["detected_project"]
            if not isinstance(project, dict):
                raise error_type(_NOT_A_PROJECT)
            choices = {choice: context.get(choice) for choice in CHOICES}
            pipeline = {key: context.get(key) for key in _load("pipeline").ANSWERS}
            cluster = {key: context.get(key) for key in _load("kubernetes").ANSWERS}
            platforms = {key: context.get(key) for key in _load("platforms").ANSWERS}
            state = [
                project,
                context.get("overrides") or {},
                choices,
                context.get("output"),
                pipeline,
                cluster,
                platforms,
            ]
            context.update(_derive(json.dumps(state, sort_keys=True, default=str)))
        except error_type as error:
            problem = str(error)

        def check_project() -> Any:
            """The detected facts, for the default of `project`; fails where no stack follows."""
            if problem is not None:
                raise UserMessageError(problem)
            return context["detected_project"]

        def propose(answer: str, otherwise: Any) -> Any:
            """The default of a question that only the project's folder can answer."""
            try:
                return _propose(destination, output).get(answer, otherwise)
            except error_type:
                return otherwise

        context["check_project"] = check_project
        context["propose"] = propose
        # Anywhere else a problem may be of no account: a choice not made yet, a temporary folder.
        if problem is not None and context.get("_copier_phase") == "render":
            raise UserMessageError(problem)


@lru_cache(maxsize=32)
def _detect(destination: str, output: str, overrides: str) -> dict[str, Any] | None:
    """The facts of the project that `destination` belongs to, or None in a temporary folder."""
    facts, settings, layout = _load("facts"), _load("settings"), _load("layout")
    root = layout.project_root(Path(destination), output)
    if not facts.is_project(root):
        return None
    checked = settings.check_overrides(json.loads(overrides))
    detected: dict[str, Any] = facts.read_facts(root, settings.hints(checked))
    return detected


@lru_cache(maxsize=32)
def _derive(state: str) -> dict[str, Any]:
    project, overrides, choices, output, answers, cluster, clouds = json.loads(state)
    stack = _load("stack").build_stack(project, overrides, choices)
    pipeline = _load("pipeline").build_pipeline(answers, stack, output or ".")
    kubernetes = _load("kubernetes").build_kubernetes(cluster)
    swarm = _load("swarm").is_wanted(cluster["targets"], stack)
    platforms = _load("platforms").build_platforms(clouds, stack)
    derived: dict[str, Any] = _load("layout").context(
        stack, pipeline, kubernetes, swarm, platforms, output or "."
    )
    return derived


@lru_cache(maxsize=8)
def _propose(destination: str, output: str) -> dict[str, Any]:
    """What the folder of a project says of its pipelines; nothing in a temporary one."""
    root = _load("layout").project_root(Path(destination), output)
    if not _load("facts").is_project(root):
        return {}
    proposed: dict[str, Any] = _load("pipeline").propose(root)
    return proposed
