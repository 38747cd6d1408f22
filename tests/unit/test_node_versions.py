"""The image follows the version of Node that a project asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions import node_versions
from extensions.facts import read_facts

from .support import write_project

APP = {"index.js": ""}


def _image(root: Path, files: dict[str, str], image: str = "node:20-alpine") -> str:
    versions = {".config/versions.conf": f'NODE_IMAGE="{image}"\n'}
    project = write_project(
        root, {"package.json": "{}", **APP, **files, **versions}, USE_NODE="true"
    )
    found: str = read_facts(project)["node"]["image"]
    return found


@pytest.mark.parametrize(
    ("wanted", "image"),
    [
        (">=18", "node:20-alpine"),
        ("20.x", "node:20-alpine"),
        (">=22", "node:22-alpine"),
        (">=20.19 <21 || >=22.12", "node:20-alpine"),
        ("^24.1.0", "node:24-alpine"),
        ("^18 || ^19", "node:18-alpine"),
        ("nonsense", "node:20-alpine"),
    ],
)
def test_engines(wanted: str, image: str, tmp_path: Path) -> None:
    package = {"package.json": json.dumps({"engines": {"node": wanted}})}
    assert _image(tmp_path, package) == image


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".nvmrc", "v22.11.0\n"),
        (".nvmrc", "lts/jod\n"),
        (".node-version", "22\n"),
        ("mise.toml", '[tools]\nnode = "22"\n'),
        (".tool-versions", "nodejs 22.1.0\n"),
        ("package.json", '{"volta": {"node": "22.1.0"}}'),
    ],
)
def test_version_managers(name: str, text: str, tmp_path: Path) -> None:
    assert _image(tmp_path, {name: text}) == "node:22-alpine"


def test_a_runtime_of_development_that_npm_demands(tmp_path: Path) -> None:
    """Whatever it runs: it counts before `engines`, unless it only warns."""
    runtime = {"name": "node", "version": "^24.0.0"}
    package = {"engines": {"node": ">=18"}, "devEngines": {"runtime": runtime}}
    demanded = {"package.json": json.dumps(package)}
    assert _image(tmp_path / "demanded", demanded) == "node:24-alpine"
    warned = {
        "package.json": json.dumps({"devEngines": {"runtime": {**runtime, "onFail": "warn"}}})
    }
    assert _image(tmp_path / "warned", warned) == "node:20-alpine"


def test_a_pin_to_what_is_no_longer_maintained_changes_nothing(tmp_path: Path) -> None:
    """It is told, and the image stays."""
    assert _image(tmp_path, {".nvmrc": "18"}) == "node:20-alpine"


def test_the_form_of_the_image_stays(tmp_path: Path) -> None:
    files = {".nvmrc": "24"}
    assert _image(tmp_path / "slim", files, "node:20-bookworm-slim") == "node:24-bookworm-slim"
    assert _image(tmp_path / "exact", files, "node:20.11.1-alpine3.20") == "node:24-alpine3.20"
    other = "registry.example.com/own/nodejs:20"
    assert _image(tmp_path / "other", files, other) == other


@pytest.mark.parametrize(
    ("wanted", "present", "major"),
    [(">=18 <21", 22, 20), (">=23", 20, 24), ("21", 20, 21), ("<22", 24, 20)],
)
def test_the_nearest_version(wanted: str, present: int, major: int) -> None:
    assert node_versions.nearest(wanted, present) == major
