"""`prepare-server.sh` in a container of Debian that stands for a fresh server.

Its packages are Debian's own, its firewall is the kernel's. Stand-ins are Docker's repository and
packages, systemd, sshd and swap.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.stacks import need_image, run

SCRIPT = Path(__file__).parents[1] / "golden/profile-web-app/deploy/prepare-server.sh"
IMAGE = "debian:bookworm-slim"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKkeyofthecaller me@laptop"
PREFIX = "e2e-prepare"

TOOLS = {
    "curl": 'while [ "$1" != --output ]; do shift; done; echo key >"$2"',
    # Docker's packages bring a program and a group; the rest is apt's.
    "apt-get": r"""
mv /etc/apt/sources.list.d/docker.sources /tmp/ 2>/dev/null
case $* in
    *docker-ce*)
        printf '#!/bin/sh\n[ "$1" != compose ] || echo 2.40.3\n' >/usr/bin/docker
        chmod +x /usr/bin/docker
        groupadd --system docker
        ;;
    *) /usr/bin/apt-get "$@" ;;
esac
code=$?
mv /tmp/docker.sources /etc/apt/sources.list.d/ 2>/dev/null
exit $code
""",
    "systemctl": 'echo "$*" >>/systemctl.log',
    "swapon": 'echo "$*" >>/swapon.log',
    "mkswap": "exit 0",
    "fallocate": 'touch "$3"',
    # Nobody needs 2 GB of zeros here.
    "dd": "touch /swapfile",
    "sshd": "echo port 2222",
    # A small server, with room on its disk.
    "df": "printf 'x\\n- - - 20000 - -\\n'",
    "awk": 'case $* in *MemTotal*) echo 900 ;; *) exec /usr/bin/awk "$@" ;; esac',
}
# Answers one byte at each port.
LISTEN = """
use IO::Socket::INET;
for my $port (@ARGV) {
    next if fork;
    my $s = IO::Socket::INET->new(LocalPort => $port, Listen => 5, ReuseAddr => 1) or die;
    while (my $c = $s->accept) { print $c "x"; close $c }
}
"""
ASK = (
    "alarm 5; use IO::Socket::INET; exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 3)"
)


@dataclass(frozen=True)
class Server:
    """A container."""

    name: str

    def run(
        self, *words: str, user: str = "0", given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        command = ["docker", "exec", "--interactive", "--user", user, self.name, *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    def shell(self, script: str) -> str:
        result = self.run("sh", "-euc", script)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def prepare(self, *words: str, user: str = "0") -> subprocess.CompletedProcess[str]:
        return self.run("sh", "/prepare-server.sh", *words, user=user)

    def prepared(self, *words: str) -> str:
        result = self.prepare(*words)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    @property
    def state(self) -> str:
        """What the steps change."""
        return self.shell(
            "nft list ruleset 2>/dev/null | sha256sum; id deploy 2>&1 || true;"
            "find /etc /home /srv /swapfile -type f 2>/dev/null ! -name '*-' ! -path '*/ssl/*' |"
            " sort | xargs -r sha256sum"
        )


def start(name: str) -> Server:
    subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
    run(
        "docker", "run", "--detach", "--name", name, "--cap-add", "NET_ADMIN", IMAGE, "sleep", "inf"
    )
    server = Server(name)
    run("docker", "cp", SCRIPT, f"{name}:/prepare-server.sh")
    for tool, text in TOOLS.items():
        path = f"/usr/local/sbin/{tool}"
        server.run("sh", "-c", f"cat >{path}; chmod 755 {path}", given=f"#!/bin/sh\n{text}\n")
    server.run("sh", "-c", "mkdir -p /root/.ssh; cat >/root/.ssh/authorized_keys", given=f"{KEY}\n")
    return server


@pytest.fixture(scope="module")
def fresh() -> Iterator[Server]:
    need_image(IMAGE)
    server = start(f"{PREFIX}-fresh-{os.getpid()}")
    yield server
    run("docker", "rm", "--force", server.name)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One that is prepared."""
    need_image(IMAGE)
    server = start(f"{PREFIX}-{os.getpid()}")
    try:
        server.prepared("--yes")
        yield server
    finally:
        run("docker", "rm", "--force", server.name)


def test_a_dry_run_says_all_and_changes_nothing(fresh: Server) -> None:
    before = fresh.state
    said = fresh.prepared("--dry-run", "--yes")
    assert fresh.state == before
    assert re.findall(r"^-- (\w+): \w", said, re.MULTILINE) == [
        *("upgrades", "swap", "docker", "logs", "user", "firewall"),
    ]
    assert "would run: apt-get -q install --yes --no-install-recommends docker-ce" in said
    assert "tcp dport { 2222, 80, 443 } accept" in said


