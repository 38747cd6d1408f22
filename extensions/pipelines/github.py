"""GitHub Actions."""

from __future__ import annotations

import re
from pathlib import Path

from ..choice import Choice, Form
from ..git import git
from ..pipeline_platform import PipelinePlatform, has_renovate, is_foreign

# Names of the workflow, of which the first that is free is taken.
NAMES = ("ci", "production", "spinbox-deploy")
BRANCH = Form(
    re.compile(r"\w[\w./-]*"), "the name of a branch, of letters, digits, dots, dashes and slashes"
)
_WORKFLOW = Form(re.compile(r"\w[\w-]*"), "the name of a workflow")
_DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")


def _propose(root: Path) -> dict[str, object]:
    return {
        "ci_branch": _default_branch(root),
        "ci_workflow": next((name for name in NAMES if _is_free(root, name)), NAMES[-1]),
        "ci_dependabot": not (
            has_renovate(root) or any((root / name).exists() for name in _DEPENDABOT)
        ),
    }


def _is_free(root: Path, name: str) -> bool:
    folder = root / ".github/workflows"
    files = (f"{name}.yml", f"{name}.yaml", f"{name}-rollback.yml", f"{name}-rollback.yaml")
    return not any(is_foreign(folder / file) for file in files)


def _default_branch(root: Path) -> str:
    remote = git(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
    if remote:
        return remote.partition("/")[2]
    local = git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    return next((name for name in ("main", "master") if name in local), "main")


PLATFORM = PipelinePlatform(
    name="github",
    title="GitHub Actions",
    choices=(
        Choice(
            "ci_branch",
            "Of which branch are images pushed?",
            "main",
            form=BRANCH,
            proposed=True,
            setting="The branch whose images GitHub pushes",
        ),
        Choice("ci_workflow", "", NAMES[0], form=_WORKFLOW, proposed=True),
        Choice("ci_dependabot", "", True, proposed=True),
    ),
    propose=_propose,
    files={
        # Where no file is left in it, the folder goes, too.
        "pipeline.dependabot": (
            '/.github{{ "/dependabot.yml" if pipeline.github_workflow.startswith(".github/") }}',
        ),
    },
)
