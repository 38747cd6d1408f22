"""Every framework × backing service × target × pipeline: rendered, linted, and with what is its."""

from __future__ import annotations

import json
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import jsonschema
import pytest
import yaml

from extensions.apps import FRAMEWORKS
from extensions.deployment import Deployment, derive
from extensions.pipelines import PLATFORMS
from extensions.services import KINDS
from extensions.targets import LISTED, TARGETS
from spinbox_wrapper.checks import CHECKS, IDS, Context, project
from spinbox_wrapper.sync import Request, plan
from tests.e2e.first_deployment import copy_app
from tests.lint.tools import CONFIGURATION, REPOSITORY, run_tool
from tests.projects.compose import compose
from tests.runs import run
from tests.trees import distinct

# A project of each framework, and what makes it one that keeps running.
SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "fastapi": ("fastapi", ()),
    "python": ("python", ("--set", "python.mode=service", "--set", "python.port=8080")),
    "nextjs": ("nextjs", ()),
    "node": ("node", ()),
    "static": ("vite", ()),
}
# The others are whole apps of `tests/apps/`.
APPS_OF = {
    "django": "django",
    "asgi": "starlette",
    "wsgi": "flask-object",
    "aiohttp": "aiohttp",
    "streamlit": "streamlit",
    "gradio": "gradio",
}
# Combinations that are refused on purpose, with the reason: none.
REFUSED: dict[tuple[str, str, str], str] = {}
GUIDE_SCHEMA = json.loads((REPOSITORY / "spinbox_wrapper/guide.schema.json").read_text())


@dataclass(frozen=True)
class Tree:
    """A project with one app and one service, for all targets and both pipelines."""

    kind: str
    service: str
    folder: Path

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    @property
    def deployment(self) -> Deployment:
        return derive(yaml.safe_load(self.read(".copier-answers.yml")))


def _generate(kind: str, service: str, folder: Path) -> Tree:
    shape, options = SHAPES.get(kind, ("", ()))
    root = compose(shape, folder) if shape else copy_app(APPS_OF[kind], folder)
    with (root / ".config/project.conf").open("a") as conf:
        for name, known in KINDS.items():
            conf.write(f'{known.flag}="{str(name == service).lower()}"\n')
    targets = [word for target in LISTED for word in ("--target", target)]
    made = run(root, "deploy", *targets, "--generate", *options)
    assert made.code == 0, made.stderr
    platforms = [word for platform in PLATFORMS for word in ("--ci", platform)]
    made = run(root, "generate", *platforms, "--deploy")
    assert made.code == 0, made.stderr
    return Tree(kind, service, root)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> list[Tree]:
    folder = tmp_path_factory.mktemp("contract")
    pairs = list(product(FRAMEWORKS, KINDS))
    folders = [folder / f"{kind}-{service}" for kind, service in pairs]
    kinds, services = zip(*pairs, strict=True)
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_generate, kinds, services, folders))


def _paths(trees: list[Tree], pattern: str) -> list[Path]:
    return [path for tree in trees for path in tree.folder.rglob(pattern)]


def test_every_framework_has_a_project() -> None:
    assert SHAPES.keys() | APPS_OF.keys() == FRAMEWORKS.keys()
    assert not REFUSED


def test_shell(trees: list[Tree]) -> None:
    scripts = [path for path in _paths(trees, "*.sh") if "deploy" in path.parts]
    assert run_tool("shellcheck", "-x", *distinct(scripts)) == ""


def test_dockerfiles(trees: list[Tree]) -> None:
    made = [path for tree in trees for path in tree.folder.glob("Dockerfile*.prod")]
    made += [path for path in _paths(trees, "*.Dockerfile") if "deploy" in path.parts]
    assert run_tool("hadolint", *distinct(made)) == ""


def test_yaml(trees: list[Tree]) -> None:
    patterns = ("docker-compose.prod.yml", "stack.yml", "render.yaml", ".gitlab-ci.yml", "ci.yml")
    files = [path for pattern in patterns for path in _paths(trees, pattern)]
    files += [path for path in _paths(trees, "*.yaml") if "kubernetes" in path.parts]
    assert (
        run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *distinct(files))
        == ""
    )


