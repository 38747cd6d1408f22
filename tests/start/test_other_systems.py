"""Dependencies that Linux does not take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import API, find, find_api


def of_rule(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.rule == "start.other_systems"]


def found(root: Path, *lines: str) -> list[Finding]:
    """What is found of FastAPI's requirements and these."""
    text = API["requirements.txt"] + "".join(f"{line}\n" for line in lines)
    return of_rule(find_api(root, {"requirements.txt": text}))


def test_what_conda_wrote_is_told_once(tmp_path: Path) -> None:
    lines = ("anyio @ file:///C:/ci/anyio_1/work/dist", "idna @ file:///tmp/build/idna_1/work")
    (one,) = found(tmp_path, *lines)
    assert one.certain and one.seen == (
        "requirements.txt:3 takes anyio and 1 more from files of the machine that wrote the list, "
        "which no image has."
    )


@pytest.mark.parametrize(
    ("lines", "said", "marker"),
    [
        (("pywin32==306", "pywinpty"), "pywin32, pywinpty, for Windows", "win32"),
        (("pyobjc-framework-Cocoa>=10",), "pyobjc-framework-Cocoa, for macOS", "darwin"),
    ],
)
def test_packages_of_one_system(
    lines: tuple[str, ...], said: str, marker: str, tmp_path: Path
) -> None:
    (one,) = found(tmp_path, *lines)
    assert f"installs {said} alone: the image is not built." in one.seen
    assert one.mend.endswith(f"; sys_platform == '{marker}'")


@pytest.mark.parametrize(
    "line",
    [
        "pywin32==306 ; sys_platform == 'win32'",
        "pywin32 ; platform_system == 'Windows'",
        "core @ file:///${PROJECT_ROOT}/libs/core",
        "colorama  # pywin32 comes with it",
    ],
)
def test_lines_that_linux_skips_or_takes(line: str, tmp_path: Path) -> None:
    assert not found(tmp_path, line)


def of_node(root: Path, **package: object) -> list[Finding]:
    """What is found of an app on Node with this package.json."""
    text = json.dumps({"scripts": {"start": "node index.js"}, **package}, indent=1)
    return of_rule(find(root, {"package.json": text, "index.js": ""}, USE_NODE="true"))


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("@esbuild/darwin-arm64", "macOS"),
        ("@rollup/rollup-win32-x64-msvc", "Windows"),
        ("fsevents", "macOS"),
    ],
)
def test_binaries_that_npm_refuses(name: str, system: str, tmp_path: Path) -> None:
    (one,) = of_node(tmp_path, devDependencies={name: "1.0.0"})
    assert one.certain and one.seen == (
        f"package.json:6 has {name}, which is for {system} alone: npm does not install it on Linux."
    )


def test_an_optional_binary_is_left_out_by_npm(tmp_path: Path) -> None:
    optional = {"@esbuild/darwin-arm64": "1.0.0", "fsevents": "2.3.3"}
    assert not of_node(tmp_path, optionalDependencies=optional)
