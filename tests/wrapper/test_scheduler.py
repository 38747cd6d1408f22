"""Celery's scheduler on every target: one, the old one stopped first, a schedule that lasts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from spinbox_wrapper import derivation
from tests.projects.compose import compose
from tests.runs import build

pytestmark = pytest.mark.integration

FOLDER = "/var/lib/celery"
COMMAND = f"celery --app x beat --schedule {FOLDER}/celerybeat-schedule"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A worker that starts a scheduler, by hand, on all targets."""
    root = compose("profile-api-only", tmp_path_factory.mktemp("beat") / "project")
    targets = [word for name in derivation.targets.TARGETS for word in ("--target", name)]
    given = "fastapi.worker=celery --app x worker -B"
    build(root, "deploy", "--generate", *targets, "--set", given)
    return root


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def docker(root: Path) -> None:
    services = load(root / "docker-compose.prod.yml")["services"]
    assert services["scheduler"]["volumes"] == [f"schedule:{FOLDER}"]
    # It waits for the old one to stop, and is not tried beside it.
    script = (root / "deploy/deploy.sh").read_text()
    stop, start = (script.index(text) for text in ('docker stop "$scheduler"', 'new="$new $id"'))
    assert stop < start


def docker_swarm(root: Path) -> None:
    service = load(root / "deploy/swarm/stack.yml")["services"]["scheduler"]
    assert f"schedule:{FOLDER}" in service["volumes"]
    orders = [service["deploy"][name]["order"] for name in ("update_config", "rollback_config")]
    assert orders == ["stop-first", "stop-first"]
    assert "data == true" in service["deploy"]["placement"]["constraints"][0]
    assert "SCHEDULER_REPLICAS" not in (root / ".env.example").read_text()


def kubernetes(root: Path) -> None:
    text = (root / "deploy/kubernetes/base/scheduler.yaml").read_text()
    deployment, claim = yaml.safe_load_all(text)
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert deployment["spec"]["replicas"] == 1
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    name = claim["metadata"]["name"]
    assert {"name": name, "persistentVolumeClaim": {"claimName": name}} in volumes


def fly(root: Path) -> None:
    # A machine with a volume is updated in its place, and there is no second one.
    document = tomllib.loads((root / "fly.toml").read_text())
    (mount,) = document["mounts"]
    assert (mount["destination"], mount["processes"]) == (FOLDER, ["scheduler"])


def railway(root: Path) -> None:
    # Of a service with a volume, Railway stops the old container first.
    text = (root / ".railway/railway.ts").read_text()
    service = re.search(r"const scheduler = service\(.*?\n  \}\);", text, re.DOTALL)
    assert service and f'volumeMounts: {{ "{FOLDER}": schedulerVolume }}' in service[0]
    assert 'RAILWAY_RUN_UID: "0"' in service[0]


def render(root: Path) -> None:
    # Of a service with a disk, Render stops the old instance first.
    services = load(root / "render.yaml")["services"]
    (service,) = (one for one in services if one["name"].endswith("-scheduler"))
    assert (service["numInstances"], service["disk"]["mountPath"]) == (1, FOLDER)


SCHEDULERS: dict[str, Callable[[Path], None]] = {
    "docker": docker,
    "docker-swarm": docker_swarm,
    "kubernetes": kubernetes,
    "fly": fly,
    "railway": railway,
    "render": render,
}


@pytest.mark.parametrize("target", sorted(derivation.targets.TARGETS))
def test_there_is_one_with_a_schedule_that_lasts(target: str, root: Path) -> None:
    SCHEDULERS[target](root)


def test_no_probe_asks_the_pod_s_first_process(root: Path) -> None:
    """Which is the cluster's own, where a pod's containers share their processes."""
    worker = (root / "deploy/kubernetes/base/worker.yaml").read_text()
    assert "kill -0" not in worker and "livenessProbe" in worker


def test_the_image_has_the_schedule_s_folder(root: Path) -> None:
    """A volume takes over its owner."""
    assert re.search(rf"install -d .*{FOLDER}", (root / "Dockerfile.prod").read_text())
