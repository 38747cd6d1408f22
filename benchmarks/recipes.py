"""Compare recipes for a FastAPI image: `python -m benchmarks.recipes`.

Each builds the same Spinbox project. Docker's whole build cache is emptied before every cold
build and at the end.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.projects.compose import compose

HERE = Path(__file__).resolve().parent
SHAPE = "fastapi-postgresql-redis--with-deps"
BASE_IMAGE = "python:3.11-slim"
REQUIREMENTS = Path("backend/requirements.txt")
SOURCE = Path("backend/app/main.py")
ADDED_DEPENDENCY = "orjson"
# What the project's list names only for development; everything else must be in the image.
DEVELOPMENT_TOOLS = {"black", "isort", "mypy", "pytest", "pytest-asyncio", "pytest-cov"}

# Runs in an image: its packages with what they require, and how many modules are byte-compiled.
PROBE = """
import importlib.metadata, importlib.util, json, os
packages, modules, compiled = {}, 0, 0
for distribution in importlib.metadata.distributions():
    name = distribution.metadata["Name"]
    packages[name] = distribution.requires or []
    if name.lower() not in ("pip", "setuptools", "wheel"):
        paths = [str(distribution.locate_file(file)) for file in distribution.files or []]
        modules_here = [path for path in paths if path.endswith(".py") and os.path.exists(path)]
        modules += len(modules_here)
        compiled += sum(os.path.exists(importlib.util.cache_from_source(x)) for x in modules_here)
print(json.dumps({"packages": packages, "modules": modules, "compiled": compiled}))
"""
HEALTH = "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=2)"


@dataclass(frozen=True)
class Recipe:
    """One way to build the image, and to run it with its databases."""

    name: str
    # None: the file that was generated.
    dockerfile: Path | None
    context: str = "."
    python: str = "python"
    compose_file: Path | None = None


@dataclass
class Result:
    """What was measured of one recipe; times in seconds, one for each pass."""

    recipe: str
    added_bytes: int = 0
    cold: list[float] = field(default_factory=list)
    code_change: list[float] = field(default_factory=list)
    dependency: list[float] = field(default_factory=list)
    up: list[float] = field(default_factory=list)
    reinstalled: bool = False
    packages: dict[str, list[str]] = field(default_factory=dict)
    modules: int = 0
    compiled: int = 0
    missing: list[str] = field(default_factory=list)


RECIPES = (
    Recipe(
        "plain",
        HERE / "recipes/plain.Dockerfile",
        compose_file=HERE / "recipes/plain.compose.yml",
    ),
    # These two tools are run in the app's own folder.
    Recipe("docker-init", HERE / "recipes/docker-init.Dockerfile", "backend"),
    Recipe(
        "fly-launch",
        HERE / "recipes/fly-launch.Dockerfile",
        "backend",
        python="/app/.venv/bin/python",
    ),
    Recipe("ours", None, compose_file=Path("docker-compose.prod.yml")),
)
AIMS = {"added_bytes": 0.5, "cold": 0.15, "dependency": 0.2, "up": 0.3}


def say(text: str) -> None:
    """Report progress apart from the results."""
    print(text, file=sys.stderr, flush=True)


def run(*command: str | Path, env: Mapping[str, str] | None = None, quiet: bool = False) -> str:
    """Run a command and give what it printed; unless quiet, show it if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        if not quiet:
            say(done.stdout)
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return done.stdout


def render(project: Path) -> None:
    """Generate our production files in the project."""
    # The command of this interpreter's environment, also when that is not activated.
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    command = shutil.which("spinbox", path=places)
    if command is None:
        raise SystemExit("The command `spinbox` is not installed: pip install --editable .")
    run(command, "build", "--prod", "-C", project)


def free_ports(count: int) -> list[int]:
    """Find ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]


def canonical(name: str) -> str:
    """Write a package's name as every index does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(line: str) -> tuple[str, set[str], str]:
    """Split a requirement into its name, its extras and its marker."""
    text, _, marker = line.partition(";")
    match = re.match(r"\s*([\w.-]+)\s*(?:\[([^\]]*)\])?", text)
    if match is None:
        raise ValueError(line)
    extras = {extra.strip() for extra in (match[2] or "").split(",") if extra.strip()}
    return canonical(match[1]), extras, marker


def needed(requirements: str, installed: Mapping[str, Sequence[str]]) -> set[str]:
    """Give what the app needs to run, of what an installation of everything brought."""
    lines = [line for line in requirements.splitlines() if line.strip() and line[0] != "#"]
    waiting = [requirement(line) for line in lines]
    waiting = [entry for entry in waiting if entry[0] not in DEVELOPMENT_TOOLS]
    found: set[tuple[str, str]] = set()
    while waiting:
        name, extras, _ = waiting.pop()
        # Not installed: its marker does not hold on this machine.
        for extra in {"", *extras} if name in installed else set():
            if (name, extra) in found:
                continue
            found.add((name, extra))
            for line in installed[name]:
                wanted = requirement(line)
                condition = re.search(r"extra\s*==\s*[\"']([^\"']+)", wanted[2])
                if (condition[1] if condition else "") == extra:
                    waiting.append(wanted)
    return {name for name, _ in found}


