"""What is generated for many cases, in one folder for each, without the projects around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cases import CASES
from tests.conftest import files_below
from tests.projects.compose import compose
from tests.runs import build


def distinct(paths: Iterable[Path]) -> list[Path]:
    """The files among paths, without those that are copies of one before them."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_file():
            found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return list(found.values())


@dataclass(frozen=True)
class Trees:
    """The generated files of cases: `folder/CASE/…`."""

    folder: Path

    def files(self, pattern: str = "*") -> list[Path]:
        """Files below any case's folder, each content once."""
        return distinct(sorted(self.folder.rglob(pattern)))


def generate(cases: Iterable[str], folder: Path) -> Trees:
    """Render cases below a folder; what was the project's own is taken away."""
    for case in cases:
        shape, options = CASES[case]
        root = compose(shape, folder / case)
        before = files_below(root)
        build(root, *options)
        for name in before:
            (root / name).unlink()
        for left in sorted(root.rglob("*"), reverse=True):
            if left.is_dir() and not any(left.iterdir()):
                left.rmdir()
    return Trees(folder)
