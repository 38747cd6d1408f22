"""Compare recipes for images: `python -m benchmarks.recipes [APP…]`.

Each builds the same project. Docker's whole build cache is emptied before every cold
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
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.apps import APPS, App, Recipe
from tests.runs import build

# What the project's list names only for development; everything else must be in the image.
DEVELOPMENT_TOOLS = {"black", "isort", "mypy", "pytest", "pytest-asyncio", "pytest-cov", "uv"}

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
# Steps that install, in any of the recipes.
INSTALLS = r"^#(\d+) \[.*(?:pip install .*-r|npm ci)"
# Seconds that an app is left alone before its memory is read.
IDLE = 5
MEBIBYTES = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}


@dataclass
class Result:
    """What was measured of one recipe, once for each pass: seconds, MB that were added, MiB."""

    recipe: str
    added: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    code_change: list[float] = field(default_factory=list)
    dependency: list[float] = field(default_factory=list)
    first_answer: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    up: list[float] = field(default_factory=list)
    reinstalled: bool = False
    packages: dict[str, list[str]] = field(default_factory=dict)
    modules: int = 0
    compiled: int = 0
    missing: list[str] = field(default_factory=list)


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
    """Tell from a build's log whether the steps that install the dependencies were reused."""
    steps = re.findall(INSTALLS, log, flags=re.MULTILINE)
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

    def project(self, app: App, recipe: Recipe, number: int) -> Path:
        """A copy of the development project, with our files if the recipe is ours."""
        made = self.folder / app.name
        if not made.exists():
            app.make(made)
        project = self.folder / f"{app.name}-{recipe.name}-{number}"
        shutil.copytree(made, project)
        if recipe.dockerfile is None:
            build(project)
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

    def measure(self, app: App, recipe: Recipe, result: Result, number: int) -> None:
        """Measure one recipe once."""
        project = self.project(app, recipe, number)
        seconds, log = self.build(recipe, project, cold=True)
        if installed_from_cache(log):
            raise RuntimeError("the build cache was not empty")
        result.cold.append(seconds)
        result.added.append(self.added(recipe))
        if number == 0 and app.python:
            self.inspect(recipe, result)
        seconds, memory = self.start(app, recipe)
        result.first_answer.append(seconds)
        result.memory.append(memory)
        if recipe.compose_file is not None:
            # The plain one's path is absolute already.
            result.up.append(self.up(recipe, project / recipe.compose_file))

        app.change(project)
        seconds, log = self.build(recipe, project)
        result.code_change.append(seconds)
        result.reinstalled |= not installed_from_cache(log)

        app.depend(project)
        seconds, log = self.build(recipe, project)
        if installed_from_cache(log):
            raise RuntimeError("the new dependency was not installed")
        result.dependency.append(seconds)

        known = (f"{key} {values[-1]:.1f}" for key in ROWS if (values := getattr(result, key)))
        say(f"{app.name}, pass {number + 1}, {recipe.name}: {', '.join(known)}")

    def added(self, recipe: Recipe) -> float:
        """How many MB the image adds to its base."""
        format_ = "--format={{.Size}}"
        sizes = run("docker", "image", "inspect", format_, recipe.base, self.image(recipe)).split()
        return (int(sizes[1]) - int(sizes[0])) / 1e6

    def inspect(self, recipe: Recipe, result: Result) -> None:
        """Look which packages of Python the image has."""
        python = (*self.docker_run(), "--entrypoint", recipe.python, self.image(recipe), "-c")
        probed = json.loads(run(*python, PROBE))
        result.packages = {canonical(name): wants for name, wants in probed["packages"].items()}
        result.modules, result.compiled = probed["modules"], probed["compiled"]

    def start(self, app: App, recipe: Recipe) -> tuple[float, float]:
        """Run the image alone; give the seconds until it answers 200, and its idle memory."""
        container = f"bench-{recipe.name}-{self.id}"
        settings = [f"--env={name}={value}" for name, value in app.environment.items()]
        options = ("--detach", "--name", container, *settings)
        started = time.monotonic()
        try:
            run(*self.docker_run(), *options, self.image(recipe))
            address = run(
                *("docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", container)
            ).strip()
            url = f"http://{address}:{app.port}{app.health}"
            while True:
                with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
                    break
                if time.monotonic() - started > 60:
                    raise RuntimeError(f"{recipe.name} does not serve {app.name}")
                time.sleep(0.02)
            seconds = time.monotonic() - started
            time.sleep(IDLE)
            usage = ("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container)
            number, unit = re.match(r"([\d.]+)(\w+)", run(*usage)).groups()  # type: ignore[union-attr]
            return seconds, float(number) * MEBIBYTES[unit]
        finally:
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


# Title, unit and digits of each row, by the name of its figures.
ROWS = {
    "added": ("added to the base image", "MB", 1),
    "cold": ("cold build", "s", 1),
    "dependency": ("build with one more dependency", "s", 1),
    "code_change": ("build after a code change", "s", 2),
    "first_answer": ("start until the first 200", "s", 2),
    "memory": ("idle memory", "MiB", 0),
    "up": ("`up --wait` on built images", "s", 1),
}


def table(app: App, results: Sequence[Result]) -> str:
    """Write the results as a table, with the ratios to the first recipe, and ours to the best."""
    names = [result.recipe for result in results]
    rows = [["", *names, "ours / best", "aim"], ["---", *("--:" for _ in names), "--:", "---"]]
    for key, (title, unit, digits) in ROWS.items():
        medians = [
            statistics.median(values) if (values := getattr(result, key)) else None
            for result in results
        ]
        reference, ours = medians[0], medians[-1]
        if reference is None or ours is None:
            continue
        cells = ["-" if x is None else cell(x, reference, unit, digits) for x in medians]
        best = min(x for x in medians[:-1] if x is not None)
        aim = f"≤ {app.aims[key]}" if key in app.aims else ""
        rows.append([title, *cells, f"{ours / best:.2f}", aim])
    again = ("yes" if result.reinstalled else "nothing" for result in results)
    rows.append(["- a code change installs", *again, "", "nothing"])
    if app.python:
        counts = (str(len(result.packages)) for result in results)
        missing = (str(len(result.missing)) for result in results)
        shares = (f"{100 * result.compiled / result.modules:.0f} %" for result in results)
        rows.append(["packages", *counts, "", ""])
        rows.append(["- of the run-time ones missing", *missing, "", "0"])
        rows.append(["byte-compiled modules", *shares, "", "100 %"])
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
    """Measure every recipe of the apps, and print a table for each."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.recipes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [app.name for app in APPS]
    parser.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(names)}: all")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="also write every figure")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="passes (default: 3)")
    arguments = parser.parse_args()
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    if unknown := set(arguments.apps) - set(names):
        parser.error(f"no such app: {', '.join(sorted(unknown))}")

    about = machine()
    print(f"{about['cores']} cores, Docker {about['docker']}, {about['date']}; ", end="")
    print(f"medians of {arguments.repeat}; in brackets the ratio to the first recipe.")
    measured = {}
    with bench() as current:
        for app in APPS:
            if arguments.apps and app.name not in arguments.apps:
                continue
            results = [Result(recipe.name) for recipe in app.recipes]
            for number in range(arguments.repeat):
                for recipe, result in zip(app.recipes, results, strict=True):
                    current.measure(app, recipe, result, number)
            if app.python:
                requirements = (current.folder / app.name / app.manifest).read_text()
                run_time = needed(requirements, results[0].packages)
                for result in results:
                    result.missing = sorted(run_time - result.packages.keys())
            measured[app.name] = results
            print(f"\n## {app.name}\n\n{table(app, results)}", end="", flush=True)
    if arguments.output:
        document = {"machine": about, "repeat": arguments.repeat, "results": measured}
        arguments.output.write_text(json.dumps(document, default=vars, indent=2) + "\n")


if __name__ == "__main__":
    main()
