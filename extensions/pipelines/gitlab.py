"""GitLab CI/CD."""

from __future__ import annotations

from pathlib import Path

from ..choice import Choice
from ..pipeline_platform import PipelinePlatform, is_foreign

# docs.renovatebot.com, "Configuration Options".
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


def _propose(root: Path) -> dict[str, object]:
    return {
        "ci_include": is_foreign(root / ".gitlab-ci.yml"),
        "ci_renovate": not any((root / name).exists() for name in _RENOVATE),
    }


PLATFORM = PipelinePlatform(
    name="gitlab",
    title="GitLab CI/CD",
    choices=(
        Choice("ci_include", "", False, proposed=True),
        Choice("ci_renovate", "", True, proposed=True),
    ),
    propose=_propose,
    files={"pipeline.renovate": ("/renovate.json",)},
)
