"""Versions that a text begins with."""

from __future__ import annotations

import pytest
from packaging.version import Version

from extensions.versions import leading_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("26.1.5+dfsg1", "26.1.5"),
        ("v2.26.1-4\n", "2.26.1"),
        ("v5.0.0-rc.1", "5.0.0"),
        ("25", "25"),
        ("3.13-slim", "3.13"),
        ("0.3.200 linux/amd64", "0.3.200"),
    ],
)
def test_a_version(text: str, version: str) -> None:
    assert leading_version(text) == Version(version)


@pytest.mark.parametrize("text", ["", "latest", "alpine3.19", "version 1.2", ".1"])
def test_none(text: str) -> None:
    assert leading_version(text) is None


def test_a_release_has_as_many_parts_as_it_names() -> None:
    """`7` stands for every 7.x, where `7.0` is one of them."""
    found = leading_version("7"), leading_version("7.0")
    assert [version.release for version in found if version] == [(7,), (7, 0)]
