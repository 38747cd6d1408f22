"""Prints what the change log says of a release; fails where tag, version and section disagree.

Use: python .ci/release_notes.py v0.2.0
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def notes(tag: str, version: str, change_log: str) -> str:
    """The section of that version, without its heading.

    Raises:
        SystemExit: The tag is of another version, or the section is not there, or empty.
    """
    if tag != f"v{version}":
        sys.exit(f"The tag is {tag}, but pyproject.toml says {version}.")
    for section in re.split(r"^## ", change_log, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        if heading.strip() == version and text.strip():
            return text.strip()
    sys.exit(f"CHANGELOG.md says nothing of {version}: write its section.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Use: python .ci/release_notes.py TAG")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    print(notes(sys.argv[1], project["version"], (REPOSITORY / "CHANGELOG.md").read_text("utf-8")))
