"""What a plan changes, as one unified diff that `git apply` takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from . import git
from .plan import Step
from .render import File


def unified(steps: Iterable[Step], folder: str = ".", *, colour: bool = False) -> bytes:
    """The changes of all steps, from what is there to what would be (git-diff(1)).

    Args:
        steps: Those that change nothing add nothing.
        folder: What their paths are relative to, itself relative to the project.
        colour: With the colours of a terminal.
    """
    with TemporaryDirectory(prefix="spinbox-") as temporary:
        root = Path(temporary)
        (root / "a").mkdir()
        (root / "b").mkdir()
        for step in steps:
            _put(root / "a" / folder / step.path, step.before)
            _put(root / "b" / folder / step.path, step.after)
        options = ["diff", "--no-index", "--no-prefix", "--no-ext-diff", "--no-textconv"]
        options += ["--no-renames", "--binary"]
        options.append("--color=always" if colour else "--color=never")
        result = git.run("-c", "core.quotePath=false", *options, "a", "b", cwd=root)
    return result.stdout


def _put(path: Path, file: File | None) -> None:
    if file is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(0o755 if file.executable else 0o644)
