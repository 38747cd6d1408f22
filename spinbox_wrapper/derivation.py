"""The derivation (`extensions/`) of the installed template: `from .derivation import facts`.

It lies beside the template that it belongs to, inside the package or in the checkout, and is no
package that can be imported by a name. Type checkers see its modules as they are.
"""

from __future__ import annotations

import runpy
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

_EMBEDDED = Path(__file__).parent / "_template"
# The folder that holds `copier.yml`: inside the package, or the checkout that it runs from.
ROOT = _EMBEDDED if _EMBEDDED.is_dir() else Path(__file__).parents[1]

if TYPE_CHECKING:
    from extensions import (
        choices,
        compose_files,
        deployment,
        env_example,
        errors,
        facts,
        filling,
        finding,
        git,
        guide,
        image_reference,
        managed_platform,
        model,
        origins,
        own_variables,
        package_managers,
        pipeline,
        programs,
        python_distributions,
        registry,
        secret_files,
        secrets,
        services,
        settings,
        source_text,
        start,
        subject,
        targets,
        tree,
        variables,
        versions,
    )

    __all__ = [
        "ROOT",
        "choices",
        "compose_files",
        "deployment",
        "env_example",
        "errors",
        "facts",
        "filling",
        "finding",
        "git",
        "guide",
        "image_reference",
        "managed_platform",
        "model",
        "origins",
        "own_variables",
        "package_managers",
        "pipeline",
        "programs",
        "python_distributions",
        "registry",
        "secret_files",
        "secrets",
        "services",
        "settings",
        "source_text",
        "start",
        "subject",
        "targets",
        "tree",
        "variables",
        "versions",
    ]


@cache
def _package() -> ModuleType:
    folder = (ROOT / "extensions").resolve()
    package: ModuleType = runpy.run_path(str(folder / "loader.py"))["load"](folder)
    return package


if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        """A module of the derivation, loaded when it is first needed."""
        if name.startswith("__"):
            raise AttributeError(name)
        return import_module(f"{_package().__name__}.{name}")
