"""The template's versions: in the git repository of a checkout, or in the bundle of a wheel.

Imports no other package: the build of a wheel uses it, too.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from . import git
from .errors import UserError

# What a version of the template consists of.
PARTS = ("copier.yml", "template", "extensions")
_NAME = re.compile(r"[0-9A-Za-z][\w.+-]*", re.ASCII)


def describe(checkout: Path) -> str | None:
    """The version that is checked out, as Copier stores it in `_commit` (git-describe(1)).

    Ends in `-dirty` where the template has changes that no commit holds; None where the folder
    is no repository.
    """
    described = git.run("describe", "--tags", "--always", cwd=checkout)
    if described.returncode != 0:
        return None
    changes = git.run("status", "--porcelain", "--", *PARTS, cwd=checkout)
    return described.stdout.decode().strip() + ("-dirty" if changes.stdout else "")


def write_bundle(checkout: Path, file: Path) -> None:
    """Write the history up to the checked-out version, with the tags in it, as a git bundle.

    Raises:
        UserError: git cannot.
    """
    merged = git.run("tag", "--merged", "HEAD", cwd=checkout).stdout.decode().split()
    # One thread, so that the same history gives the same bytes.
    options = ["-c", "pack.threads=1", "bundle", "create", "--quiet"]
    result = git.run(*options, str(file), "HEAD", *merged, cwd=checkout)
    if result.returncode != 0:
        raise UserError(f"The history cannot be packed: {result.error}")


@dataclass(frozen=True)
class History:
    """The versions up to and including one of them.

    Attributes:
        origin: A checkout's folder, or a bundle.
    """

    origin: Path

    def holds(self, version: str) -> bool:
        """Whether a version is one of them."""
        if not _NAME.fullmatch(version):
            return False
        command = ["merge-base", "--is-ancestor", version, "HEAD"]
        return git.run(*command, cwd=self._repository).returncode == 0

    def identity(self, version: str) -> str:
        """What tells a version from every other one, of this and of other histories."""
        if self.origin.is_file():
            return hashlib.sha256(self.origin.read_bytes()).hexdigest() + version
        return git.run("rev-parse", version, cwd=self.origin).stdout.decode().strip()

    def extract(self, version: str, folder: Path) -> None:
        """Write a version that it holds into a folder.

        Raises:
            UserError: That version has no template.
        """
        archive = git.run("archive", "--format=tar", version, *PARTS, cwd=self._repository)
        if archive.returncode != 0:
            raise UserError(
                f"Version {version} has no template: remove the answers file, and adopt."
            )
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")

    @cached_property
    def _repository(self) -> Path:
        if self.origin.is_dir():
            return self.origin
        folder = Path(self._temporary.name)
        options = ["clone", "--quiet", "--no-checkout", str(self.origin), str(folder)]
        cloned = git.run(*options, cwd=folder)
        if cloned.returncode != 0:
            raise UserError(f"The template's history cannot be unpacked: {cloned.error}")
        return folder

    @cached_property
    def _temporary(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="spinbox-")
