"""Render (render.com/docs/blueprint-spec, read in November 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..choice import Choice
from ..image_reference import ImageReference
from ..managed_platform import ManagedPlatform, Source, folder_prefix
from ..model import App, BackingService, Stack, Worker
from ..services import postgres
from ..target import Target

NAME = "render"
REGIONS = ("oregon", "ohio", "virginia", "frankfurt", "singapore")
# Instance types by their memory in MB (render.com/pricing).
_PLANS = {512: "starter", 2048: "standard", 4096: "pro"}


@dataclass(frozen=True)
class Render(ManagedPlatform):
    """What the templates of Render see.

    Attributes:
        region: Where its services are.
        folder: From the repository's top folder to the project's, ending in `/`; or empty.
    """

    region: str
    folder: str

    target = NAME
    title = "Render"
    bare_addresses = True
    names_itself = False

    def file(self, unit: str) -> str:
        """One for all."""
        return "render.yaml"

    def kind(self, resource: str) -> str:
        """The type of a service, by its name there; `database` for one of the databases."""
        names = {self.name(service.name): service for service in self.stack.services}
        if resource in names:
            service = names[resource]
            return service.managed[NAME].kind if self.offers(service) else "pserv"
        app = next(a for a in self.apps if self.name(a.name) == resource)
        return "web" if app.port else "worker"

    def plan(self, unit: App | Worker | BackingService) -> str:
        """The smallest instance type that has the memory of a container's limit."""
        needed = unit.resources.megabytes
        return next((plan for size, plan in _PLANS.items() if needed <= size), "pro plus")

    def image(self, image: str) -> str:
        """An image with its registry, as is asked for (render.com/docs/deploying-an-image)."""
        return ImageReference.parse(image).with_registry()

    def postgres_version(self, service: BackingService) -> int:
        """The version of PostgreSQL to ask for."""
        return postgres.major(service.image)

    def public(self, app: App, variable: str) -> Source:
        """A variable of the service."""
        return Source(variable, resource=self.name(app.name), output="RENDER_EXTERNAL_URL")

    def own_public(self, app: App, variable: str) -> Source | None:
        """By a variable that Render sets (render.com/docs/environment-variables)."""
        return None

    def private(self, app: App, variable: str) -> Source:
        """Without a scheme, which the image adds."""
        return Source(variable, resource=self.name(app.name), output="hostport")

    def host(self, service: BackingService, variable: str) -> Source:
        """A property of the service."""
        return Source(variable, resource=self.name(service.name), output="host")


def _build(answers: Mapping[str, Any], stack: Stack) -> Render:
    return Render(
        stack,
        NAME in answers["targets"],
        folder_prefix(answers["output"]),
        region=answers["render_region"],
        folder=folder_prefix(answers["ci_folder"]),
    )


TARGET = Target(
    name=NAME,
    title=Render.title,
    surface=NAME,
    guide="deploy/render/README.md",
    build=_build,
    files={"": ("/deploy/render", "/render.yaml")},
    choices=(
        Choice(
            "render_region",
            "In which region of Render does it run (this cannot be changed later)?",
            REGIONS[0],
            values={region: region for region in REGIONS},
            setting="Where it runs on Render, for good",
        ),
    ),
    root_files=r"render\.ya?ml",
    managed=True,
    from_repository=True,
    rank=50,
)
