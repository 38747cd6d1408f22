"""`spinbox deploy --target`: targets come to what was chosen before; each has guide and checks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pathspec
import pytest
import yaml

from spinbox_wrapper import derivation
from tests.conftest import Project, files_below
from tests.projects.compose import compose
from tests.runs import build, edit, run

pytestmark = pytest.mark.integration

TARGETS = {
    "docker-swarm": "deploy/swarm/stack.yml",
    "kubernetes": "deploy/kubernetes/base/app.yaml",
    "fly": "fly.toml",
    "railway": ".railway/railway.ts",
    "render": "render.yaml",
}
MANAGED = ("fly", "railway", "render")


@pytest.fixture
def root(project: Project) -> Path:
    return project("profile-web-app")


def generate(root: Path, *targets: str) -> str:
    wanted = [word for target in targets for word in ("--target", target)]
    return build(root, "deploy", *wanted, "--generate")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_added_and_remembered(target: str, root: Path) -> None:
    generate(root, target)
    assert (root / TARGETS[target]).exists()
    assert (root / "docker-compose.prod.yml").exists()
    before = files_below(root)
    assert "Everything is up to date." in build(root)
    assert files_below(root) == before


# They tell of all that there is, or hold the settings of all.
OF_ALL_TARGETS = {".copier-answers.yml", ".env.example", "deploy/README.md"}
EVERYTHING = (
    *("--set", "uploads=/app/uploads", "--set", "postgres.migrations=sql"),
    *("--set", "fastapi.worker=celery --app app.worker:celery_app worker"),
)


@pytest.fixture(scope="module")
def with_all(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = compose("everything--with-deps", tmp_path_factory.mktemp("all") / "project")
    build(root, *EVERYTHING)
    generate(root, *TARGETS)
    return files_below(root)


@pytest.mark.parametrize("target", ["docker", *TARGETS])
def test_a_target_never_changes_another_target_s_files(
    target: str, with_all: dict[str, bytes], tmp_path: Path
) -> None:
    """Alone, a target has the same files, byte for byte, as in a project with all of them."""
    root = compose("everything--with-deps", tmp_path / "project")
    before = files_below(root)
    build(root, *EVERYTHING, "--compose" if target == "docker" else "--no-compose")
    if target != "docker":
        generate(root, target)
    alone = {path: text for path, text in files_below(root).items() if path not in before}
    guide = derivation.targets.TARGETS[target].guide
    assert alone.keys() <= with_all.keys() and guide in alone
    assert {p for p in alone if alone[p] != with_all[p]} <= OF_ALL_TARGETS
    others = [t for name, t in derivation.targets.TARGETS.items() if name != target]
    patterns = [pattern for t in others for listed in t.files.values() for pattern in listed]
    theirs = pathspec.PathSpec.from_lines("gitignore", patterns)
    assert [path for path in alone if theirs.match_file(path)] == []


def test_a_choice_that_is_gone_still_loads(root: Path) -> None:
    """railway.json, which Railway reads no longer, was one."""
    generate(root, "railway")
    (root / ".copier-answers.yml").write_text(
        (root / ".copier-answers.yml").read_text() + "railway_config: json\n"
    )
    assert "Note: railway_config is gone: Railway reads railway.json no longer" in build(root)
    assert "railway_config" not in (root / ".copier-answers.yml").read_text()
    assert "Everything is up to date." in build(root)
    result = run(root, "--set", "railway_config=json")
    assert result.code == 2
    assert "then run railway config apply" in result.stderr
    assert run(root, "--set", "railway_config=").code == 0


def test_an_edit_of_a_dockerfile_is_not_lost_on_a_platform(root: Path) -> None:
    """A platform's own Dockerfile is a file of its own: whoever edits one is told of the other."""
    build(root)
    edit(root / "Dockerfile.prod", "USER ", "RUN true\nUSER ")
    path = "deploy/railway/app.Dockerfile"
    said = generate(root, "railway")
    assert f"You edited Dockerfile.prod: make the same edit in {path}, which Railway" in said
    check = ("deploy", "--target", "railway", "--check", "--format", "json")
    looked = {c["id"]: c for c in json.loads(run(root, *check).stdout)["checks"]}
    assert looked["platform.dockerfiles"]["status"] == "warn"
    edit(root / path, "USER ", "RUN true\nUSER ")
    looked = {c["id"]: c for c in json.loads(run(root, *check).stdout)["checks"]}
    assert looked["platform.dockerfiles"]["status"] == "pass"


