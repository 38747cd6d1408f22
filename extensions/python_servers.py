"""The servers of Python web apps: their command lines, and what they are told by the environment.

Each takes the number of its processes from WEB_CONCURRENCY, and believes the proxies that
FORWARDED_ALLOW_IPS lists (uvicorn.dev, "Settings"; docs.gunicorn.org, "Settings").
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import limits, python_locks, python_state
from .container import GRACE_SECONDS
from .model import Env, Variable
from .origins import Fields, Found
from .package_managers import get as package_manager
from .tree import Tree

# Dependencies that are servers, and so matter to what is generated.
SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress", "uwsgi"})
# Those that serve ASGI; each takes the place of Uvicorn where the project has no such.
OTHER_ASGI = frozenset({"hypercorn", "granian"})
# Uvicorn's releases before do not start with --timeout-graceful-shutdown (uvicorn.dev, "Release
# Notes").
_GRACE_SINCE = "0.22.0"
# A server stops before its container's time is over.
_GRACE = str(GRACE_SECONDS - 5)

# The entrypoint makes it of the container's limits (`template/deploy/entrypoint.sh.jinja`).
AUTO = "auto"
# How many MB of them each process is to have, and what the entrypoint takes where it is not told.
WORKER_MEGABYTES, _USUAL_MEGABYTES = "WORKER_MEGABYTES", limits.APP.megabytes // 2

ENVIRONMENT = (
    Env("WEB_CONCURRENCY", variable="WEB_CONCURRENCY"),
    Env("FORWARDED_ALLOW_IPS", variable="FORWARDED_ALLOW_IPS"),
)


def variables(what: str = "app", state: str | None = None) -> tuple[Variable, ...]:
    """The settings that `ENVIRONMENT` names.

    Args:
        what: What people read that they are of.
        state: What the process keeps in its memory, as `python_state.find` says; None for nothing.
    """
    why = (
        f"one, as {state}."
        if state
        else "auto is one more than its CPUs, and no more than its memory holds."
    )
    return (
        Variable(
            "WEB_CONCURRENCY",
            "Application",
            f"Worker processes of the {what}: {why}",
            "1" if state else AUTO,
        ),
        Variable(
            "FORWARDED_ALLOW_IPS",
            "Application",
            "Proxies whose word on client address and scheme is taken; * is safe while only "
            "the proxy reaches the app.",
            "*",
        ),
    )


def share(resources: limits.Resources) -> tuple[tuple[str, str], ...]:
    """What a process takes, as a variable: half of the app's usual limit, which so holds two."""
    each = resources.megabytes // 2
    return () if each == _USUAL_MEGABYTES else ((WORKER_MEGABYTES, str(each)),)


@dataclass(frozen=True)
class Server:
    """What serves an app.

    Attributes:
        command: Its command line.
        packages: What the project's own list leaves out of it.
        environment: What it is told by the environment.
        variables: The settings behind that.
    """

    command: tuple[str, ...]
    packages: tuple[str, ...] = ()
    environment: tuple[Env, ...] = ()
    variables: tuple[Variable, ...] = ()


def uvicorn(facts: Mapping[str, Any], target: str, more: Sequence[str] = ()) -> tuple[str, ...]:
    """Uvicorn's command line; the port comes from the image's entrypoint."""
    factory = ["--factory"] if facts.get("factory") else []
    grace = ["--timeout-graceful-shutdown", _GRACE] if facts.get("grace", True) else []
    return ("uvicorn", target, *factory, "--host", "0.0.0.0", "--proxy-headers", *grace, *more)


