"""`status.sh`, `logs.sh`, `run.sh` and `remote.sh`, run with stand-ins for docker and ssh."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
PROJECT = "api-only-prod"
SERVICES = ("caddy", "app", "postgres", "redis")
HOSTILE = ("a  b", "it's", '"q"', "$(touch pwned)", "`id`", "--env", "*", "")

# Each service that is there has a file: state, version, percent of its memory.
DOCKER = r"""#!/bin/sh
cd "$DOCKER_STAND_IN" || exit 9
case $* in
    info*) [ ! -e down ] && echo "$DOCKER_STAND_IN" ;;
    ps*com.docker.compose.service=*)
        service=${*##*com.docker.compose.service=} service=${service%% *}
        [ ! -e "services/$service" ] || echo "id-$service"
        ;;
    ps*) ;;
    stats*)
        for file in services/*; do
            read -r state version used <"$file"
            echo "id-${file#*/} $used.50% 64MiB / 512MiB"
        done
        ;;
    inspect*)
        for id; do :; done
        read -r state version used <"services/${id#id-}" || exit 1
        case $* in
            *StartedAt*) echo "2026-01-31T12:00:00.123Z name:$version 137" ;;
            *) echo "$state" ;;
        esac
        ;;
    exec*find*) cat certificate-path 2>/dev/null ;;
    exec*cat*) cat certificate ;;
    'image inspect'*) [ ! -e no-images ] ;;
    compose*)
        for word; do printf '%s\n' "$word"; done >arguments
        exit "$(cat code 2>/dev/null || echo 0)"
        ;;
    *) exit 1 ;;
