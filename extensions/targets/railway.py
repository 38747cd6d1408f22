"""Railway (docs.railway.com/infrastructure-as-code and its npm package, read in November 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..managed_platform import ManagedPlatform, Source, folder_prefix
from ..model import UPLOADS, App, BackingService, Stack, Volume, Worker
from ..target import Target

NAME = "railway"
# docs.railway.com, "Volumes", "Permissions".
_AS_ROOT = Source("RAILWAY_RUN_UID", "0")


@dataclass(frozen=True)
class Railway(ManagedPlatform):
    """What the templates of Railway see.

    Attributes:
        folder: From the repository's top folder to the project's, ending in `/`; or empty.
    """

    folder: str

    target = NAME
    title = "Railway"
    # It refuses cache mounts but those whose ids name the service, which no file can know.
    build_caches = False
    # The npm package that reads .railway/railway.ts; it works with version 5.42.1 of the program.
    sdk = "3.11.0"
    # How many volumes a project may have (docs.railway.com/volumes/reference).
    volumes_of_plan: ClassVar[Mapping[str, int]] = {"Free": 1, "Trial": 3, "Hobby": 10}

    def name(self, unit: str) -> str:
        """Names are unique in a project of Railway."""
        return unit

    def file(self, unit: str) -> str:
        """One for all."""
        return ".railway/railway.ts"

    def constant(self, unit: str) -> str:
        """The constant of railway.ts that holds a service: those of apps are called as these."""
        services = {service.name for service in self.stack.services}
        return f"{unit}Service" if unit in services else unit

    def volume_constant(self, app: App) -> str:
        """The constant that holds an app's volume."""
        first, *more = (self.kept(app) or Volume(UPLOADS, "")).name.split("-")
        return first + "".join(word.capitalize() for word in more)

    def public(self, app: App, variable: str) -> Source:
        """By a variable that Railway sets."""
        return Source(variable, f"https://${{{{{app.name}.RAILWAY_PUBLIC_DOMAIN}}}}")

    def own_public(self, app: App, variable: str) -> Source | None:
        """By a variable of the service itself."""
        return Source(variable, "https://${{RAILWAY_PUBLIC_DOMAIN}}")

    def private(self, app: App, variable: str) -> Source:
        """By variables that Railway sets."""
        address = f"${{{{{app.name}.RAILWAY_PRIVATE_DOMAIN}}}}:${{{{{app.name}.PORT}}}}"
        return Source(variable, f"http://{address}")

    def host(self, service: BackingService, variable: str) -> Source:
        """A variable of the service itself."""
        return Source(variable, resource=self.name(service.name), output="RAILWAY_PRIVATE_DOMAIN")

    def more_settings(self, app: App) -> tuple[Source, ...]:
        """The port that it sends requests to; volumes belong to root there."""
        if not app.port:
            return ()
        as_root = (_AS_ROOT,) if self.uploads(app) else ()
        return (Source("PORT", str(app.port)), *as_root)

    def more_worker_settings(self, worker: Worker) -> tuple[Source, ...]:
        """Volumes belong to root there."""
        return (_AS_ROOT,) if worker.volumes else ()


def _build(answers: Mapping[str, Any], stack: Stack) -> Railway:
    return Railway(
        stack,
        NAME in answers["targets"],
        folder_prefix(answers["output"]),
        folder=folder_prefix(answers["ci_folder"]),
    )


TARGET = Target(
    name=NAME,
    title=Railway.title,
    surface=NAME,
    guide="deploy/railway/README.md",
    build=_build,
    files={"": ("/deploy/railway", "/.railway")},
    root_files=r"railway(\..*)?\.(json|toml)",
    managed=True,
    from_repository=True,
    rank=40,
)
