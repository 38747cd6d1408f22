"""Rights, files, ports and networks, as they are inside the running containers."""

from __future__ import annotations

import re
from typing import Any

from tests.e2e.conftest import booted_as
from tests.e2e.stacks import Stack, run

SHAPES = (
    "e2e-web-app",
    "e2e-fastapi-postgresql-redis",
    "e2e-fastapi-mongodb",
    "e2e-fastapi-chroma",
    "e2e-nextjs-postgresql",
    "e2e-node",
)
UIDS = {
    "app": "10001",
    "frontend": "10001",
    "worker": "10001",
    "postgres": "999",
    "redis": "999",
    "mongodb": "999",
    "caddy": "0",
    "chroma": "0",
}
NET_BIND_SERVICE = 1 << 10
DATA = {"postgres", "redis", "mongodb", "chroma"}


@booted_as(*SHAPES)
def test_users(booted: Stack) -> None:
    services = booted.containers()
    found = {name: booted.execute(name, "id -u").strip() for name in services}
    assert found == {name: UIDS[name] for name in services}


@booted_as(*SHAPES)
def test_capabilities_are_those_documented(booted: Stack) -> None:
    for name in booted.containers():
        status = booted.execute(name, "cat /proc/self/status")
        bounding = int(re.search(r"CapBnd:\s*(\w+)", status)[1], 16)  # type: ignore[index]
        assert bounding == (NET_BIND_SERVICE if name == "caddy" else 0), name
        assert re.search(r"NoNewPrivs:\s*1", status), name


@booted_as(*SHAPES)
def test_root_is_read_only(booted: Stack) -> None:
    for name, container in booted.containers().items():
        assert container["HostConfig"]["ReadonlyRootfs"], name
        probe = "touch /spinbox-probe 2>&1 && echo written || true"
        assert "written" not in booted.execute(name, probe), name


@booted_as(*SHAPES)
def test_no_secret_file_is_in_an_image(booted: Stack) -> None:
    secrets = "-name '.env*' -o -name '*.pem' -o -name '*.key' -o -name .git"
    for name in UIDS.keys() & {"app", "frontend"} & booted.containers().keys():
        assert (
            booted.execute(name, f"find /app -not -path '*/node_modules/*' \\( {secrets} \\)") == ""
        )


@booted_as(*SHAPES)
def test_only_the_proxy_publishes_ports(booted: Stack) -> None:
    published = {
        name: sorted(port for port, hosts in _ports(container).items() if hosts)
        for name, container in booted.containers().items()
    }
    assert published.pop("caddy") == ["443/tcp", "443/udp", "80/tcp"]
    assert not any(published.values())


@booted_as(*SHAPES)
def test_the_proxy_shares_no_network_with_data(booted: Stack) -> None:
    containers = booted.containers()
    networks = {name: set(c["NetworkSettings"]["Networks"]) for name, c in containers.items()}
    for name in DATA & networks.keys():
        assert not networks[name] & networks["caddy"]
        assert len(networks[name]) == 1


@booted_as("e2e-web-app")
def test_data_services_have_no_way_out(booted: Stack) -> None:
    network = next(iter(booted.containers()["postgres"]["NetworkSettings"]["Networks"]))
    assert run("docker", "network", "inspect", "-f", "{{.Internal}}", network).strip() == "true"


@booted_as(*SHAPES)
def test_limits_and_logs(booted: Stack) -> None:
    for name, container in booted.containers().items():
        host = container["HostConfig"]
        assert host["Memory"] > 0, name
        assert host["NanoCpus"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name
        assert host["LogConfig"]["Config"]["max-size"] == "10m", name


@booted_as("e2e-fastapi-postgresql-redis")
def test_passwords_are_on_no_command_line(booted: Stack) -> None:
    assert "p@ss" not in booted.compose("top")


@booted_as("e2e-web-app")
def test_app_user_has_no_login(booted: Stack) -> None:
    line = booted.execute("app", "grep ^app: /etc/passwd")
    assert line.strip().endswith(":/usr/sbin/nologin")


@booted_as("e2e-web-app")
def test_no_development_tool_is_in_the_image(booted: Stack) -> None:
    installed = booted.execute("app", "ls /opt/venv/bin")
    assert not {"pytest", "black", "isort", "mypy", "uv", "pip"} & set(installed.split())


@booted_as("e2e-web-app")
def test_dependencies_and_app_are_byte_compiled(booted: Stack) -> None:
    assert booted.execute("app", "find /opt/venv -path '*fastapi/__pycache__/*.pyc' | head -1")
    assert booted.execute("app", "find /app -name 'main.*.pyc'")


def _ports(container: dict[str, Any]) -> dict[str, Any]:
    ports: dict[str, Any] = container["NetworkSettings"]["Ports"]
    return ports
