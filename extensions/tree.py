"""The project's files as a clone would have them: nothing that its own `.gitignore` files hide."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from .errors import ProjectError

# Never part of what is deployed, even where git does not ignore it.
_NEVER = frozenset({"node_modules", ".venv", "venv", "__pycache__", ".next"})


class Tree:
    """A read-only view of a project's files.

    Attributes:
        root: The project's folder.
        files: Every visible file as a POSIX path relative to `root`, sorted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = [path for path in _unignored(root) if _NEVER.isdisjoint(path.split("/")[:-1])]
        # A folder with an answers file of its own holds generated files (`--output`).
        suffix = "/.copier-answers.yml"
        outputs = tuple(p.removesuffix(suffix) + "/" for p in paths if p.endswith(suffix))
        self.files: tuple[str, ...] = tuple(sorted(p for p in paths if not p.startswith(outputs)))
        self._set = frozenset(self.files)

    def has(self, path: str) -> bool:
        """Whether the file is there and visible."""
        return path in self._set

    def below(self, folder: str, suffix: str = "") -> Iterator[str]:
        """Visible files in `folder` (`.` is the root) at any depth whose name ends in `suffix`."""
        prefix = "" if folder == "." else folder.rstrip("/") + "/"
        return (path for path in self.files if path.startswith(prefix) and path.endswith(suffix))

    def first(self, folder: str, *names: str) -> str | None:
        """The first of `names` that is a file directly in `folder`, as a path, or None."""
        return next((p for p in (join(folder, name) for name in names) if self.has(p)), None)

    def read(self, path: str) -> str:
        """The text of a file.

        Raises:
            ProjectError: It cannot be read, or is not UTF-8.
        """
        if not self.has(path):
            raise ProjectError(f"{path} is missing: restore it.")
        return self._text(path)

    def _text(self, path: str) -> str:
        try:
            return (self.root / path).read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise ProjectError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
        except OSError as error:
            raise ProjectError(
                f"{path} cannot be read ({error.strerror}): mend that first."
            ) from None


def join(folder: str, name: str) -> str:
    """`name` in `folder`, where `.` stands for the project's root."""
    return PurePosixPath(folder, name).as_posix()


def _unignored(root: Path) -> list[str]:
    """Ask git itself, with an empty repository elsewhere: the project need not be one."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    with TemporaryDirectory(prefix="spinbox-") as temporary:
        git = ["git", f"--git-dir={temporary}", "-c", "core.bare=false"]
        listing = ["ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
        try:
            subprocess.run(
                ["git", "init", "--quiet", "--bare", temporary],
                env=environment,
                check=True,
                capture_output=True,
            )
            output = subprocess.run(
                [*git, f"--work-tree={root.resolve()}", *listing],
                cwd=root,
                env=environment,
                check=True,
                capture_output=True,
            ).stdout
        except FileNotFoundError:
            raise ProjectError("git is needed to read the project: install it.") from None
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", b"") or str(error).encode()
            raise ProjectError(f"git cannot list the project: {detail.decode().strip()}") from None
    return [path for path in os.fsdecode(output).split("\0") if path and not path.endswith("/")]
