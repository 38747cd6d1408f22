"""Puts the template's version and its history into every wheel and source distribution.

So that an installed wheel knows what earlier versions generated, without a network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# In a source distribution, which is no git repository.
_IN_SDIST = "template_history"


class TemplateHistoryHook(BuildHookInterface[Any]):
    """Hatchling's way in (hatch.pypa.io, "Custom build hook")."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the two files to what is packed.

        Raises:
            SystemExit: The history is not at hand, or contradicts the package's version.
        """
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from spinbox_wrapper import history, template

        root = Path(self.root)
        folder = root / _IN_SDIST
        if (root / ".git").exists():
            _complete(root)
            self._temporary = TemporaryDirectory()
            folder = Path(self._temporary.name)
            described = history.describe(root)
            self._check(described)
            (folder / template.VERSION_FILE).write_text(f"{described}\n")
            history.write_bundle(root, folder / template.HISTORY_FILE)
        elif not folder.is_dir():
            sys.exit("spinbox-deploy is built from a git clone or a source distribution.")
        target = "spinbox_wrapper/_template" if self.target_name == "wheel" else _IN_SDIST
        for name in (template.VERSION_FILE, template.HISTORY_FILE):
            build_data["force_include"][str(folder / name)] = f"{target}/{name}"

    def _check(self, described: str | None) -> None:
        if not described:
            sys.exit("git cannot tell which version this is: is git installed?")
        if described.endswith("-dirty"):
            sys.exit("The template has changes that no commit holds: commit them first.")
        release = f"v{self.metadata.version}"
        if described.startswith("v") and "-" not in described and described != release:
            sys.exit(f"The tag is {described}, but pyproject.toml says {release}.")


def _complete(root: Path) -> None:
    """Fetch what a shallow clone lacks, such as pre-commit's."""
    # With the user's configuration, which may hold the login that a fetch needs.
    alone = {name: value for name, value in os.environ.items() if name != "GIT_DIR"}

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=root, env=alone, check=True, capture_output=True, text=True
        ).stdout.strip()

    if git("rev-parse", "--is-shallow-repository") == "true":
        try:
            git("fetch", "--quiet", "--unshallow", "--tags", "origin")
        except subprocess.CalledProcessError as error:
            sys.exit(
                "This clone has no history, which the wheel must hold; fetching it failed: "
                + error.stderr.strip()
            )
