"""The name `spinbox` for this program's commands, beside the Bash Spinbox of that name.

Spinbox's installer puts its program at `~/.local/bin/spinbox`, where uv and pipx put theirs. So
this one is installed as `spinbox-deploy`, and a function of the user's shell hands its commands
over.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import PurePath

SHELLS = ("bash", "zsh", "sh", "fish")
# The function says by it that the user typed `spinbox`.
VARIABLE = "SPINBOX_DEPLOY_NAME"
_POSIX = """\
# spinbox-deploy: these commands are its own, all others are Spinbox's.
spinbox() {{
    case "${{1-}}" in
        {commands}) {variable}=spinbox command spinbox-deploy "$@" ;;
        *) command spinbox "$@" ;;
    esac
}}"""
_FISH = """\
# spinbox-deploy: these commands are its own, all others are Spinbox's.
function spinbox
    switch "$argv[1]"
        case {commands}
            {variable}=spinbox command spinbox-deploy $argv
        case '*'
            command spinbox $argv
    end
end"""


def function(shell: str, commands: Iterable[str]) -> str:
    """A definition of `spinbox` for a shell's start-up file.

    Args:
        shell: One of `SHELLS`.
        commands: The commands that this program answers.
    """
    form, separator = (_FISH, " ") if shell == "fish" else (_POSIX, " | ")
    return form.format(commands=separator.join(commands), variable=VARIABLE)


def usual() -> str:
    """The user's own shell, as far as it is a known one."""
    name = PurePath(os.environ.get("SHELL", "")).name
    return name if name in SHELLS else "sh"


def program() -> str:
    """What the user calls this program by: messages name commands that can be typed."""
    own = PurePath(sys.argv[0]).name == "spinbox-deploy"
    return "spinbox-deploy" if own and os.environ.get(VARIABLE) != "spinbox" else "spinbox"
