"""What Docker Compose itself takes from every settings file that scripts and checks read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.lint.tools import TOOLS
from tests.settings_files import CASES, HOME, STRICTER

# A variable without a value in a Compose file has the one of the settings.
NAMES = sorted({name for _, values in CASES.values() for name in values or ()} - {"HOME"})
STACK = {"name": "x", "services": {"s": {"image": "x", "environment": dict.fromkeys(NAMES)}}}


@pytest.mark.parametrize("case", CASES)
def test_compose_takes_these_values(case: str, tmp_path: Path) -> None:
    text, values = CASES[case]
    (tmp_path / "settings").write_bytes(text.encode())
    (tmp_path / "compose.json").write_text(json.dumps(STACK))
    files = ["-f", "compose.json", "--env-file", "settings"]
    result = subprocess.run(
        [TOOLS / "docker-compose", *files, "config", "--format", "json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": HOME},
        capture_output=True,
        check=False,
    )
    if values is None:
        assert result.returncode != 0 or case in STRICTER
        return
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)["services"]["s"]["environment"]
    given = {name: value for name, value in values.items() if name != "HOME"}
    assert {n: v.replace("$$", "$") for n, v in found.items() if v is not None} == given
