"""What a proxy is; `proxies/` has one module for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Proxy:
    """What stands in front of the apps.

    Attributes:
        name: As `--set proxy=NAME` takes it.
        label: What it is, in a list to choose from.
        generated: It is a container of the stack.
    """

    name: str
    label: str
    generated: bool
