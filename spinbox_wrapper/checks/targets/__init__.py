"""What each target needs: one module each, found by its name, `-` as `_`.

A module has `IDS`, what its checks look at by their ids; `ENV_FILE`, whether its settings come
from the environment's `.env` file; `look(context)`, its checks; and `done(context)`, the steps of
its guide that can be told to be done or not, by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from ... import derivation
from ..model import Check, Context


class TargetChecks(Protocol):
    """What a module of this folder has."""

    IDS: dict[str, str]
    ENV_FILE: bool

    def look(self, context: Context) -> list[Check]:
        """All checks of this target."""

    def done(self, context: Context) -> Mapping[str, bool]:
        """Whether steps of its guide are done, by their ids."""


def _all() -> dict[str, TargetChecks]:
    return {
        name: cast(TargetChecks, import_module(f".{name.replace('-', '_')}", __name__))
        for name in derivation.targets.TARGETS
    }


CHECKS: dict[str, TargetChecks] = _all()
