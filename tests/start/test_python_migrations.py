"""Migrations of Python's tools that nothing runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.support import find_api


@pytest.mark.parametrize(
    ("path", "text", "command"),
    [
        ("pyproject.toml", "[project]\nname = 'a'\nversion = '1'\n\n[tool.aerich]\n",
         "aerich upgrade"),
        ("yoyo.ini", "[DEFAULT]\nsources = migrations\n", "yoyo apply --batch"),
        ("piccolo_conf.py", "APP_REGISTRY = AppRegistry(apps=[])\n",
         "piccolo migrations forwards all"),
    ],
)  # fmt: skip
def test_a_tool_that_nothing_runs_is_told(
    path: str, text: str, command: str, tmp_path: Path
) -> None:
    found = find_api(tmp_path, {path: text})
    (told,) = [one for one in found if one.rule == "start.python_migrations"]
    assert not told.certain and f"`sh deploy/run.sh app {command}`" in told.mend


def test_settings_of_other_tools_are_fine(tmp_path: Path) -> None:
    assert find_api(tmp_path, {"pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n"}) == []
