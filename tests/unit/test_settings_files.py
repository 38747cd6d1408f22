"""Settings files as the scripts and the checks read them: with the values of Docker Compose.

`tests/lint/test_settings_files.py` asks Compose itself for the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from spinbox_wrapper.dotenv import UnreadableError, contents, parse_env
from tests.settings_files import CASES, HOME

READER = Path(__file__).resolve().parents[2] / "template/deploy/settings.awk"
AWKS = [["mawk"], ["busybox", "awk"], ["gawk"], ["original-awk"]]
PRESENT = [awk for awk in AWKS if shutil.which(awk[0])]


def ask(awk: list[str], text: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*awk, *options, "-f", READER],
        input=text.encode(),
        env={"PATH": os.environ["PATH"], "HOME": HOME, "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("awk", PRESENT, ids=" ".join)
@pytest.mark.parametrize("case", CASES)
def test_the_scripts_read_what_compose_does(case: str, awk: list[str]) -> None:
    text, values = CASES[case]
    listed = ask(awk, text)
    if values is None:
        assert listed.returncode == 1
        assert listed.stdout.startswith(b"line ")
        assert listed.stdout.count(b"\n") == 1
    else:
        assert set(listed.stdout.decode().splitlines()) == values.keys()
        for name, value in values.items():
            assert ask(awk, text, "-v", f"of={name}").stdout.decode() == value
    assert listed.stderr == b""


@pytest.mark.parametrize("case", CASES)
def test_the_checks_read_what_compose_does(case: str) -> None:
    text, values = CASES[case]
    if values is None:
        with pytest.raises(UnreadableError) as raised:
            parse_env(text.encode(), {"HOME": HOME})
        assert f"{raised.value}\n" == ask(PRESENT[0], text).stdout.decode()
    else:
        assert parse_env(text.encode(), {"HOME": HOME}).values == values


def test_what_no_variable_stands_for_is_named() -> None:
    text = b"A=$B ${C:-c} $$D ${E}\nF='$G'\nH=$A\n"
    assert parse_env(text).unknown == {"B", "E"}


def test_what_is_not_utf_8_is_said() -> None:
    with pytest.raises(UnreadableError, match="line 2 is not in UTF-8"):
        parse_env(b"A=a\nB=\xff\n")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(UnreadableError, match="is no file"):
        contents(tmp_path / ".env")
