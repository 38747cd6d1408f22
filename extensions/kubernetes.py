"""What Kubernetes manifests are rendered from, beside the stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import ProjectError
from .image_reference import ImageReference
from .model import MIGRATE_RESOURCES, BackingService, Edge, Env, Resources, Stack, Variable

# The answers that the manifests follow from.
ANSWERS = ("targets", "kubernetes_route", "kubernetes_gateway", "kubernetes_secrets")
ENVIRONMENTS = ("production", "staging")
# Of the jobs that are no app: migrations, backups.
JOB_RESOURCES = MIGRATE_RESOURCES
# How the scripts in template/_partials/data/ are told where a service is.
HOSTS = {
    "postgres": "PGHOST",
    "redis": "REDIS_HOST",
    "mongodb": "MONGODB_HOST",
}
# Where secrets appear as files. Below /run a cluster mounts its own.
FOLDER = "/etc/secrets"
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
GATEWAY = re.compile(f"{_LABEL}/{_LABEL}")


@dataclass(frozen=True)
class Kubernetes:
    """How the stack fits into the cluster.

    Attributes:
        wanted: Whether there are manifests at all.
        ingress: Requests come through an Ingress instead of the Gateway API.
        gateway: Name of the Gateway, or of the Ingress class.
        gateway_namespace: Where its proxy runs.
        external_secrets: An ExternalSecret takes the place of the file with secrets.
    """

    wanted: bool
    ingress: bool
    gateway: str
    gateway_namespace: str
    external_secrets: bool


def build_kubernetes(answers: Mapping[str, Any]) -> Kubernetes:
    """Derive it.

    Args:
        answers: Those of ANSWERS.

    Raises:
        ProjectError: The Gateway's name has another form than Kubernetes' names.
    """
    ingress = answers.get("kubernetes_route") == "ingress"
    gateway = answers.get("kubernetes_gateway") or ""
    gateway = gateway or ("traefik/traefik" if ingress else "traefik/traefik-gateway")
    if not GATEWAY.fullmatch(gateway):
        raise ProjectError(
            f"kubernetes_gateway must be of the form NAMESPACE/NAME, not {gateway!r}."
        )
    namespace, _, name = gateway.partition("/")
    return Kubernetes(
        wanted="kubernetes" in (answers.get("targets") or ()),
        ingress=ingress,
        gateway=name,
        gateway_namespace=namespace,
        external_secrets=answers.get("kubernetes_secrets") == "external",
    )


def quantity(size: str) -> str:
    """A size of Docker's, such as `512M` or `64m`, as Kubernetes writes it: `512Mi`.

    Docker's units are powers of 1024 (docs.docker.com, "Specify byte values").
    """
    return f"{size[:-1]}{size[-1].upper()}i"


def octets(size: str) -> int:
    """The same size in bytes."""
    return int(size[:-1]) * {"K": 1024, "M": 1024**2, "G": 1024**3}[size[-1].upper()]


def request(resources: Resources) -> str:
    """The memory that is set aside for a container: half its limit."""
    return f"{resources.megabytes // 2}Mi"


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


def pods(stack: Stack) -> tuple[Pod, ...]:
    """All pods of the stack."""
    users = {app.name: app for app in stack.apps}
    if stack.worker:
        users[stack.worker.name] = stack.worker.app
    ports = {app.name: app.port for app in stack.web_apps}
    ports |= {service.name: service.port for service in stack.services}
    names = [*users, *(service.name for service in stack.services)]
    edges = list(stack.edges)
    elsewhere = {name: app.external for name, app in users.items()}
    if stack.migrations:
        names.append("migrate")
        if stack.service("postgres").external:
            elsewhere["migrate"] = ("postgres",)
    if kept(stack):
        saved = [service for service in stack.services if service.name in kept(stack)]
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


# Where a value is kept: the databases' apart from the apps', so that a change of these starts only
# the apps anew. Each is a file NAME.env of an environment, and a ConfigMap or Secret of that name.
CONFIG_MAPS = {"settings": "The apps' settings", "data": "The databases' settings"}
SECRETS = {"secrets": "The apps' secrets", "passwords": "The databases' passwords"}


def home(stack: Stack, name: str) -> str:
    """The ConfigMap or Secret that holds a variable."""
    of_data = any(v.name == name for service in stack.services for v in service.variables)
    if stack.variable(name).secret:
        return "passwords" if of_data else "secrets"
    return "data" if of_data else "settings"


def kept_in(stack: Stack, home_name: str) -> tuple[Variable, ...]:
    """The variables that a ConfigMap or Secret holds: those that are read while the stack runs."""
    used = {env.variable for app in stack.apps for env in app.environment}
    used |= {env.variable for service in stack.services for env in service.environment}
    return tuple(v for v in stack.variables if v.name in used and home(stack, v.name) == home_name)


def own(stack: Stack) -> tuple[str, ...]:
    """Names of the apps' own variables, which are kept as secrets: some of them are."""
    return tuple(dict.fromkeys(name for app in stack.apps for name in app.passed_on))


def paths(routes: tuple[str, ...]) -> dict[str, bool]:
    """Paths as the Gateway API and Ingress have them, and whether they stand for what is below.

    A path of a file, such as `/openapi.json`, stands for itself alone.
    """
    bare = [route.rstrip("/*") or "/" for route in routes]
    return {path: "." not in path.rpartition("/")[2] for path in bare}


def images(stack: Stack) -> tuple[ImageReference, ...]:
    """The images of others, each once, by name and tag."""
    references = [service.image for service in stack.services]
    if stack.migrations:
        references.append(stack.service("postgres").image)
    found = {}
    for reference in references:
        image = ImageReference.parse(reference)
        found[image.name] = replace(image, tag=image.tag or "latest", digest=None)
    return tuple(found.values())


def tool_image(stack: Stack) -> str:
    """An image of the stack that has a shell and sha256sum."""
    return stack.services[0].image if stack.services else f"{stack.name}-{stack.apps[0].name}"


def kept(stack: Stack) -> tuple[str, ...]:
    """What backups hold: all but what could be saved while it is paused only."""
    paused = {service.name for service in stack.services if service.paused_backup}
    return tuple(name for name in stack.kept if name not in paused)


def backup_environment(stack: Stack) -> tuple[Env, ...]:
    """The variables of all services that are backed up."""
    names = kept(stack)
    return tuple(env for s in stack.services if s.name in names for env in s.environment)


def filled(stack: Stack) -> tuple[str, ...]:
    """The ConfigMaps and Secrets that hold something."""
    names = [name for name in (*CONFIG_MAPS, *SECRETS) if kept_in(stack, name)]
    return tuple(names) if "secrets" in names or not own(stack) else (*names, "secrets")


def has_secrets(stack: Stack) -> bool:
    """Whether there is a Secret."""
    return any(name in SECRETS for name in filled(stack))
