"""What `deploy --target docker-swarm --check` says of engines and projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from spinbox_wrapper.checks import Check, Status
from spinbox_wrapper.checks.targets import docker_swarm as swarm
from spinbox_wrapper.checks.targets.docker_swarm import Swarm
from tests.checks.conftest import Ready
from tests.checks.support import by_id, context

NAME = "fapgrd"
ALONE = Swarm("28.2.2", True, "one", {"one": {}}, ("name=no-new-privileges",))


def look(root: Path, found: Swarm) -> dict[str, Check]:
    checks = swarm.judge_stack(replace(context(root), target="docker-swarm"), found)
    return by_id([*swarm.judge(found), *checks])


@pytest.fixture(scope="session")
def root(made: Ready) -> Path:
    return made("fastapi-postgresql-redis--with-deps")


def test_a_single_node_is_ready(root: Path) -> None:
    found = look(root, ALONE)
    assert {check.status for check in found.values()} == {Status.PASS}


def test_no_engine() -> None:
    (check,) = swarm.judge(Swarm())
    assert (check.id, check.status) == ("swarm.engine", Status.FAIL)


@pytest.mark.parametrize(
    ("found", "id_"),
    [(replace(ALONE, version="24.0.7"), "swarm.engine"), (Swarm("28.0.0"), "swarm.manager")],
)
def test_an_engine_that_does_not_do(found: Swarm, id_: str) -> None:
    assert by_id(swarm.judge(found))[id_].status is Status.FAIL


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ({"one": {}, "two": {}}, Status.FAIL),
        ({"one": {f"{NAME}.data": "true"}, "two": {}}, Status.FAIL),
        ({"one": {f"{NAME}.data": "true"}, "two": {f"{NAME}.edge": "true"}}, Status.PASS),
        ({"one": {f"{NAME}.data": "no", f"{NAME}.edge": "true"}, "two": {}}, Status.FAIL),
    ],
)
def test_labels(labels: Mapping[str, Mapping[str, str]], status: Status, root: Path) -> None:
    found = look(root, replace(ALONE, labels=labels))["swarm.labels"]
    assert found.status is status


def test_data_on_another_node(root: Path) -> None:
    labels = {"one": {f"{NAME}.edge": "true"}, "two": {f"{NAME}.data": "true"}}
    found = look(root, replace(ALONE, labels=labels))["swarm.data_here"]
    assert found.status is Status.WARN


def test_images_that_other_nodes_cannot_pull(root: Path) -> None:
    labels = {"one": {f"{NAME}.data": "true", f"{NAME}.edge": "true"}, "two": {}}
    found = look(root, replace(ALONE, labels=labels))["swarm.images"]
    assert (found.status, "IMAGE_APP" in found.mend) == (Status.FAIL, True)


def test_new_privileges(root: Path) -> None:
    found = look(root, replace(ALONE, security=()))["swarm.privileges"]
    assert found.status is Status.WARN
