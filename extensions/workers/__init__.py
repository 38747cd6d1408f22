"""Background workers of Python apps: one module for each library, found by being here.

A module has

- `RANK`: its place where an app has several; the first to be found runs;
- `SIGN`: what it is found by, for people;
- `find(modules)`: the command line of the worker, or None;
- `health(words)`: a shell's command that tells whether the worker of that command line works, or
  None where there is none, or where it is another library's;
- `additions(libraries, services)`: requirements that apps leave out, by the dependencies that they
  name and the backing services that they use.

Nothing else has to be edited to add one.
"""

from __future__ import annotations

from collections.abc import Collection

from .. import registry
from ..origins import Found, either
from ..python_source import Module

_MODULES = sorted(
    registry.modules(__name__).values(), key=lambda module: (module.RANK, module.__name__)
)


def find(modules: list[Module]) -> Found[str | None]:
    """The command line that runs the project's background worker, or None."""
    for module in _MODULES:
        if found := module.find(modules):
            worker: Found[str | None] = found
            return worker
    return Found(None, f"no {either([module.SIGN for module in _MODULES])}")


def health(words: tuple[str, ...]) -> str | None:
    """A shell's command that tells whether the worker of that command line works, or None."""
    checks = (module.health(words) for module in _MODULES)
    return next((check for check in checks if check), None)


def additions(libraries: Collection[str], services: Collection[str]) -> tuple[str, ...]:
    """Requirements that an app leaves out, but its worker needs."""
    return tuple(name for module in _MODULES for name in module.additions(libraries, services))
