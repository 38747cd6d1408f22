"""Kubernetes: plain manifests, put together by Kustomize."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..choice import Choice, Form
from ..image_reference import ImageReference
from ..model import (
    BackingService,
    Edge,
    Env,
    KeptFolder,
    Resources,
    Stack,
    Variable,
    Worker,
)
from ..target import DataScript, Surface, Target

NAME = "kubernetes"
# Where a value is kept: the databases' apart from the apps', so that a change of these starts only
# the apps anew. Each is a file NAME.env of an environment, and a ConfigMap or Secret of that name.
CONFIG_MAPS = {"settings": "The apps' settings", "data": "The databases' settings"}
SECRETS = {"secrets": "The apps' secrets", "passwords": "The databases' passwords"}
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
GATEWAY = Form(re.compile(f"{_LABEL}/{_LABEL}"), "of the form NAMESPACE/NAME")
# Below `deploy/`.
SCRIPTS_FOLDER = "kubernetes/base/scripts/"


@dataclass(frozen=True)
class Pod:
    """What a pod of that name may connect to.

    Attributes:
        name: Its name, and that of what makes it.
        port: Where it takes connections; None for nowhere.
        incoming: Names of the pods that connect to it.
        outgoing: The connections that it makes inside the stack.
        elsewhere: The backing services outside the cluster that it uses.
        internet: Whether it may reach the internet.
    """

    name: str
    port: int | None
    incoming: tuple[str, ...]
    outgoing: tuple[Edge, ...]
    elsewhere: tuple[BackingService, ...]
    internet: bool


@dataclass(frozen=True)
class Overlay:
    """An environment's folder: its name, and the paths of its files."""

    name: str

    @property
    def kustomization(self) -> str:
        """What it changes, and which files it reads."""
        return f"overlays/{self.name}/kustomization.yaml"

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return f"overlays/{self.name}/namespace.yaml"

    @property
    def settings(self) -> str:
        """The apps' settings."""
        return f"overlays/{self.name}/settings.env"

    @property
    def data(self) -> str:
        """The databases' settings."""
        return f"overlays/{self.name}/data.env"


@dataclass(frozen=True)
class Kubernetes(Surface):
    """How the stack fits into the cluster: what the manifests see.

    Attributes:
        ingress: Requests come through an Ingress instead of the Gateway API.
        gateway: Name of the Gateway, or of the Ingress class.
        gateway_namespace: Where its proxy runs.
        external_secrets: An ExternalSecret takes the place of the file with secrets.
    """

    ingress: bool
    gateway: str
    gateway_namespace: str
    external_secrets: bool

    overlays = (Overlay("production"), Overlay("staging"))
    # Where secrets appear as files. Below /run a cluster mounts its own.
    secrets_folder = "/etc/secrets"
    sql_folder = SCRIPTS_FOLDER
    config_maps = CONFIG_MAPS
    secrets = SECRETS

    @property
    def job_resources(self) -> Resources:
        """Those of the jobs that are no app: migrations, backups."""
        return self.stack.migration_limits

    def quantity(self, size: str) -> str:
        """A size of Docker's, such as `512M` or `64m`, as Kubernetes writes it: `512Mi`.

        Docker's units are powers of 1024 (docs.docker.com, "Specify byte values").
        """
        return f"{size[:-1]}{size[-1].upper()}i"

    def request(self, resources: Resources) -> str:
        """The memory that is set aside for a container: half its limit, more of a small one.

        A FastAPI app with two processes takes 150 MB before anybody asks it.
        """
        limit = resources.megabytes
        return f"{limit * 3 // 4 if limit <= 256 else limit // 2}Mi"

    def paths(self, routes: tuple[str, ...]) -> dict[str, bool]:
        """Paths as the Gateway API and Ingress have them, and whether they stand for what is below.

        A path of a file, such as `/openapi.json`, stands for itself alone.
        """
        bare = [route.rstrip("/*") or "/" for route in routes]
        return {path: "." not in path.rpartition("/")[2] for path in bare}

    @property
    def workers(self) -> tuple[Worker, ...]:
        """What runs in the background."""
        return self.stack.workers

    @property
    def services(self) -> tuple[BackingService, ...]:
        """The backing services that run in the cluster."""
        return self.stack.services

    @property
    def folders(self) -> tuple[KeptFolder, ...]:
        """Those whose files are kept, each in a volume of its own."""
        return self.stack.kept_folders

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """What backups hold: all but what could be saved while it is paused only."""
        paused = {service.name for service in self.stack.services if service.paused_backup}
        return tuple(name for name in self.stack.kept if name not in paused)

    @property
    def data_scripts(self) -> tuple[DataScript, ...]:
        """In the ConfigMap of all scripts."""
        return tuple(DataScript(name, f"{SCRIPTS_FOLDER}{name}.sh") for name in self.kept)

    @property
    def backup_environment(self) -> tuple[Env, ...]:
        """The variables of all services that are backed up."""
        return tuple(e for s in self.stack.services if s.name in self.kept for e in s.environment)

    @property
    def tool_image(self) -> str:
        """An image of the stack that has a shell and sha256sum."""
        stack = self.stack
        return stack.services[0].image if stack.services else f"{stack.name}-{stack.apps[0].name}"

    def home(self, name: str) -> str:
        """The ConfigMap or Secret that holds a variable."""
        of_data = any(v.name == name for s in self.stack.services for v in s.variables)
        if self.stack.variable(name).secret:
            return "passwords" if of_data else "secrets"
        return "data" if of_data else "settings"

    def kept_in(self, home: str) -> tuple[Variable, ...]:
        """The variables that a ConfigMap or Secret holds: those read while the stack runs."""
        used = {env.variable for app in self.stack.apps for env in app.environment}
        used |= {env.variable for service in self.stack.services for env in service.environment}
        listed = (v for v in self.stack.variables if v.name in used)
        return tuple(v for v in listed if self.home(v.name) == home)

    @cached_property
    def filled(self) -> tuple[str, ...]:
        """The ConfigMaps and Secrets that hold something."""
        names = tuple(name for name in (*CONFIG_MAPS, *SECRETS) if self.kept_in(name))
        if "secrets" in names or not self.stack.own_variables:
            return names
        return (*names, "secrets")

    @property
    def has_secrets(self) -> bool:
        """Whether there is a Secret."""
        return any(name in SECRETS for name in self.filled)

    @property
    def images(self) -> tuple[ImageReference, ...]:
        """The images of others, each once, by name and tag."""
        references = [service.image for service in self.stack.services]
        if self.stack.migrations:
            references.append(self.stack.service("postgres").image)
        found = {}
        for reference in references:
            image = ImageReference.parse(reference)
            found[image.name] = replace(image, tag=image.tag or "latest", digest=None)
        return tuple(found.values())

    @property
    def pods(self) -> tuple[Pod, ...]:
        """All pods of the stack."""
        stack = self.stack
        users = {app.name: app for app in stack.apps}
        users |= {worker.name: worker.app for worker in stack.workers}
        ports = {app.name: app.port for app in stack.web_apps}
        ports |= {service.name: service.port for service in stack.services}
        names = [*users, *(service.name for service in stack.services)]
        edges = list(stack.edges)
        elsewhere = {name: app.external for name, app in users.items()}
        if stack.migrations:
            names.append("migrate")
            if stack.service("postgres").external:
                elsewhere["migrate"] = ("postgres",)
        if self.kept:
            saved = [service for service in stack.services if service.name in self.kept]
            names += ["backup", "restore"]
            edges += [Edge("backup", s.name, s.port) for s in saved]
            # What is restored while it is stopped is restored in its volume.
            edges += [Edge("restore", s.name, s.port) for s in saved if not s.stopped_restore]
        return tuple(
            Pod(
                name=name,
                port=ports.get(name),
                incoming=tuple(edge.source for edge in edges if edge.target == name),
                outgoing=tuple(edge for edge in edges if edge.source == name),
                elsewhere=tuple(stack.service(s) for s in elsewhere.get(name, ())),
                internet=name in users,
            )
            for name in names
        )


