"""Every command of the generated guide, executed word for word on a stand-in for the server.

Words in capitals are filled in as the guide asks for; programs that a container has not, or that
would change the machine (`ssh`, `sudo`, `apt`), are stand-ins that do the same here.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spinbox_wrapper import markdown
from tests.e2e.stacks import Stack, free_port, need, run
from tests.projects.compose import compose
from tests.runs import build

NAME = "e2e-guide"
SERVER = Path("/srv") / NAME

STAND_INS = {
    # A login that ends at once, or the command on the same machine.
    "ssh": '#!/bin/sh\nshift\n[ $# -eq 0 ] || exec sh -c "$*"\n',
    "sudo": (
        "#!/bin/sh\n"
        'case "$1 ${2-}" in\n'
        '    "tee "*) shift; mkdir -p "$UNITS"; exec tee "$UNITS/$(basename "$1")" ;;\n'
        '    "systemctl "*) echo "$*" >>"$UNITS/calls" ;;\n'
        '    *) exec "$@" ;;\n'
        "esac\n"
    ),
}
# These follow something for ever: they have to run, and are then ended.
ENDLESS = re.compile(r"logs --follow|^docker stats$")
# Where no registry is reachable, these have to get as far as asking it.
ONLINE = re.compile(r"pull --ignore-buildable|--pull$")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project, in a repository that can be cloned; its server folder is removed afterwards."""
    root = compose("e2e-fastapi-postgresql-redis", tmp_path_factory.mktemp("guide") / "project")
    build(root, "--set", f"name={NAME}", "--set", "uploads=/app/uploads")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=root)
    run("git", "add", "--all", cwd=root)
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    run("git", *identity, "commit", "--quiet", "--message=all", cwd=root)
    assert not SERVER.exists()
    yield root
    for project in (f"{NAME}-prod", f"{NAME}-staging"):
        subprocess.run(
            ["docker", "compose", "-p", project, "down", "--volumes", "--timeout", "3"],
            capture_output=True,
            check=False,
        )
    images = run("docker", "image", "ls", "--quiet", f"{NAME}-app").split()
    if images:
        subprocess.run(["docker", "image", "rm", "--force", *set(images)], check=False)
    shutil.rmtree(SERVER, ignore_errors=True)


def scripts(readme: Path) -> list[tuple[str, str]]:
    """Each shell block of the guide with its section's title, in the order of the document."""
    return [
        (section.title, block.text)
        for section in markdown.sections(readme.read_text())
        for block in section.blocks
        if block.kind == "bash"
    ]


class Server:
    """Runs commands as somebody who works through the guide."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.folder = project
        self.project = project
        self.units = folder / "units"
        tools = folder / "bin"
        tools.mkdir()
        for name, text in STAND_INS.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        spinbox = Path(sys.executable).parent
        self.path = os.pathsep.join([str(tools), str(spinbox), os.environ["PATH"]])
        self.bundle = folder / "certificates.pem"
        # What init-env.sh would ask for.
        self.environment = {"DOMAIN": "localhost"}
        self.executed: list[str] = []
        self.http, self.https = free_port(), free_port()

    def words(self) -> dict[str, str]:
        settings = (SERVER / ".env").read_text() if (SERVER / ".env").exists() else ""
        tag = re.findall(r"^TAG=(.*)$", settings, re.MULTILINE)
        return {
            "REPOSITORY": str(self.project),
            "YOUR-DOMAIN": f"localhost:{self.https}",
            "FILE.sql": str(self.bundle.with_name("import.sql")),
            "FILE.rdb": str(self.bundle.with_name("import.rdb")),
            "FILE.tar.gz": str(self.bundle.with_name("import.tar.gz")),
            "deploy.sh TAG": f"deploy.sh {tag[-1] if tag else 'none'}",
        }

    def execute(self, command: str) -> None:
        """One command of the guide; `cd` is remembered."""
        self.executed.append(command)
        for word, value in self.words().items():
            command = command.replace(word, value)
        if match := re.fullmatch(r"cd (\S+)", command):
            self.folder = self.folder / match[1]
            return
        if ENDLESS.search(command):
            command = f"timeout 5 {command} || [ $? -eq 124 ]"
        # Somebody who says yes where that is asked, and leaves a shell at once.
        control, terminal = pty.openpty()
        os.write(control, b"y\n" if "restore.sh" in command else b"\x04")
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ
            | {"PATH": self.path, "UNITS": str(self.units), "USER": "root"}
            | self.environment,
            check=False,
        )
        os.close(terminal)
        os.close(control)
        if ONLINE.search(command) and re.search(r"lookup|dial tcp|resolve", result.stdout):
            return
        assert result.returncode == 0, f"{command}\n{result.stdout[-4000:]}"


def test_every_command_of_the_guide(made: Path, tmp_path: Path) -> None:
    need("curl")
    server = Server(made, tmp_path)
    blocks = scripts(made / "deploy/README.md")
    for title, script in blocks:
        # The other way to the server, after the first one.
        if "tar --exclude" in script:
            server.folder = made
        for command in markdown.split_commands(script):
            server.execute(command)
        if "init-env.sh" in script and "--env" not in script:
            with (SERVER / ".env").open("a") as settings:
                settings.write(f"HTTP_PORT={server.http}\nHTTPS_PORT={server.https}\n")
        if title.endswith("Start"):
            _trust_the_certificate(server)
            _something_to_import(tmp_path)
    printed = [command for _, script in blocks for command in markdown.split_commands(script)]
    assert server.executed == printed
    assert len(printed) > 40
    calls = (server.units / "calls").read_text()
    assert f"enable --now {NAME}-backup.timer" in calls
    # The last section was "Uninstall".
    assert run("docker", "volume", "ls", "-q", "--filter", f"name={NAME}-prod_") == ""
    assert run("docker", "image", "ls", "-q", f"{NAME}-app") == ""


def _trust_the_certificate(server: Server) -> None:
    """What a browser would ask about: Caddy's own certificate of `localhost`."""
    stack = Stack(SERVER)
    root = stack.execute("caddy", "cat /data/caddy/pki/authorities/local/root.crt")
    server.bundle.write_text(root)
    server.environment["CURL_CA_BUNDLE"] = str(server.bundle)


def _something_to_import(folder: Path) -> None:
    stack = Stack(SERVER)
    dump = stack.execute(
        "postgres", 'pg_dump --no-owner --no-privileges --username "$POSTGRES_USER" "$POSTGRES_DB"'
    )
    (folder / "import.sql").write_text(dump)
    with (folder / "import.rdb").open("wb") as file:
        subprocess.run(
            [
                *("docker", "compose", "-f", "docker-compose.prod.yml", "exec", "-T", "redis"),
                *("sh", "-c", "redis-cli --rdb /tmp/x.rdb >/dev/null && cat /tmp/x.rdb"),
            ],
            cwd=SERVER,
            stdout=file,
            check=True,
        )
    (folder / "uploads").mkdir()
    (folder / "uploads/file.txt").write_text("kept\n")
    run("tar", "-C", folder / "uploads", "-czf", folder / "import.tar.gz", ".")
