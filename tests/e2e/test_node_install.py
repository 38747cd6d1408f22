"""Installations that do more than to fetch packages: scripts, patches, git, compilers."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.node_locks import lock
from tests.e2e.stacks import run

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")


@contextmanager
def _repository(folder: Path) -> Iterator[str]:
    """The address of a git repository with a package, served to containers: by HTTP, as a host."""
    work = folder / "work"
    work.mkdir(parents=True)
    (work / "package.json").write_text('{"name": "from-git", "version": "1.0.0"}')
    (work / "index.js").write_text('module.exports = "from git";\n')
    run("git", "init", "--quiet", "--initial-branch=main", cwd=work)
    run("git", "add", "--all", cwd=work)
    run(*GIT, "commit", "--quiet", "--message", "package", cwd=work)
    run("git", "clone", "--quiet", "--bare", str(work), str(folder / "lib.git"))
    run("git", "update-server-info", cwd=folder / "lib.git")
    inspect = ("docker", "network", "inspect", "bridge", "--format")
    gateway = run(*inspect, "{{(index .IPAM.Config 0).Gateway}}").strip()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer((gateway, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"git+http://{gateway}:{server.server_port}/lib.git"
    finally:
        server.shutdown()


def _change(root: Path, **tables: dict[str, str]) -> None:
    package = json.loads((root / "package.json").read_text())
    for table, entries in tables.items():
        package[table] = {**package.get(table, {}), **entries}
    (root / "package.json").write_text(json.dumps(package, indent=2))


def test_npm_with_scripts_patches_git_and_a_compiler(tmp_path: Path) -> None:
    """A lockfile, overrides, `file:`, patch-package, husky, `prepare` that builds, git, make."""
    root = copy_app("node-install", tmp_path / "node-install")

    with _repository(tmp_path / "served") as address:

        def prepare(root: Path) -> None:
            _change(root, dependencies={"from-git": address})
            tools = "apk add --no-cache git >/dev/null"
            lock(root, f"{tools} && npm install --package-lock-only --ignore-scripts")

        with first_deployment(root, prepare=prepare) as stack:
            assert stack.get("/") == {
                "compiled": 42,
                "git": "from git",
                "greeting": "hello",
                "overridden": "7.0.0",
                "patched": "patched",
            }
            probe = "command -v make g++ git || echo none"
            assert stack.execute("app", probe).strip() == "none"
