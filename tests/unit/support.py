"""What the unit tests share: real files, real trees and real projects in temporary folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import settings

from extensions.choices import complete
from extensions.deployment import Deployment, derive
from extensions.facts import read_facts
from extensions.origins import Found
from extensions.stack import build_stack
from extensions.tree import Tree
from tests.projects.compose import compose

# Starting processes is slow on a busy machine, which is no fault of an example.
few = settings(max_examples=25, deadline=None)
many = settings(max_examples=60, deadline=None)


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write texts below `root`, byte for byte, and give `root` back."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def tree_of(root: Path, files: Mapping[str, str]) -> Tree:
    """Write texts below `root` and look at them as a tree."""
    return Tree(write_files(root, files))


def write_project(root: Path, files: Mapping[str, str], **settings_of_project: str) -> Path:
    """Write a Spinbox project with nothing in it but its configuration and `files`."""
    values = {"PROJECT_NAME": "demo", **settings_of_project}
    conf = "".join(f'{key}="{value}"\n' for key, value in values.items())
    return write_files(root, {".config/project.conf": conf, **files})


def values(fields: Mapping[str, Found[Any]]) -> dict[str, Any]:
    """What was found, without its origins."""
    return {name: found.value for name, found in fields.items()}


def facts_of(shape: str, root: Path) -> dict[str, Any]:
    """Compose a shape below `root` and read its facts."""
    return read_facts(compose(shape, root))


def stack_of(
    facts: dict[str, Any], overrides: Mapping[str, Any] | None = None, **choices: Any
) -> Any:
    """Build the stack with the choices of somebody who chose nothing else."""
    return build_stack(facts, overrides or {}, complete(choices))


def deployment_of(
    facts: Mapping[str, Any], overrides: Mapping[str, Any] | None = None, **choices: Any
) -> Deployment:
    """Derive everything with the choices of somebody who chose nothing else."""
    return derive({"project": facts, "overrides": overrides or {}, **choices})
