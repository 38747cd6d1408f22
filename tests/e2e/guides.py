"""Somebody who works through a generated guide: runs its commands word for word.

Words in capitals are filled in as the guide asks for; programs that would change the machine, or
that reach what is not here, are stand-ins.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from spinbox_wrapper import handoff, shell
from spinbox_wrapper.commands import split_commands
from tests import markdown
from tests.downloads import patient

# These follow something for ever: they have to run, and are then ended.
ENDLESS = re.compile(r"logs(\.sh)? --follow|^docker stats$")
# These say by their exit code what they found.
TELLING = re.compile(r"status\.sh")
# Where no registry is reachable, these have to get as far as asking it.
ONLINE = re.compile(r"pull --ignore-buildable|--pull$|^docker pull ")

SPINBOX = shell.function("bash", handoff.COMMANDS)


def scripts(readme: Path) -> list[tuple[str, str]]:
    """Each shell block of the guide with its section's title, in the order of the document."""
    return [
        (section.title, block.text)
        for section in markdown.sections(readme.read_text())
        for block in section.blocks
        if block.kind == "bash"
    ]


def printed(readme: Path) -> list[str]:
    """Every command of the guide."""
    return [command for _, script in scripts(readme) for command in split_commands(script)]


class Reader:
    """Runs commands as somebody who works through the guide.

    Attributes:
        folder: Where the reader is; `cd` changes it.
        environment: What is set beside this process's environment.
        executed: Every command so far, as printed.
    """

    def __init__(
        self,
        folder: Path,
        tools: Path,
        stand_ins: Mapping[str, str],
        words: Callable[[], Mapping[str, str]],
    ) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self.executed: list[str] = []
        self._words = words
        tools.mkdir()
        for name, text in stand_ins.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        spinbox = Path(sys.executable).parent
        self._path = os.pathsep.join([str(tools), str(spinbox), os.environ["PATH"]])

    def script(self, text: str) -> None:
        """A whole block, command by command."""
        for command in split_commands(text):
            self.execute(command)

    def execute(self, command: str) -> None:
        """One command; it has to succeed."""
        self.executed.append(command)
        for word, value in self._words().items():
            command = command.replace(word, value)
        if match := re.fullmatch(r"cd (\S+)", command):
            self.folder = self.folder / match[1]
            return
        if ENDLESS.search(command):
            command = f"timeout 5 {command} || [ $? -eq 124 ]"
        if TELLING.search(command):
            command = f"{command} || [ $? -eq 1 ]"
        result = patient(lambda: self._attempt(command))
        if ONLINE.search(command) and re.search(r"lookup|dial tcp|resolve", result.stdout):
            return
        assert result.returncode == 0, f"{command}\n{result.stdout[-4000:]}"

    def _attempt(self, command: str) -> subprocess.CompletedProcess[str]:
        # Somebody who says yes where that is asked, and leaves a shell at once.
        control, terminal = pty.openpty()
        os.write(control, b"y\n" if "restore.sh" in command else b"\x04")
        try:
            return subprocess.run(
                # With the name that a shell's start-up file gives.
                ["bash", "-c", f"{SPINBOX}\n{command}"],
                cwd=self.folder,
                stdin=terminal,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=os.environ | {"PATH": self._path, "USER": "root"} | self.environment,
                check=False,
            )
        finally:
            os.close(terminal)
            os.close(control)
