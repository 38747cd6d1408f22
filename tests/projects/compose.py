"""Compose Spinbox development projects from parts, for the tests.

A part is an overlay tree below `parts/`; a shape says which parts land where, and what
stands in the configuration. `python -m tests.projects.compose NAME DESTINATION`.
"""

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

FOLDERS = {"postgresql": "database", "mongodb": "mongodb", "redis": "redis", "chroma": "chroma"}
FLAGS = ("python", "node", "fastapi", "nextjs", "postgresql", "mongodb", "redis", "chroma")
PORTS = {"BACKEND": 8000, "FRONTEND": 3000, "DATABASE": 5432, "REDIS": 6379}
VERSIONS = {"PYTHON": "3.11", "NODE": "20", "POSTGRES": "15", "REDIS": "7"}
IMAGES = {
    "PYTHON": "python:{}-slim",
    "NODE": "node:{}-alpine",
    "POSTGRES": "postgres:{}",
    "REDIS": "redis:{}-alpine",
}


@dataclass(frozen=True)
class Shape:
    """One project: its configuration, and the parts and files that it is made of."""

    name: str
    project: str
    flags: frozenset[str] = frozenset()
    ports: Mapping[str, int] = field(default_factory=lambda: PORTS)
    versions: Mapping[str, str] = field(default_factory=lambda: VERSIONS)
    parts: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    empty_folders: tuple[str, ...] = ()

    @property
    def services(self) -> list[str]:
        """The data services, in the order of the development Compose file."""
        return [service for service in FOLDERS if service in self.flags]

    @property
    def images(self) -> dict[str, str]:
        """The Docker images that belong to the versions."""
        return {f"{key}_IMAGE": IMAGES[key].format(self.versions[key]) for key in IMAGES}

    @property
    def tokens(self) -> dict[str, str]:
        """What `__TOKEN__` stands for in the parts."""
        return {"PROJECT_NAME": self.project, **self.images}


def _requirements(*names: str) -> str:
    """Join pieces of requirements with an empty line, as Spinbox appends them."""
    return "\n".join((HERE / "requirements" / f"{name}.txt").read_text() for name in names)


def _shape(
    name: str,
    project: str,
    *components: str,
    requirements: tuple[str, ...] = (),
    parts: tuple[str, ...] = (),
    versions: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    real: bool = True,
) -> Shape:
    """Derive a shape from its components as Spinbox does.

    `parts` are more parts for the app that their name begins with. Real shapes have Spinbox's
    whole manifests and its empty folders; the others are small and quick to install.
    """
    chosen = set(components)
    backend = "backend" if "fastapi" in chosen else ""
    homes = {
        "fastapi": backend,
        "python": "",
        "node": "",
        # Alone, or with databases only, Next.js lives in the root.
        "nextjs": "frontend" if backend else "",
        # No component of Spinbox's: what its users put in the place of Next.js.
        "vite": "frontend" if backend else "",
        "venv": backend,
        **FOLDERS,
    }
    overlays = [component for component in homes if component in chosen]
    if chosen & {"python", "fastapi"}:
        overlays.append("venv")
    if backend:
        overlays += [f"fastapi-{service}" for service in FOLDERS if service in chosen]
    if real and "nextjs" in chosen:
        overlays.append("nextjs-tools")
    empty = []
    if real:
        empty += [f"{homes['nextjs']}/{x}" for x in ("public", "src/lib") if "nextjs" in chosen]
        empty += [f"{service}/data" for service in ("redis", "mongodb") if service in chosen]
    targets = [(part, homes[part.partition("-")[0]]) for part in (*overlays, *parts)]
    extra = dict(files or {})
    if requirements:
        extra[f"{backend}/requirements.txt".lstrip("/")] = _requirements(*requirements)
    # FastAPI and Next.js bring their languages' flags with them.
    languages = {"fastapi": "python", "nextjs": "node"}
    return Shape(
        name=name,
        project=project,
        flags=frozenset(chosen | {languages[x] for x in chosen & languages.keys()}),
        versions={**VERSIONS, **(versions or {})},
        # The project's own .gitignore and README.md win over those of an app in the root.
        parts=(*targets, ("common", "")),
        files=extra,
        empty_folders=tuple(folder.lstrip("/") for folder in empty),
    )


def _e2e(name: str, *components: str, **options: Any) -> Shape:
    """Make a small shape for end-to-end tests."""
    return _shape(f"e2e-{name}", f"e2e-{name}", *components, real=False, **options)


