"""A run with nothing to do against one bare `copier copy`; many files against few.

    python -m benchmarks.sync [--repeat N]

Prints medians in seconds and their ratios; needs no Docker engine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.projects.compose import compose
from tests.releases import PRESENT, commit, copy_working_tree

SHAPE = "profile-web-app"
COUNTS = (25, 50, 100, 200)


def timed(command: list[str], cwd: Path, cache: Path, source: Path) -> float:
    """Seconds that a command takes; it has to succeed."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(source)}
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def installed(folder: Path) -> Path:
    """The working tree as a user has it: an installed wheel."""
    folder.mkdir()
    copy_working_tree(folder)
    commit(folder, "release", PRESENT)
    target = folder.parent / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*pip, str(folder)], check=True)
    return target


def nothing_to_do(folder: Path, repeat: int) -> dict[str, float]:
    """Medians by what is measured; the passes are interleaved."""
    source = installed(folder / "source")
    # Not a repository, so that Copier need not clone it.
    plain = source / "spinbox_wrapper/_template"
    project = compose(SHAPE, folder / "project")
    cache = folder / "cache"
    spinbox = [sys.executable, "-m", "spinbox_wrapper", "build", "--prod"]
    timed(spinbox, project, cache, source)
    passes: dict[str, list[float]] = {}

    def measure(name: str, command: list[str], cwd: Path, cache: Path = cache) -> None:
        passes.setdefault(name, []).append(timed(command, cwd, cache, source))

    for number in range(repeat):
        fresh = compose(SHAPE, folder / f"fresh-{number}")
        copier = [sys.executable, "-m", "copier", "copy", "--trust", "--defaults", "--quiet"]
        measure("bare copier copy", [*copier, str(plain), "."], fresh)
        measure("build, nothing to do", spinbox, project)
        measure("--check", [*spinbox, "--check"], project)
        empty = folder / f"cache-{number}"
        measure("--check, with no cache", [*spinbox, "--check"], project, empty)
    return {name: statistics.median(times) for name, times in passes.items()}


def many_files(folder: Path, count: int, repeat: int) -> float:
    """Median seconds of a run that merges an edit and a new template in each of `count` files."""
    source = folder / "source"
    source.mkdir(parents=True)
    copy_working_tree(source)
    extra = source / "template/deploy/extra"
    extra.mkdir()

    def write(target: Path, last: str) -> None:
        for number in range(count):
            middle = "\n".join(f"line {n}" for n in range(40))
            (target / f"{number}.txt").write_text(f"first\n{middle}\n{last}\n")

    write(extra, "one")
    commit(source, "one", "v0.0.1")
    project = compose("fastapi", folder / "project")
    spinbox = [sys.executable, "-m", "spinbox_wrapper", "build", "--prod"]
    cache = folder / "cache"
    timed(spinbox, project, cache, source)
    write(extra, "two")
    commit(source, "two", "v0.0.2")
    for path in (project / "deploy/extra").iterdir():
        path.write_text(path.read_text().replace("first", "mine"))
    times = []
    for number in range(repeat):
        copy = folder / f"copy-{number}"
        shutil.copytree(project, copy)
        times.append(timed(spinbox, copy, cache, source))
        merged = (copy / "deploy/extra/0.txt").read_text()
        assert merged.startswith("mine\n") and merged.endswith("two\n")
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.sync", description=__doc__)
    parser.add_argument("--repeat", type=int, default=7)
    repeat = parser.parse_args().repeat
    with TemporaryDirectory() as temporary:
        medians = nothing_to_do(Path(temporary), repeat)
        bare = medians["bare copier copy"]
        for name, seconds in medians.items():
            print(f"{name:28} {seconds:6.2f} s  {seconds / bare:5.2f}")
        print()
        base = None
        for count in COUNTS:
            seconds = many_files(Path(temporary, str(count)), count, max(repeat // 2, 1))
            base = base or seconds
            print(f"{count:4} files merged           {seconds:6.2f} s  {seconds / base:5.2f}")


if __name__ == "__main__":
    main()
