"""One more service, target and framework, by new files and `make generate` alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.drop_in import ADDED, make_copy, make_project, run

pytestmark = pytest.mark.integration

TARGETS = ("docker-swarm", "kubernetes", "fly", "railway", "render", "nomad")
# What each of the three consists of.
FILES = {
    "service": {
        "extensions/services/memo.py",
        "template/_partials/data/memo.sh",
        "template/_partials/entrypoint/memo.sh",
    },
    "target": {
        "extensions/targets/nomad.py",
        "spinbox_wrapper/checks/targets/nomad.py",
        "template/deploy/nomad/README.md.jinja",
        "template/deploy/nomad/job.hcl.jinja",
        "template/nomad-volumes.hcl.jinja",
    },
    "framework": {"extensions/apps/plain.py"},
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_copy(tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="module")
def project(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("projects") / "project")
    wanted = [word for target in TARGETS for word in ("--target", target)]
    chosen = ("--set", "nomad_datacenter=fra1", "--set", "memo.limit=50")
    run(copy, "spinbox_wrapper", "deploy", "-C", root, *wanted, "--generate", *chosen)
    platforms = ("--ci", "github", "--ci", "gitlab", "--deploy")
    run(copy, "spinbox_wrapper", "generate", "-C", root, *platforms)
    return root


def test_nothing_but_these_files_is_needed() -> None:
    there = {path.relative_to(ADDED).as_posix() for path in ADDED.rglob("*") if path.is_file()}
    there = {path for path in there if "__pycache__" not in path}
    assert there == set().union(*FILES.values())


def test_the_lists_name_them(copy: Path) -> None:
    questions = yaml.safe_load((copy / "copier.yml").read_text())
    assert questions["targets"]["choices"]["Nomad"] == "nomad"
    assert questions["nomad_datacenter"]["default"] == "dc1"
    assert "/deploy/nomad" in questions["_exclude"][2]
    readme = (copy / "README.md").read_text()
    for key in ("`plain`", "`plain.paths`", "`memo.limit`", "`nomad_datacenter`", "`nomad.job`"):
        assert key in readme


def test_the_command_line_knows_them(copy: Path, project: Path) -> None:
    assert "nomad" in run(copy, "spinbox_wrapper", "deploy", "--help")
    report = json.loads(
        run(copy, "spinbox_wrapper", "build", "--prod", "-C", project, "--format", "json")
    )
    assert report["in_sync"] is True
    assert report["apps"] == [{"name": "app", "kind": "plain", "directory": "plain", "port": 8080}]
    assert report["services"] == ["memo"]


def test_the_service_is_on_every_target(project: Path) -> None:
    compose = yaml.safe_load((project / "docker-compose.prod.yml").read_text())
    swarm = yaml.safe_load((project / "deploy/swarm/stack.yml").read_text())
    for services in (compose["services"], swarm["services"]):
        assert services["memo"]["image"] == "python:3.13-slim"
        assert services["app"]["environment"]["MEMO_HOST"] == "memo"
    cluster = yaml.safe_load_all((project / "deploy/kubernetes/base/memo.yaml").read_text())
    assert [document["kind"] for document in cluster] == ["StatefulSet", "Service"]
    assert "python:3.13-slim" in (project / "fly.memo.toml").read_text()
    assert '"python:3.13-slim"' in (project / ".railway/railway.ts").read_text()
    assert "library/python:3.13-slim" in (project / "render.yaml").read_text()
    assert '"python:3.13-slim"' in (project / "deploy/nomad/job.hcl").read_text()
    for pipeline in (".github/workflows/ci.yml", ".gitlab-ci.yml"):
        assert (project / pipeline).exists()


def test_the_service_has_its_script_its_count_and_its_notes(project: Path) -> None:
    for folder in ("deploy/data", "deploy/kubernetes/base/scripts"):
        script = (project / folder / "memo.sh").read_text()
        assert "count texts" in script
    for guide in ("deploy/README.md", "deploy/swarm/README.md", "deploy/kubernetes/README.md"):
        assert "Memo" in (project / guide).read_text()
    text = (project / "deploy/README.md").read_text()
    assert "- Memo: every text. One that is written meanwhile is in it, or is not." in text
    assert "sh deploy/restore.sh --import FILE.tar.gz memo" in text
    assert "MEMO_URL" in (project / "deploy/entrypoint.sh").read_text()
    assert "#MEMO_LIMIT=50" in (project / ".env.example").read_text()


def test_the_target_has_its_files_its_guide_and_its_checks(copy: Path, project: Path) -> None:
    job = (project / "deploy/nomad/job.hcl").read_text()
    assert 'datacenters = ["fra1"]' in job
    assert (project / "nomad-volumes.hcl").exists()
    target = ("deploy", "-C", project, "--target", "nomad")
    guide = json.loads(run(copy, "spinbox_wrapper", *target, "--format", "json"))
    steps = {step["id"]: step for step in guide["steps"]}
    assert steps["run"]["commands"] == ["nomad job run deploy/nomad/job.hcl"]
    assert steps["run"]["done"] is False
    checks = json.loads(run(copy, "spinbox_wrapper", *target, "--check", "--format", "json"))
    assert {"id": "nomad.job", "status": "pass"}.items() <= checks["checks"][-1].items()


def test_the_target_goes_without_a_trace(copy: Path, project: Path) -> None:
    run(copy, "spinbox_wrapper", "deploy", "-C", project, "--remove-target", "nomad")
    assert not (project / "deploy/nomad").exists()
    assert not (project / "nomad-volumes.hcl").exists()
    assert "nomad" not in (project / ".copier-answers.yml").read_text()


def test_the_framework_s_image_runs_it(project: Path) -> None:
    dockerfile = (project / "Dockerfile.prod").read_text()
    assert 'CMD ["python", "server.py"]' in dockerfile
    assert "Production image of the Plain app in plain/" in dockerfile
