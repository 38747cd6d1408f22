"""The Kubernetes target on a real cluster: the lab's, or one that kind makes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY
from tests.e2e.stacks import LAB, need, run

CLUSTER = LAB / "cluster"


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, ...]]:
    """The script's option for the cluster that there is, in the environment that leads to it."""
    if not (CLUSTER / "up").exists():
        need("kind")
        need("kubectl")
        yield ()
        return
    # Compiles for a quarter of an hour on a new machine. On a busy one, what enforces policies ends
    # where it starts before the node is known; a second call starts what has ended.
    for _ in range(2):
        exports = run(CLUSTER / "up", timeout=3600)
    shell = ["bash", "-c", f"{exports}\nenv -0"]
    lines = subprocess.run(shell, check=True, capture_output=True).stdout.split(b"\0")
    environment = dict(os.fsdecode(line).partition("=")[::2] for line in lines if line)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PATH", "KUBECONFIG", "DOCKER_HOST", "DOCKER_CONFIG"):
            patch.setenv(name, environment[name])
        yield ("--present",)
        run(CLUSTER / "down")


def test_it_is_deployed_broken_mended_and_restored(cluster: tuple[str, ...]) -> None:
    said = run("sh", REPOSITORY / "tests/kind.sh", *cluster, timeout=3600)
    assert said.endswith("1 passed, 0 failed\n")
