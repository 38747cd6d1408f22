"""Loads the package that this file is part of, from its folder: the one way in.

`hook.py` and the wrapper run it by its path, as neither knows the package by a name of its own.
Standard library alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load(folder: Path) -> ModuleType:
    """The package in a folder, under a name that tells its content.

    So two versions of the template can be rendered in one process (`copier update`), and two
    copies of one version share what they have derived.
    """
    name = f"spinbox_extensions_{_digest(folder)}"
    known = sys.modules.get(name)
    if known is not None:
        if Path(known.__path__[0]).is_dir():
            return known
        # Copier's clone has gone, and with it what was not imported yet.
        for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            del sys.modules[module]
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