_FASTAPI_POSTGRESQL = ("e2e-fastapi", "e2e-sqlalchemy", "e2e-psycopg2")

SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        # What Spinbox makes, one for each folder of the collected data.
        _shape("fastapi", "fa", "fastapi", requirements=("fastapi",)),
        _shape("nextjs", "nx", "nextjs"),
        _shape("python", "py", "python", requirements=("python",)),
        _shape("node", "nd", "node"),
        _shape("python-node", "pynd", "python", "node", requirements=("python",)),
        _shape("python-postgresql", "pypg", "python", "postgresql", requirements=("python",)),
        _shape(
            "nextjs-postgresql",
            "nxpg",
            "nextjs",
            "postgresql",
            parts=("nextjs-with-deps",),
            requirements=("nextjs-postgresql",),
        ),
        _shape(
            "fastapi-postgresql--py312-pg16",
            "v312",
            "fastapi",
            "postgresql",
            requirements=("fastapi",),
            versions={"PYTHON": "3.12", "POSTGRES": "16"},
        ),
        _shape(
            "fastapi-postgresql-redis--with-deps",
            "fapgrd",
            "fastapi",
            "postgresql",
            "redis",
            requirements=(
                "fastapi",
                "with-deps-fastapi",
                "with-deps-postgresql",
                "with-deps-redis",
            ),
        ),
        _shape(
            "fastapi-mongodb--with-deps",
            "famo",
            "fastapi",
            "mongodb",
            requirements=("fastapi", "mongodb", "with-deps-fastapi"),
        ),
        _shape(
            "fastapi-chroma--with-deps",
            "fach",
            "fastapi",
            "chroma",
            requirements=("fastapi", "chroma", "with-deps-fastapi"),
        ),
        _shape(
            "everything--with-deps",
            "all",
            "fastapi",
            "nextjs",
            *FOLDERS,
            requirements=(
                "fastapi",
                "mongodb",
                "chroma",
                "with-deps-fastapi",
                "with-deps-postgresql",
                "with-deps-redis",
            ),
            # Invalid JSON, as Spinbox writes it; stored as text so that no tool reads it here.
            files={"package.json": (HERE / "invalid-package.json.txt").read_text()},
        ),
        _shape(
            "profile-web-app",
            "web-app",
            "fastapi",
            "nextjs",
            "postgresql",
            requirements=("fastapi",),
        ),
        _shape(
            "profile-api-only",
            "api-only",
            "fastapi",
            "postgresql",
            "redis",
            requirements=("fastapi",),
        ),
        _shape(
            "profile-ai-llm",
            "ai-llm",
            "fastapi",
            "postgresql",
            "chroma",
            requirements=("fastapi", "chroma"),
        ),
        _shape("profile-data-science", "data-science", "python", requirements=("data-science",)),
        _shape("profile-node", "node"),
        _shape("vite", "vt", "vite"),
        _shape("fastapi-vite", "favt", "fastapi", "vite", requirements=("fastapi",)),
        # Small ones, which end-to-end tests build and boot.
        _shape(
            "demo",
            "guestbook",
            "fastapi",
            "nextjs",
            "postgresql",
            "redis",
            requirements=(*_FASTAPI_POSTGRESQL, "e2e-redis"),
            real=False,
        ),
        _e2e("fastapi", "fastapi", requirements=("e2e-fastapi",)),
        _e2e(
            "fastapi-postgresql-redis",
            "fastapi",
            "postgresql",
            "redis",
            parts=("fastapi-celery",),
            # uvicorn twice, as --with-deps does.
            requirements=(
                *_FASTAPI_POSTGRESQL,
                "e2e-redis",
                "with-deps-fastapi",
                "with-deps-redis",
            ),
        ),
        _e2e("fastapi-mongodb", "fastapi", "mongodb", requirements=("e2e-fastapi", "e2e-mongodb")),
        _e2e("fastapi-chroma", "fastapi", "chroma", requirements=("e2e-fastapi", "e2e-chroma")),
        _e2e("web-app", "fastapi", "nextjs", "postgresql", requirements=_FASTAPI_POSTGRESQL),
        _e2e(
            "platforms",
            "fastapi",
            "nextjs",
            "postgresql",
            "redis",
            parts=("fastapi-celery",),
            requirements=(*_FASTAPI_POSTGRESQL, "e2e-redis", "with-deps-redis"),
        ),
        _e2e("nextjs", "nextjs"),
        _e2e("nextjs-postgresql", "nextjs", "postgresql", parts=("nextjs-postgresql",)),
        _e2e("node", "node"),
        _e2e("python-node", "python", "node", requirements=("python",)),
        _e2e(
            "python-postgresql",
            "python",
            "postgresql",
            requirements=("python", "e2e-psycopg2"),
        ),
    )
}


