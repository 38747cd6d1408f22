"""Stack files of every shape and option: what Swarm takes, nothing that it ignores or refuses."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.deployment import derive
from tests import markdown
from tests.cases import SHAPES
from tests.lint.tools import CONFIGURATION, run_tool
from tests.projects.compose import compose
from tests.runs import run
from tests.trees import distinct

OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "uploads": ("--set", "uploads=/app/uploads", "--set", "gpu=true"),
    "elsewhere": ("--set", "postgres=external", "--set", "redis=external"),
    "output": ("--output", "ops/production", "--set", "proxy=none"),
}
SHOWN = ("everything--with-deps", "profile-web-app", "python-postgresql", "node")
# Their app is a job, and there is no database.
NOTHING_TO_RUN = ("profile-data-science", "python")
PAIRS = [(shape, "plain") for shape in SHAPES if shape not in NOTHING_TO_RUN] + [
    (shape, option)
    for option in OPTIONS
    for shape in SHOWN
    if option != "plain" and (shape, option) != ("python-postgresql", "elsewhere")
]
# docker/cli, cli/compose/types: what is ignored (UnsupportedProperties), deprecated or refused.
LEFT_OUT = {
    *("build", "cgroup_parent", "cgroupns_mode", "container_name", "depends_on", "devices"),
    *("domainname", "expose", "extends", "external_links", "ipc", "links", "mac_address"),
    *("mem_limit", "network_mode", "pid", "privileged", "profiles", "pull_policy", "restart"),
    *("security_opt", "shm_size", "tmpfs", "ulimits", "userns_mode"),
}


@dataclass(frozen=True)
class Tree:
    """A generated project and its stack file."""

    name: str
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "deploy/swarm/stack.yml"

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.path.read_text())
        return found

    @property
    def stack(self) -> Any:
        answers = yaml.safe_load((self.folder / ".copier-answers.yml").read_text())
        return derive(answers).stack


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> list[Tree]:
    folder = tmp_path_factory.mktemp("swarm")
    wanted = [(compose(s, folder / f"{s}-{o}"), o) for s, o in PAIRS]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_generate, *zip(*wanted, strict=True)))


def _generate(project: Path, options: str) -> Tree:
    result = run(project, "deploy", "--target", "docker-swarm", "--generate", *OPTIONS[options])
    assert result.code == 0, result.stderr
    (path,) = project.rglob("deploy/swarm/stack.yml")
    return Tree(project.name, path.parents[2])


@pytest.mark.parametrize("shape", NOTHING_TO_RUN)
def test_a_job_alone_is_refused(shape: str, tmp_path: Path) -> None:
    root = compose(shape, tmp_path / "project")
    result = run(root, "deploy", "--target", "docker-swarm", "--generate")
    assert result.code == 1
    assert result.stderr.startswith("spinbox: Docker Swarm has nothing to keep running")


def test_nothing_that_swarm_ignores_or_refuses(trees: list[Tree]) -> None:
    for tree in trees:
        assert "name" not in tree.document
        for name, service in tree.document["services"].items():
            assert not LEFT_OUT & service.keys(), (tree.name, name)


def test_services_are_the_model_s(trees: list[Tree]) -> None:
    for tree in trees:
        stack = tree.stack
        names = {one.name for one in (*stack.rolled, *stack.services)}
        names |= {"caddy"} if stack.with_proxy else set()
        assert tree.document["services"].keys() == names, tree.name


def test_stateless_ones_start_first_and_stateful_ones_stop_first(trees: list[Tree]) -> None:
    for tree in trees:
        stack = tree.stack
        for name, service in tree.document["services"].items():
            update = service["deploy"]["update_config"]
            stateless = name in {one.name for one in stack.rolled}
            assert update["order"] == ("start-first" if stateless else "stop-first")
            assert update["failure_action"] == "rollback"
            constraints = service["deploy"].get("placement", {}).get("constraints", [])
            data = f"node.labels.{stack.name}.data == true"
            kept = any(isinstance(v, str) for v in service.get("volumes", ())) and name != "caddy"
            assert (data in constraints) == kept, (tree.name, name)


def test_all_that_is_named_is_there(trees: list[Tree]) -> None:
    for tree in trees:
        document = tree.document
        for service in document["services"].values():
            assert {*service.get("secrets", ())} <= (document.get("secrets") or {}).keys()
            configs = {config["source"] for config in service.get("configs", ())}
            assert configs <= (document.get("configs") or {}).keys()
            assert {*service["networks"]} <= document["networks"].keys()
            volumes = {
                v.partition(":")[0] for v in service.get("volumes", ()) if isinstance(v, str)
            }
            assert volumes <= (document.get("volumes") or {}).keys()


def test_a_stack_has_the_networks_that_something_joins(trees: list[Tree]) -> None:
    """Swarm makes those that services name, and no other; the migration joins one of them."""
    for tree in trees:
        document = tree.document
        used = {name for service in document["services"].values() for name in service["networks"]}
        script = (tree.folder / "deploy/swarm/deploy.sh").read_text()
        joined = {*re.findall(r'--network "\$\{project\}_(\w+)"', script)}
        assert used == document["networks"].keys(), tree.name
        assert joined <= used, tree.name


def test_every_container_is_limited_and_without_rights(trees: list[Tree]) -> None:
    for tree in trees:
        for name, service in tree.document["services"].items():
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
            limits = service["deploy"]["resources"]["limits"]
            assert limits.keys() == {"memory", "cpus", "pids"}
            assert isinstance(limits["pids"], int)


def test_no_secret_is_an_environment_variable(trees: list[Tree]) -> None:
    for tree in trees:
        secrets = {variable.name for variable in tree.stack.variables if variable.secret}
        for service in tree.document["services"].values():
            for value in (service.get("environment") or {}).values():
                assert not secrets & {*re.findall(r"\$\{(\w+)", str(value))}


def test_networks_are_encrypted_and_databases_have_no_way_out(trees: list[Tree]) -> None:
    for tree in trees:
        for name, network in tree.document["networks"].items():
            assert network["driver"] == "overlay"
            assert "encrypted" in network["driver_opts"]
            assert network.get("internal", False) == (name == "data")


def test_what_the_script_sets_is_what_the_file_asks_for(trees: list[Tree]) -> None:
    """Every `${NAME:?…}` is exported by deploy.sh; every other is a setting that it reads."""
    for tree in trees:
        text = tree.path.read_text()
        scripts = (tree.folder / f"deploy/swarm/{name}.sh" for name in ("deploy", "common"))
        script = "".join(path.read_text() for path in scripts)
        for name in {*re.findall(r"\$\{(\w+):\?run", text)}:
            made = name.partition("_")[2] if name.startswith("SECRET_") else name
            assert re.search(rf"\b{re.escape(made)}\b", script), (tree.name, name)
        for name in {*re.findall(r"(?<!\$)\$\{(\w+):-", text)} - {"CADDY_REPLICAS"}:
            assert re.search(rf"\b{re.escape(name)}\b", script), (tree.name, name)


def test_shellcheck(trees: list[Tree]) -> None:
    files = [path for tree in trees for path in (tree.folder / "deploy").rglob("*.sh")]
    assert run_tool("shellcheck", "-x", *distinct(files)) == ""


def test_yamllint(trees: list[Tree]) -> None:
    config = CONFIGURATION / "yamllint.yml"
    assert run_tool("yamllint", "--strict", "-c", config, *(tree.path for tree in trees)) == ""


def test_caddy_validates(trees: list[Tree]) -> None:
    for tree in trees:
        path = tree.folder / "deploy/swarm/Caddyfile"
        if path.exists():
            arguments: list[str | Path] = ["validate", "--config", path, "--adapter", "caddyfile"]
            run_tool("caddy", *arguments, SITE_ADDRESS="example.com", MAX_REQUEST_BODY="25MB")


def test_markdown(trees: list[Tree]) -> None:
    config = CONFIGURATION / "pymarkdown.json"
    guides = [tree.folder / "deploy/swarm/README.md" for tree in trees]
    assert run_tool("pymarkdown", "--config", config, "scan", *distinct(guides)) == ""
    for guide in guides:
        sections = markdown.sections(guide.read_text())
        for section, following in zip(sections, [*sections[1:], None], strict=True):
            empty = not section.blocks and (not following or following.level <= section.level)
            assert not empty, (guide, section.title)
