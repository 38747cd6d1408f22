"""Apps that people really have, deployed for the first time: three commands, and no edit.

Each is a whole project in `tests/apps/NAME/`, as its owner would have it before `build --prod`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.e2e.stacks import Stack, run
from tests.runs import build

APPS = REPOSITORY / "tests/apps"


def copy_app(name: str, destination: Path) -> Path:
    """A project of `tests/apps/`, in a repository of its own; files named `dot_X` become `.X`."""
    shutil.copytree(APPS / name, destination)
    for path in sorted(destination.rglob("dot_*"), reverse=True):
        path.rename(path.with_name("." + path.name.removeprefix("dot_")))
    return destination


def commit(project: Path) -> None:
    """Commit all of it, as what is not in git enters no image."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    if not (project / ".git").exists():
        run("git", "init", "--quiet", cwd=project)
    run("git", "add", "--all", cwd=project)
    run(*git, "commit", "--quiet", "--message", "project", cwd=project)


@contextmanager
def first_deployment(
    project: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    prepare: Callable[[Path], None] | None = None,
) -> Iterator[Stack]:
    """A project after `build --prod`, `init-env.sh` and `deploy.sh`; all is removed in the end.

    Args:
        project: Its folder.
        arguments: More of `build --prod`.
        settings: What the user is asked for, by name.
        prepare: What makes lockfiles or the like, before the first commit.
    """
    if prepare:
        prepare(project)
    commit(project)
    name = f"e2e-{re.sub('[^a-z0-9]+', '-', project.name.lower()).strip('-')}"
    build(project, "--set", f"name={name}", *arguments)
    run("sh", "deploy/init-env.sh", cwd=project)
    stack = Stack(project)
    ports = {"HTTP_PORT": str(stack.http_port), "HTTPS_PORT": str(stack.https_port)}
    with (project / ".env").open("a") as env:
        for key, value in {**ports, "DEPLOY_TIMEOUT": "300", **(settings or {})}.items():
            env.write(f"\n{key}='{value}'\n")
    try:
        # What ends by itself is called, not deployed.
        if (project / "deploy/deploy.sh").exists():
            run("sh", "deploy/deploy.sh", cwd=project)
        yield stack
    finally:
        stack.remove()
        images = run("docker", "image", "ls", "-q", "--filter", f"reference={name}-*").split()
        subprocess.run(
            ["docker", "image", "rm", "-f", *set(images)], check=False, capture_output=True
        )