def test_the_guide_is_what_comes_next(root: Path) -> None:
    assert build(root, "deploy", "--target", "kubernetes", "--generate").endswith(
        f"Next, as the guide says:\n  spinbox deploy --target kubernetes -C {root}\n"
    )


def test_targets_may_be_added_one_after_the_other(root: Path) -> None:
    for target in reversed(TARGETS):
        generate(root, target)
    answers = yaml.safe_load((root / ".copier-answers.yml").read_text())
    assert answers["targets"] == [*TARGETS]
    assert all((root / path).exists() for path in TARGETS.values())


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_can_be_taken_away(target: str, root: Path) -> None:
    build(root)
    before = files_below(root)
    generate(root, target)
    build(root, "deploy", "--remove-target", target)
    assert files_below(root) == before


@pytest.mark.parametrize("target", TARGETS)
def test_the_guide_shows_a_target_that_is_not_generated_yet(target: str, root: Path) -> None:
    before = files_below(root)
    result = run(root, "deploy", "--target", target)
    assert result.code == 0
    assert f"spinbox deploy --target {target} --generate" in result.stdout
    assert "First deployment" in result.stdout
    assert files_below(root) == before


def test_a_file_that_was_there_can_be_adopted(root: Path) -> None:
    (root / "fly.toml").write_text('app = "mine"\n')
    result = run(root, "deploy", "--target", "fly", "--generate")
    assert result.code == 1 and "--adopt" in result.stderr
    build(root, "deploy", "--target", "fly", "--generate", "--adopt=take")
    assert (root / "fly.toml.orig").read_text() == 'app = "mine"\n'
    assert "Everything is up to date." in build(root)


def test_a_preview_of_a_target(root: Path) -> None:
    before = files_below(root)
    said = build(root, "deploy", "--target", "fly", "--generate", "--dry-run")
    assert "create  fly.toml" in said and "Nothing was written." in said
    assert "+app = " in build(root, "deploy", "--target", "fly", "--generate", "--diff")
    assert files_below(root) == before


def test_a_deleted_file_is_named_and_comes_back(root: Path) -> None:
    generate(root, "fly")
    (root / "fly.toml").unlink()
    guide = run(root, "deploy", "--target", "fly").stdout
    assert "spinbox build --prod --restore fly.toml" in guide
    build(root, "deploy", "--target", "fly", "--generate", "--restore", "fly.toml")
    assert (root / "fly.toml").exists()


def test_commands_name_the_output_folder(root: Path) -> None:
    output = ("--output", "ops/production")
    build(root, "deploy", "--target", "fly", "--generate", *output)
    guide = " ".join(run(root, "deploy", "--target", "fly", *output).stdout.split())
    assert "spinbox deploy --target fly --output ops/production --check" in guide
    assert "spinbox-deploy build --prod --output ops/production --set fly_name=NAME" in guide


def test_below_the_repository_s_top_folder(root: Path) -> None:
    subprocess.run(["git", "init", "--quiet", root.parent], check=True)
    generate(root, "render")
    document = yaml.safe_load((root / "render.yaml").read_text())
    services = {service["name"]: service for service in document["services"]}
    assert services["web-app"]["dockerfilePath"] == f"./{root.name}/deploy/render/app.Dockerfile"
    assert services["web-app"]["dockerContext"] == f"./{root.name}"
    assert f"{root.name}/backend/**" in services["web-app"]["buildFilter"]["paths"]


def test_several_targets_at_once(root: Path) -> None:
    said = generate(root, *MANAGED)
    assert all((root / TARGETS[target]).exists() for target in MANAGED)
    assert all(f"spinbox deploy --target {target} -C" in said for target in MANAGED)


