"""The guide's command that keeps containers away from a cloud's metadata address."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stacks import eventually, need_image, run
from tests.projects.compose import compose
from tests.runs import build

# In place of 169.254.169.254, which a cloud server may have a route to.
ADDRESS = "198.51.100.254"
NAMESPACE, HERE, THERE = "e2e-metadata", "e2emd0", "e2emd1"
SERVE = (
    "import http.server as h, socketserver as s; "
    "s.TCPServer(('', 80), h.SimpleHTTPRequestHandler).serve_forever()"
)
ASK = f"import urllib.request as r; r.urlopen('http://{ADDRESS}/', timeout=5)"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[None]:
    """A server at an address that this machine passes on to."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("no network namespace can be made here")
    inside = ("ip", "netns", "exec", NAMESPACE)
    subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)
    run("ip", "netns", "add", NAMESPACE)
    try:
        run("ip", "link", "add", HERE, "type", "veth", "peer", "name", THERE, "netns", NAMESPACE)
        run("ip", "addr", "add", "10.219.255.1/30", "dev", HERE)
        run("ip", "link", "set", HERE, "up")
        run("ip", "route", "add", ADDRESS, "via", "10.219.255.2", "dev", HERE)
        run(*inside, "ip", "addr", "add", "10.219.255.2/30", "dev", THERE)
        run(*inside, "ip", "link", "set", THERE, "up")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo")
        run(*inside, "ip", "route", "add", "default", "via", "10.219.255.1")
        server = subprocess.Popen([*inside, "python3", "-c", SERVE], cwd=tmp_path)
        eventually(lambda: run("python3", "-c", ASK) == "", attempts=60)
        yield
        server.terminate()
        server.wait()
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", HERE], capture_output=True, check=False)


def test_the_guide_s_rule_keeps_containers_out(cloud: None, tmp_path: Path) -> None:
    root = compose("e2e-fastapi", tmp_path / "project")
    build(root)
    guide = (root / "deploy/README.md").read_text().replace("169.254.169.254", ADDRESS)
    add, remove = (
        re.findall(rf"^ *{kind}=/usr/sbin/(iptables .*)$", guide, re.MULTILINE)[0].split()
        for kind in ("ExecStart", "ExecStop")
    )
    need_image("python:3.11-slim")
    ask = ("docker", "run", "--rm", "python:3.11-slim", "python", "-c", ASK)
    run(*ask)
    run(*add)
    try:
        with pytest.raises(AssertionError, match="Connection refused"):
            run(*ask)
        run("python3", "-c", ASK)
    finally:
        run(*remove)
    run(*ask)
