"""What manifests are rendered from: sizes, paths, where values are kept, who connects to whom."""

from __future__ import annotations

from typing import Any

import pytest

from extensions.errors import ProjectError
from extensions.model import Resources
from extensions.targets.docker_swarm import Swarm
from extensions.targets.kubernetes import Kubernetes

from .support import deployment_of

FACTS: dict[str, Any] = {
    "name": "demo",
    "fastapi": {
        "dir": "backend",
        "entry": "app.main:app",
        "port": 8000,
        "health": "/health",
        "libraries": ["uvicorn", "celery"],
        "worker": "celery --app app.worker:celery_app worker",
        "manager": "pip",
        "manifests": ["requirements.txt"],
        "variables": ["LOG_LEVEL"],
    },
    "postgres": {"migrations": "sql"},
    "redis": {},
}


def surface(facts: dict[str, Any] = FACTS, **answers: Any) -> Kubernetes:
    found = deployment_of(facts, **answers).surfaces["kubernetes"]
    assert isinstance(found, Kubernetes)
    return found


@pytest.mark.parametrize(
    ("docker", "quantity", "octets"),
    [("512M", "512Mi", 536870912), ("64m", "64Mi", 67108864), ("1G", "1Gi", 1073741824)],
)
def test_sizes(docker: str, quantity: str, octets: int) -> None:
    assert surface().quantity(docker) == quantity
    swarm = deployment_of(FACTS).surfaces["docker-swarm"]
    assert isinstance(swarm, Swarm)
    assert swarm.octets(docker) == octets


@pytest.mark.parametrize(
    ("limit", "request_"), [("128M", "96Mi"), ("256M", "192Mi"), ("512M", "256Mi"), ("1G", "512Mi")]
)
def test_half_the_limit_is_set_aside_and_more_of_a_small_one(limit: str, request_: str) -> None:
    assert surface().request(Resources(limit)) == request_


@pytest.mark.parametrize(
    ("routes", "paths"),
    [
        (("/api/v1", "/health/"), {"/api/v1": True, "/health": True}),
        (("/openapi.json",), {"/openapi.json": False}),
        (("/api", "/api/*"), {"/api": True}),
        (("/",), {"/": True}),
    ],
)
def test_paths(routes: tuple[str, ...], paths: dict[str, bool]) -> None:
    assert surface().paths(routes) == paths


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("postgres:15", "postgres", "15"),
        ("registry.example.com:5000/db/postgres:15", "registry.example.com:5000/db/postgres", "15"),
        ("registry.example.com:5000/postgres", "registry.example.com:5000/postgres", "latest"),
    ],
)
def test_names_and_tags_of_images(image: str, name: str, tag: str) -> None:
    found = surface({**FACTS, "postgres": {"image": image}, "redis": {}})
    first = found.images[0]
    assert (first.name, first.tag) == (name, tag)


@pytest.mark.parametrize(
    ("variable", "home"),
    [
        ("SECRET_KEY", "secrets"),
        ("WEB_CONCURRENCY", "settings"),
        ("POSTGRES_PASSWORD", "passwords"),
        ("POSTGRES_DB", "data"),
    ],
)
def test_values_of_databases_are_kept_apart(variable: str, home: str) -> None:
    assert surface().home(variable) == home
    assert variable in {v.name for v in surface().kept_in(home)}


def test_a_service_elsewhere_is_configured_with_the_apps() -> None:
    found = surface({**FACTS, "postgres": {"external": True, "migrations": "sql"}})
    assert found.home("POSTGRES_SERVER") == "settings"
    assert found.home("POSTGRES_PASSWORD") == "secrets"


def test_pods_have_the_model_s_edges_and_those_of_backups() -> None:
    found = {pod.name: pod for pod in surface().pods}
    assert {*found} == {"app", "worker", "postgres", "redis", "migrate", "backup", "restore"}
    assert {*found["postgres"].incoming} == {"app", "worker", "migrate", "backup", "restore"}
    assert {*found["redis"].incoming} == {"app", "worker", "backup"}
    assert [name for name, pod in found.items() if pod.internet] == ["app", "worker"]


def test_what_must_be_paused_is_in_no_backup() -> None:
    assert surface({**FACTS, "chroma": {}}).kept == ("postgres", "redis")


@pytest.mark.parametrize("gateway", ["gateway", "A/b", "a/b/c", "a/$(x)", "-a/b"])
def test_a_gateway_of_another_form_is_refused(gateway: str) -> None:
    with pytest.raises(ProjectError, match="NAMESPACE/NAME"):
        surface(targets=["kubernetes"], kubernetes_gateway=gateway)


def test_without_the_target_there_is_nothing() -> None:
    assert not surface(targets=None).wanted