esac
"""
# Runs what would run on the server; its own words are kept.
SSH = r"""#!/bin/sh
for word; do printf '%s\n' "$word"; done >"$DOCKER_STAND_IN/ssh"
for last; do :; done
exec sh -c "$last"
"""
DF = """#!/bin/sh
echo Filesystem 1024-blocks Used Available Capacity Mounted
cat "$DOCKER_STAND_IN/df"
"""


@dataclass(frozen=True)
class Server:
    """A project on a server where all is well, and what the stand-ins know."""

    folder: Path
    lab: Path
    shell: tuple[str, ...] = ("dash",)

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.lab / 'tools'}:{os.defpath}"
        return subprocess.run(
            [*self.shell, f"deploy/{script}.sh", *arguments],
            cwd=self.folder,
            env={"PATH": path, "DOCKER_STAND_IN": str(self.lab), "HOME": str(self.lab), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def service(self, name: str, state: str = "healthy", tag: str = "v2", used: int = 12) -> None:
        (self.lab / "services" / name).write_text(f"{state} {tag} {used}\n")

    def log(self, line: str) -> None:
        with (self.folder / f"deploy/state/{PROJECT}.log").open("a") as file:
            file.write(f"2026-01-31T12:00:00Z {line} by=root\n")

    def backup(self, age: timedelta) -> None:
        shutil.rmtree(self.folder / "deploy/backups", ignore_errors=True)
        stamp = f"{datetime.now(UTC) - age:%Y%m%d-%H%M%SZ}"
        folder = self.folder / f"deploy/backups/{PROJECT}/{stamp}"
        folder.mkdir(parents=True)
        manifest = f"stamp {stamp}\nproject {PROJECT}\nreason nightly\ntag v2\n"
        (folder / "manifest").write_text(manifest)
        (folder / "SHA256SUMS").write_text("")

    def certificate(self, since: timedelta, until: timedelta) -> None:
        """The bytes around its two times, as they stand in any (RFC 5280, 4.1.2.5)."""
        now = datetime.now(UTC)
        times = (f"\x17\x0d{now + span:%y%m%d%H%M%S}Z" for span in (since, until))
        der = b"\x30\x82\x01\x02\xff\x17\x30\x1e" + "".join(times).encode() + b"\x30\x00" * 40
        text = base64.encodebytes(der).decode()
        pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
        (self.lab / "certificate").write_text(pem * 2)
        (self.lab / "certificate-path").write_text("/data/x/example.com.crt\n")

    @property
    def compose(self) -> list[str]:
        """The words of the last call of Compose, from its own command on."""
        words = (self.lab / "arguments").read_text().split("\n")[:-1]
        return words[words.index(".env") + 1 :]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    made = Server(tmp_path / "my project", tmp_path / "lab")
    shutil.copytree(GOLDEN / "github/deploy", made.folder / "deploy")
    shutil.copy(GOLDEN / "github/docker-compose.prod.yml", made.folder)
    (made.folder / "deploy/state").mkdir()
    (made.folder / ".env").write_text("TAG=v2\nDOMAIN=example.com\n")
    for folder in ("tools", "services"):
        (made.lab / folder).mkdir(parents=True)
    for name, text in (("docker", DOCKER), ("ssh", SSH), ("df", DF)):
        (made.lab / "tools" / name).write_text(text)
        (made.lab / "tools" / name).chmod(0o755)
    (made.lab / "df").write_text("/dev/sda 100000000 1 50000000 50% /\n")
    for name in SERVICES:
        made.service(name)
    made.backup(timedelta(hours=3))
    made.certificate(timedelta(days=-10), timedelta(days=80))
    made.log('deploy version=v1 before=none seconds=9 result="ok"')
    made.log('deploy version=v2 before=v1 seconds=9 result="ok"')
    made.log('drill backup=x result="ok"')
    return made


@pytest.mark.parametrize("shell", SHELLS)
def test_where_all_is_well_the_status_says_so_in_80_columns(server: Server, shell: str) -> None:
    result = Server(server.folder, server.lab, tuple(SHELLS[shell])).run("status")
    assert (result.returncode, result.stderr) == (0, ""), result
    assert result.stdout.endswith("All is well.\n")
    assert [line for line in result.stdout.splitlines() if len(line) > 80] == []
    assert len(result.stdout.splitlines()) < 24
    for name in SERVICES:
        assert f"{name:10} healthy    2026-01-31 12:00 v2" in result.stdout
    assert "12 % of 512MiB" in result.stdout
    assert "3 hours ago, nightly" in result.stdout
    until = datetime.now(UTC) + timedelta(days=80)
    assert f"example.com, until {until:%Y-%m-%d}" in result.stdout


def no_docker(server: Server) -> None:
    (server.lab / "down").touch()


def no_settings(server: Server) -> None:
    (server.folder / ".env").unlink()


def no_containers(server: Server) -> None:
    shutil.rmtree(server.lab / "services")
    (server.lab / "services").mkdir()


def no_images(server: Server) -> None:
    no_containers(server)
    (server.lab / "no-images").touch()


def no_certificate(server: Server) -> None:
    (server.lab / "certificate-path").unlink()


def full_disk(server: Server) -> None:
    (server.lab / "df").write_text("/dev/sda 100000000 1 100 100% /\n")


BROKEN: dict[str, tuple[Callable[[Server], object], str]] = {
    "Docker": (no_docker, "Docker does not answer"),
    "settings": (no_settings, ".env is missing or cannot be read: make it with sh deploy/init-env"),
    "everything": (no_containers, "Does not run: everything. This starts it:\n  docker compose -f"),
    "images": (no_images, "Does not run: everything. This starts it:\n  sh deploy/deploy.sh"),
    "one": (lambda s: (s.lab / "services/redis").unlink(), "Does not run: redis."),
    "unhealthy": (lambda s: s.service("app", "unhealthy"), "app is unhealthy; its log:"),
    "ended": (lambda s: s.service("app", "exited"), "Does not run: app (ended with code 137)."),
    "memory": (lambda s: s.service("app", used=97), "app uses 97 % of its memory: raise APP_MEM"),
    "version": (lambda s: s.service("app", tag="v1"), "app runs version v1, but .env names v2:"),
    "old backup": (lambda s: s.backup(timedelta(days=3)), "The last good backup is 3 days old:"),
    "clock": (lambda s: s.backup(timedelta(days=-3)), "is in the future: is the clock right?"),
    "failed backup": (
        lambda s: s.log('backup name=none bytes=0 seconds=1 result="failed while writing"'),
        "The last run of backup.sh, 2026-01-31 12:00, failed while writing:",
    ),
    "drill": (lambda s: s.log('drill backup=x result="different"'), "The last drill did not"),
    "certificate": (no_certificate, "There is no certificate of example.com yet"),
    "old certificate": (
        lambda s: s.certificate(timedelta(days=-80), timedelta(days=10)),
        "The certificate of example.com has not been renewed",
    ),
    "disk": (full_disk, "The disk at / is nearly full"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_not_well_is_one_sentence(server: Server, broken: str) -> None:
    breaks, sentence = BROKEN[broken]
    breaks(server)
    result = server.run("status")
    assert (result.returncode, result.stderr) == (1, ""), result
    said = result.stdout.partition("Not well:\n")[2]
    assert sentence in said
    assert len([line for line in said.splitlines() if line[0] != " "]) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_arrives_as_it_was_given(server: Server, shell: str) -> None:
    (server.lab / "code").write_text("7")
    at = Server(server.folder, server.lab, tuple(SHELLS[shell]))
    assert at.run("run", "printf", *HOSTILE).returncode == 7
    options = ["--rm", "--no-deps", "--no-TTY"]
    assert at.compose == ["--progress", "quiet", "run", *options, "app", "printf", *HOSTILE]
    assert not (server.folder / "pwned").exists()


def test_an_app_may_be_named_before_its_command(server: Server) -> None:
    assert server.run("run", "--env", "production", "app", "app", "x").returncode == 0
    assert server.compose[-3:] == ["app", "app", "x"]


@pytest.mark.parametrize("words", [(), ("app",), ("--rm", "sh")])
def test_without_a_command_nothing_runs(server: Server, words: tuple[str, ...]) -> None:
    result = server.run("run", *words)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert not (server.lab / "arguments").exists()


def test_a_command_never_builds_an_image(server: Server) -> None:
    (server.lab / "no-images").touch()
    result = server.run("run", "sh")
    assert result.stderr == "run: There is no image api-only-app:v2: sh deploy/deploy.sh\n"
    assert not (server.lab / "arguments").exists()


def test_logs_are_the_last_lines_of_all_with_times(server: Server) -> None:
    assert server.run("logs").returncode == 0
    assert server.compose == ["--profile", "*", "logs", "--timestamps", "--tail", "100"]


def test_logs_since_a_time_are_whole(server: Server) -> None:
    assert server.run("logs", "--since", "1h", "--follow", "app", "redis").returncode == 0
    words = ["logs", "--timestamps", "--since", "1h", "--tail", "all", "--follow", "app", "redis"]
    assert server.compose[2:] == words


@pytest.mark.parametrize(
    "words", [("nobody",), ("--since",), ("--since", "$(id)"), ("--tail", "5"), ("app; id",)]
)
def test_logs_of_what_is_not_there_are_refused(server: Server, words: tuple[str, ...]) -> None:
    result = server.run("logs", *words)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)


def remote(server: Server, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    given = {"SSH_HOST": "host", "SSH_USER": "me", "SSH_KEY": "k", "SSH_KNOWN_HOSTS": "h"}
    given |= {"SERVER_DIR": str(server.folder)}
    return server.run("remote", *words, **(given | more))


DIGEST = f"app=ghcr.io/me/app@sha256:{'0' * 64}"


@pytest.mark.parametrize("version", ["v1'; touch pwned; '", "$(touch pwned)", "-x", "", "a b"])
def test_what_is_no_tag_never_reaches_the_server(server: Server, version: str) -> None:
    result = remote(server, "deploy", version, DIGEST)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert not (server.lab / "ssh").exists()
    if version:
        assert remote(server, "rollback", version).returncode == 1
        assert not (server.lab / "ssh").exists()


def test_production_is_an_environment_for_remote_scripts(server: Server) -> None:
    result = remote(server, "status", "--env", "production")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("All is well.\n")
    assert "sh deploy/status.sh'" in (server.lab / "ssh").read_text()


def test_no_name_of_a_user_is_an_option_of_ssh(server: Server) -> None:
    remote(server, "status", SSH_USER="-oProxyCommand=touch pwned;")
    words = (server.lab / "ssh").read_text().splitlines()
    assert words[words.index("--") + 1] == "-oProxyCommand=touch pwned;@host"


def test_a_remote_command_arrives_as_it_was_given(server: Server) -> None:
    (server.lab / "code").write_text("7")
    assert remote(server, "run", "printf", *HOSTILE).returncode == 7
    assert server.compose[-len(HOSTILE) - 1 :] == ["printf", *HOSTILE]
    assert not (server.folder / "pwned").exists()


def test_a_remote_rollback_lists_versions(server: Server) -> None:
    script = server.folder / "deploy/rollback.sh"
    script.write_text('printf "%s|" "$@"\n')
    assert remote(server, "rollback", "--list").stdout == "--list|"
    assert remote(server, "rollback", "v1.2").stdout == "1.2|"
    assert remote(server, "rollback").stdout == "|"
