"""The derivation code of this installation: `from .derivation import NAME` gives a module of it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extensions import image_reference, programs, secrets, versions

__all__ = ["image_reference", "programs", "secrets", "versions"]


def __getattr__(name: str) -> ModuleType:
    if name.startswith("_"):
        raise AttributeError(name)
    # Late, since the template's history is read by git, which is run by a module from here.
    from .template import Template

    package = Path(__file__).parent
    embedded = package / "_template"
    root = embedded if embedded.is_dir() else package.parent
    return Template(root, "", None).extension(name)
