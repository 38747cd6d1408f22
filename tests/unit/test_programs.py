"""Programs that are asked for something: real ones, and what keeps them from answering."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from extensions import programs
from extensions.programs import Ending


def test_what_it_prints(tmp_path: Path) -> None:
    result = programs.run(["sh", "-c", "pwd; echo problem >&2; exit 3"], cwd=tmp_path)
    assert (result.ending, result.returncode, result.ok) == (Ending.DONE, 3, False)
    assert result.text == f"{tmp_path}\n"
    assert result.error == "problem"


def test_bytes_that_are_no_text() -> None:
    result = programs.run(["printf", r"a\377"])
    assert result.ok
    assert result.stdout == b"a\xff"
    assert result.text == "a\N{REPLACEMENT CHARACTER}"


def test_a_missing_program(tmp_path: Path) -> None:
    result = programs.run([str(tmp_path / "docker")])
    assert (result.ending, result.returncode) == (Ending.MISSING, 127)
    assert not result.started and not result.ok


@pytest.mark.parametrize(("mode", "content"), [(0o644, "#!/bin/sh\n"), (0o755, "no program")])
def test_a_program_that_cannot_be_started(tmp_path: Path, mode: int, content: str) -> None:
    program = tmp_path / "docker"
    program.write_text(content)
    program.chmod(mode)
    result = programs.run([str(program)])
    assert (result.ending, result.returncode) == (Ending.FORBIDDEN, 126)
    assert not result.started
    assert "cannot be started" in result.error


def test_a_program_that_does_not_end() -> None:
    result = programs.run(["sh", "-c", "echo $$; exec sleep infinity"], timeout=0.5)
    assert (result.ending, result.returncode) == (Ending.TIMED_OUT, 124)
    assert result.started and not result.ok
    with pytest.raises(ProcessLookupError):
        os.kill(int(result.stdout), 0)
    assert result.error.startswith("It took longer than")


def test_it_cannot_wait_for_the_user() -> None:
    assert programs.run(["cat"]).stdout == b""
    assert programs.run(["cat"], stdin="é").stdout == "é".encode()


def test_a_hook_s_variables_of_git_are_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("KEPT", "yes")
    lines = programs.run(["env"], environment={"ADDED": "too"}).text.splitlines()
    assert {"KEPT=yes", "ADDED=too"} <= set(lines)
    assert "GIT_DIR=/elsewhere" not in lines


def test_git_without_the_user_s_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Ada\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert programs.run(["git", "config", "user.name"], cwd=tmp_path).text == "Ada\n"
    result = programs.git("config", "user.name", cwd=tmp_path)
    assert (result.ending, result.returncode) == (Ending.DONE, 1)
