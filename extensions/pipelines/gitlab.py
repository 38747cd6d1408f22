"""GitLab CI/CD."""

from __future__ import annotations

from pathlib import Path

from ..choice import Choice
from ..pipeline_platform import PipelinePlatform, has_renovate, is_foreign


def _propose(root: Path) -> dict[str, object]:
    return {
        "ci_include": is_foreign(root / ".gitlab-ci.yml"),
        "ci_renovate": not has_renovate(root),
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