def installed_from_cache(log: str) -> bool:
    """Tell from a build's log whether the step that installs the dependencies was reused."""
    steps = re.findall(r"^#(\d+) \[.*pip install .*-r", log, flags=re.MULTILINE)
    if not steps:
        raise RuntimeError(f"no step installs dependencies:\n{log}")
    return all(re.search(rf"^#{step} CACHED$", log, flags=re.MULTILINE) for step in steps)


class Bench:
    """One run: the passes over every recipe, and what must be removed afterwards."""

    def __init__(self, folder: Path) -> None:
        """Prepare names that nobody else has."""
        self.folder = folder
        self.id = secrets.token_hex(4)
        self.label = f"spinbox-bench={self.id}"

    def image(self, recipe: Recipe) -> str:
        """Name the recipe's image."""
        return f"bench-{recipe.name}:{self.id}"

    def project(self, recipe: Recipe, number: int) -> Path:
        """Compose the development project anew, with our files if the recipe is ours."""
        project = compose(SHAPE, self.folder / f"{recipe.name}-{number}")
        if recipe.dockerfile is None:
            render(project)
        return project

    def build(self, recipe: Recipe, project: Path, *, cold: bool = False) -> tuple[float, str]:
        """Build the image; give the seconds and the log."""
        command = (
            *("docker", "build", "--progress=plain", "--label", self.label),
            *("--file", recipe.dockerfile or project / "Dockerfile.prod"),
            *("--tag", self.image(recipe), project / recipe.context),
        )
        # Downloads fail now and then; what counts is a build without that.
        for last in (False, False, False, True):
            if cold:
                run("docker", "builder", "prune", "--all", "--force")
            started = time.monotonic()
            try:
                log = run(*command, quiet=not last)
            except subprocess.CalledProcessError:
                if last:
                    raise
                say(f"{recipe.name}: a build failed, once more")
            else:
                break
        return time.monotonic() - started, log

    def measure(self, recipe: Recipe, result: Result, number: int) -> None:
        """Measure one recipe once."""
        project = self.project(recipe, number)
        seconds, log = self.build(recipe, project, cold=True)
        if installed_from_cache(log):
            raise RuntimeError("the build cache was not empty")
        result.cold.append(seconds)

        if number == 0:
            self.inspect(recipe, result)
        if recipe.compose_file is not None:
            # The plain one's path is absolute already.
            result.up.append(self.up(recipe, project / recipe.compose_file))

        with (project / SOURCE).open("a") as file:
            file.write("\n# A change of the code.\n")
        seconds, log = self.build(recipe, project)
        result.code_change.append(seconds)
        result.reinstalled |= not installed_from_cache(log)

        with (project / REQUIREMENTS).open("a") as file:
            file.write(f"\n{ADDED_DEPENDENCY}\n")
        seconds, log = self.build(recipe, project)
        if installed_from_cache(log):
            raise RuntimeError("the new dependency was not installed")
        result.dependency.append(seconds)

        keys = ("cold", "code_change", "dependency", "up")
        known = (f"{key} {values[-1]:.1f} s" for key in keys if (values := getattr(result, key)))
        say(f"pass {number + 1}, {recipe.name}: {', '.join(known)}")

    def inspect(self, recipe: Recipe, result: Result) -> None:
        """Look into the image, and see that it serves the app."""
        sizes = run(
            *("docker", "image", "inspect", "--format={{.Size}}"),
            *(BASE_IMAGE, self.image(recipe)),
        ).split()
        result.added_bytes = int(sizes[1]) - int(sizes[0])
        python = (*self.docker_run(), "--entrypoint", recipe.python, self.image(recipe), "-c")
        probed = json.loads(run(*python, PROBE))
        result.packages = {canonical(name): wants for name, wants in probed["packages"].items()}
        result.modules, result.compiled = probed["modules"], probed["compiled"]

        container = f"bench-{recipe.name}-{self.id}"
        run(*self.docker_run(), "--detach", "--name", container, self.image(recipe))
        for _ in range(60):
            with contextlib.suppress(subprocess.CalledProcessError):
                run("docker", "exec", container, "python", "-c", HEALTH, quiet=True)
                break
            time.sleep(0.5)
        else:
            raise RuntimeError(f"the image of {recipe.name} does not serve the app")
        run("docker", "rm", "--force", container)

    def docker_run(self) -> tuple[str, ...]:
        """Begin a command that runs a container, which is removed afterwards."""
        return ("docker", "run", "--rm", "--label", self.label)

    def up(self, recipe: Recipe, file: Path) -> float:
        """Start the stack on new volumes, and remove it; give the seconds until it is healthy."""
        http, https = free_ports(2)
        env = {
            "BENCH_IMAGE": self.image(recipe),
            "TAG": self.id,
            "HTTP_PORT": str(http),
            "HTTPS_PORT": str(https),
            "SECRET_KEY": secrets.token_hex(32),
            "POSTGRES_PASSWORD": secrets.token_hex(32),
            "REDIS_PASSWORD": secrets.token_hex(32),
        }
        name = f"bench-{recipe.name}-{self.id}"
        docker_compose = ("docker", "compose", "--project-name", name, "--file", file)
        try:
            for image in set(run(*docker_compose, "config", "--images", env=env).split()):
                # The name that the generated file gives to the app's image.
                if image.endswith(f":{self.id}"):
                    run("docker", "tag", self.image(recipe), image)
            run(*docker_compose, "pull", "--policy=missing", "--ignore-buildable", env=env)
            started = time.monotonic()
            run(*docker_compose, "up", "--no-build", "--wait", "--wait-timeout=300", env=env)
            return time.monotonic() - started
        finally:
            run(*docker_compose, "down", "--volumes", "--timeout=5", env=env)

    def clean(self) -> None:
        """Remove every container and image of this run, and the build cache."""
        for kind, remove in (("container", "rm"), ("image", "rm")):
            listing = ("docker", kind, "ls", "--all", "--quiet", "--filter", f"label={self.label}")
            ids = set(run(*listing).split())
            if ids:
                run("docker", kind, remove, "--force", *ids)
        run("docker", "builder", "prune", "--all", "--force")


