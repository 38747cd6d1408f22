"""A control group that stands for a server of little memory, and what is used in it."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_MB = 1024 * 1024
_ROOT = Path("/sys/fs/cgroup")


@dataclass
class MemoryGroup:
    """Processes that share so many bytes of memory, and no swap.

    Attributes:
        name: What it is called; containers go below `parent`.
        folder: Where the kernel shows it.
        unified: Control groups of version 2: processes are in its leaves alone.
        peaks: MB that nothing can give back (no page cache), at the most, by what was done.
    """

    name: str
    folder: Path
    unified: bool
    peaks: dict[str, int] = field(default_factory=dict)

    @property
    def parent(self) -> str:
        """The group of its containers, as `cgroup-parent` of an engine names it."""
        return f"/{self.name}/containers"

    def join(self) -> None:
        """Put this process into it, as between fork and exec."""
        (self.folder / "host/cgroup.procs").write_text(str(os.getpid()))

    @property
    def used(self) -> int:
        """MB of processes and of files in memory, which nothing can give back."""
        stat = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        names = ("anon", "shmem") if self.unified else ("total_rss", "total_shmem")
        return sum(int(stat.get(name, 0)) for name in names) // _MB

    @property
    def killed(self) -> int:
        """How many processes of it were killed for want of memory, as far as its groups live."""
        name = "memory.events" if self.unified else "memory.oom_control"
        files = [self.folder / name] if self.unified else self.folder.rglob(name)
        counts = [re.search(r"(?m)^oom_kill (\d+)", file.read_text()) for file in files]
        return sum(int(count[1]) for count in counts if count)

    @contextmanager
    def watched(self, doing: str) -> Iterator[None]:
        """Notes the most that is used meanwhile."""
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.1):
                self.peaks[doing] = max(self.peaks.get(doing, 0), self.used)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def memory_group(name: str, megabytes: int) -> Iterator[MemoryGroup]:
    """Make one, and take it away.

    Raises:
        OSError: This machine lets nobody make one.
    """
    unified = (_ROOT / "cgroup.controllers").exists()
    folder = (_ROOT if unified else _ROOT / "memory") / name
    folder.mkdir()
    try:
        if unified:
            # What has children with controllers has no processes.
            for place in (_ROOT, folder):
                (place / "cgroup.subtree_control").write_text("+memory +pids +cpu")
            (folder / "memory.swap.max").write_text("0")
        (folder / "host").mkdir()
        limit = "memory.max" if unified else "memory.limit_in_bytes"
        (folder / limit).write_text(str(megabytes * _MB))
        if not unified:
            (folder / "memory.swappiness").write_text("0")
        yield MemoryGroup(name, folder, unified)
    finally:
        # An engine makes one of that name with each controller of version 1.
        for place in {folder, *_ROOT.glob(f"*/{name}")}:
            remove(place)


def remove(folder: Path) -> None:
    """Take a group away, with those below it; the last process in it may just be ending."""
    for _ in range(100):
        below = [path for path in folder.rglob("*") if path.is_dir()]
        try:
            for path in (*sorted(below, reverse=True), folder):
                path.rmdir()
            return
        except OSError:
            time.sleep(0.1)
