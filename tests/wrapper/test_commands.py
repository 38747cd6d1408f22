"""Help, start-up, and commands that belong to the Bash Spinbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, SPINBOX, spinbox


def test_help_names_every_command() -> None:
    result = spinbox("--help")
    assert result.returncode == 0
    assert "build" in result.stdout
    assert "deploy" in result.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("build", "--help"), ("deploy", "-h")])
def test_help_does_not_import_copier(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        "from spinbox_wrapper.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('copier' in sys.modules or 'yaml' in sys.modules, file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr.strip() == "False"


def _bash_spinbox(folder: Path) -> Path:
    folder.mkdir()
    script = folder / "spinbox"
    script.write_text('#!/usr/bin/env bash\nprintf "<%s>" "$@"\nexit 7\n')
    script.chmod(0o755)
    return folder


def test_other_commands_are_handed_on_unchanged(tmp_path: Path) -> None:
    folder = _bash_spinbox(tmp_path / "bin")
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    result = spinbox("create", "my app", "--fastapi", "$(x)", PATH=path)
    assert result.stdout == "<create><my app><--fastapi><$(x)>"
    assert result.returncode == 7


def test_spinbox_is_found_where_it_installs_itself(tmp_path: Path) -> None:
    _bash_spinbox(tmp_path / "home")
    runtime = tmp_path / "home/.spinbox/runtime"
    runtime.mkdir(parents=True)
    _bash_spinbox(runtime / "bin")
    result = spinbox("start", HOME=str(tmp_path / "home"), PATH="/usr/bin:/bin")
    assert result.stdout == "<start>"


def test_a_missing_spinbox_is_said(tmp_path: Path) -> None:
    result = spinbox("create", HOME=str(tmp_path), PATH="/usr/bin:/bin")
    assert result.returncode == 1
    assert "github.com/Gonzillaaa/spinbox" in result.stderr


@pytest.mark.parametrize(
    ("typed", "meant"), [("bulid", "build"), ("generat", "generate"), ("crate", "create")]
)
def test_a_typo_is_told(typed: str, meant: str, tmp_path: Path) -> None:
    result = spinbox(typed, HOME=str(tmp_path), PATH="/usr/bin:/bin")
    assert result.returncode == 2
    assert f"did you mean {meant}" in result.stderr


def test_a_typo_of_an_own_command_is_not_handed_on(tmp_path: Path) -> None:
    path = f"{_bash_spinbox(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"
    result = spinbox("bulid", PATH=path)
    assert (result.returncode, result.stdout) == (2, "")


def test_a_command_of_a_newer_spinbox_is_handed_on(tmp_path: Path) -> None:
    path = f"{_bash_spinbox(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"
    assert spinbox("teleport", PATH=path).stdout == "<teleport>"


def test_two_programs_do_not_call_each_other_for_ever(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "spinbox"
    script.write_text(
        f'#!/bin/sh\nexec {" ".join(SPINBOX)} "$@"\n'.replace(
            "spinbox_wrapper", "spinbox_''wrapper"
        )
    )
    script.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    result = spinbox("create", PATH=path, HOME=str(tmp_path))
    assert result.returncode == 1
    assert "was not found" in result.stderr
