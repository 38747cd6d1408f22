"""Where generated files lie relative to the project."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath


def project_root(destination: Path, output: str) -> Path:
    """The project's top folder, seen from the folder that generated files go to."""
    # By name: Copier asks before it has made the output folder.
    return Path(os.path.normpath(destination.joinpath(*[".."] * len(PurePosixPath(output).parts))))
