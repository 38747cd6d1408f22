"""The linters, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).parent
TOOLS = REPOSITORY / ".venv-lint/bin"


def run_tool(name: str, *arguments: str | Path, cwd: Path = REPOSITORY, **environment: str) -> str:
    """Run a linter; its output if it has nothing to say is empty or harmless."""
    result = subprocess.run(
        [TOOLS / name, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    return output
