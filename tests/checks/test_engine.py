"""Docker and Compose that are missing, old or silent; a fake `docker` says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spinbox_wrapper.checks import engine
from tests.checks.support import ANSWERS, by_id, fake_docker


def _judge(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, tuple[str, str]]:
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    found = by_id(engine.judge(engine.observe()))
    return {id_: (check.status.value, check.seen) for id_, check in found.items()}


@pytest.mark.parametrize("compose", ["2.24.0", "2.26.1-4", "v2.40.3", "5.6.1", "v5.0.0-rc.1"])
@pytest.mark.parametrize("version", ["25.0.0", "26.1.5+dfsg1", "29.1.2"])
def test_versions_that_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, compose: str
) -> None:
    answers = ANSWERS | {"version": version, "compose version": compose}
    found = _judge(monkeypatch, fake_docker(tmp_path / "bin", answers))
    assert {status for status, _ in found.values()} == {"pass"}
    assert list(found) == list(engine.IDS)


def test_an_old_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = ANSWERS | {"version": "24.0.9"}
    found = _judge(monkeypatch, fake_docker(tmp_path / "bin", answers))
    assert found["engine.docker"] == (
        "fail",
        "Docker Engine is 24.0.9, but 25 or newer is needed.",
    )


@pytest.mark.parametrize("compose", ["2.23.3", "v2.5.0", "1.29.2"])
def test_an_old_compose(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compose: str) -> None:
    answers = ANSWERS | {"compose version": compose}
    found = _judge(monkeypatch, fake_docker(tmp_path / "bin", answers))
    assert found["engine.compose"][0] == "fail"


def test_no_compose_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = {key: value for key, value in ANSWERS.items() if key != "compose version"}
    folder = fake_docker(tmp_path / "bin", answers, error="docker: 'compose' is not a command")
    assert _judge(monkeypatch, folder)["engine.compose"][0] == "fail"


def test_no_docker_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = engine.judge(engine.observe())
    assert [(check.id, check.status.value) for check in found] == [("engine.docker", "fail")]


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "systemctl"),
        ("permission denied while trying to connect to the Docker daemon socket", "usermod"),
    ],
)
def test_an_engine_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: str, mend: str
) -> None:
    folder = fake_docker(tmp_path / "bin", {"compose version": "2.26.1"}, error=error)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    found = by_id(engine.judge(engine.observe()))
    assert found["engine.docker"].status == "fail"
    assert mend in found["engine.docker"].mend
    assert found["engine.compose"].status == "pass"


def test_ports_and_project_of_a_container() -> None:
    ports = "0.0.0.0:80->80/tcp, [::]:80->80/tcp, 0.0.0.0:9000-9002->9000-9002/tcp, 5432/tcp"
    labels = "a=b,com.docker.compose.project=shop-prod,com.docker.compose.project.working_dir=/s"
    found = engine.container(json.dumps({"Ports": ports, "Labels": labels}))
    assert found == engine.Container("shop-prod", frozenset({80, 9000, 9001, 9002}))
