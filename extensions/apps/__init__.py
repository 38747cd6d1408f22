"""The app frameworks: one module each, found by being here.

A module has

- `TITLE`: the framework's name, for people;
- `RUNTIME`: the language's, as in `runtimes.python.RUNTIME`;
- `RANK`: its place among those of the language: in facts, settings and stacks. Those that came
  first keep theirs, so a new one has a higher number than all of them;
- `GENERIC`: any app of the language is one of these, so it is looked for after all others;
- `FLAG`: the key of `project.conf` that switches it on;
- `SERVICE`: the service's name where another app is the first one: letters and digits;
- `SETTINGS`: its keys of `--set`, from the language's `settings(kind, title)` on;
- `find(project, taken)`: the `Place` of the app in the `Project`, or None. `taken` holds the
  folders of the language's apps that were found before, by kind;
- `read(project, folder)`: the facts of the app in that folder, from the language's `read(…)` on;
- `entries(tree, folder)`, for Node: the source files that the app begins with;
- `LEAVES_DATA`: beside an API it leaves the backing services to that;
- `NEEDS_API`, if it has that: beside an app that serves it is left out, unless one is an API, as
  nothing tells which paths are whose;
- `is_api(facts)`: other apps of the stack call it, so that the proxy sends it only its `paths`;
- `ONLY_BESIDE_PAGES`, true where such an app is an API beside pages alone (a kind with
  `LEAVES_DATA`), and takes all paths elsewhere;
- `define(facts, situation)`: the `App` of the stack, made with the language's `define(…)`. It
  raises a ProjectError where only the user can say what is missing.

Nothing else has to be edited to add one.
"""

from __future__ import annotations

from collections.abc import Collection

from .. import registry
from ..runtimes import RUNTIMES

_FOUND = registry.modules(__name__)


def _place(name: str) -> tuple[int, int, str]:
    return (list(RUNTIMES).index(_FOUND[name].RUNTIME.name), _FOUND[name].RANK, name)


# The modules by the framework's name (kind), in the order of facts, settings and stacks.
FRAMEWORKS = {name: _FOUND[name] for name in sorted(_FOUND, key=_place)}
NAMES = tuple(FRAMEWORKS)


def languages(facts: Collection[str]) -> tuple[str, ...]:
    """The languages of the apps that facts name."""
    found = {module.RUNTIME.name for kind, module in FRAMEWORKS.items() if kind in facts}
    return tuple(sorted(found))


def of(runtime: str) -> tuple[str, ...]:
    """The names of a language's frameworks; of all where it is none (`auto`)."""
    return tuple(
        name
        for name, module in FRAMEWORKS.items()
        if runtime not in RUNTIMES or module.RUNTIME.name == runtime
    )
