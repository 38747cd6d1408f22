"""Ports that are taken, and domains that lead elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from spinbox_wrapper.checks import network
from spinbox_wrapper.checks.engine import Container, Engine
from spinbox_wrapper.checks.model import Check
from tests.checks.conftest import Ready
from tests.checks.support import context
from tests.conftest import Project
from tests.runs import build

NONE = Engine(installed=False)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def _free() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _set(root: Path, **settings: object) -> None:
    with (root / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())


def _ports(root: Path, engine: Engine = NONE) -> Check:
    (found,) = network.look_at_ports(context(root), engine)
    return found


def test_free_ports(ready: Ready) -> None:
    root = ready("fastapi")
    _set(root, HTTP_PORT=_free(), HTTPS_PORT=f"127.0.0.1:{_free()}")
    assert _ports(root).status == "pass"


def test_a_taken_port(ready: Ready, taken: int) -> None:
    root = ready("fastapi")
    _set(root, HTTP_PORT=_free(), HTTPS_PORT=f"127.0.0.1:{taken}")
    found = _ports(root)
    assert found.status == "fail"
    assert found.seen == f"Port {taken} is taken."
    assert "HTTPS_PORT" in found.mend


def test_a_taken_udp_port_of_https(ready: Ready) -> None:
    root = ready("fastapi")
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        _set(root, HTTP_PORT=_free(), HTTPS_PORT=f"127.0.0.1:{port}")
        assert _ports(root).status == "fail"


@pytest.mark.parametrize("value", ["http", "0", "70000"])
def test_what_is_no_port(ready: Ready, value: str) -> None:
    root = ready("fastapi")
    _set(root, HTTP_PORT=value, HTTPS_PORT=_free())
    assert "is not a port" in _ports(root).seen


def test_a_port_of_the_app_without_a_proxy(project: Project, taken: int) -> None:
    root = project("fastapi")
    build(root, "--set", "proxy=none")
    _set(root, APP_PORT=taken)
    assert _ports(root).status == "fail"
    _set(root, APP_PORT=_free())
    assert _ports(root).status == "pass"


def test_a_port_that_this_very_stack_holds(ready: Ready, taken: int) -> None:
    root = ready("fastapi")
    other = _free()
    _set(root, HTTP_PORT=f"127.0.0.1:{taken}", HTTPS_PORT=other)
    own = Container("fa-prod", frozenset({taken, other}))
    found = _ports(root, Engine(True, version="26", containers=(own,)))
    assert found.status == "pass"
    assert "own" in found.seen


def test_a_port_that_another_stack_holds(ready: Ready) -> None:
    root = ready("fastapi")
    port = _free()
    _set(root, HTTP_PORT=port, HTTPS_PORT=_free())
    other = Container("shop-prod", frozenset({port}))
    found = _ports(root, Engine(True, version="26", containers=(other,)))
    assert found.status == "fail"
    assert "shop-prod" in found.seen


def test_a_job_opens_no_port(ready: Ready) -> None:
    assert network.look_at_ports(context(ready("python")), NONE) == []


# --- Domains -------------------------------------------------------------------------------------


def test_a_domain_is_looked_up_only_when_asked(ready: Ready) -> None:
    root = ready("fastapi")
    _set(root, DOMAIN="localhost")
    offline = context(root)
    assert network.look_at_domain(offline) == []
    (found,) = network.look_at_domain(replace(offline, online=True))
    assert found.status == "pass"


def test_no_domain(ready: Ready) -> None:
    online = replace(context(ready("fastapi")), online=True)
    (found,) = network.look_at_domain(online)
    assert found.status == "warn"


def test_a_domain_that_does_not_resolve(ready: Ready) -> None:
    root = ready("fastapi")
    _set(root, DOMAIN="nowhere.invalid")
    (found,) = network.look_at_domain(replace(context(root), online=True))
    assert found.status == "fail"
    assert "nowhere.invalid" in found.seen


def test_a_domain_that_leads_elsewhere() -> None:
    # 198.51.100.0/24 and 2001:db8::/32 are documentation's own (RFC 5737, RFC 3849).
    found = network.judge_domain({"shop.test": ["198.51.100.1"]}, set())
    assert (found.status, "198.51.100.1" in found.seen) == ("warn", True)
    assert not network.is_local("198.51.100.1")
    assert not network.is_local("2001:db8::1")


def test_a_domain_with_one_foreign_address() -> None:
    addresses = ["127.0.0.1", "2001:db8::1"]
    found = network.judge_domain({"shop.test": addresses}, {"127.0.0.1"})
    assert found.status == "warn"
    assert "AAAA" in found.mend


def test_a_domain_that_leads_here() -> None:
    assert network.judge_domain({"shop.test": ["127.0.0.1"]}, {"127.0.0.1"}).status == "pass"
    assert network.is_local("127.0.0.1")
