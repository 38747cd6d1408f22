"""The modules of a Python app that a command line names, in any of the forms that servers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .python_source import Module
from .tree import join


@dataclass(frozen=True)
class Named:
    """A module that a command line names.

    Attributes:
        module: The module.
        attribute: The object in it that is named, such as `app` of `main:app`; empty for none.
        is_script: It is run itself, as `python main.py` and `python -m main` do.
    """

    module: Module
    attribute: str
    is_script: bool


def named(modules: Mapping[str, Module], folder: str, words: Sequence[str]) -> list[Named]:
    """What a command line names of the app, in its order.

    Args:
        modules: The app's source, by dotted name.
        folder: The app's, in which the command is run.
        words: The command line, without a shell.
    """
    paths = {module.path: module for module in modules.values()}
    found = []
    for place, word in enumerate(words):
        # As in `--app=main:app`.
        text = word.rpartition("=")[2].removeprefix("./")
        if module := paths.get(join(folder, text)):
            found.append(Named(module, "", True))
            continue
        is_script = place > 0 and words[place - 1] == "-m"
        # Gunicorn and Flask take a factory's call: `main:create_app()`.
        name, _, attribute = text.partition("(")[0].partition(":")
        if is_script and (module := modules.get(f"{name}.__main__")):
            found.append(Named(module, "", True))
            continue
        # What is no module is an object in one: `main.app` is `main:app`.
        while name and name not in modules:
            name, _, last = name.rpartition(".")
            attribute = f"{last}.{attribute}".rstrip(".")
        if name:
            found.append(Named(modules[name], attribute, is_script))
    return found
