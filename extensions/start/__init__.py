"""Will it start? What the apps' code does, compared with what the stack gives: one subject each.

A module has

- `IDS`: what its rules look at, by their ids (`start.NAME`);
- `find(subject)`: the findings of a `Subject`. Nothing is run, imported or asked for, and the same
  files give the same findings;
- `RUNTIME`, where it looks at apps in one language alone: its name;
- `concerns(subject)`, where few projects have a use for it: whether this one has.

Nothing else has to be edited to add one. `build --prod` prints what is found, and `deploy --check`
has a check for each.
"""

from __future__ import annotations

from typing import Any

from .. import registry
from ..finding import Finding
from ..memory import no_collection
from ..subject import Subject

_MODULES = registry.modules(__name__)
IDS: dict[str, str] = {
    id_: text for module in _MODULES.values() for id_, text in module.IDS.items()
}


def ids(subject: Subject) -> dict[str, str]:
    """What is looked at in this project: `IDS` without those that it has no use for."""
    return {id_: text for module in _concerned(subject) for id_, text in module.IDS.items()}


@no_collection()
def find(subject: Subject) -> tuple[Finding, ...]:
    """All that keeps the stack from starting; what does so for certain comes first."""
    found = [finding for module in _concerned(subject) for finding in module.find(subject)]
    return tuple(sorted(found, key=lambda finding: not finding.certain))


def _concerned(subject: Subject) -> list[Any]:
    return [
        module
        for module in _MODULES.values()
        if (not hasattr(module, "RUNTIME") or subject.of(module.RUNTIME))
        and (not hasattr(module, "concerns") or module.concerns(subject))
    ]