def _build(answers: Mapping[str, Any], stack: Stack) -> Kubernetes:
    gateway = answers["kubernetes_gateway"]
    namespace, _, name = gateway.partition("/")
    return Kubernetes(
        stack,
        wanted=NAME in answers["targets"],
        ingress=answers["kubernetes_route"] == "ingress",
        gateway=name,
        gateway_namespace=namespace,
        external_secrets=answers["kubernetes_secrets"] == "external",
    )


def _usual_gateway(answers: Mapping[str, Any]) -> str:
    return "traefik/traefik" + ("-gateway" if answers["kubernetes_route"] == "gateway" else "")


_FOLDER = "/deploy/kubernetes"
_WITH_REQUESTS = "stack is not defined or stack.web_apps | length > 0"
_FILE_SECRETS = "k8s.has_secrets and not k8s.external_secrets"

TARGET = Target(
    name=NAME,
    title="Kubernetes",
    surface="k8s",
    guide="deploy/kubernetes/README.md",
    build=_build,
    files={
        "": (_FOLDER,),
        "k8s.kept": (
            f"{_FOLDER}/restore.sh",
            f"{_FOLDER}/base/backup.yaml",
            f"{_FOLDER}/base/restore.yaml",
            f"{_FOLDER}/base/scripts/backup.sh",
        ),
        "k8s.kept or stack.migrations": (f"{_FOLDER}/base/scripts",),
        "stack.set_up": (f"{_FOLDER}/base/scripts/postgres-init.sql",),
        "stack.rolled": (f"{_FOLDER}/rollback.sh",),
        "stack.migrations and stack.migrations.in_database_image": (
            f"{_FOLDER}/base/scripts/migrate.sh",
        ),
        "stack.migrations": (f"{_FOLDER}/base/migrate.yaml",),
        "stack.web_apps": (f"{_FOLDER}/base/route.yaml",),
        "k8s.has_secrets and k8s.external_secrets": (f"{_FOLDER}/base/external-secret.yaml",),
        _FILE_SECRETS: (f"{_FOLDER}/init-secrets.sh", f"{_FOLDER}/overlays/.gitignore"),
        **{
            f'"{name}" in k8s.filled': (f"{_FOLDER}/overlays/*/{name}.env",) for name in CONFIG_MAPS
        },
    },
    choices=(
        Choice(
            "kubernetes_route",
            "How do requests come into the cluster?",
            "gateway",
            values={"gateway": "Gateway API (HTTPRoute)", "ingress": "Ingress"},
            asked=_WITH_REQUESTS,
            setting="How requests come in: HTTPRoute or Ingress",
        ),
        Choice(
            "kubernetes_gateway",
            "Which Gateway (or Ingress class) of the cluster takes them, as NAMESPACE/NAME?",
            "",
            computed=_usual_gateway,
            form=GATEWAY,
            asked=_WITH_REQUESTS,
            setting="The Gateway, or Ingress class, as NAMESPACE/NAME",
        ),
        Choice(
            "kubernetes_secrets",
            "Where do the secrets come from?",
            "file",
            values={
                "file": "A file that git ignores",
                "external": "A secret store, by the External Secrets Operator",
            },
            asked="stack is not defined or k8s.has_secrets",
            setting="Secrets from a file, or an ExternalSecret",
        ),
    ),
    rank=20,
)
