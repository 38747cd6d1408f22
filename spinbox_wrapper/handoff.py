"""Commands that belong to the Bash Spinbox: hand them on unchanged, if it is installed."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .errors import UsageError, UserError

# Set while handing on, so that two programs of one name cannot call each other for ever.
MARKER = "SPINBOX_DEPLOY_HANDED_ON"
# What it knows, of version 0.1.0-beta.8.
COMMANDS = (
    *("create", "add", "start", "config", "status", "profiles", "update", "uninstall"),
    *("version", "help"),
)
_USUAL_PLACES = ("~/.spinbox/runtime/bin", "~/.local/bin", "/usr/local/bin")


def hand_on(arguments: Sequence[str], own: Iterable[str]) -> None:
    """Become the Bash Spinbox.

    Args:
        arguments: The command line.
        own: The commands of this program.

    Raises:
        UserError: It is not installed, or the command is one of this program with a letter wrong;
            otherwise this does not return.
    """
    name, own = arguments[0], list(own)
    # Spinbox does not know these commands, so it could not tell.
    if name not in COMMANDS and (near := difflib.get_close_matches(name, own, n=1, cutoff=0.75)):
        raise UsageError(f"There is no command {name!r}: did you mean {near[0]}?")
    other = None if os.environ.get(MARKER) else next(_candidates(), None)
    if other is None and name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.75)
        meant = f"did you mean {near[0]}, of Spinbox itself?" if near else "there are"
        known = "" if near else f" {', '.join(own)}, and those of Spinbox itself."
        raise UsageError(f"There is no command {name!r}: {meant}{known}")
    if other is None:
        raise UserError(
            f"{name!r} is a command of Spinbox itself, which was not found: install it from "
            f"https://github.com/Gonzillaaa/spinbox (this program knows: {', '.join(own)})."
        )
    os.environ[MARKER] = "1"
    os.execv(other, [str(other), *arguments])


def _candidates() -> Iterator[Path]:
    """Executables named spinbox that are not this program, in the order of PATH."""
    own = Path(sys.argv[0]).resolve()
    folders = [*os.get_exec_path(), *_USUAL_PLACES]
    for folder in folders:
        path = Path(folder).expanduser() / "spinbox"
        if path.is_file() and os.access(path, os.X_OK) and not _is_this(path, own):
            yield path


def _is_this(path: Path, own: Path) -> bool:
    """Whether it is this program, here or installed a second time."""
    if path.resolve() == own:
        return True
    try:
        with path.open("rb") as file:
            return b"spinbox_wrapper" in file.read(4096)
    except OSError:
        return True
