"""Files that git did not bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, WITH_API, find

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
MODULES = '[submodule "lib"]\n\tpath = backend/lib\n\turl = https://example.com/lib.git\n'


def found(root: Path, files: dict[str, str]) -> list[Finding]:
    """What is found of an API in `backend/` beside these files."""
    api = {f"backend/{path}": text for path, text in API.items()}
    every = find(root, {**api, **files}, None, **WITH_API)
    return [one for one in every if one.rule == "start.checkout"]


def test_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    files = {"backend/model.pkl": POINTER, "backend/two.pkl": POINTER}
    (one,) = found(tmp_path, files)
    assert one.seen == (
        "backend/model.pkl and 1 more are pointers of Git LFS in place of the file: the image gets "
        "no more than that."
    )
    assert one.mend == "Run git lfs pull before images are built, in the pipeline, too."


@pytest.mark.parametrize(
    "files",
    [
        {"backend/model.pkl": "fetched"},
        {"notebooks/model.pkl": POINTER},
    ],
)
def test_files_that_are_whole_or_in_no_image(files: dict[str, str], tmp_path: Path) -> None:
    assert not found(tmp_path, files)


def test_a_submodule_without_files(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {".gitmodules": MODULES})
    assert one.seen.startswith("backend/lib is a submodule whose files are not there")


def test_a_submodule_with_files(tmp_path: Path) -> None:
    assert not found(tmp_path, {".gitmodules": MODULES, "backend/lib/x.py": ""})


def link(root: Path, target: str) -> list[Finding]:
    """What is found where `backend/common` leads there."""
    (root / "backend").mkdir()
    (root / "backend/common").symlink_to(target)
    return found(root, {"common/x.py": "", "backend/own/x.py": ""})


@pytest.mark.parametrize("target", ["../common", "/srv/common", "../../elsewhere"])
def test_a_link_out_of_the_app(target: str, tmp_path: Path) -> None:
    (one,) = link(tmp_path, target)
    assert f"backend/common is a link to {target}, which leads out of backend/" in one.seen


def test_a_link_inside_the_app(tmp_path: Path) -> None:
    assert not link(tmp_path, "own")
