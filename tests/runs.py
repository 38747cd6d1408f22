"""Runs of the command line in this process, with any release's template."""

from __future__ import annotations

import io
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from spinbox_wrapper.cli import main
from spinbox_wrapper.template import Template


@dataclass(frozen=True)
class Result:
    """How a run ended, and what it said."""

    code: int
    stdout: str
    stderr: str


def run(project: Path, *arguments: str, template: Template | None = None) -> Result:
    """`spinbox build --prod` in a project, with a release's template or this working tree's.

    Another command stands first among the arguments: `generate` or `deploy`.
    """
    other = arguments[:1] in {("generate",), ("deploy",)}
    command = [arguments[0]] if other else ["build", "--prod"]
    # With a buffer below the text, as standard output has.
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in "oe")
    code = 0
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(stdout))
        stack.enter_context(redirect_stderr(stderr))
        if template is not None:
            stack.enter_context(patch("spinbox_wrapper.sync.installed", lambda: template))
        try:
            main([*command, "-C", str(project), *arguments[other:]])
        except SystemExit as error:
            code = int(error.code or 0)
    texts = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (stdout, stderr)]
    return Result(code, *texts)


def build(project: Path, *arguments: str, template: Template | None = None) -> str:
    """The same, which has to succeed; what it said."""
    result = run(project, *arguments, template=template)
    assert result.code == 0, result.stderr
    return result.stdout


def switch(project: Path, flag: str, on: bool) -> None:
    """Change the project as `spinbox add` would."""
    conf = project / ".config/project.conf"
    before, after = (f'{flag}="{str(state).lower()}"' for state in (not on, on))
    conf.write_text(conf.read_text().replace(before, after))


def edit(file: Path, before: str, after: str) -> None:
    """Change a file as its owner would."""
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
