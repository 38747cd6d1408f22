"""Imports in other letters than the file's name has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, find, find_api

ALIASES = json.dumps({"compilerOptions": {"paths": {"@/*": ["./src/*"]}}})


def found(root: Path, files: Mapping[str, str]) -> list[Finding]:
    """What is found of `src/index.js` and these files."""
    package = json.dumps({"scripts": {"start": "node src/index.js"}})
    every = find(root, {"package.json": package, **files}, USE_NODE="true")
    return [one for one in every if one.rule == "start.file_names"]


@pytest.mark.parametrize(
    ("written", "file", "right"),
    [
        ("./UserModel", "src/userModel.js", "./userModel"),
        ("./usermodel.js", "src/userModel.js", "./userModel.js"),
        ("./Models/user", "src/models/user.js", "./models/user"),
        ("./Models", "src/models/index.js", "./models"),
        ("./types.js", "src/Types.ts", "./Types.js"),
        ("./Data.json", "src/data.json", "./data.json"),
        ("@/Lib/db", "src/lib/db.js", "@/lib/db"),
    ],
)
def test_of_node(written: str, file: str, right: str, tmp_path: Path) -> None:
    files = {"src/index.js": f"\nconst one = require({written!r})\n", file: "", "x.json": ALIASES}
    (one,) = found(tmp_path, files)
    assert one.certain and one.seen == (
        f"src/index.js:2 imports {written}, but its name is {file}: Linux tells small letters from "
        "capital ones, and finds nothing."
    )
    assert one.mend == f"Write {right} there."


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("./userModel", "src/userModel.js"),
        ("./types.js", "src/types.ts"),
        ("./logo.svg?url", "src/logo.svg"),
        ("Express", "express/index.js"),
        ("./missing", "src/other.js"),
    ],
)
def test_names_that_are_right_or_mean_no_file(written: str, file: str, tmp_path: Path) -> None:
    files = {"src/index.js": f"import one from {written!r}\n", file: ""}
    assert not found(tmp_path, files)


def found_api(root: Path, source: str, files: Mapping[str, str]) -> list[Finding]:
    """What is found where this stands in front of FastAPI's module."""
    every = find_api(root, {"main.py": source + API["main.py"], **files})
    return [one for one in every if one.rule == "start.file_names"]


@pytest.mark.parametrize(
    ("source", "file", "right"),
    [
        ("from Models import user\n", "models/user.py", "models"),
        ("import models.User\n", "models/user.py", "models.user"),
        ("from models.User import User\n", "models/user.py", "models.user"),
    ],
)
def test_of_python(source: str, file: str, right: str, tmp_path: Path) -> None:
    (one,) = found_api(tmp_path, source, {file: ""})
    assert one.certain
    assert one.mend == f"Write {right} there."


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("from models import User\n", "models/user.py"),
        ("from Crypto import Random\n", "crypto.py"),
        ("try:\n    import Models\nexcept ImportError:\n    pass\n", "models.py"),
        ("def late():\n    import models\n", "models.py"),
    ],
)
def test_names_of_python_that_are_right_or_another_s(
    source: str, file: str, tmp_path: Path
) -> None:
    assert not found_api(tmp_path, source, {file: ""})