@pytest.mark.parametrize("target", MANAGED)
def test_the_files_of_a_platform_are_no_source_of_an_app(target: str, project: Project) -> None:
    """An app at the root takes in what lies there."""
    root = project("python-node")
    generate(root, target)
    before = files_below(root)
    assert "Everything is up to date." in build(root)
    assert files_below(root) == before


@pytest.mark.parametrize("target", [name for name in TARGETS if name not in MANAGED])
def test_the_guide_is_for_the_environment(target: str, root: Path) -> None:
    generate(root, target)
    result = run(root, "deploy", "--target", target, "--env", "staging")
    assert result.code == 0
    assert "staging" in result.stdout
    assert "web-app-prod" not in result.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_checks_are_those_of_the_target(target: str, root: Path) -> None:
    generate(root, target)
    result = run(root, "deploy", "--target", target, "--check", "--format", "json")
    ids = [check["id"] for check in json.loads(result.stdout)["checks"]]
    own = "platform" if target in MANAGED else target.removeprefix("docker-")
    assert any(id_.startswith(f"{own}.") for id_ in ids)
    assert not any(id_.startswith(("engine.", "server.")) for id_ in ids)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--target", "nomad"), 2),
        (("--target", "fly", "--target", "render"), 2),
        (("--target", "fly", "--remove-target", "render"), 2),
        (("--target", "fly", "--target", "render", "--check"), 2),
        (("--target", "fly", "--env", "staging"), 2),
        (("--target", "fly", "--adopt=take"), 2),
        (("--target", "fly", "--dry-run"), 2),
        (("--target", "fly", "--generate", "--diff", "--adopt"), 2),
        (("--target", "fly", "--check", "--boot"), 2),
        (("--target", "fly", "--generate", "--set", "fly_name=My App"), 2),
        (("--target", "fly", "--generate", "--set", "fly_region={{ x }}"), 2),
        (("--target", "railway", "--generate", "--set", "railway_config=py"), 2),
        (("--target", "render", "--generate", "--set", "render_region=moon"), 2),
        (("--target", "kubernetes", "--check", "--boot"), 2),
        (("--target", "kubernetes", "--generate", "--remove-target", "kubernetes"), 2),
        (("--remove-target", "kubernetes", "--check"), 2),
        (("--target", "kubernetes", "--set", "kubernetes_route=ingress"), 2),
        (("--target", "kubernetes", "--generate", "--set", "kubernetes_route=nginx"), 2),
        (("--target", "kubernetes", "--generate", "--set", "kubernetes_gateway=$(x)/y"), 2),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: tuple[str, ...], code: int, root: Path
) -> None:
    before = files_below(root)
    result = run(root, "deploy", *arguments)
    assert result.code == code
    assert result.stderr.strip()
    assert files_below(root) == before


def test_a_service_elsewhere_leaves_every_target(root: Path) -> None:
    build(root, "--set", "postgres=external")
    generate(root, "docker-swarm")
    generate(root, "kubernetes")
    compose = yaml.safe_load((root / "docker-compose.prod.yml").read_text())
    assert "postgres" not in compose["services"]
    assert compose["services"]["app"]["environment"]["POSTGRES_SERVER"].startswith("${")
    stack = (root / "deploy/swarm/stack.yml").read_text()
    assert "\n  postgres:" not in stack
    assert not (root / "deploy/kubernetes/base/postgres.yaml").exists()
    assert "\nPOSTGRES_SERVER=\n" in (root / ".env.example").read_text()


def test_a_service_that_moves_away_is_warned_of(root: Path) -> None:
    build(root)
    said = build(root, "--set", "postgres=external")
    assert "PostgreSQL runs elsewhere from now on" in said
    assert "web-app-prod_postgres_data" in said


def test_a_service_elsewhere_can_come_back(root: Path) -> None:
    build(root)
    before = files_below(root)
    build(root, "--set", "postgres=external")
    build(root, "--set", "postgres=")
    assert files_below(root) == before