def _assignments(values: Mapping[str, object]) -> str:
    """Write one quoted assignment a line, for bash."""
    return "".join(f'{key}="{value}"\n' for key, value in values.items())


def project_conf(shape: Shape) -> str:
    """Give the text of `.config/project.conf`, without the time of its generation."""
    values = {
        "PROJECT_NAME": shape.project,
        "PROJECT_DESCRIPTION": "Generated by Spinbox",
        **{f"USE_{flag.upper()}": str(flag in shape.flags).lower() for flag in FLAGS},
        **{f"{key}_PORT": port for key, port in shape.ports.items()},
    }
    return f"# Auto-generated configuration file\n\n{_assignments(values)}"


def versions_conf(shape: Shape) -> str:
    """Give the text of `.config/versions.conf`, without the time of its generation."""
    versions = {f"{key}_VERSION": version for key, version in shape.versions.items()}
    overridden = dict(shape.versions) != VERSIONS
    return "\n".join(
        (
            "# Version configuration generated by Spinbox\n",
            f"# Effective versions (including CLI overrides)\n{_assignments(versions)}",
            f"# Docker image tags\n{_assignments(shape.images)}",
            "# Configuration sources",
            "# CLI overrides were applied\n" if overridden else "\n",
        )
    )


def docker_compose(shape: Shape) -> str:
    """Give the text of the development `docker-compose.yml`."""
    blocks = [(HERE / "services" / f"{service}.yml").read_text() for service in shape.services]
    volumes = re.findall(r"- (\w+_data):", "".join(blocks))
    listed = "".join(f"  {volume}:\n" for volume in volumes)
    tail = (f"volumes:\n{listed}" if volumes else "") + "networks:\n  default:\n"
    return "\n".join(["services:\n", *blocks, f"{tail}    name: __PROJECT_NAME___network\n"])


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one manifest over another, table by table."""
    result = dict(below)
    for key, value in above.items():
        tables = isinstance(below.get(key), dict) and isinstance(value, dict)
        result[key] = _merged(below[key], value) if tables else value
    return result


def _write(path: Path, text: str, tokens: Mapping[str, str]) -> None:
    """Write one file, with its tokens replaced; manifests of overlays are merged."""
    for token, value in tokens.items():
        text = text.replace(f"__{token}__", value)
    if path.name == "package.json" and path.exists():
        text = json.dumps(_merged(json.loads(path.read_text()), json.loads(text)), indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755 if path.suffix == ".sh" else 0o644)


def write(shape: Shape, destination: Path) -> Path:
    """Write a shape, also one that is not in SHAPES, below the destination."""
    for part, target in shape.parts:
        root = HERE / "parts" / part
        for source in sorted(root.rglob("*")):
            relative = source.relative_to(root)
            if source.is_dir() or "__pycache__" in relative.parts:
                continue
            names = [re.sub("^dot_", ".", name) for name in relative.parts]
            _write(destination.joinpath(target, *names), source.read_text(), shape.tokens)
    texts = {
        ".config/project.conf": project_conf(shape),
        ".config/versions.conf": versions_conf(shape),
        **({"docker-compose.yml": docker_compose(shape)} if shape.services else {}),
        **shape.files,
    }
    for name, text in texts.items():
        _write(destination / name, text, shape.tokens)
    for folder in shape.empty_folders:
        (destination / folder).mkdir(parents=True, exist_ok=True)
    return destination


def compose(name: str, destination: Path) -> Path:
    """Write the named shape below the destination, and give it back."""
    return write(SHAPES[name], destination)


def main() -> None:
    """Compose one project, or list what there is."""
    parser = argparse.ArgumentParser(prog="tests.projects.compose", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the shapes")
    parser.add_argument("name", nargs="?", choices=SHAPES, metavar="NAME")
    parser.add_argument("destination", nargs="?", type=Path, metavar="DESTINATION")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(SHAPES))
    elif arguments.destination is None:
        parser.error("NAME and DESTINATION are needed, or --list")
    else:
        print(compose(arguments.name, arguments.destination))


if __name__ == "__main__":
    main()
