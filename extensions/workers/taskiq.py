"""Taskiq (taskiq-python.github.io, "CLI", "Scheduling tasks")."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Collection

from ..model import Volume
from ..origins import Found
from ..python_source import Module, assigned_calls, called_name

RANK = 4
SIGN = "Taskiq broker"
_BROKER = re.compile(r"(List|PubSub|RedisStream|Aio|Nats|Kafka|ZeroMQ|RedisCluster)\w*Broker")


def find(modules: list[Module]) -> Found[str] | None:
    """The worker of the first broker, with all modules that have tasks of it."""
    for module in modules:
        for attribute, call in assigned_calls(module.body) if "Broker" in module.text else ():
            inner = [one for one in ast.walk(call) if isinstance(one, ast.Call)]
            if any(_BROKER.fullmatch(called_name(one)) for one in inner):
                tasks = [one.name for one in modules if _has_tasks(one) and one is not module]
                target = f"{module.name}:{attribute}"
                command = shlex.join(["taskiq", "worker", "--workers", "2", target, *tasks])
                return Found(command, "Taskiq broker", module.path, call.lineno)
    return None


def find_scheduler(modules: list[Module]) -> Found[str] | None:
    """Its scheduler, with all modules that have tasks."""
    for module in modules:
        for attribute, call in (
            assigned_calls(module.body) if "TaskiqScheduler" in module.text else ()
        ):
            if called_name(call) == "TaskiqScheduler":
                tasks = [one.name for one in modules if _has_tasks(one) and one is not module]
                target = f"{module.name}:{attribute}"
                command = shlex.join(["taskiq", "scheduler", target, *tasks])
                return Found(command, "Taskiq's scheduler", module.path, call.lineno)
    return None


def schedule(words: tuple[str, ...]) -> tuple[tuple[str, ...], Volume | None] | None:
    """A scheduler's command: it keeps its schedule in the code, or in its source."""
    return (words, None) if words[:2] == ("taskiq", "scheduler") else None


def health(words: tuple[str, ...]) -> str | None:
    """None: it answers nobody."""
    return None


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """None: it names what it needs."""
    return ()


def _has_tasks(module: Module) -> bool:
    return any(
        ast.unparse(decorator).partition("(")[0].endswith("broker.task")
        for node in module.body.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in node.decorator_list
    )
