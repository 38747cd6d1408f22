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
# spinbox-deploy: these commands are Spinbox's, others its own; it hands on what it does not know.
spinbox() {{
    case "${{1-}}" in
        {theirs} | -* | '') command spinbox "$@" ;;
        *) {variable}=spinbox command spinbox-deploy "$@" ;;
    esac
}}"""
_FISH = """\
# spinbox-deploy: these commands are Spinbox's, others its own; it hands on what it does not know.
function spinbox
    switch "$argv[1]"
        case {theirs} '-*' ''
            command spinbox $argv
        case '*'
            {variable}=spinbox command spinbox-deploy $argv
    end
end"""


def function(shell: str, theirs: Iterable[str]) -> str:
    """A definition of `spinbox` for a shell's start-up file.

    Args:
        shell: One of `SHELLS`.
        theirs: The commands that Spinbox itself answers.
    """
    form, separator = (_FISH, " ") if shell == "fish" else (_POSIX, " | ")
    return form.format(theirs=separator.join(theirs), variable=VARIABLE)


def usual() -> str:
    """The user's own shell, as far as it is a known one."""
    name = PurePath(os.environ.get("SHELL", "")).name
    return name if name in SHELLS else "sh"


def program() -> str:
    """What the user calls this program by: messages name commands that can be typed."""
    own = PurePath(sys.argv[0]).name == "spinbox-deploy"
    return "spinbox-deploy" if own and os.environ.get(VARIABLE) != "spinbox" else "spinbox"
