"""deploy/trim-symbols.py on real compiled modules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = next((Path(__file__).parents[2] / "template/deploy").glob("*trim-symbols.py*"))


def trim(folder: Path) -> None:
    subprocess.run([sys.executable, SCRIPT, folder], check=True)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A compiled module of an installed wheel, under a folder of its own."""
    import yaml._yaml

    origin = Path(yaml._yaml.__file__)
    package = tmp_path / "packages/yaml"
    shutil.copytree(origin.parent, package)
    return package / origin.name


def test_a_trimmed_module_is_smaller_and_works(module: Path) -> None:
    before = module.stat().st_size
    trim(module.parents[1])
    assert module.stat().st_size < before
    code = "import yaml; print(yaml.load('{a: [1]}', yaml.CSafeLoader), yaml._yaml.__file__)"
    environment = {"PYTHONPATH": str(module.parents[1])}
    output = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert output == f"{{'a': [1]}} {module}\n"


def test_a_second_run_changes_nothing(module: Path) -> None:
    trim(module.parents[1])
    once = module.read_bytes()
    trim(module.parents[1])
    assert module.read_bytes() == once


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not ELF",
        b"\x7fELF\x01\x01" + bytes(60),
        b"\x7fELF\x02\x01",
        b"\x7fELF\x02\x01" + bytes(60),
    ],
)
def test_another_form_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(content)
    trim(tmp_path)
    assert (tmp_path / "x.so").read_bytes() == content


def test_data_behind_the_sections_stays(module: Path) -> None:
    module.write_bytes(module.read_bytes() + b"the module's own data")
    before = module.read_bytes()
    trim(module.parents[1])
    assert module.read_bytes() == before


def test_a_link_is_not_followed(module: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.so"
    module.rename(outside)
    module.symlink_to(outside)
    before = outside.read_bytes()
    trim(module.parents[1])
    assert outside.read_bytes() == before