def test_workflows(trees: list[Tree]) -> None:
    files = [path for path in _paths(trees, "*.yml") if "workflows" in path.parts]
    assert len(files) == 2 * len(trees)
    run_tool("actionlint", *files)


def test_guides(trees: list[Tree]) -> None:
    config = CONFIGURATION / "pymarkdown.json"
    guides = [path for path in _paths(trees, "README.md") if "deploy" in path.parts]
    assert len(guides) == len(TARGETS) * len(trees)
    assert run_tool("pymarkdown", "--config", config, "scan", *distinct(guides)) == ""


def test_compose(trees: list[Tree]) -> None:
    for tree in trees:
        filled = re.sub(r"^([A-Z_]+)=$", r"\1=x", tree.read(".env.example"), flags=re.MULTILINE)
        (tree.folder / ".env").write_text(filled)
        command = ("docker-compose", "-f", "docker-compose.prod.yml", "config", "--quiet")
        assert run_tool(*command, cwd=tree.folder) == ""


def test_kustomize(trees: list[Tree]) -> None:
    for tree in trees:
        base = tree.folder / "deploy/kubernetes/base"
        text = run_tool("kubectl", "kustomize", base)
        names = {document["metadata"]["name"] for document in yaml.safe_load_all(text)}
        assert {"app", tree.service} <= names


def test_the_service_has_its_script_its_count_and_its_note(trees: list[Tree]) -> None:
    for tree in trees:
        (service,) = tree.deployment.stack.services
        script = tree.read(f"deploy/data/{tree.service}.sh")
        assert all(f"{verb})" in script for verb in ("size", "backup", "restore", "count"))
        assert ("password)" in script) == (service.password is not None)
        guide = " ".join(tree.read("deploy/README.md").split())
        assert f"- {service.title}: {service.backup}" in guide
        assert f"--import {service.import_file} {tree.service}" in guide
        in_cluster = tree.folder / f"deploy/kubernetes/base/scripts/{tree.service}.sh"
        # What cannot be saved while it runs is in no backup of a cluster, and the guide says so.
        assert in_cluster.exists() != service.paused_backup
        for target in LISTED:
            assert service.title in tree.read(TARGETS[target].guide), (tree, target)


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_has_its_guide_and_its_checks(target: str, trees: list[Tree]) -> None:
    shown: set[str] = set()
    told: set[str] = set()
    for tree in trees:
        said = run(tree.folder, "deploy", "--target", target, "--format", "json")
        assert said.code == 0, said.stderr
        guide = json.loads(said.stdout)
        jsonschema.validate(guide, GUIDE_SCHEMA)
        steps = [step["id"] for step in guide["steps"]]
        assert len({*steps}) == len(steps)
        context = Context(plan(Request(project=tree.folder)), "production", target)
        shown |= {*steps}
        told |= CHECKS[target].done(context).keys()
        found = {check.id for check in CHECKS[target].look(context)}
        assert found and found <= IDS.keys()
    # What can be told to be done is a step of the guide, where the project needs it.
    assert told <= shown


def test_the_app_is_told_of_its_service(trees: list[Tree]) -> None:
    """What the stack passes is what `--check` looks for in the source."""
    for tree in trees:
        context = Context(plan(Request(project=tree.folder)))
        (app,) = tree.deployment.stack.apps
        if app.site:
            assert app.services == ()
            continue
        assert app.services == (tree.service,)
        checks = {check.id: check for check in project.look(context)}
        assert KINDS[tree.service].title in checks["project.connections"].seen


def test_the_pipeline_starts_the_service_for_tests(trees: list[Tree]) -> None:
    for tree in trees:
        stack = tree.deployment.stack
        tested = tree.deployment.pipeline.tested(stack)
        for path in (".github/workflows/ci.yml", ".gitlab-ci.yml"):
            assert (stack.services[0].image in tree.read(path)) == bool(tested)
