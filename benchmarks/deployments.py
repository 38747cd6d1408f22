"""Requests that fail while new versions come: `python -m benchmarks.deployments`.

The same load on the same project, over ten deployments of alternating versions: by the generated
`deploy.sh`, by `docker compose up -d --build` on the generated stack, and on the plain recipe.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.load import Load
from tests.e2e.stacks import Stack, run
from tests.projects.compose import compose
from tests.runs import build

HERE = Path(__file__).resolve().parent
UP = ("up", "-d", "--build")
SHAPE = "e2e-fastapi-postgresql-redis"
# Found by the project's router by being there.
ENDPOINT = """
from fastapi import APIRouter

router = APIRouter()


@router.api_route("/version", methods=["GET", "POST"])
async def version() -> str:
    return "{version}"
"""


@dataclass
class Result:
    """What one way did to the requests."""

    way: str
    requests: int
    failed: int


def write_version(folder: Path, version: int) -> None:
    file = folder / "backend/app/api/api_v1/endpoints/version.py"
    file.write_text(ENDPOINT.format(version=version))


def measure(way: str, stack: Stack, deploy: Callable[[], object], times: int) -> Result:
    """Deploy that many versions under load."""
    print(f"{way}: {times} deployments", file=sys.stderr, flush=True)
    with Load(stack.http_port, stack.https_port, "/api/v1/version", secure=way != "plain") as load:
        for version in range(times):
            write_version(stack.folder, version)
            deploy()
    return Result(way, load.total, len(load.failures))


@contextmanager
def generated(folder: Path) -> Iterator[Stack]:
    """The generated stack, in service."""
    root = compose(SHAPE, folder / "generated")
    build(root, "--set", "name=bench-deployments")
    stack = Stack(root)
    stack.write_env()
    write_version(root, -1)
    try:
        run("sh", "deploy/deploy.sh", cwd=root)
        yield stack
    finally:
        stack.remove()
        _remove_images("bench-deployments-app")


@contextmanager
def plain(folder: Path) -> Iterator[Stack]:
    """The plain recipe's stack, in service."""
    root = compose(SHAPE, folder / "plain")
    stack = Stack(root)
    text = (HERE / "recipes/plain.compose.yml").read_text()
    built = "image: bench-plain-app\n    build: {context: ., dockerfile: Dockerfile.prod}"
    (root / "docker-compose.prod.yml").write_text(
        "name: bench-plain\n" + text.replace("image: ${BENCH_IMAGE}", built)
    )
    shutil.copy(HERE / "recipes/plain.Dockerfile", root / "Dockerfile.prod")
    (root / ".env").write_text(
        f"HTTP_PORT={stack.http_port}\nPOSTGRES_PASSWORD=bench\nSECRET_KEY=bench\n"
    )
    write_version(root, -1)
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()
        _remove_images("bench-plain-app")


def _remove_images(name: str) -> None:
    images = run("docker", "image", "ls", "--quiet", name).split()
    if images:
        subprocess.run(["docker", "image", "rm", "--force", *set(images)], check=False)


def main() -> None:
    """Measure every way, and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.deployments", description=__doc__)
    parser.add_argument("--times", type=int, default=10, metavar="N", help="default: 10")
    times = parser.parse_args().times
    results = []
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        with generated(folder) as stack:
            script = partial(run, "sh", "deploy/deploy.sh", cwd=stack.folder)
            results.append(measure("deploy.sh", stack, script, times))
            results.append(measure("ours, up", stack, partial(stack.compose, *UP), times))
        with plain(folder) as stack:
            results.append(measure("plain", stack, partial(stack.compose, *UP), times))
    print("| | requests | failed | share |\n| --- | --: | --: | --: |")
    for result in results:
        share = result.failed / max(1, result.requests)
        print(f"| {result.way} | {result.requests} | {result.failed} | {share:.2%} |")


if __name__ == "__main__":
    main()