def cell(value: float, reference: float, unit: str, digits: int) -> str:
    """Write a figure with its ratio to the plain recipe's."""
    return f"{value:.{digits}f} {unit} ({value / reference:.2f})"


def table(results: Sequence[Result]) -> str:
    """Write the results as a table, with the ratios to the first recipe."""
    plain = results[0]
    rows = [["", *(result.recipe for result in results), "aim for ours"]]

    def times(title: str, key: str) -> None:
        reference = statistics.median(getattr(plain, key))
        cells = []
        for result in results:
            samples = getattr(result, key)
            known = cell(statistics.median(samples), reference, "s", 1) if samples else "-"
            cells.append(known)
        rows.append([title, *cells, f"≤ {AIMS[key]}" if key in AIMS else ""])

    sizes = [cell(x.added_bytes / 1e6, plain.added_bytes / 1e6, "MB", 1) for x in results]
    rows.append(["added to the base image", *sizes, f"≤ {AIMS['added_bytes']}"])
    times("cold build", "cold")
    times("build after a code change", "code_change")
    rows.append(
        ["- installs anew", *("yes" if x.reinstalled else "nothing" for x in results), "nothing"]
    )
    times("build with one more dependency", "dependency")
    times("`up --wait` on built images", "up")
    rows.append(["packages", *(str(len(x.packages)) for x in results), ""])
    rows.append(["- of the run-time ones missing", *(str(len(x.missing)) for x in results), "0"])
    shares = (f"{100 * x.compiled / x.modules:.0f} %" for x in results)
    rows.append(["byte-compiled modules", *shares, "100 %"])
    rows.insert(1, ["---", *("--:" for _ in results), "---"])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def machine() -> dict[str, Any]:
    """Describe what was measured on."""
    return {
        "date": date.today().isoformat(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "docker": run("docker", "version", "--format={{.Server.Version}}").strip(),
        "load_before": os.getloadavg()[0],
    }


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """Make a run in a temporary folder, and clean up whatever happens."""
    # An end from outside takes the same way as Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="spinbox-bench-") as folder:
        made = Bench(Path(folder))
        try:
            yield made
        finally:
            made.clean()


def main() -> None:
    """Measure every recipe, and print the table."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.recipes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="also write every figure")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="passes (default: 3)")
    arguments = parser.parse_args()
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")

    about = machine()
    results = [Result(recipe.name) for recipe in RECIPES]
    with bench() as current:
        for number in range(arguments.repeat):
            for recipe, result in zip(RECIPES, results, strict=True):
                current.measure(recipe, result, number)
        requirements = (current.folder / "plain-0" / REQUIREMENTS).read_text()
    run_time = needed(requirements, results[0].packages)
    for result in results:
        result.missing = sorted(run_time - result.packages.keys())

    print(f"{about['cores']} cores, Docker {about['docker']}, {about['date']}; ", end="")
    print(f"medians of {arguments.repeat}; in brackets the ratio to plain.\n")
    print(table(results), end="")
    if arguments.output:
        document = {"machine": about, "repeat": arguments.repeat, "results": results}
        arguments.output.write_text(json.dumps(document, default=vars, indent=2) + "\n")


if __name__ == "__main__":
    main()
