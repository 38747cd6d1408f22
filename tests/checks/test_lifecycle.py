"""Versions past their end of life, by the table and a day that is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from packaging.version import Version

from extensions.services import NAMES, define
from spinbox_wrapper.checks import lifecycle
from spinbox_wrapper.checks.lifecycle import Use, calendar
from tests.checks.conftest import Ready
from tests.checks.support import by_id, context
from tests.runs import build

END = date(2027, 10, 31)  # of Python 3.11
SERVICES = [define(name, {}, "project") for name in NAMES]


def _python(version: str, today: date) -> str | None:
    found = lifecycle.judge(Use("python", Version(version), "mend"), today)
    return found.status.value if found else None


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (END - timedelta(days=91), "pass"),
        (END - timedelta(days=90), "pass"),
        (END - timedelta(days=89), "warn"),
        (END, "warn"),
        (END + timedelta(days=1), "warn"),
    ],
)
def test_the_days_around_an_end_of_life(today: date, status: str) -> None:
    assert _python("3.11", today) == status


@pytest.mark.parametrize(
    ("product", "version", "end"),
    [
        ("python", "3.11.9", date(2027, 10, 31)),
        ("node", "20.11.1", date(2026, 4, 30)),
        ("node", "20", date(2026, 4, 30)),
        ("mongodb", "7.0", date(2027, 8, 31)),
        ("mongodb", "8.2.1", date(2026, 7, 31)),
        ("mongodb", "8.0", date(2029, 10, 31)),
        ("postgresql", "15.4", date(2027, 11, 11)),
    ],
)
def test_the_most_exact_line_of_the_table_counts(product: str, version: str, end: date) -> None:
    assert lifecycle.end_of(calendar()[product], Version(version)) == (end, True)


@pytest.mark.parametrize(("product", "version"), [("python", "3.99"), ("redis", "7.4")])
def test_a_version_that_the_table_does_not_know(product: str, version: str) -> None:
    assert lifecycle.end_of(calendar()[product], Version(version)) is None
    assert lifecycle.judge(Use(product, Version(version), ""), END) is None


@pytest.mark.parametrize(
    ("product", "version"), [("python", "2.7"), ("node", "8"), ("nextjs", "13.5.6"), ("redis", "4")]
)
def test_a_version_older_than_the_table(product: str, version: str) -> None:
    found = lifecycle.judge(Use(product, Version(version), "mend"), date(2020, 1, 1))
    assert found is not None
    assert found.status == "warn"
    assert "before" in found.seen


def test_a_build_tells_what_gets_no_fixes_any_more(ready: Ready) -> None:
    """Not what ends soon: that is for the check alone."""
    looked = context(ready("e2e-node"))
    uses = {use.product: use for use in lifecycle.uses(looked)}
    last = {name: lifecycle.end_of(calendar()[name], use.version) for name, use in uses.items()}
    first = min(end[0] for end in last.values() if end)
    assert lifecycle.ended(replace(looked, today=first)) == []
    told = lifecycle.ended(replace(looked, today=first + timedelta(days=1)))
    assert told and all("has had no fixes since" in seen and mend for seen, mend in told)


@pytest.mark.parametrize(("product", "version"), [("redis", "7"), ("python", "3")])
def test_a_bare_major_version_is_its_newest(product: str, version: str) -> None:
    assert lifecycle.end_of(calendar()[product], Version(version)) is None


@pytest.mark.parametrize(
    ("image", "product", "version"),
    [
        ("python:3.11-slim", "python", "3.11"),
        ("docker.io/library/python:3.12", "python", "3.12"),
        ("registry.local:5000/base:3.12", "python", None),
        ("node:20-alpine@sha256:abc", "node", "20"),
        ("pgvector/pgvector:pg15", "postgresql", "15"),
        ("pgvector/pgvector:0.8.0-pg17", "postgresql", "17"),
        ("redis:latest", "redis", None),
        ("mongo:7.0", "mongodb", "7.0"),
    ],
)
def test_versions_of_images(image: str, product: str, version: str | None) -> None:
    names = {service.product: service.product_images for service in SERVICES}
    found = lifecycle.image_version(image, names.get(product, {product}))
    assert (str(found) if found else None) == version


def test_what_a_project_uses(ready: Ready) -> None:
    checks = lifecycle.look(replace(context(ready("everything--with-deps")), today=END))
    assert set(by_id(checks)) == set(lifecycle.IDS) - {"lifecycle.redis"}


def test_the_command_moves_to_a_newer_version(ready: Ready) -> None:
    root = ready("e2e-node")
    found = by_id(lifecycle.look(context(root)))["lifecycle.node"]
    assert found.status == "warn"
    build(root, "--set", found.mend.rpartition(" ")[2])
    assert by_id(lifecycle.look(context(root)))["lifecycle.node"].status == "pass"


def test_every_product_has_its_id() -> None:
    assert set(lifecycle.IDS) == {f"lifecycle.{name}" for name in calendar()}
    assert all(product.source.startswith("https://") for product in calendar().values())
    assert {service.product for service in SERVICES if service.product} <= set(calendar())