@pytest.mark.parametrize(
    ("words", "user", "said"),
    [
        ((), "0", "Nobody is there to ask: add --yes, or name the steps."),
        (("--yes",), "1000", "run it as root"),
        (("nonsense",), "0", "nonsense is none of the steps"),
        (("--force",), "0", "--force is no option"),
        (("user",), "0", "There is no group docker: the step docker comes first."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    fresh: Server, words: tuple[str, ...], user: str, said: str
) -> None:
    before = fresh.state
    result = fresh.prepare(*words, user=user)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1), result
    assert said in result.stderr
    assert fresh.state == before


@pytest.mark.parametrize("line", ["ID=fedora", "ID=alpine", "ID=debian"])
def test_another_distribution_is_left_alone(fresh: Server, line: str) -> None:
    fresh.shell(f"mv /usr/lib/os-release /usr/lib/kept; echo {line} >/usr/lib/os-release")
    try:
        result = fresh.prepare("--yes")
    finally:
        fresh.shell("mv /usr/lib/kept /usr/lib/os-release")
    assert (result.returncode, result.stderr.count("\n"), result.stdout) == (1, 1, "")


def test_every_step_is_done(server: Server) -> None:
    assert "docker-ce" not in server.shell("ls /etc/apt")
    sources = server.shell("cat /etc/apt/sources.list.d/docker.sources")
    assert "URIs: https://download.docker.com/linux/debian\nSuites: bookworm\n" in sources
    assert server.shell("cat /etc/apt/keyrings/docker.asc") == "key\n"
    assert "max-size" in server.shell("cat /etc/docker/daemon.json")
    assert 'Unattended-Upgrade "1"' in server.shell("cat /etc/apt/apt.conf.d/20auto-upgrades")
    assert server.shell("dpkg-query -W -f '${Status}' unattended-upgrades").startswith("install ok")
    assert "docker" in server.shell("id -nG deploy").split()
    assert server.shell("cat ~deploy/.ssh/authorized_keys") == f"{KEY}\n"
    assert server.shell("stat -c '%U %a' ~deploy/.ssh ~deploy/.ssh/authorized_keys").split() == [
        *("deploy", "700", "deploy", "600"),
    ]
    assert server.shell("stat -c %U /srv/web-app") == "deploy\n"
    assert server.shell("grep -c swapfile /etc/fstab") == "1\n"
    assert "enable --quiet server-firewall.service" in server.shell("cat /systemctl.log")


_HERE = "2 GB of swap are in /swapfile, also after a restart."


@pytest.mark.parametrize(
    ("tool", "text", "said", "made"),
    [
        ("true", "", _HERE, True),
        # As on file systems that set no space aside.
        ("fallocate", "exit 1", _HERE, True),
        ("swapon", "exit 1", "This server takes no swap file.", False),
        ("wc", "echo 2", "There is swap already.", False),
        ("awk", "case $* in *MemTotal*) echo 1990 ;; *) exec /usr/bin/awk \"$@\" ;; esac",
         "There is memory enough: 1990 MB.", False),
        ("df", "printf 'x\\n- - - 3000 - -\\n'", "The disk has too little room", False),
    ],
)  # fmt: skip
def test_swap_is_there_where_it_is_needed_and_can_be(
    tool: str, text: str, said: str, made: bool
) -> None:
    need_image(IMAGE)
    server = start(f"{PREFIX}-swap-{os.getpid()}")
    try:
        path = f"/usr/local/sbin/{tool}"
        server.run("sh", "-c", f"cat >{path}; chmod 755 {path}", given=f"#!/bin/sh\n{text}\n")
        assert said in server.prepared("swap")
        found = server.shell("ls /swapfile 2>/dev/null || true; grep swapfile /etc/fstab || true")
        assert found.split("\n")[:-1] == (
            ["/swapfile", "/swapfile none swap sw 0 0"] if made else []
        )
        before = server.state
        server.prepared("swap")
        assert server.state == before
    finally:
        run("docker", "rm", "--force", server.name)


def test_a_second_run_has_nothing_to_do(server: Server) -> None:
    before = server.state
    server.prepared("--yes")
    assert server.state == before


def test_only_open_ports_can_be_reached_and_those_of_docker_are_closed(server: Server) -> None:
    listener = ["docker", "exec", "--detach", server.name, "perl", "-e", LISTEN]
    run(*listener, "2222", "80", "443", "22", "5432")
    # As Docker publishes: rewritten before any filter of INPUT or FORWARD sees it.
    server.shell(
        "nft add table ip published;"
        "nft 'add chain ip published nat { type nat hook prerouting priority dstnat; }';"
        "nft add rule ip published nat tcp dport 8080 redirect to :5432;"
        "nft add rule ip published nat tcp dport 443 redirect to :5432"
    )
    address = run(
        *("docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", server.name)
    ).strip()

    def reaches(port: int) -> bool:
        command = ["docker", "run", "--rm", IMAGE, "perl", "-e", ASK, f"{address}:{port}"]
        return subprocess.run(command, check=False).returncode == 0

    assert {port: reaches(port) for port in (2222, 80, 443, 22, 5432, 8080)} == {
        2222: True,
        80: True,
        443: True,
        22: False,
        5432: False,
        8080: False,
    }
    # From inside, everything, and out of it.
    server.shell(f"perl -e '{ASK}' 127.0.0.1:5432")
    server.shell("nft delete table ip published")
