"""Running programs that are asked for something: git, docker, kubectl, the platforms' own.

Imports the standard library alone: the build of a wheel uses it, too.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

# Enough for whatever only answers.
SECONDS = 30.0
# For git, which may have a whole history to pack, or a large folder to list.
GIT_SECONDS = 300.0


class Ending(Enum):
    """How a program ended."""

    DONE = "by itself"
    MISSING = "there is no such program"
    FORBIDDEN = "the system refuses to start it"
    TIMED_OUT = "it did not end in time"


# What docker, its plugins and the way to its engine take from the environment.
_DOCKER = re.compile(
    r"PATH|PWD|HOME|SSH_AUTH_SOCK|TERM|TMPDIR|SSL_CERT_(?:FILE|DIR)|(?:DOCKER|BUILDKIT|BUILDX|XDG)_.*"
    r"|COMPOSE_(?:ANSI|BAKE|PARALLEL_LIMIT)|(?i:(?:HTTPS?|ALL|NO)_PROXY)",
    re.DOTALL,
)

# What a shell gives where a program gave nothing (POSIX, "Exit Status for Commands"; timeout(1)).
_CODES = {Ending.MISSING: 127, Ending.FORBIDDEN: 126, Ending.TIMED_OUT: 124}


@dataclass(frozen=True)
class Result:
    """What came of running a program.

    Attributes:
        ending: How it ended.
        returncode: Its exit status, negative for a signal; a shell's where it has none.
        stdout: What it printed.
        stderr: What it printed there; else one sentence on why it did not end by itself.
    """

    ending: Ending
    returncode: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.returncode == 0

    @property
    def started(self) -> bool:
        """Whether there was a program to run at all."""
        return self.ending not in {Ending.MISSING, Ending.FORBIDDEN}

    @property
    def text(self) -> str:
        """What it printed, as text."""
        return self.stdout.decode(errors="replace")

    @property
    def error(self) -> str:
        """What it printed to standard error, as text without the space around it."""
        return self.stderr.decode(errors="replace").strip()


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = SECONDS,
) -> Result:
    """Run a program to its end and capture what it prints; nothing is raised, nothing is asked.

    Args:
        command: The program and its arguments.
        cwd: The folder it runs in; by default this process' own.
        environment: Variables beside those of `outside`.
        stdin: What it can read.
        timeout: Seconds after which it is killed.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**outside(), **(environment or {})},
            input=stdin.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        return _failed(Ending.MISSING, f"There is no program {command[0]}.")
    except OSError as error:
        return _failed(Ending.FORBIDDEN, f"{command[0]} cannot be started ({error.strerror}).")
    except subprocess.TimeoutExpired as error:
        return timed_out(timeout, error.stdout or b"")
    return Result(Ending.DONE, done.returncode, done.stdout, done.stderr)


# What a repository's own settings would run, or fetch, at commands that only look (git-config(1)).
_HARMLESS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "log.showSignature=false",
    "safe.bareRepository=explicit",
)


def git(*arguments: str, cwd: Path, environment: Mapping[str, str] | None = None) -> Result:
    """Run a git of our own, which the user's configuration does not reach.

    It could change what git prints, and make a laptop and CI disagree. What the repository's own
    configuration names is not run.

    Args:
        arguments: What stands after `git`.
        cwd: The folder it runs in.
        environment: Variables beside those that keep it alone.
    """
    alone = {
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **(environment or {}),
    }
    settings = [word for setting in _HARMLESS for word in ("-c", setting)]
    return run(["git", *settings, *arguments], cwd=cwd, environment=alone, timeout=GIT_SECONDS)


def outside() -> dict[str, str]:
    """The variables of this process but git's: in a hook, they name the user's repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def for_docker() -> dict[str, str]:
    """The variables of this process that Docker needs; any other could change a stack's settings.

    The same that `deploy/common.sh` lets through to Docker Compose.
    """
    return {name: value for name, value in os.environ.items() if _DOCKER.fullmatch(name)}


def timed_out(timeout: float, stdout: bytes) -> Result:
    """The result of a program that was killed after `timeout` seconds."""
    return _failed(Ending.TIMED_OUT, f"It took longer than {timeout:.0f} seconds.", stdout)


def _failed(ending: Ending, why: str, stdout: bytes = b"") -> Result:
    return Result(ending, _CODES[ending], stdout, why.encode())
