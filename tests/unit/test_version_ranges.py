"""Ranges of npm's versions: the examples of github.com/npm/node-semver, and what is none."""

from __future__ import annotations

import pytest

from extensions.version_ranges import satisfies


@pytest.mark.parametrize(
    ("wanted", "version", "expected"),
    [
        ("^2.0.0", "2.0.5", True),
        ("^2.0.0", "3.0.1", False),
        ("^0.2.3", "0.2.9", True),
        ("^0.2.3", "0.3.0", False),
        ("^0.0.3", "0.0.4", False),
        ("^0.0", "0.0.9", True),
        ("^0.x", "0.5.0", True),
        ("~1", "1.9.9", True),
        ("~1.2.3", "1.3.0", False),
        ("1.x", "1.4.0", True),
        ("*", "9.9.9", True),
        ("", "1.0.0", True),
        ("5", "5.1.0", True),
        ("v1.2.3", "1.2.3", True),
        (">=1.2 <2", "1.5.0", True),
        (">=1.2 <2", "2.0.0", False),
        (">1.2", "1.2.9", False),
        ("<=1.2", "1.2.9", True),
        ("1 - 2", "2.5.0", True),
        ("1.0.0 - 2.0.0", "2.0.1", False),
        ("^1 || ^3", "3.2.1", True),
        ("latest", "1.0.0", None),
        ("npm:x@1", "1.0.0", None),
        ("file:./x-1.0.0.tgz", "1.0.0", None),
        ("^1.0.0-beta.2", "1.2.0", None),
        ("^1.0.0", "1.0.0-rc.1", None),
    ],
)
def test_ranges(wanted: str, version: str, expected: bool | None) -> None:
    assert satisfies(wanted, version) is expected
