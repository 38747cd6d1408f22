"""Every case under the field's own tools, each file's content once: no finding."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.cases import CASES
from tests.lint.tools import CONFIGURATION, REPOSITORY, run_tool
from tests.trees import Trees, generate

DOCUMENTS = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """What is generated, with an `.env` in which every required setting is filled in."""
    trees = generate(CASES, tmp_path_factory.mktemp("trees"))
    for example in trees.folder.rglob(".env.example"):
        filled = re.sub(r"^([A-Z_]+)=$", r"\1=secret", example.read_text(), flags=re.MULTILINE)
        example.with_name(".env").write_text(filled)
    return trees


def _dockerfiles(trees: Trees) -> list[Path]:
    found = trees.files("*Dockerfile*")
    return [path for path in found if path.suffix != ".dockerignore"]


def test_hadolint(trees: Trees) -> None:
    assert run_tool("hadolint", *_dockerfiles(trees)) == ""


def test_checkov(trees: Trees) -> None:
    run_tool("checkov", "--config-file", CONFIGURATION / "checkov.yml", "-d", trees.folder)


def test_shellcheck(trees: Trees) -> None:
    assert run_tool("shellcheck", "-x", *trees.files("*.sh")) == ""


def test_compose_lint(trees: Trees) -> None:
    config = CONFIGURATION / "compose-lint.yml"
    files = trees.files("docker-compose.prod.yml")
    run_tool("compose-lint", "check", "--config", config, "--fail-on", "low", *files)


def test_yamllint(trees: Trees) -> None:
    # The answers file's form is Copier's.
    files = [path for path in trees.files("*.yml") if path.name != ".copier-answers.yml"]
    assert run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *files) == ""


def test_docker_compose_config_without_a_warning(trees: Trees) -> None:
    for path in trees.files("docker-compose.prod.yml"):
        arguments = ["-f", path.name, "config", "--quiet"]
        assert run_tool("docker-compose", *arguments, cwd=path.parent) == "", path


def test_compose_schema(trees: Trees) -> None:
    """The specification's own schema, which `docker compose config` checks against as well."""
    for path in trees.files("docker-compose.prod.yml"):
        arguments = ["-f", path.name, "--profile", "*", "config", "--format", "json"]
        resolved = json.loads(run_tool("docker-compose", *arguments, cwd=path.parent))
        written = yaml.safe_load(path.read_text())
        assert resolved["services"].keys() == written["services"].keys(), path
        assert resolved["name"].endswith("-prod")


@pytest.mark.parametrize("address", ["example.com", "localhost, http://"])
def test_caddy_validates(trees: Trees, address: str) -> None:
    for path in trees.files("Caddyfile"):
        arguments: list[str | Path] = ["validate", "--config", path, "--adapter", "caddyfile"]
        output = run_tool("caddy", *arguments, SITE_ADDRESS=address, MAX_REQUEST_BODY="25MB")
        warnings = [line for line in output.splitlines() if '"level":"warn"' in line]
        # Plain HTTP beside localhost is meant.
        expected = "listening only on the HTTP port"
        assert [line for line in warnings if expected not in line] == [], path


def test_caddy_s_own_format(trees: Trees) -> None:
    for path in trees.files("Caddyfile"):
        assert not re.search(r"^[-+]", run_tool("caddy", "fmt", "--diff", path), re.MULTILINE), path


def test_markdown(trees: Trees) -> None:
    config = CONFIGURATION / "pymarkdown.json"
    files = [*DOCUMENTS, *trees.files("*.md")]
    assert run_tool("pymarkdown", "--config", config, "scan", *files) == ""


def test_base_images_have_a_version(trees: Trees) -> None:
    for path in _dockerfiles(trees):
        # But that of pipelines, whose tools are named with their digests.
        if path.parent.name != "ci":
            images = re.findall(r"^ARG \w+_IMAGE=(.*)$", path.read_text(), re.MULTILINE)
            assert images, path
            assert all(":" in image and not image.endswith(":latest") for image in images), path


def test_links_lead_somewhere(trees: Trees) -> None:
    for path in [*DOCUMENTS, *trees.folder.rglob("*.md")]:
        text = path.read_text()
        prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        headings = {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        for target in re.findall(r"\]\(([^)]+)\)", prose):
            if target.startswith("#"):
                assert target[1:] in headings, (path, target)
            elif "://" not in target:
                assert (path.parent / target.partition("#")[0]).exists(), (path, target)


def _anchor(heading: str) -> str:
    """As GitHub makes anchors of headings."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
