"""Folders, indexes and git repositories, served to containers by HTTP, as their hosts do."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.stacks import run

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, for containers and builds of images."""
    inspect = ("docker", "network", "inspect", "bridge", "--format")
    gateway = run(*inspect, "{{(index .IPAM.Config 0).Gateway}}").strip()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer((gateway, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{gateway}:{server.server_port}"
    finally:
        server.shutdown()


def repository(folder: Path, files: Mapping[str, str]) -> None:
    """Write a bare git repository of these files, `lib.git`, as a host serves it."""
    work = folder / "work"
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run("git", "init", "--quiet", "--initial-branch=main", cwd=work)
    run("git", "add", "--all", cwd=work)
    run(*GIT, "commit", "--quiet", "--message", "package", cwd=work)
    run("git", "clone", "--quiet", "--bare", str(work), str(folder / "lib.git"))
    run("git", "update-server-info", cwd=folder / "lib.git")
