"""Every command of the generated guide, executed word for word on a stand-in for the server."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.guides import Reader, printed, scripts
from tests.e2e.stacks import Stack, free_port, need, run
from tests.projects.compose import compose
from tests.runs import build

NAME = "e2e-guide"
SERVER = Path("/srv") / NAME
CRISIS = "The site is down"

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


def test_every_command_of_the_guide(made: Path, tmp_path: Path) -> None:
    need("curl")
    units = tmp_path / "units"
    http, https = free_port(), free_port()
    bundle = tmp_path / "certificates.pem"

    def words() -> dict[str, str]:
        settings = (SERVER / ".env").read_text() if (SERVER / ".env").exists() else ""
        tag = re.findall(r"^TAG=(.*)$", settings, re.MULTILINE)
        return {
            "REPOSITORY": str(made),
            "YOUR-DOMAIN": f"localhost:{https}",
            "FILE.sql": str(tmp_path / "import.sql"),
            "FILE.rdb": str(tmp_path / "import.rdb"),
            "FILE.tar.gz": str(tmp_path / "import.tar.gz"),
            "deploy.sh TAG": f"deploy.sh {tag[-1] if tag else 'none'}",
        }

    reader = Reader(made, tmp_path / "bin", STAND_INS, words)
    # The domain is what init-env.sh would ask for.
    reader.environment |= {"UNITS": str(units), "DOMAIN": "localhost"}
    guide = made / "deploy/README.md"
    blocks = scripts(guide)
    # The first section is for later, when there are versions and backups.
    crisis = [block for block in blocks if block[0] == CRISIS]
    blocks = [block for block in blocks if block[0] != CRISIS]
    nightly = [title for title, _ in blocks].index("Every night by itself")
    for title, script in [*blocks[:nightly], *crisis, *blocks[nightly:]]:
        # The other way to the server, after the first one.
        if "tar --exclude" in script:
            reader.folder = made
        reader.script(script)
        if "init-env.sh" in script and "--env" not in script:
            with (SERVER / ".env").open("a") as settings:
                settings.write(f"HTTP_PORT={http}\nHTTPS_PORT={https}\n")
        if title.endswith("Start"):
            # What a browser would ask about: Caddy's own certificate of `localhost`.
            root = Stack(SERVER).execute("caddy", "cat /data/caddy/pki/authorities/local/root.crt")
            bundle.write_text(root)
            reader.environment["CURL_CA_BUNDLE"] = str(bundle)
            _something_to_import(tmp_path)
    assert sorted(reader.executed) == sorted(printed(guide))
    assert len(reader.executed) > 40
    calls = (units / "calls").read_text()
    assert f"enable --now {NAME}-backup.timer" in calls
    # The last section was "Uninstall".
    assert run("docker", "volume", "ls", "-q", "--filter", f"name={NAME}-prod_") == ""
    assert run("docker", "image", "ls", "-q", f"{NAME}-app") == ""


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
