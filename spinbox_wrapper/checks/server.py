"""The machine: free disk, memory and processors."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .engine import Engine
from .model import Check, Context, failed, passed, warned

IDS = {
    "server.disk": "10 GB of disk are free; less than 2 GB is a failure",
    "server.memory": "The machine has the memory that the stack needs, with swap",
    "server.limits": "The machine's memory holds the sum of all containers' limits",
    "server.services": "What a service may keep in memory is less than its limit",
    "server.cpus": "No container may use more processors than there are",
}
_GB = 1024**3
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": _GB}


@dataclass(frozen=True)
class Machine:
    """The machine that the engine runs on: bytes free on disk, of memory, of swap; processors.

    None where it cannot be known.
    """

    disk: int | None
    memory: int | None
    swap: int | None
    cpus: int | None


def observe(engine: Engine, project: Path) -> Machine:
    """Ask the engine, which may run elsewhere or in a virtual machine; else look here."""
    data = Path(str(engine.info.get("DockerRootDir") or project))
    place = data if data.exists() else project
    disk = memory = None
    with suppress(OSError):
        disk = shutil.disk_usage(place).free
    with suppress(OSError, ValueError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        disk,
        int(engine.info.get("MemTotal") or 0) or memory,
        _swap(),
        int(engine.info.get("NCPU") or 0) or os.cpu_count(),
    )


def _swap() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    match = re.search(r"^SwapTotal:\s*(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def in_bytes(text: str) -> int | None:
    """An amount of memory as Compose takes it (`512M`, `1g`, `1.5gb`), or None."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?", text.strip().lower())
    return int(float(match[1]) * _UNITS[match[2]]) if match else None


def judge(context: Context, machine: Machine) -> list[Check]:
    """Whether the machine has what the stack needs."""
    settings = context.settings or {}
    checks = [_disk(machine.disk)] if machine.disk is not None else []
    if machine.memory is not None:
        checks.append(_memory(context.stack.memory_to_build, machine.memory, machine.swap or 0))
        if total := _sum_of_limits(context, settings):
            checks.append(_limits(total, machine.memory))
    if service := _overfull(context, settings):
        checks.append(service)
    if machine.cpus is not None:
        checks.append(_cpus(context, settings, machine.cpus))
    return checks


def _sum_of_limits(context: Context, settings: Mapping[str, str]) -> int:
    """Bytes of all containers that keep running; jobs and migrations end by themselves."""
    stack = context.stack
    brief = {"migrate", *(job.name for job in stack.jobs)}
    limits = {
        name: in_bytes(settings.get(f"{name.upper()}_MEMORY") or "") or in_bytes(resources.memory)
        for name, resources in stack.limits.items()
        if name not in brief
    }
    return sum(limit or 0 for limit in limits.values())


def _disk(free: int) -> Check:
    id_, seen = "server.disk", f"{free / _GB:.1f} GB of disk are free."
    if free < 2 * _GB:
        return failed(id_, seen, "docker system df, then docker image prune")
    if free < 10 * _GB:
        return warned(id_, seen, "docker system df, then docker image prune")
    return passed(id_, seen)


def _memory(needed: int, memory: int, swap: int) -> Check:
    id_ = "server.memory"
    have = f"{(memory + swap) / _GB:.1f} GB of memory"
    seen = f"{have}, of {needed} GB that the stack and its builds need."
    # A machine sold with 2 GB shows a little less.
    if memory + swap < 0.9 * needed * _GB:
        return warned(id_, seen, "Take a larger server, or add swap.")
    return passed(id_, seen)


def _limits(total: int, memory: int) -> Check:
    id_ = "server.limits"
    seen = f"Limits add up to {total / _GB:.1f} GB, of {memory / _GB:.1f} GB of memory."
    if total > memory:
        return warned(id_, seen, "Lower the …_MEMORY limits in the settings, or add memory.")
    return passed(id_, seen)


def _overfull(context: Context, settings: Mapping[str, str]) -> Check | None:
    """Of services that are told how much memory they may fill: none there, no check."""
    id_, told = "server.services", []
    for service in context.stack.services:
        if service.memory_variable is None:
            continue
        name, limited = service.memory_variable, f"{service.name.upper()}_MEMORY"
        filled = settings.get(name) or context.stack.variable(name).default or ""
        limit = settings.get(limited) or service.resources.memory
        if (in_bytes(filled) or 0) >= (in_bytes(limit) or _GB * 1024):
            seen = f"{name} is {filled}, but the limit of {service.name} is {limit}."
            return failed(
                id_, seen, f"Raise {limited} in {context.settings_name}, or lower {name}."
            )
        told.append(service.title)
    return passed(id_, f"{' and '.join(told)} fit their limits.") if told else None


def _cpus(context: Context, settings: Mapping[str, str], cpus: int) -> Check:
    id_ = "server.cpus"
    for name, resources in context.stack.limits.items():
        variable = f"{name.upper()}_CPUS"
        limit = settings.get(variable) or resources.cpus
        if re.fullmatch(r"\d+(\.\d+)?", limit) and float(limit) > cpus:
            seen = f"{name} may use {limit} processors, but there are {cpus}."
            return failed(id_, seen, f"Set {variable}={cpus} in {context.settings_name}.")
    return passed(id_, f"{cpus} processors, and no container may use more.")
