"""A run over an API and a frontend of a thousand source files each, against an earlier checkout.

    python -m benchmarks.sources BEFORE [--repeat N] [--every N]

BEFORE is the folder of another checkout. Prints medians of the processor's seconds, which other
work on the machine changes little, and the ratios of this one to it: of a first run, and of one
with nothing to do. Needs no Docker engine.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.sync import timed
from tests.conftest import REPOSITORY
from tests.projects.compose import compose

FILES = 1000
PYTHON = '''\
"""Prices of one kind."""

import os

from fastapi import APIRouter

router = APIRouter()
LIMIT = {limit}
NAME = {name}

'''
PYTHON_READS = {
    "limit": 'int(os.getenv("PRICE_LIMIT_{group}", "100"))',
    "name": 'os.environ.get("PRICE_NAME_{group}")',
}
FUNCTION = '''
def price_{n}(amount: int, rate: float = 1.5) -> dict[str, float]:
    """The price of an amount."""
    if amount > LIMIT:
        raise ValueError(f"{{amount}} is more than {{LIMIT}}")
    total = sum(rate * part for part in range(amount))
    return {{"total": total, "each": total / max(amount, 1)}}

'''
TYPESCRIPT = """\
import {{ useState }} from "react";

const limit = {limit};
const name = {name};
"""
TYPESCRIPT_READS = {
    "limit": 'Number(process.env.PRICE_LIMIT_{group} ?? "100")',
    "name": "process.env.PRICE_NAME_{group}",
}
CONSTANTS = {"limit": "100", "name": '"price"'}
COMPONENT = """
export function Price{n}({{ amount }}: {{ amount: number }}) {{
  const [rate, setRate] = useState(1.5); // what is asked at first
  const total = amount > limit ? 0 : amount * rate;
  return (
    <button onClick={{() => setRate(rate + 1)}} title={{`${{name}}: ${{total}}`}}>
      {{total.toFixed(2)}}
    </button>
  );
}}
"""


def write(root: Path, every: int) -> None:
    """Lay the source files into a project, each of about a hundred lines.

    Args:
        root: The project's top folder.
        every: One of so many reads the environment.
    """
    backend, frontend = root / "backend/app/prices", root / "frontend/src/prices"
    functions = "".join(FUNCTION.format(n=n) for n in range(11))
    components = "".join(COMPONENT.format(n=n) for n in range(10))
    for folder in (backend, frontend):
        folder.mkdir(parents=True)
    for number in range(FILES):
        for file, head, reads, body in (
            (backend / f"price_{number}.py", PYTHON, PYTHON_READS, functions),
            (frontend / f"price{number}.tsx", TYPESCRIPT, TYPESCRIPT_READS, components),
        ):
            values = CONSTANTS if number % every else reads
            group = number % 20
            given = {name: value.format(group=group) for name, value in values.items()}
            file.write_text(head.format(**given) + body)


def spent() -> float:
    """Seconds of a processor that all programs of ours took that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(
    folder: Path, checkouts: dict[str, Path], repeat: int, every: int
) -> dict[tuple[str, str], float]:
    """Medians by what is measured and by checkout; the passes are interleaved."""
    project = compose("profile-web-app", folder / "project")
    write(project, every)
    spinbox = [sys.executable, "-m", "spinbox_wrapper", "build", "--prod"]
    passes: dict[tuple[str, str], list[float]] = {}
    # The first pass renders; it is not counted.
    for number in range(repeat + 1):
        for name, source in checkouts.items():
            copy = folder / f"{name}-{number}"
            shutil.copytree(project, copy)
            for run in ("first run", "nothing to do"):
                before = spent()
                timed(spinbox, copy, folder / f"cache-{name}", source)
                seconds = spent() - before
                if number:
                    passes.setdefault((run, name), []).append(seconds)
            shutil.rmtree(copy)
    return {key: statistics.median(times) for key, times in passes.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.sources", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--every", type=int, default=10, help="one file of so many reads settings")
    arguments = parser.parse_args()
    checkouts = {"before": arguments.before.resolve(), "now": REPOSITORY}
    with TemporaryDirectory() as temporary:
        medians = measure(Path(temporary), checkouts, arguments.repeat, arguments.every)
    for run in ("first run", "nothing to do"):
        before, now = medians[run, "before"], medians[run, "now"]
        print(f"{run:14} {before:6.2f} s  -> {now:6.2f} s  {now / before:5.2f}")


if __name__ == "__main__":
    main()
