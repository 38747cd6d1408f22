"""Lockfiles as package managers write them, made where the tests run: they name a registry."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.stacks import run

IMAGE = "node:20-alpine"


def lock(root: Path, command: str, image: str = IMAGE) -> None:
    """Run a package manager in a project, and leave nothing but its lockfile."""
    clean = "find . -name node_modules -prune -exec rm -rf {} +; rm -rf .yarn/*.gz .pnp.*"
    mount = f"{root}:/project"
    script = f"({command}) >&2 && ({clean})"
    run("docker", "run", "--rm", "-v", mount, "-w", "/project", image, "sh", "-c", script)
