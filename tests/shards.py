"""Everything that is tested, in shards of like length: `make test-all`, `make test-all SHARD=2/6`.

A shard that passed is not run again on the same files; what it took is in `build/shards/`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "build/shards"
# Seconds that each group of tests takes; `--weigh` writes it after a whole run.
WEIGHTS = Path(__file__).with_name("weights.json")
NUMBER = 6
# By tier, how its tests are chosen, and dealt to workers.
TIERS: dict[str, tuple[str, ...]] = {
    "unit": ("-m", "not integration and not lint and not e2e"),
    "integration": ("-m", "integration"),
    "lint": ("-m", "lint", "--dist", "loadfile"),
    "e2e": ("-m", "e2e", "--dist", "loadgroup"),
}


def shares(groups: Iterable[str], number: int, weights: Mapping[str, float]) -> list[list[str]]:
    """Spread groups over shards, the heaviest first, each onto the lightest shard.

    Args:
        groups: What stays together, as it shares what it made.
        number: How many shards.
        weights: Seconds by group; one that is not there counts as a middling one.
    """
    usual = sorted(weights.values())[len(weights) // 2] if weights else 1.0
    found: list[list[str]] = [[] for _ in range(number)]
    loads = [0.0] * number
    for group in sorted(set(groups), key=lambda g: (-weights.get(g, usual), g)):
        lightest = loads.index(min(loads))
        found[lightest].append(group)
        loads[lightest] += weights.get(group, usual)
    return found


def weights() -> dict[str, float]:
    """What is known of how long groups take."""
    known: dict[str, float] = json.loads(WEIGHTS.read_text()) if WEIGHTS.exists() else {}
    return known


def parse(shard: str) -> tuple[int, int]:
    """`2/6` as its two numbers.

    Raises:
        ValueError: It is no such shard.
    """
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", shard)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError(f"A shard is one of several, as 2/6; this is none: {shard}")
    return int(match[1]), int(match[2])


def _state() -> str:
    """A name for the files as they are now."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=REPOSITORY, check=True, capture_output=True).stdout
    digest = hashlib.sha256()
    for name in sorted(names.split(b"\0")):
        path = REPOSITORY / os.fsdecode(name)
        if name and path.is_file():
            digest.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _run(shard: str, tier: str, folder: Path) -> bool:
    """Run one tier of a shard, unless it passed before; whether it passes."""
    label = f"{shard} {tier}"
    result = folder / f"{label.replace('/', '-of-').replace(' ', '-')}.xml"
    if result.exists():
        print(f"-- {label}: passed before", flush=True)
        return True
    print(f"-- {label}", flush=True)
    began = time.monotonic()
    unfinished = result.with_suffix(".unfinished")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *TIERS[tier]]
    code = subprocess.call([*command, "--shard", shard, "--junitxml", unfinished], cwd=REPOSITORY)
    print(f"-- {label}: {(time.monotonic() - began) / 60:.1f} min", flush=True)
    # 5: nothing of this tier is in this shard.
    if code not in {0, 5}:
        return False
    unfinished.rename(result)
    return True


def _weigh(folder: Path) -> None:
    """Note how long each group took in the runs on these files."""
    found: defaultdict[str, float] = defaultdict(float)
    for result in folder.glob("*.xml"):
        for case in ElementTree.parse(result).iter("testcase"):
            groups = [p.get("value") for p in case.iter("property") if p.get("name") == "group"]
            found[str(groups[0])] += float(case.get("time", 0))
    known = weights() | {group: round(seconds, 1) for group, seconds in found.items()}
    WEIGHTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def main() -> int:
    """Run one shard, or all of them one after the other."""
    parser = argparse.ArgumentParser(prog="tests.shards", description=__doc__)
    parser.add_argument("shard", nargs="?", help=f"such as 2/{NUMBER}; all if left out")
    parser.add_argument("--weigh", action="store_true", help="note how long what was run took")
    arguments = parser.parse_args()
    folder = RESULTS / _state()
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.weigh:
        _weigh(folder)
        return 0
    try:
        number, of = parse(arguments.shard) if arguments.shard else (0, NUMBER)
    except ValueError as error:
        parser.error(str(error))
    wanted = [f"{k}/{of}" for k in range(1, of + 1) if number in {0, k}]
    failed = [f"{s} {t}" for s in wanted for t in TIERS if not _run(s, t, folder)]
    for name in failed:
        print(f"failed: {name}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