def gunicorn(
    target: str, *, worker: str | None = None, threads: int = 4, alone: bool = False
) -> tuple[str, ...]:
    """Gunicorn's command line, on the port that the image names in PORT.

    Its workers' heartbeats are files, which a disk would delay (docs.gunicorn.org, "FAQ").

    Args:
        target: As in `module:app`, or `module:create_app()`.
        worker: The class of its workers; by default, threads serve WSGI.
        threads: Of each worker, where it has threads.
        alone: There may be one worker only.
    """
    kind = ("--worker-class", worker) if worker else ("--threads", str(threads))
    return (
        *("gunicorn", target, *(("--workers", "1") if alone else ()), *kind),
        *("--worker-tmp-dir", "/dev/shm", "--graceful-timeout", _GRACE),
        *("--access-logfile", "-"),
    )


def asgi(facts: Mapping[str, Any], target: str, *, what: str = "app") -> Server:
    """The project's own ASGI server; Uvicorn where it has none."""
    libraries = set(facts.get("libraries") or ())
    if "uvicorn" not in libraries and "granian" in libraries:
        return Server(_granian(facts, target))
    if "uvicorn" not in libraries and "hypercorn" in libraries:
        address = f"0.0.0.0:{facts.get('port') or 8000}"
        workers = "1" if facts.get(python_state.FIELD) else "2"
        options = ("--bind", address, "--workers", workers, "--graceful-timeout", _GRACE)
        return Server(("hypercorn", *options, f"{target}()" if facts.get("factory") else target))
    return Server(
        uvicorn(facts, target),
        _missing("uvicorn", libraries, "uvicorn[standard]"),
        ENVIRONMENT,
        variables(what, facts.get(python_state.FIELD)),
    )


def _granian(facts: Mapping[str, Any], target: str) -> tuple[str, ...]:
    """Granian's command line (its README, "Options")."""
    workers = "1" if facts.get(python_state.FIELD) else "2"
    return (
        *("granian", "--interface", "asgi", *(("--factory",) if facts.get("factory") else ())),
        *("--host", "0.0.0.0", "--port", str(facts.get("port") or 8000), "--workers", workers),
        target,
    )


def wsgi(
    facts: Mapping[str, Any],
    target: str,
    *,
    worker: str | None = None,
    threads: int = 4,
    alone: bool = False,
) -> Server:
    """Gunicorn, which is added where the project has none."""
    libraries = set(facts.get("libraries") or ())
    called = f"{target}()" if facts.get("factory") else target
    told = ENVIRONMENT[1:] if alone else ENVIRONMENT
    known = variables(state=facts.get(python_state.FIELD))[1 if alone else 0 :]
    command = gunicorn(called, worker=worker, threads=threads, alone=alone)
    return Server(command, _missing("gunicorn", libraries, "gunicorn"), told, known)


def _missing(name: str, libraries: Collection[str], requirement: str) -> tuple[str, ...]:
    return () if name in libraries else (requirement,)


def told(facts: Mapping[str, Any], packages: Sequence[str]) -> tuple[str, ...]:
    """One sentence about servers that the image gets although nothing declares them."""
    made = []
    for package in packages:
        manager = facts.get("manager")
        folder = "" if facts["dir"] == "." else f"cd {shlex.quote(facts['dir'])} && "
        manifest = (facts.get("manifests") or ["requirements.txt"])[0]
        path = manifest if facts["dir"] == "." else f"{facts['dir']}/{manifest}"
        add = (
            f"{folder}{manager} add {shlex.quote(package)}"
            if manager and package_manager(manager).LOCK
            else f"add the line {package} to {path}"
        )
        made.append(
            f"{path} has no {package.partition('[')[0]}, so the image gets the newest release of "
            f"{package}: {add}, and its version is the project's."
        )
    return tuple(made)


def grace(tree: Tree, folder: str, manifests: list[str]) -> Fields:
    """That Uvicorn is one that knows no grace period; nothing where it does."""
    stated = python_locks.stated(tree, folder, manifests, "uvicorn")
    if stated is None or stated.allows(_GRACE_SINCE):
        return {}
    reason = f"Uvicorn knows a grace period since {_GRACE_SINCE}"
    return {"grace": Found(False, reason, stated.path, stated.line)}
