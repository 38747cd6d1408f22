"""What an app takes itself for: ENVIRONMENT is the environment's name wherever it runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.projects.compose import compose
from tests.runs import build, run

from .support import stack_of

STUB = '#!/bin/sh\n[ "$*" = "info --format {{.Swarm.ControlAvailable}}" ] && echo true\nexit 0\n'


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An API, for one server, a swarm and a cluster, with a settings file for staging."""
    folder = tmp_path_factory.mktemp("x")
    project = compose("e2e-fastapi", folder / "project")
    build(project)
    for target in ("docker-swarm", "kubernetes"):
        assert run(project, "deploy", "--generate", "--target", target).code == 0
    (folder / "bin").mkdir()
    (folder / "bin/docker").write_text(STUB)
    (folder / "bin/docker").chmod(0o755)
    for arguments in ((), ("--env", "staging")):
        subprocess.run(
            ["sh", "deploy/init-env.sh", *arguments],
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
    return project


def shown(root: Path, folder: str, settings: str, *arguments: str) -> str:
    """What a script hands to Compose or Swarm, where its settings file is that."""
    file = "deploy/env/staging.env" if arguments else ".env"
    (root / file).write_text(settings)
    script = root / folder / "shown.sh"
    script.write_text('set -eu\n. "$(dirname -- "$0")/common.sh"\nsh -c \'echo "$ENVIRONMENT"\'\n')
    result = subprocess.run(
        ["sh", str(script), *arguments],
        env={"PATH": f"{root.parent / 'bin'}:/usr/bin:/bin", "ENVIRONMENT": "the shell's"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_new_settings_of_another_environment_say_its_name(root: Path) -> None:
    """So that a bare `docker compose` gives the same."""
    example = (root / ".env.example").read_text()
    assert "#ENVIRONMENT=production\n" in example
    made = compose("e2e-fastapi", root.parent / "made")
    build(made)
    command = ["sh", "deploy/init-env.sh", "--env", "staging"]
    subprocess.run(command, cwd=made, stdin=subprocess.DEVNULL, check=True, capture_output=True)
    assert "\nENVIRONMENT=staging\n" in (made / "deploy/env/staging.env").read_text()


@pytest.mark.parametrize("folder", ["deploy", "deploy/swarm"])
@pytest.mark.parametrize(
    ("settings", "arguments", "expected"),
    [
        ("", (), "production"),
        ("", ("--env", "staging"), "staging"),
        ("ENVIRONMENT=qa\n", ("--env", "staging"), "qa"),
    ],
)
def test_scripts_give_the_environment_s_name(
    folder: str, settings: str, arguments: tuple[str, ...], expected: str, root: Path
) -> None:
    """Also where the settings are of before, and whatever the caller's shell says."""
    assert shown(root, folder, settings, *arguments) == expected


@pytest.mark.parametrize("file", ["docker-compose.prod.yml", "deploy/swarm/stack.yml"])
def test_the_app_is_given_it(file: str, root: Path) -> None:
    app = yaml.safe_load((root / file).read_text())["services"]["app"]
    assert app["environment"]["ENVIRONMENT"] == "${ENVIRONMENT:-production}"


def test_a_swarm_s_deployment_does_not_take_it_away(root: Path) -> None:
    """Of settings without a value, it unsets what the stack file has a default for."""
    script = (root / "deploy/swarm/deploy.sh").read_text()
    assert " ENVIRONMENT " not in script.split("for name in \\")[1].split("; do")[0]


@pytest.mark.parametrize("overlay", ["production", "staging"])
def test_each_overlay_has_its_own(overlay: str, root: Path) -> None:
    settings = root / f"deploy/kubernetes/overlays/{overlay}/settings.env"
    assert f"\nENVIRONMENT={overlay}\n" in settings.read_text()


NODE: dict[str, Any] = {"dir": ".", "command": "node index.js", "port": 1, "sources": ["index.js"]}


def test_apps_that_name_it_are_given_it() -> None:
    """Of whatever framework; others are not."""
    named = stack_of({"name": "x", "node": {**NODE, "variables": ["ENVIRONMENT"]}})
    assert [env.name for env in named.apps[0].environment] == ["ENVIRONMENT"]
    assert stack_of({"name": "x", "node": NODE}).apps[0].environment == ()
