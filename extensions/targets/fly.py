"""Fly.io (fly.io/docs/reference/configuration, read in November 2026)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..choice import Choice, Form
from ..managed_platform import ManagedPlatform, Source, folder_prefix
from ..model import App, BackingService, Stack, Worker
from ..target import Target

NAME = "fly"
# A label of a host's name (RFC 1123): names become part of NAME.fly.dev.
APP_NAME = Form(
    re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?"), "a name such as my-app, of at most 40 letters"
)
REGION = Form(re.compile(r"[a-z]{3}"), "a region's code such as iad or fra")


@dataclass(frozen=True)
class Fly(ManagedPlatform):
    """What the templates of Fly.io see.

    Attributes:
        app_name: The first app's name there; the others' begin with it.
        region: Where its machines are.
    """

    app_name: str
    region: str

    target = NAME
    title = "Fly.io"
    shares_variables = False

    @property
    def prefix(self) -> str:
        """Names are unique among all users."""
        return self.app_name

    def file(self, unit: str) -> str:
        """The configuration file of an app or service."""
        return "fly.toml" if unit == self.apps[0].name else f"fly.{unit}.toml"

    @property
    def app_files(self) -> tuple[App, ...]:
        """The apps that have a file."""
        return self.apps if self.wanted else ()

    @property
    def own_files(self) -> tuple[BackingService, ...]:
        """The backing services that have a file."""
        return self.own if self.wanted else ()

    @property
    def postgres_version(self) -> int | None:
        """The version of PostgreSQL to ask for: the project's, or the nearest."""
        return self.version(self.stack.service("postgres"))

    def memory(self, unit: App | Worker | BackingService) -> int:
        """MB of a machine, which holds its kernel beside the container; 256 is the smallest."""
        limit = unit.resources.megabytes
        return 256 if limit <= 128 else max(limit, 512)

    def public(self, app: App, variable: str) -> Source:
        """Each app has a name of its own."""
        return Source(variable, f"https://{self.name(app.name)}.fly.dev")

    def private(self, app: App, variable: str) -> Source:
        """By the private network's proxy."""
        return Source(variable, f"http://{self.name(app.name)}.flycast:{app.port}")

    def host(self, service: BackingService, variable: str) -> Source:
        """By the private network's proxy."""
        return Source(variable, f"{self.name(service.name)}.flycast")


def _build(answers: Mapping[str, Any], stack: Stack) -> Fly:
    own_name = f"app-{stack.name}" if stack.name[:1].isdigit() else stack.name
    name = answers["fly_name"] or own_name[:40].strip("-")
    return Fly(
        stack,
        NAME in answers["targets"],
        folder_prefix(answers["output"]),
        app_name=name,
        region=answers["fly_region"],
    )


TARGET = Target(
    name=NAME,
    title=Fly.title,
    surface=NAME,
    guide="deploy/fly/README.md",
    build=_build,
    files={"": ("/deploy/fly",)},
    choices=(
        Choice(
            "fly_name",
            "What is the app called on Fly.io, where names are unique among all users (empty for "
            "the project's)?",
            "",
            form=APP_NAME,
            setting="The app's name on Fly.io, where names are unique",
        ),
        Choice(
            "fly_region",
            "In which region of Fly.io does it run, as in iad or fra?",
            "iad",
            form=REGION,
            setting="Where it runs on Fly.io, as in iad or fra",
        ),
    ),
    root_files=r"fly(\..*)?\.toml",
    managed=True,
    rank=30,
)
