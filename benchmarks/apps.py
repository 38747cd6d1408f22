"""The apps that `benchmarks.recipes` builds, each with the recipes that are compared."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.e2e.first_deployment import copy_app
from tests.e2e.node_locks import lock
from tests.projects.compose import compose

RECIPES = Path(__file__).resolve().parent / "recipes"
NPM_LOCK = "npm install --package-lock-only --no-audit --no-fund"
REQUIREMENTS = REPOSITORY / "tests/projects/requirements"


@dataclass(frozen=True)
class Recipe:
    """One way to build the image, and to run it with its databases."""

    name: str
    # None: the file that was generated.
    dockerfile: Path | None
    # The image whose size does not count.
    base: str
    context: str = "."
    python: str = "python"
    compose_file: Path | None = None


@dataclass(frozen=True)
class App:
    """One project, the same for each recipe.

    Attributes:
        make: Writes it into a folder.
        recipes: What is compared; the ratios are those to the first.
        source: The file that a change of the code adds a line to.
        manifest: The file that names the dependencies.
        dependency: One more of them, whose line `depend` adds.
        health: What it answers without a database.
        environment: What it does not start without.
        aims: The ratio that is aimed at, by row.
    """

    name: str
    make: Callable[[Path], Path]
    recipes: tuple[Recipe, ...]
    source: str
    manifest: str
    dependency: str
    port: int
    health: str = "/health"
    environment: Mapping[str, str] = field(default_factory=dict)
    aims: Mapping[str, float] = field(default_factory=dict)

    @property
    def python(self) -> bool:
        """Whether pip or uv installs it."""
        return self.manifest.endswith(".txt")

    def change(self, project: Path) -> None:
        """Change a line of its code."""
        comment = "#" if self.source.endswith(".py") else "//"
        with (project / self.source).open("a") as file:
            file.write(f"\n{comment} A change of the code.\n")

    def depend(self, project: Path) -> None:
        """Add a dependency to its manifest, and to its lockfile."""
        if self.python:
            with (project / self.manifest).open("a") as file:
                file.write(f"\n{self.dependency}\n")
            return
        manifest = json.loads((project / self.manifest).read_text())
        name, version = self.dependency.split("@")
        manifest["dependencies"][name] = version
        (project / self.manifest).write_text(json.dumps(manifest, indent=2) + "\n")
        lock(project, NPM_LOCK)


def spinbox(shape: str, *, locked: bool = False) -> Callable[[Path], Path]:
    """A project that Spinbox writes, with a lockfile of npm if it is to be locked."""

    def make(folder: Path) -> Path:
        project = compose(shape, folder)
        if locked:
            lock(project, NPM_LOCK)
        return project

    return make


def grown(name: str, *requirements: str) -> Callable[[Path], Path]:
    """A project of `tests/apps/`, with the tools of development that Spinbox lists for Python."""

    def make(folder: Path) -> Path:
        project = copy_app(name, folder)
        lines = ((REQUIREMENTS / "python.txt").read_text(), *requirements)
        with (project / "requirements.txt").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        return project

    return make


def recipe(app: str, name: str, base: str, context: str = ".", python: str = "python") -> Recipe:
    """A recipe of `recipes/APP/NAME.Dockerfile`."""
    compose_file = RECIPES / app / f"{name}.compose.yml"
    return Recipe(
        name,
        RECIPES / app / f"{name}.Dockerfile",
        base,
        context,
        python,
        compose_file if compose_file.exists() else None,
    )


APPS = (
    App(
        "fastapi",
        spinbox("fastapi-postgresql-redis--with-deps"),
        (
            recipe("fastapi", "plain", "python:3.11-slim"),
            # These two tools are run in the app's own folder.
            recipe("fastapi", "docker-init", "python:3.11-slim", "backend"),
            recipe("fastapi", "fly-launch", "python:3.11-slim", "backend", "/app/.venv/bin/python"),
            Recipe("ours", None, "python:3.11-slim", compose_file=Path("docker-compose.prod.yml")),
        ),
        source="backend/app/main.py",
        manifest="backend/requirements.txt",
        dependency="orjson",
        port=8000,
        aims={"added": 0.4, "cold": 0.15, "code_change": 1.5, "dependency": 0.14, "up": 0.13},
    ),
    App(
        "django",
        grown("django"),
        (
            recipe("django", "docker-init", "python:3.11-slim"),
            recipe("django", "fly-launch", "python:3.11-slim"),
            Recipe("ours", None, "python:3.11-slim"),
        ),
        source="notes/views.py",
        manifest="requirements.txt",
        dependency="orjson",
        port=8000,
        health="/health/",
        environment={
            "SECRET_KEY": "bench",
            "POSTGRES_DB": "none",
            "POSTGRES_USER": "none",
            "POSTGRES_PASSWORD": "none",
            "ALLOWED_HOSTS": "*",
        },
        aims={"added": 0.5, "cold": 0.3},
    ),
    App(
        "flask",
        grown("flask", "gunicorn>=23"),
        (
            recipe("flask", "docker-init", "python:3.13-slim"),
            recipe("flask", "fly-launch", "python:3.13-slim", python="/app/.venv/bin/python"),
            Recipe("ours", None, "python:3.13-slim"),
        ),
        source="notes/routes.py",
        manifest="requirements.txt",
        dependency="orjson",
        port=8000,
        health="/api/health",
        environment={
            "SECRET_KEY": "bench",
            "DATABASE_URL": "postgresql+psycopg://none:none@127.0.0.1/none",
        },
        aims={"added": 0.5, "cold": 0.3},
    ),
    App(
        "express",
        spinbox("node", locked=True),
        (
            recipe("express", "docker-init", "node:20-alpine"),
            recipe("express", "fly-launch", "node:20-slim"),
            Recipe("ours", None, "node:20-alpine"),
        ),
        source="src/index.ts",
        manifest="package.json",
        dependency="nanoid@3.3.7",
        port=3000,
    ),
    App(
        "nextjs",
        spinbox("nextjs", locked=True),
        (
            recipe("nextjs", "docker-init", "node:20-alpine"),
            recipe("nextjs", "fly-launch", "node:20-slim"),
            recipe("nextjs", "next-example", "node:20-alpine"),
            Recipe("ours", None, "node:20-alpine"),
        ),
        source="src/app/page.tsx",
        manifest="package.json",
        dependency="nanoid@3.3.7",
        port=3000,
        health="/api/health",
    ),
)
