"""The one derivation: answers -> all that is generated, as the templates see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

from . import choices, pins, quoting, typescript
from .container import GRACE_SECONDS, INNER_HOST, INNER_PORT, UID
from .dockerfile import Dockerfile, dockerfiles
from .errors import ProjectError
from .guide import Guide
from .image_reference import ImageReference
from .managed_platform import ManagedPlatform
from .model import Stack
from .package_managers import pip
from .pipeline import (
    Pipeline,
    build_pipeline,
    language_version,
    service_environment,
    test_environment,
)
from .secret_files import NAMES as SECRET_NAMES
from .secret_files import find_tests
from .services import KINDS
from .stack import build_stack
from .target import DataScript, EngineSurface, Surface, Target
from .targets import DEFAULT, TARGETS

# Pinned, so that a rebuild years later installs with the same tool.
UV_VERSION = "0.13.9"
NO_PROJECT = (
    "This is not a Spinbox project (.config/project.conf is missing): run it in the project's top "
    "folder."
)


@dataclass(frozen=True)
class Deployment:
    """All that is generated for a project.

    Attributes:
        stack: What runs.
        pipeline: The pipelines of CI platforms.
        surfaces: What the templates of each target see, by the target's name.
        output: The folder of the generated files, relative to the project's; `.` for the same.
        env_example: The name of the example of `.env`.
    """

    stack: Stack
    pipeline: Pipeline
    surfaces: Mapping[str, Surface]
    output: str
    env_example: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets that are wanted."""
        return tuple(name for name, surface in self.surfaces.items() if surface.wanted)

    @property
    def platforms(self) -> tuple[ManagedPlatform, ...]:
        """The managed platforms that are wanted."""
        surfaces = (self.surfaces[name] for name in self.targets)
        return tuple(s for s in surfaces if isinstance(s, ManagedPlatform))

    @property
    def clusters(self) -> tuple[Target, ...]:
        """The wanted targets that the stack runs on as it does on one server: several nodes."""
        found = (TARGETS[name] for name in self.targets if name != DEFAULT)
        return tuple(target for target in found if not target.managed)

    @property
    def on_engine(self) -> bool:
        """Whether Docker itself runs the containers somewhere, on one server or in a swarm."""
        return any(isinstance(self.surfaces[name], EngineSurface) for name in self.targets)

    @property
    def dockerfiles(self) -> tuple[Dockerfile, ...]:
        """Every Dockerfile: those of the project, and those of platforms that need their own."""
        own = (file for platform in self.platforms for file in platform.dockerfiles)
        return (*dockerfiles(self.stack), *own)

    @property
    def data_scripts(self) -> tuple[DataScript, ...]:
        """The scripts of what is kept, at the places of each target, each once."""
        return tuple(dict.fromkeys(s for one in self.surfaces.values() for s in one.data_scripts))

    @property
    def to_output(self) -> str:
        """From the project's top folder to the generated files, ending in `/`; or empty."""
        return "" if self.output == "." else f"{PurePosixPath(self.output)}/"

    @property
    def to_project(self) -> str:
        """The way back, `.` or `../`…."""
        return "/".join([".."] * len(PurePosixPath(self.output).parts)) or "."

    @cached_property
    def context(self) -> Mapping[str, Any]:
        """What every template sees besides the answers, by name."""
        surfaces = {TARGETS[name].surface: surface for name, surface in self.surfaces.items()}
        return {
            **surfaces,
            "stack": self.stack,
            "pipeline": self.pipeline,
            "platforms": self.platforms,
            "clusters": self.clusters,
            "on_engine": self.on_engine,
            "dockerfiles": self.dockerfiles,
            "data_scripts": self.data_scripts,
            "sql_folders": tuple(dict.fromkeys(s.sql_folder for s in self.surfaces.values())),
            "to_project": self.to_project,
            "to_output": self.to_output,
            "env_example": self.env_example,
            "guide": Guide(self.stack.name),
            **CONSTANTS,
        }


