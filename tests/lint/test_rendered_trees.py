"""Every rendered tree (the golden ones, byte for byte) under the field's own tools: no finding."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cases import CASES
from tests.lint.tools import CONFIGURATION, REPOSITORY, run_tool

GOLDEN = REPOSITORY / "tests/golden"

pytestmark = pytest.mark.lint


def _files(pattern: str) -> list[Path]:
    return sorted(path for path in GOLDEN.rglob(pattern) if path.suffix != ".dockerignore")


def _name(path: Path) -> str:
    return path.relative_to(GOLDEN).as_posix()


# But that of pipelines, whose tools are named with their digests.
IMAGES = [path for path in _files("*Dockerfile*") if path.parent.name != "ci"]


@pytest.fixture
def tree(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A golden tree with an `.env` in which every required setting is filled in."""
    folder = tmp_path / "tree"
    shutil.copytree(GOLDEN / request.param, folder)
    (example,) = folder.rglob(".env.example")
    filled = re.sub(r"^([A-Z_]+)=$", r"\1=secret", example.read_text(), flags=re.MULTILINE)
    example.with_name(".env").write_text(filled)
    return folder


def test_hadolint() -> None:
    assert run_tool("hadolint", *_files("*Dockerfile*")) == ""


def test_checkov() -> None:
    run_tool("checkov", "--config-file", CONFIGURATION / "checkov.yml", "-d", GOLDEN)


def test_shellcheck() -> None:
    assert run_tool("shellcheck", "-x", *_files("*.sh")) == ""


@pytest.mark.parametrize("path", _files("docker-compose.prod.yml"), ids=_name)
def test_compose_lint(path: Path) -> None:
    config = CONFIGURATION / "compose-lint.yml"
    run_tool("compose-lint", "check", "--config", config, "--fail-on", "low", path)


def test_yamllint() -> None:
    # The answers file's form is Copier's.
    files = [path for path in _files("*.yml") if path.name != ".copier-answers.yml"]
    assert run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *files) == ""


@pytest.mark.parametrize("tree", sorted(CASES.keys() - {"no-compose"}), indirect=True)
def test_docker_compose_config_without_a_warning(tree: Path) -> None:
    (path,) = tree.rglob("docker-compose.prod.yml")
    assert run_tool("docker-compose", "-f", path.name, "config", "--quiet", cwd=path.parent) == ""


@pytest.mark.parametrize("tree", sorted(CASES.keys() - {"no-compose"}), indirect=True)
def test_compose_schema(tree: Path) -> None:
    """The specification's own schema, which `docker compose config` checks against as well."""
    (path,) = tree.rglob("docker-compose.prod.yml")
    arguments = ["-f", path.name, "--profile", "*", "config", "--format", "json"]
    resolved = json.loads(run_tool("docker-compose", *arguments, cwd=path.parent))
    written = yaml.safe_load(path.read_text())
    assert resolved["services"].keys() == written["services"].keys()
    assert resolved["name"].endswith("-prod")


@pytest.mark.parametrize("address", ["example.com", "localhost, http://"])
@pytest.mark.parametrize("path", _files("Caddyfile"), ids=_name)
def test_caddy_validates(path: Path, address: str) -> None:
    arguments: list[str | Path] = ["validate", "--config", path, "--adapter", "caddyfile"]
    output = run_tool("caddy", *arguments, SITE_ADDRESS=address, MAX_REQUEST_BODY="25MB")
    warnings = [line for line in output.splitlines() if '"level":"warn"' in line]
    # Plain HTTP beside localhost is meant.
    assert [line for line in warnings if "listening only on the HTTP port" not in line] == []


@pytest.mark.parametrize("path", _files("Caddyfile"), ids=_name)
def test_caddy_s_own_format(path: Path) -> None:
    output = run_tool("caddy", "fmt", "--diff", path)
    assert not re.search(r"^[-+]", output, re.MULTILINE)


def test_markdown() -> None:
    documents = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")]
    config = CONFIGURATION / "pymarkdown.json"
    assert run_tool("pymarkdown", "--config", config, "scan", *documents, *_files("*.md")) == ""


@pytest.mark.parametrize("path", IMAGES, ids=_name)
def test_base_images_have_a_version(path: Path) -> None:
    images = re.findall(r"^ARG \w+_IMAGE=(.*)$", path.read_text(), re.MULTILINE)
    assert images
    assert all(":" in image and not image.endswith(":latest") for image in images)


@pytest.mark.parametrize(
    "path",
    [*_files("*.md"), REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"],
    ids=lambda path: path.relative_to(REPOSITORY).as_posix(),
)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    headings = {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (path.parent / target.partition("#")[0]).exists(), target


def _anchor(heading: str) -> str:
    """As GitHub makes anchors of headings."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
