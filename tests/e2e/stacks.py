"""Production stacks on a real Docker engine: make, boot, ask, look inside, remove."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.downloads import patient

# Every character that a URL, a shell, YAML, Compose or redis.conf could stumble over.
HOSTILE_PASSWORD = r"""p@ss:w/o?r#d %41"\ $(x) ${y} `z` & é;"""


# Stand-ins for machines that reach no registry, beside this repository.
LAB = REPOSITORY.parent / "shared/lab"


def run(*command: str | Path, cwd: Path | None = None, timeout: int = 900) -> str:
    """Run a command that has to succeed; its output is in the failure's message."""
    result = patient(
        lambda: subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    )
    output = result.stdout[-4000:] + result.stderr[-8000:]
    assert result.returncode == 0, f"{command}\n{output}"
    return result.stdout


@dataclass
class Answer:
    """What a request got."""

    status: int
    body: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stack:
    """A generated stack in `folder`, where its Compose file lies."""

    folder: Path
    http_port: int = field(default_factory=lambda: free_port())
    https_port: int = field(default_factory=lambda: free_port())

    def write_env(self, **settings: str) -> None:
        """Fill in every required setting with a hostile value, and the ports."""
        example = (self.folder / ".env.example").read_text()
        values = dict.fromkeys(re.findall(r"^([A-Z_]+)=$", example, re.MULTILINE), HOSTILE_PASSWORD)
        values |= {"HTTP_PORT": str(self.http_port), "HTTPS_PORT": str(self.https_port)} | settings
        lines = [f"{name}='{value}'" for name, value in values.items()]
        (self.folder / ".env").write_text("\n".join(lines) + "\n")

    @contextmanager
    def limited(self, seconds: int) -> Iterator[None]:
        """Deployments give up that soon: for versions that are meant not to get healthy."""
        env = self.folder / ".env"
        before = env.read_text()
        limit, number = re.subn(r"(?m)^DEPLOY_TIMEOUT=.*$", f"DEPLOY_TIMEOUT={seconds}", before)
        env.write_text(limit if number else f"{before}DEPLOY_TIMEOUT={seconds}\n")
        try:
            yield
        finally:
            (patience,) = re.findall(r"(?m)^DEPLOY_TIMEOUT=.*$", before) or [""]
            env.write_text(env.read_text().replace(f"DEPLOY_TIMEOUT={seconds}", patience))

    def compose(self, *arguments: str) -> str:
        return run(
            "docker", "compose", "-f", "docker-compose.prod.yml", *arguments, cwd=self.folder
        )

    def up(self) -> None:
        """The one command that the guide names."""
        self.compose("up", "-d", "--build", "--wait")

    def remove(self) -> None:
        """Take everything away, also what a failed start left."""
        command = ["docker", "compose", "-f", "docker-compose.prod.yml", "--profile", "*", "down"]
        subprocess.run(
            [*command, "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "3"],
            cwd=self.folder,
            capture_output=True,
            check=False,
        )

    def request(self, path: str, data: object = None, *, method: str | None = None) -> Answer:
        """Ask through the proxy, over HTTPS with its own certificate."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            f"https://localhost:{self.https_port}{path}",
            data=body,
            method=method,
            headers={"Content-Type": "application/json"} if body else {},
        )
        context = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                return Answer(response.status, response.read().decode(), dict(response.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), dict(error.headers))

    def get(self, path: str) -> Any:
        """The JSON of a GET that has to succeed."""
        answer = self.request(path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path: str, data: object = None) -> Any:
        """The JSON of a POST that has to succeed."""
        answer = self.request(path, data if data is not None else {}, method="POST")
        assert answer.status in {200, 201}, answer
        return answer.json

    def execute(self, service: str, script: str) -> str:
        """A shell script's output inside a running container."""
        return self.compose("exec", "-T", service, "sh", "-c", script)

    def containers(self) -> dict[str, Any]:
        """`docker inspect` of every container that runs, by service."""
        ids = self.compose("ps", "--quiet").split()
        inspected = json.loads(run("docker", "inspect", *ids)) if ids else []
        return {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in inspected}

    def configuration(self) -> dict[str, Any]:
        """The generated Compose file, parsed."""
        text = (self.folder / "docker-compose.prod.yml").read_text()
        parsed: dict[str, Any] = yaml.safe_load(text)
        return parsed


def need(program: str) -> None:
    """Skips where a program is not installed; in CI that is a failure."""
    if shutil.which(program) is None:
        _missing(f"{program} is not installed")


def need_image(name: str) -> None:
    """Provides an image: it is here, or pulled, or made by the lab; else the test cannot run."""
    ways: list[list[str | Path]] = [["docker", "image", "inspect", name]]
    ways.append(["docker", "pull", "--quiet", name])
    if LAB.exists():
        ways.append([LAB / "up", "--images", name])
    for command in ways:
        result = patient(partial(subprocess.run, command, capture_output=True, text=True))
        if result.returncode == 0:
            return
    _missing(f"there is no image {name}: {result.stderr.strip()}")


def _missing(message: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def fixed_ports() -> Iterator[None]:
    """Ports that somebody else has numbered, such as PostgreSQL's: one test at a time has them."""
    with Path(tempfile.gettempdir(), "spinbox-deploy-e2e-ports.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A port that nothing listens on."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def eventually(condition: Callable[[], bool], attempts: int = 600) -> None:
    """Wait until the condition holds, asking once a second; for long, as machines are slow."""
    for _ in range(attempts):
        try:
            if condition():
                return
        except (OSError, AssertionError):
            pass
        time.sleep(1)
    raise AssertionError("the condition did not come true")
