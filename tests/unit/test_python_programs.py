"""Programs of the system that code calls."""

from __future__ import annotations

import ast

import pytest

from extensions.python_programs import find
from extensions.python_source import Module


def programs(code: str) -> list[str]:
    """What is found in a module."""
    return [one.value for one in find([Module("main.py", "main", ".", ast.parse(code), code)])]


@pytest.mark.parametrize(
    ("code", "library"),
    [
        ("import subprocess\nsubprocess.run(['ffmpeg', '-i', a])", "program-ffmpeg"),
        ("import subprocess\ncommand = ['/usr/bin/ffmpeg', a]\nsubprocess.run(command)",
         "program-ffmpeg"),
        ("import subprocess\nsubprocess.run(f'pdftotext {a}', shell=True)", "program-pdftotext"),
        ("from subprocess import check_output\ncheck_output(['git', 'log'])", "program-git"),
        ("import os\nos.system('convert a.png b.jpg')", "program-convert"),
        ("import shutil\nshutil.which('pandoc')", "program-pandoc"),
        ("import asyncio\nasyncio.create_subprocess_exec('soffice', a)", "program-soffice"),
    ],
)  # fmt: skip
def test_a_program_that_is_called(code: str, library: str) -> None:
    assert programs(code) == [library]


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run([sys.executable, '-m', 'x'])",
        "import subprocess\nsubprocess.run(['own-tool', 'git'])",
        "import subprocess\nKNOWN = ['git', 'curl']",
        "loop.run('git status')",
        "names = ['git', 'a']",
        "import os\nos.system(command)",
    ],
)
def test_what_is_no_program_of_the_system(code: str) -> None:
    assert programs(code) == []
