"""What a plan changes, as one unified diff that `git apply` takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from . import git
from .plan import Step
from .render import File


def unified(steps: Iterable[Step], *, colour: bool = False) -> str:
    """The changes of all steps, from what is there to what would be (git-diff(1)).

    Args:
        steps: Those that change nothing add nothing.
        colour: With the colours of a terminal.
    """
    with TemporaryDirectory(prefix="spinbox-") as temporary:
        root = Path(temporary)
        (root / "a").mkdir()
        (root / "b").mkdir()
        for step in steps:
            _put(root / "a" / step.path, step.before)
            _put(root / "b" / step.path, step.after)
        options = ["diff", "--no-index", "--no-prefix", "--no-ext-diff", "--no-renames"]
        options.append("--color=always" if colour else "--color=never")
        result = git.run("-c", "core.quotePath=false", *options, "a", "b", cwd=root)
    return result.stdout.decode("utf-8", "replace")


def _put(path: Path, file: File | None) -> None:
    if file is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(0o755 if file.executable else 0o644)
