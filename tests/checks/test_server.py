"""Machines that are too small."""

from __future__ import annotations

import pytest

from spinbox_wrapper.checks import server
from spinbox_wrapper.checks.engine import Engine
from spinbox_wrapper.checks.server import Machine
from tests.checks.conftest import Ready
from tests.checks.support import by_id, context

GB = 1024**3
LARGE = Machine(disk=50 * GB, memory=16 * GB, swap=0, cpus=8)
SHAPE = "fastapi-postgresql-redis--with-deps"


def test_a_large_machine_passes(ready: Ready) -> None:
    found = by_id(server.judge(context(ready(SHAPE)), LARGE))
    assert {check.status.value for check in found.values()} == {"pass"}
    assert list(found) == list(server.IDS)


@pytest.mark.parametrize(("free", "status"), [(9.9, "warn"), (2.1, "warn"), (1.9, "fail")])
def test_a_full_disk(ready: Ready, free: float, status: str) -> None:
    machine = Machine(int(free * GB), 16 * GB, 0, 8)
    found = by_id(server.judge(context(ready(SHAPE)), machine))["server.disk"]
    assert found.status == status
    assert found.mend


def test_too_little_memory(ready: Ready) -> None:
    # Limits: 256M for app and PostgreSQL each, 128M for Redis and the proxy.
    small = Machine(50 * GB, 512 * 1024**2, 0, 8)
    found = by_id(server.judge(context(ready(SHAPE)), small))
    assert found["server.memory"].status == "warn"
    assert found["server.limits"].status == "warn"


def test_swap_counts_as_memory_but_not_for_the_limits(ready: Ready) -> None:
    small = Machine(50 * GB, 700 * 1024**2, GB, 8)
    found = by_id(server.judge(context(ready(SHAPE)), small))
    assert found["server.memory"].status == "pass"
    assert found["server.limits"].status == "warn"


def test_limits_of_the_settings_count(ready: Ready) -> None:
    root = ready(SHAPE)
    with (root / ".env").open("a") as file:
        file.write("POSTGRES_MEMORY=20g\nAPP_CPUS=12\n")
    found = by_id(server.judge(context(root), LARGE))
    assert found["server.limits"].status == "warn"
    assert found["server.cpus"].status == "fail"
    assert "APP_CPUS=8" in found["server.cpus"].mend


def test_a_server_of_1_gb_is_large_enough(ready: Ready) -> None:
    found = by_id(server.judge(context(ready(SHAPE)), Machine(50 * GB, 960 * 1024**2, 0, 8)))
    assert found["server.memory"].status == found["server.limits"].status == "pass"


@pytest.mark.parametrize(
    ("lines", "mend"),
    [
        ("REDIS_MAXMEMORY=200mb\n", "Raise REDIS_MEMORY in .env, or lower REDIS_MAXMEMORY."),
        ("POSTGRES_SHARED_BUFFERS=1GB\n", "Raise POSTGRES_MEMORY in .env, or lower "),
        ("REDIS_MAXMEMORY=200mb\nREDIS_MEMORY=512M\n", ""),
    ],
)
def test_a_service_fills_no_more_than_its_limit(ready: Ready, lines: str, mend: str) -> None:
    root = ready(SHAPE)
    with (root / ".env").open("a") as file:
        file.write(lines)
    found = by_id(server.judge(context(root), LARGE))["server.services"]
    assert found.status == ("fail" if mend else "pass")
    assert (found.mend or "").startswith(mend)


def test_a_script_that_ends_has_no_sum_of_limits(ready: Ready) -> None:
    found = by_id(server.judge(context(ready("python")), LARGE))
    assert "server.limits" not in found


def test_what_the_engine_says_counts_before_what_is_here(ready: Ready) -> None:
    info = {"MemTotal": 3 * GB, "NCPU": 3, "DockerRootDir": "/nowhere"}
    machine = server.observe(Engine(True, version="26", info=info), ready("python"))
    assert (machine.memory, machine.cpus) == (3 * GB, 3)
    assert machine.disk is not None


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 * 1024**2), ("1g", GB), ("1.5GB", GB * 3 // 2), ("100", 100), ("lots", None)],
)
def test_amounts_of_memory(text: str, size: int | None) -> None:
    assert server.in_bytes(text) == size