@dataclass(frozen=True)
class Place:
    """Where scripts lie that one server and a swarm share, but for what is peculiar to each.

    Attributes:
        folder: Below `deploy/`, ending in `/`; or empty.
        on_swarm: They are a swarm's.
    """

    folder: str
    on_swarm: bool

    @property
    def scripts(self) -> str:
        """The folder as the scripts are called by."""
        return f"deploy/{self.folder}".rstrip("/")


# What templates see whatever the project is.
CONSTANTS: dict[str, Any] = {
    "catalogue": KINDS,
    "places": (Place("", False), Place("swarm/", True)),
    "image_reference": ImageReference.parse,
    "pins": SimpleNamespace(action=pins.action, image=pins.image),
    "secret_names": tuple(name for names in SECRET_NAMES for name in names),
    "secret_tests": find_tests(),
    "q": SimpleNamespace(**{function.__name__: function for function in quoting.FUNCTIONS}),
    "ts": SimpleNamespace(**{function.__name__: function for function in typescript.FUNCTIONS}),
    "development_tools": pip.DEVELOPMENT_TOOLS,
    "language_version": language_version,
    "service_environment": service_environment,
    "test_environment": test_environment,
    "uid": UID,
    "uv_version": UV_VERSION,
    "grace_seconds": GRACE_SECONDS,
    "inner_host": INNER_HOST,
    "inner_port": INNER_PORT,
}


def derive(answers: Mapping[str, Any]) -> Deployment:
    """Derive everything; the same answers give the same object.

    Args:
        answers: Those of the answers file, `project` (the facts) among them; what is missing
            has its default.

    Raises:
        ProjectError: Nothing can be generated of them; it says what to do.
    """
    stored = {key: answers.get(key) for key in choices.KEYS}
    return _complete_and_derive(json.dumps(stored, sort_keys=True, default=str))


# Copier asks for it with every name and every default that it renders.
@lru_cache(maxsize=32)
def _complete_and_derive(stored: str) -> Deployment:
    found = choices.complete(json.loads(stored))
    if not isinstance(found["project"], Mapping):
        raise ProjectError(NO_PROJECT)
    return _derive(json.dumps(found, sort_keys=True))


@lru_cache(maxsize=32)
def _derive(state: str) -> Deployment:
    answers = json.loads(state)
    stack = build_stack(answers["project"], answers["overrides"], answers)
    _check_platforms(answers["targets"], stack)
    if answers["compose"] and answers["secrets"] == "files" and not stack.rolled:
        raise ProjectError(
            "Nothing would write the files with secrets, as no app keeps running here: use "
            "--set secrets=environment."
        )
    return Deployment(
        stack,
        build_pipeline(answers, stack),
        {name: target.build(answers, stack) for name, target in TARGETS.items()},
        answers["output"],
        answers["env_example"],
    )


def _check_platforms(targets: list[str], stack: Stack) -> None:
    wanted = [t for name, t in TARGETS.items() if t.managed and name in targets]
    if wanted and all(app.job for app in stack.apps):
        options = " ".join(f"--remove-target {target.name}" for target in wanted)
        raise ProjectError(
            f"{wanted[0].title} has nothing to keep running: the project's app ends by itself. If "
            "it serves or loops, say so with --set python.mode=service; else leave it out, with "
            f"spinbox-deploy deploy {options}."
        )
    opened = [service for service in stack.services if service.is_open]
    if wanted and opened:
        title, name, target = opened[0].title, opened[0].name, wanted[0]
        raise ProjectError(
            f"{title} has no password (--set {name}.password=off), which takes a network of its "
            f"own, and {target.title} has none for it: let the app give a password and use --set "
            f"{name}.password=, or leave out {target.title}, with spinbox-deploy deploy "
            f"--remove-target {target.name}."
        )
