"""What a CI platform is; `pipelines/` has one module for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .choice import Choice

# How a generated pipeline begins, to know it by.
MARK = "# Made by spinbox-deploy: "
# Where a pipeline goes that its platform cannot find by itself: the user copies or includes it.
APART = "deploy/ci"
# Where a project has settings of Renovate (docs.renovatebot.com, "Configuration Options").
_RENOVATE = (
    "renovate.json",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".gitlab/renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".renovaterc.json5",
)


# How the generated ones begin.
_RENOVATE_MARK = b"Keeps what the pipeline and the images pin fresh"


@dataclass(frozen=True)
class PipelinePlatform:
    """A CI platform, and all that is its alone.

    Attributes:
        name: As `--ci` takes it.
        title: Its name, for people.
        choices: Answers that count for it alone.
        propose: What only the project's folder can say of them, by answer.
        files: What of the template is its alone, as patterns of `_exclude`, by Jinja's condition
            under which a project gets them.
    """

    name: str
    title: str
    choices: tuple[Choice, ...]
    propose: Callable[[Path], Mapping[str, Any]]
    files: Mapping[str, tuple[str, ...]]


def has_renovate(root: Path) -> bool:
    """Whether the project has settings of Renovate that were not generated."""
    for path in (root / name for name in _RENOVATE):
        try:
            if _RENOVATE_MARK not in path.read_bytes():
                return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def is_foreign(path: Path) -> bool:
    """Whether there is a file that was not generated."""
    try:
        with path.open("rb") as file:
            return file.read(len(MARK)) != MARK.encode()
    except FileNotFoundError:
        return False
    except OSError:
        return True
