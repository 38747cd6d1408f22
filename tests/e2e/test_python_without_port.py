"""Python apps that listen on no port, and workers of queues: the first deployment does its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.stacks import eventually, run


def test_a_bot_goes_on_and_is_deployed_again(tmp_path: Path) -> None:
    project = copy_app("python-bot", tmp_path / "python-bot")
    with first_deployment(project, settings={"BOT_TOKEN": "bot-1"}) as stack:
        eventually(lambda: "polled 2" in stack.compose("logs", "app"))
        assert stack.containers()["app"]["State"]["Running"]
        first = stack.containers()["app"]["Id"]
        client = project / "src/bot/client.py"
        client.write_text(client.read_text().replace("polled", "asked"))
        run("sh", "deploy/deploy.sh", cwd=project)
        eventually(lambda: "asked 1" in stack.compose("logs", "app"))
        assert stack.containers()["app"]["Id"] != first


def test_a_bot_that_ends_at_once_is_told(tmp_path: Path) -> None:
    project = copy_app("python-bot", tmp_path / "python-bot-2")
    settings = {"BOT_TOKEN": "wrong", "DEPLOY_TIMEOUT": "60"}
    with (
        pytest.raises(AssertionError, match="the token is not valid"),
        first_deployment(project, settings=settings),
    ):
        pass


def test_a_server_of_the_standard_library_answers(tmp_path: Path) -> None:
    with first_deployment(copy_app("python-web", tmp_path / "python-web")) as stack:
        assert stack.get("/any") == {"path": "/any"}


def test_a_script_of_pyproject_toml_runs_when_it_is_called(tmp_path: Path) -> None:
    project = copy_app("python-scripts", tmp_path / "python-scripts")
    with first_deployment(project) as stack:
        assert "reported with iniconfig" in stack.compose("run", "--rm", "--build", "app")


@pytest.mark.parametrize("library", ["arq", "dramatiq", "rq", "taskiq", "huey"])
def test_a_worker_takes_jobs_from_its_queue(library: str, tmp_path: Path) -> None:
    project = copy_app(f"queue-{library}", tmp_path / f"queue-{library}")
    with first_deployment(project) as stack:
        assert stack.get("/add?a=2&b=3") == 5
        assert stack.containers()["worker"]["State"]["Running"]
        if library == "taskiq":
            eventually(lambda: stack.get("/ticks") > 0)
