"""The suite's own parts: shards that leave nothing out, and a core whose tests there are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import shards
from tests.conftest import REPOSITORY
from tests.e2e import core


@pytest.mark.parametrize("number", [1, 2, 6, 9])
def test_every_group_is_in_one_shard(number: int) -> None:
    groups = [f"group {n}" for n in range(20)]
    found = shards.shares([*groups, *groups], number, {"group 3": 100.0})
    assert len(found) == number
    assert sorted(group for shard in found for group in shard) == sorted(groups)


def test_shards_weigh_alike() -> None:
    weights = {"a": 60.0, "b": 30.0, "c": 20.0, "d": 10.0, "e": 1.0}
    found = shards.shares(weights, 2, weights)
    assert found == [["a", "e"], ["b", "c", "d"]]


@pytest.mark.parametrize("shard", ["", "0/6", "7/6", "2", "2/", "a/b", "-1/6", "1/2/3"])
def test_what_is_no_shard_is_said(shard: str) -> None:
    with pytest.raises(ValueError, match="A shard is one of several, as 2/6"):
        shards.parse(shard)


def test_every_part_of_the_core_is_there() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "e2e", "tests/e2e"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    names = [line.rpartition("tests/e2e/")[2] for line in listed.stdout.splitlines()]
    assert core.without_test(names) == []
