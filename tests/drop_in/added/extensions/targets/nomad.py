"""Nomad: it exists, but this is no more than what shows all that a target needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..choice import Choice, Form
from ..model import Stack
from ..target import Surface, Target

NAME = "nomad"


@dataclass(frozen=True)
class Nomad(Surface):
    """What the templates of `deploy/nomad/` see.

    Attributes:
        datacenter: Where it runs.
    """

    datacenter: str


def _build(answers: Mapping[str, Any], stack: Stack) -> Nomad:
    return Nomad(stack, NAME in answers["targets"], answers["nomad_datacenter"])


TARGET = Target(
    name=NAME,
    title="Nomad",
    surface=NAME,
    guide="deploy/nomad/README.md",
    build=_build,
    files={"": ("/deploy/nomad",), "stack.services": ("/nomad-volumes.hcl",)},
    root_files=r"nomad-volumes\.hcl",
    choices=(
        Choice(
            "nomad_datacenter",
            "In which datacenter of Nomad does it run?",
            "dc1",
            form=Form(re.compile(r"[a-z0-9-]+"), "a name such as dc1"),
            setting="Where it runs on Nomad",
        ),
    ),
)
