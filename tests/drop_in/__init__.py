"""A made-up service, target and framework: the files of each, laid into a copy of the repository.

`added/` has them at their places, and is at the same time the shortest example of each kind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

_HERE = Path(__file__).parent
ADDED = _HERE / "added"
_PARTS = ("copier.yml", "README.md", "template", "extensions", "spinbox_wrapper", "tests")


def copy_repository(folder: Path) -> Path:
    """All of the repository that runs, without its golden files."""
    ignore = shutil.ignore_patterns("__pycache__", "_template", "golden")
    for part in _PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / part)
    return folder


def make_copy(folder: Path) -> Path:
    """The repository with the three, and the lists that `make generate` writes."""
    copy_repository(folder)
    for file in (path for path in ADDED.rglob("*") if path.is_file()):
        target = folder / file.relative_to(ADDED)
        if "__pycache__" in target.parts:
            continue
        assert not target.exists(), f"{target} would be edited"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    run(folder, "tests.generated")
    return folder


def make_project(folder: Path) -> Path:
    """A Spinbox project that uses the framework and the service."""
    shutil.copytree(_HERE / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(copy: Path, module: str, *arguments: str | Path) -> str:
    """A module of the copy as a program; what it prints."""
    result = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
