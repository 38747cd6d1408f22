"""Will it start? What the apps' code does, compared with what the stack gives: one subject each.

A module has `IDS`, what its rules look at by their ids (`start.NAME`), and `find(subject)`: a
`Subject` -> its findings. Nothing is run, imported or asked for; the same files give the same
findings. `build --prod` prints them, `deploy --check` has each as a check.
"""

from __future__ import annotations

from .. import registry
from ..finding import Finding
from ..memory import no_collection
from ..subject import Subject

_MODULES = registry.modules(__name__)
IDS: dict[str, str] = {
    id_: text for module in _MODULES.values() for id_, text in module.IDS.items()
}


@no_collection()
def find(subject: Subject) -> tuple[Finding, ...]:
    """All that keeps the stack from starting; what does so for certain comes first."""
    found = [finding for module in _MODULES.values() for finding in module.find(subject)]
    return tuple(sorted(found, key=lambda finding: not finding.certain))
