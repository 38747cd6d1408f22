"""Files that are not there, though the project has a place for them: what git did not bring."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from ..finding import Finding
from ..model import App
from ..subject import Subject
from ..tree import Tree

_RULE = "start.checkout"
IDS = {_RULE: "The images get whole files: no pointer, no empty submodule, no link that leads out"}

# What a file of Git LFS begins with until it is fetched (git-lfs, docs/spec.md), and its size.
_POINTER, _POINTER_SIZE = b"version https://git-lfs.github.com/spec/v1", 1024


def find(subject: Subject) -> Iterator[Finding]:
    """Pointers of Git LFS, submodules without files, and links out of what an image gets."""
    apps = [app for app in subject.stack.apps if app.build]
    yield from _pointers(subject.tree, apps)
    yield from _submodules(subject.tree, apps)
    for app in apps:
        yield from _links(subject.tree, app)


def _pointers(tree: Tree, apps: list[App]) -> Iterator[Finding]:
    found = [path for path in tree.files if _is_theirs(apps, path) and _is_pointer(tree, path)]
    if found:
        more = f" and {len(found) - 1} more are pointers" if found[1:] else " is a pointer"
        yield Finding(
            _RULE,
            False,
            f"{found[0]}{more} of Git LFS in place of the file: the image gets no more than that.",
            "Run git lfs pull before images are built, in the pipeline, too.",
            found[0],
        )


def _is_theirs(apps: list[App], path: str) -> bool:
    return any(app.base == "." or path.startswith(f"{app.base}/") for app in apps)


def _is_pointer(tree: Tree, path: str) -> bool:
    try:
        if (tree.root / path).stat().st_size > _POINTER_SIZE:
            return False
        return (tree.root / path).read_bytes().startswith(_POINTER)
    except OSError:
        return False


def _submodules(tree: Tree, apps: list[App]) -> Iterator[Finding]:
    if not tree.has(".gitmodules"):
        return
    for path in re.findall(r"(?m)^\s*path\s*=\s*(\S.*?)\s*$", tree.read(".gitmodules")):
        if _is_theirs(apps, f"{path}/") and not any(tree.below(path)):
            yield Finding(
                _RULE,
                False,
                f"{path} is a submodule whose files are not there: the image lacks them.",
                "Run git submodule update --init before images are built, in the pipeline, too.",
            )


def _links(tree: Tree, app: App) -> Iterator[Finding]:
    for path in tree.below(app.base):
        if not (tree.root / path).is_symlink():
            continue
        target = str((tree.root / path).readlink())
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        inside = app.base == "." or leads == app.base or leads.startswith(f"{app.base}/")
        if target.startswith("/") or leads.startswith("../") or not inside:
            yield Finding(
                _RULE,
                False,
                f"{path} is a link to {target}, which leads out of "
                f"{'the project' if app.base == '.' else app.base + '/'}: in the image there is "
                "nothing.",
                "Put what it leads to in its place.",
                path,
            )
