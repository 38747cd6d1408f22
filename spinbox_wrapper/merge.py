"""Three-way merge of one file, by git's own `merge-file`; it needs no repository."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from . import git
from .errors import UserError

_LABELS = ("yours", "generated before", "generated now")


def merge(path: str, base: bytes, yours: bytes, new: bytes) -> tuple[bytes, bool]:
    """Merge two changes of `base` (git-merge-file(1)).

    Where lines would come in twice, as `yours` has the change already (two branches brought it, or
    a run that was interrupted), it stays as it is. What no longer parses is a conflict.

    Args:
        path: The file's name, for the error message, and for the form that it has to keep.
        base: What both changes began from; empty where that is not known, and then every
            difference is a conflict.
        yours: One side.
        new: The other.

    Returns:
        The merged content, and whether it holds conflict markers.

    Raises:
        UserError: git is not installed, or a file is binary.
    """
    content, conflict = _merge(path, base, yours, new)
    if conflict or not base:
        return content, conflict
    added = list(_added_blocks(base, new))
    if any(
        _count(content, block) > max(_count(yours, block), _count(new, block)) for block in added
    ):
        if all(_count(yours, block) >= _count(new, block) for block in added):
            return yours, False
        return _merge(path, b"", yours, new)
    is_yaml = path.endswith((".yml", ".yaml"))
    if is_yaml and not parses(content) and parses(yours) and parses(new):
        return _merge(path, b"", yours, new)
    return content, False


def _merge(path: str, base: bytes, yours: bytes, new: bytes) -> tuple[bytes, bool]:
    with TemporaryDirectory(prefix="spinbox-") as temporary:
        folder = Path(temporary)
        for name, content in (("yours", yours), ("base", base), ("new", new)):
            (folder / name).write_bytes(content)
        labels = [part for label in _LABELS for part in ("-L", label)]
        # One form of markers, whatever a surrounding repository has set.
        options = ["-c", "merge.conflictStyle=merge", "merge-file", "--stdout", *labels]
        result = git.run(*options, "yours", "base", "new", cwd=folder)
    if result.returncode > 127:
        raise UserError(f"{path} cannot be merged, as it is no text file: restore or remove it.")
    return result.stdout, result.returncode > 0


def _added_blocks(base: bytes, new: bytes) -> Iterator[list[bytes]]:
    """The runs of lines that `new` has and `base` has not, without those that are blank."""
    old, lines = base.splitlines(), new.splitlines()
    for kind, _, _, start, end in SequenceMatcher(None, old, lines, autojunk=False).get_opcodes():
        if kind in {"insert", "replace"} and any(line.strip() for line in lines[start:end]):
            yield lines[start:end]


def _count(text: bytes, block: list[bytes]) -> int:
    """How often a run of lines occurs."""
    lines = text.splitlines()
    return sum(lines[at : at + len(block)] == block for at in range(len(lines) - len(block) + 1))


class _Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which no key may stand twice, as Compose and Kubernetes have it (yaml.org/spec)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if len(keys) != len(set(map(str, keys))):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


# Tags of the project's own tools, such as GitLab's `!reference`.
_Strict.add_multi_constructor("!", lambda loader, tag, node: None)


def parses(text: bytes) -> bool:
    """Whether it is YAML in which no key stands twice."""
    try:
        for _ in yaml.load_all(text, _Strict):
            pass
    except (yaml.YAMLError, RecursionError, ValueError):
        return False
    return True
