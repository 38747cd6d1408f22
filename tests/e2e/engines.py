"""A Docker engine of a test's own, beside the one at hand: other settings, or a swarm."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.memory_groups import MemoryGroup
from tests.e2e.stacks import eventually, need_image, run

# Groups have paths, not systemd's names.
_CGROUPFS = ["native.cgroupdriver=cgroupfs"]
# Addresses of those that run now.
STARTED: list[str] = []


def data_path_port() -> int:
    """A port for a swarm's networks that no other swarm of this kernel has.

    VXLAN interfaces of equal number and port exclude each other, also those that an engine left
    behind which was ended before it could clean up.
    """
    return random.randint(10_000, 49_151)


@contextmanager
def second_engine(
    folder: Path,
    name: str,
    subnet: int,
    images: Sequence[str],
    settings: Mapping[str, Any],
    group: MemoryGroup | None = None,
) -> Iterator[str]:
    """Start an engine, and end it with all that it made; its address, as in `DOCKER_HOST`.

    Args:
        folder: Where its files go; a short path, for its sockets.
        name: What its bridge is called.
        subnet: Its networks are below 10.SUBNET: the engine at hand has addresses for 30 only.
        images: What it gets from the engine at hand.
        settings: Its `daemon.json`.
        group: Where it and all of its containers and builds share their memory.
    """
    engine = Path(shutil.which("docker") or "").resolve().parents[1] / "sbin/dockerd"
    daemon = str(engine) if engine.exists() else shutil.which("dockerd")
    if daemon is None or os.geteuid() != 0:
        message = "no second engine can be started here"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    for image in images:
        need_image(image)
    folder.mkdir(parents=True)
    patient = {"dns-opts": ["timeout:1", "attempts:6"]}
    grouped = {"cgroup-parent": group.parent, "exec-opts": _CGROUPFS} if group else {}
    (folder / "daemon.json").write_text(json.dumps(patient | grouped | dict(settings)))
    bridge, host = f"{name}0", f"unix://{folder}/docker.sock"
    gateway = "docker_gwbridge"
    was_there = Path("/sys/class/net", gateway).exists()
    subprocess.run(["ip", "link", "del", bridge], capture_output=True)
    run("ip", "link", "add", bridge, "type", "bridge")
    run("ip", "addr", "add", f"10.{subnet}.255.1/24", "dev", bridge)
    run("ip", "link", "set", bridge, "up")
    options = ["--bridge", bridge, "--pidfile", f"{folder}/pid", "--host", host]
    options += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    options += ["--config-file", f"{folder}/daemon.json"]
    options += ["--default-address-pool", f"base=10.{subnet}.0.0/17,size=24"]
    with (folder / "log").open("w") as log:
        path = f"{Path(daemon).parent}:{os.environ['PATH']}"
        process = subprocess.Popen(
            [daemon, *options], stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PATH": path}, preexec_fn=group.join if group else None,
        )  # fmt: skip
    try:
        answers = ["docker", "-H", host, "info"]
        eventually(lambda: subprocess.run(answers, capture_output=True).returncode == 0)
        saved = folder / "images.tar"
        run("docker", "save", "--output", saved, *images)
        run("docker", "-H", host, "load", "--input", saved)
        saved.unlink()
        STARTED.append(host)
        yield host
    finally:
        if host in STARTED:
            STARTED.remove(host)
        # Asked of this engine: another one beside it may be the one that is in a swarm.
        listing = ["docker", "-H", host, "network", "ls", "--format", "{{.Name}}"]
        networks = subprocess.run(listing, capture_output=True, text=True).stdout.split()
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
        subprocess.run(["ip", "link", "del", bridge], capture_output=True)
        # A swarm's; no engine removes it.
        if gateway in networks and not was_there:
            subprocess.run(["ip", "link", "del", gateway], capture_output=True)
        for mount in sorted(
            re.findall(rf" ({re.escape(str(folder))}\S*) ", Path("/proc/mounts").read_text()),
            reverse=True,
        ):
            subprocess.run(["umount", "--lazy", mount], capture_output=True)
