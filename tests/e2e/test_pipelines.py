"""Generated pipelines, run: tests, images pushed by digest, deployment over SSH and back."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.deployment import UV_VERSION
from tests.e2e.pipelines import (
    PASSWORD,
    REPOSITORY,
    USER,
    GitHub,
    GitLab,
    Run,
    listing,
    registry,
    runner_engine,
    ssh_server,
)
from tests.e2e.stacks import Stack, need, run
from tests.lint.tools import TOOLS
from tests.projects.compose import compose
from tests.runs import build, edit

NAME = "e2e-pipeline"
# Beside the other on the same engine.
GITLAB_NAME = "e2e-pipeline-gitlab"
BOTH = ("amd64", "arm64")
BASE_IMAGES = ["python:3.11-slim", "node:20-alpine", "ghcr.io/astral-sh/uv:latest"]
STAND_INS = {
    # It finds something where a test has put something.
    "trivy": "test -s image.tar || exit 2; test ! -e /project/.vulnerable",
    # The least that BuildKit's protocol for SBOM scanners asks for.
    "sbom": """echo '{"_type":"https://in-toto.io/Statement/v0.1",\
"predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3"}}' \
>"$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json" """,
}


@dataclass(frozen=True)
class Runner:
    """What a CI platform has: an engine, and a registry that asks for a password."""

    docker: str
    registry: str
    folder: Path

    def clone(self, project: Path, name: str) -> Path:
        """A fresh checkout."""
        folder = self.folder / name / "checkout"
        run("git", "clone", "--quiet", project, folder)
        return folder

    def tags(self, app: str, name: str = NAME) -> set[str]:
        found = listing(self.registry, f"{name}-{app}/tags/list")
        return set((found or {}).get("tags") or ())


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    for program in ("sshd", "ssh-keygen", "psql", "busybox"):
        need(program)
    # A short path, for the engine's sockets.
    folder = tmp_path_factory.mktemp("ci")
    uv = UV_VERSION
    images = [*BASE_IMAGES, f"ghcr.io/astral-sh/uv:{uv}", *_tools(folder / "tools")]
    with (
        registry(folder / "registry") as address,
        runner_engine(folder / "engine", images) as docker,
    ):
        yield Runner(docker, address, folder)


def _tools(folder: Path) -> list[str]:
    """Stand-ins for the tools' images, which no registry here has; hadolint is the real one."""
    names = []
    for name, script in STAND_INS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "run").write_text(f"#!/bin/sh\n{script}\n")
        (folder / name / "run").chmod(0o755)
        lines = ["FROM node:20-alpine", "COPY run /run-tool", 'ENTRYPOINT ["/run-tool"]']
        (folder / name / "Dockerfile").write_text("\n".join(lines))
    (folder / "hadolint").mkdir()
    (folder / "hadolint/hadolint").write_bytes((TOOLS / "hadolint").read_bytes())
    (folder / "hadolint/Dockerfile").write_text(
        'FROM node:20-alpine\nCOPY --chmod=755 hadolint /usr/local/bin/\nCMD ["hadolint", "-"]\n'
    )
    for name in (*STAND_INS, "hadolint"):
        tag = f"e2e-pipeline-tools/{name}:1"
        run("docker", "build", "--quiet", "--tag", tag, folder / name)
        names.append(tag)
    return names


def project(
    runner: Runner,
    shape: str,
    platform: str,
    folder: Path,
    name: str = NAME,
    prepare: Callable[[Path], None] = lambda _: None,
    *options: str,
) -> Path:
    """A repository with a generated pipeline, whose tools are those at hand."""
    compose(shape, folder)
    prepare(folder)
    run("git", "init", "--quiet", "--initial-branch", "main", folder)
    build(
        folder,
        *("generate", "--ci", platform, "--deploy", "--registry", runner.registry),
        *("--set", f"name={name}", "--set", "ci_staging=false", "--set", "fastapi.worker=off"),
        *options,
    )
    tools = folder / "deploy/ci/tools.Dockerfile"
    pinned = re.sub(
        r"^FROM .* AS (\w+)$", r"FROM e2e-pipeline-tools/\1:1 AS \1", tools.read_text(), flags=re.M
    )
    tools.write_text(pinned)
    commit(folder, "first")
    return folder


def commit(folder: Path, message: str) -> None:
    run("git", "add", "--all", cwd=folder)
    author = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    run("git", *author, "commit", "--quiet", "--message", message, cwd=folder)


def variables(server: dict[str, str] | None = None) -> dict[str, str]:
    return {
        "REGISTRY_USER": USER,
        "REGISTRY_TOKEN": PASSWORD,
        "NEXT_PUBLIC_API_URL": "https://api.example.com",
        **(server or {}),
    }


@pytest.fixture(scope="module")
def github(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("github") / "project"
    return project(runner, "e2e-fastapi-postgresql-redis", "github", folder)


def on_github(runner: Runner, source: Path, name: str, **more: Any) -> GitHub:
    """A run of the workflow in a fresh checkout."""
    found = GitHub(runner.clone(source, name), runner.docker, **{"variables": variables(), **more})
    found.workflow(found.folder / ".github/workflows/ci.yml")
    return found


def digests(found: Run) -> list[str]:
    """What the run notes of the images, on either platform."""
    folders = (found.folder.parent / "images", found.folder / ".images")
    return [p.read_text().strip() for folder in folders for p in sorted(folder.glob("*"))]


def test_a_pull_request_is_tested_and_built_but_pushes_nothing(
    runner: Runner, github: Path
) -> None:
    found = on_github(runner, github, "pull", ref="refs/pull/1/merge", event="pull_request")
    assert found.failed == [], found.output
    assert found.ended == ["test-app", "files", "build"]
    assert "2 passed" in found.output
    assert runner.tags("app") == set()


def test_a_failing_test_stops_the_pipeline_before_any_push(
    runner: Runner, github: Path, tmp_path: Path
) -> None:
    broken = runner.clone(github, "broken-test")
    edit(broken / "backend/tests/test_main.py", '"healthy"', '"ill"')
    commit(broken, "broken")
    found = on_github(runner, broken, "broken-test-run")
    assert found.failed == ["test-app"]
    assert "publish" not in found.ended
    assert runner.tags("app") == set()


def test_a_vulnerability_stops_it_as_well(runner: Runner, github: Path) -> None:
    vulnerable = runner.clone(github, "vulnerable")
    (vulnerable / ".vulnerable").touch()
    commit(vulnerable, "vulnerable")
    found = on_github(runner, vulnerable, "vulnerable-run")
    assert found.failed == ["publish"]
    assert runner.tags("app") == set()


def test_files_that_are_out_of_date_are_said(runner: Runner, github: Path) -> None:
    changed = runner.clone(github, "outdated")
    edit(changed / ".config/project.conf", 'USE_REDIS="true"', 'USE_REDIS="false"')
    commit(changed, "no redis")
    found = on_github(
        runner, changed, "outdated-run", ref="refs/pull/2/merge", event="pull_request"
    )
    assert found.failed == ["files"]
    assert "out of date" in found.output


@pytest.fixture(scope="module")
def pushed(runner: Runner, github: Path) -> GitHub:
    """The run of a push to the default branch, without the deployment's settings."""
    found = on_github(runner, github, "push")
    assert found.failed == [], found.output
    return found


def test_a_push_puts_the_image_into_the_registry_by_digest(runner: Runner, pushed: GitHub) -> None:
    assert runner.tags("app") == {pushed.commit[:12], "main", "cache"}
    (line,) = digests(pushed)
    digest = line.partition("@")[2]
    assert line == f"app={runner.registry}/{NAME}-app@{digest}"
    for tag in (pushed.commit[:12], "main"):
        assert listing(runner.registry, f"{NAME}-app/manifests/{tag}") == listing(
            runner.registry, f"{NAME}-app/manifests/{digest}"
        )


def test_provenance_and_the_list_of_parts_are_attached(runner: Runner, pushed: GitHub) -> None:
    index = listing(runner.registry, f"{NAME}-app/manifests/main")
    (attestation,) = [
        manifest
        for manifest in index["manifests"]
        if manifest.get("annotations", {}).get("vnd.docker.reference.type")
        == "attestation-manifest"
    ]
    manifest = listing(runner.registry, f"{NAME}-app/manifests/{attestation['digest']}")
    kinds = {layer["annotations"]["in-toto.io/predicate-type"] for layer in manifest["layers"]}
    assert any("slsa.dev/provenance" in kind for kind in kinds)
    assert "https://spdx.dev/Document" in kinds


def test_nothing_is_deployed_where_nobody_approves(pushed: GitHub) -> None:
    """There is no `gh` here, so no reviewers are found; a run by hand would go on."""
    assert "approval" in pushed.ended
    assert "production" not in [*pushed.ended, *pushed.failed]


def test_a_tag_is_pushed_as_versions(runner: Runner, github: Path, pushed: GitHub) -> None:
    found = on_github(runner, github, "tag", ref="refs/tags/v1.2.3")
    assert found.failed == [], found.output
    assert runner.tags("app") == {pushed.commit[:12], "main", "cache", "1.2.3", "1.2"}


@dataclass
class Server:
    """A server that answers over SSH, with a folder that has settings and nothing else."""

    stack: Stack
    settings: dict[str, str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, github: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server") / "srv"
    folder.mkdir()
    stack = Stack(folder)
    # As the first two steps of the guide leave it.
    (folder / ".env.example").write_bytes((github / ".env.example").read_bytes())
    stack.write_env(DEPLOY_TIMEOUT="180", DRAIN_SECONDS="5")
    with ssh_server(tmp_path_factory.mktemp("ssh") / "d") as settings:
        yield Server(stack, settings | {"SERVER_DIR": str(folder)})
    stack.remove()


def deployed(runner: Runner, source: Path, name: str, server: Server, **other: str) -> GitHub:
    """A run that somebody started by hand: it deploys. Its tests and checks are shown elsewhere."""
    settings = variables(server.settings | other)
    done = ["test-app", "files"]
    return on_github(
        runner, source, name, event="workflow_dispatch", variables=settings, ended=done
    )


@pytest.fixture(scope="module")
def in_service(runner: Runner, github: Path, server: Server) -> GitHub:
    found = deployed(runner, github, "deploy", server)
    assert found.failed == [], found.output
    return found


def running(stack: Stack) -> tuple[str, str]:
    """The image that serves: its name with the tag, and its digest."""
    container = stack.containers()["app"]
    image = run(
        "docker", "image", "inspect", "--format", '{{join .RepoDigests " "}}', container["Image"]
    )
    return container["Config"]["Image"], image


def test_the_server_runs_exactly_what_was_built(
    runner: Runner, server: Server, in_service: GitHub
) -> None:
    assert server.stack.get("/health") == {"status": "healthy"}
    name, digest = running(server.stack)
    assert name == f"{runner.registry}/{NAME}-app:{in_service.commit[:12]}"
    assert digests(in_service)[0].removeprefix("app=") in digest


def test_the_server_keeps_no_password_of_the_registry(
    runner: Runner, server: Server, in_service: GitHub
) -> None:
    assert PASSWORD not in (server.stack.folder / ".env").read_text()
    config = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "config.json"
    assert not config.exists() or runner.registry not in config.read_text()


def test_another_host_key_is_refused(
    runner: Runner, github: Path, server: Server, in_service: GitHub
) -> None:
    host, kind, key = server.settings["SSH_KNOWN_HOSTS"].split()
    other = run("ssh-keygen", "-y", "-f", _other_key(server)).split()[1]
    assert other != key
    before = server.stack.containers()["app"]["Id"]
    found = deployed(runner, github, "forged", server, SSH_KNOWN_HOSTS=f"{host} {kind} {other}")
    assert found.failed == ["production"]
    assert (
        "REMOTE HOST IDENTIFICATION HAS CHANGED" in found.output
        or "verification failed" in found.output
    )
    assert server.stack.containers()["app"]["Id"] == before


def _other_key(server: Server) -> Path:
    path = server.stack.folder.parent / "other"
    if not path.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    return path


def test_a_broken_version_leaves_the_old_one_and_its_files(
    runner: Runner, github: Path, server: Server, in_service: GitHub
) -> None:
    broken = runner.clone(github, "broken")
    code = (broken / "backend/app/main.py").read_text()
    dies = (
        "import os\n\nif os.environ.get('ENVIRONMENT') == 'production':\n    raise SystemExit(3)\n"
    )
    (broken / "backend/app/main.py").write_text(dies + code)
    edit(broken / "docker-compose.prod.yml", "\nservices:", "\n# Of the broken version.\nservices:")
    commit(broken, "broken")
    before = server.stack.containers()["app"]["Id"]
    found = deployed(runner, broken, "broken-run", server)
    assert found.failed == ["production"]
    assert f"In service is version {in_service.commit[:12]}." in found.output
    assert server.stack.containers()["app"]["Id"] == before
    assert server.stack.get("/health") == {"status": "healthy"}
    compose_file = (server.stack.folder / "docker-compose.prod.yml").read_text()
    assert "broken version" not in compose_file


def test_rollback_by_hand(runner: Runner, github: Path, server: Server, in_service: GitHub) -> None:
    newer = runner.clone(github, "newer")
    edit(newer / "backend/app/main.py", '"healthy"', '"healthy", "version": "2"')
    edit(newer / "backend/tests/test_main.py", '"healthy"', '"healthy", "version": "2"')
    commit(newer, "newer")
    found = deployed(runner, newer, "newer-run", server)
    assert found.failed == [], found.output
    assert server.stack.get("/health")["version"] == "2"
    found.workflow(found.folder / ".github/workflows/ci-rollback.yml", version="")
    assert found.failed == [], found.output
    assert server.stack.get("/health") == {"status": "healthy"}
    assert running(server.stack)[0].endswith(in_service.commit[:12])


@pytest.fixture(scope="module")
def gitlab(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gitlab") / "project"
    return project(runner, "e2e-web-app", "gitlab", folder, GITLAB_NAME, _without_extensions)


def _without_extensions(folder: Path) -> None:
    """PostgreSQL's own types alone: psql is called for the migrations, and for nothing else."""
    shutil.rmtree(folder / "database/init")
    (migration,) = (folder / "database/migrations").iterdir()
    migration.write_text("CREATE TABLE notes (id serial PRIMARY KEY, text text NOT NULL);\n")


def on_gitlab(runner: Runner, source: Path, name: str, *jobs: str, **more: Any) -> GitLab:
    found = GitLab(runner.clone(source, name), runner.docker, **{"variables": variables(), **more})
    found.pipeline(found.folder / ".gitlab-ci.yml", *jobs)
    return found


def test_gitlab_a_failing_test_stops_the_pipeline_before_any_push(
    runner: Runner, gitlab: Path
) -> None:
    broken = runner.clone(gitlab, "gitlab-broken")
    edit(broken / "backend/tests/test_main.py", '"healthy"', '"ill"')
    commit(broken, "broken")
    before = runner.tags("frontend", GITLAB_NAME)
    found = on_gitlab(runner, broken, "gitlab-broken-run")
    assert found.failed == ["test-app"]
    assert "publish-images" not in found.ended
    assert runner.tags("frontend", GITLAB_NAME) == before


def test_gitlab_pushes_and_deploys_by_digest(
    runner: Runner, gitlab: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = on_gitlab(runner, gitlab, "gitlab-push")
    assert found.failed == [], found.output
    assert found.ended == ["test-app", "generated-files", "publish-images"]
    assert {found.commit[:12], "main", "cache"} <= runner.tags("app", GITLAB_NAME) & runner.tags(
        "frontend", GITLAB_NAME
    )
    assert [line.partition("=")[0] for line in digests(found)] == ["app", "frontend"]

    folder = tmp_path / "srv"
    folder.mkdir()
    stack = Stack(folder)
    (folder / ".env.example").write_bytes((gitlab / ".env.example").read_bytes())
    stack.write_env(DEPLOY_TIMEOUT="180", DRAIN_SECONDS="5")
    try:
        with ssh_server(tmp_path_factory.mktemp("ssh") / "d") as settings:
            found.variables = variables(settings | {"SERVER_DIR": str(folder)})
            found.pipeline(found.folder / ".gitlab-ci.yml", "deploy-production")
        assert found.failed == [], found.output
        assert stack.get("/health") == {"status": "healthy"}
        assert stack.request("/").status == 200
    finally:
        stack.remove()


def test_gitlab_a_merge_request_pushes_nothing(runner: Runner, gitlab: Path) -> None:
    changed = runner.clone(gitlab, "gitlab-merge")
    (changed / "backend/more.py").write_text("")
    commit(changed, "merge request")
    found = on_gitlab(
        runner, changed, "gitlab-merge-run", event="pull_request", ref="refs/heads/topic"
    )
    assert found.failed == [], found.output
    assert found.ended == ["test-app", "generated-files", "build-images"]
    assert found.commit[:12] not in runner.tags("app", GITLAB_NAME)
    assert digests(found) == []
    assert "docker login" not in found.output
    assert "Login Succeeded" not in found.output


def _attested(runner: Runner, name: str, digest: str) -> tuple[list[str], list[str]]:
    """Of an index: its images, and those that something is attested of."""
    manifests = listing(runner.registry, f"{name}/manifests/{digest}")["manifests"]
    key = "vnd.docker.reference.digest"
    attested = [m["annotations"][key] for m in manifests if key in m.get("annotations", {})]
    return [m["digest"] for m in manifests if m["platform"]["os"] != "unknown"], attested


@pytest.mark.parametrize("platform", ["github", "gitlab"])
def test_images_of_both_architectures_become_one(
    platform: str, runner: Runner, tmp_path: Path
) -> None:
    """Both are of this machine's architecture here, which the commands do not know."""
    name = f"e2e-pipeline-both-{platform}"
    both = ("--set", "ci_multiarch=true")
    source = project(runner, "e2e-fastapi", platform, tmp_path / "p", name, lambda _: None, *both)
    clone = f"both-{platform}"
    found: Run
    if platform == "github":
        found = on_github(runner, source, clone, ended=["test-app", "files"])
        folder = found.folder.parent / "digests/app"
        assert {"push", "publish"} <= {*found.ended}, found.output
    else:
        done = ["test-app", "generated-files"]
        jobs = ("push-images", "publish-images")
        found = on_gitlab(runner, source, clone, *jobs, ended=done)
        folder = found.folder / ".digests/app"
        assert {*jobs} <= {*found.ended}, found.output
    assert found.failed == [], found.output
    (line,) = digests(found)
    merged = line.partition("@")[2]
    assert line == f"app={runner.registry}/{name}-app@{merged}"
    parts = {f"{start}-{end}" for start in ("cache", found.commit[:12]) for end in BOTH}
    assert runner.tags("app", name) == {found.commit[:12], "main"} | parts
    for tag in (found.commit[:12], "main"):
        assert listing(runner.registry, f"{name}-app/manifests/{tag}") == listing(
            runner.registry, f"{name}-app/manifests/{merged}"
        )
    images, attested = _attested(runner, f"{name}-app", merged)
    pushed = [(folder / architecture).read_text().strip() for architecture in BOTH]
    assert len({*pushed, merged}) == 3
    found_in = [_attested(runner, f"{name}-app", digest) for digest in pushed]
    # All that was pushed is in it, with what is attested of each.
    assert {*images} == {image for part in found_in for image in part[0]}
    assert {*attested} == {*images}
    assert len(attested) == 2


def repository(folder: Path, shape: str, files: dict[str, str]) -> Path:
    """A project of that shape, with more files, under version control."""
    compose(shape, folder)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run("git", "init", "--quiet", "--initial-branch", "main", folder)
    return folder


@pytest.mark.parametrize(("value", "fails"), [("1", []), ("2", ["test-app"])])
def test_gitlab_runs_the_test_script_of_a_node_app(
    value: str, fails: list[str], tmp_path: Path
) -> None:
    test = f"require('node:test')('one', () => require('node:assert').equal({value}, 1))"
    source = repository(tmp_path / "p/checkout", "e2e-node", {"test/one.test.js": test})
    package = json.loads((source / "package.json").read_text())
    package["scripts"]["test"] = "node --test test/"
    (source / "package.json").write_text(json.dumps(package))
    build(source, "generate", "--ci", "gitlab")
    commit(source, "first")
    found = GitLab(source, os.environ.get("DOCKER_HOST", ""))
    found.pipeline(source / ".gitlab-ci.yml", "test-app")
    assert found.failed == fails, found.output


def test_github_installs_what_uv_has_locked(tmp_path: Path) -> None:
    source = repository(tmp_path / "p/checkout", "e2e-fastapi", {})
    requirements = (source / "backend/requirements.txt").read_text().splitlines()
    wanted = [line for line in requirements if line and not line.startswith("#")]
    (source / "backend/requirements.txt").unlink()
    (source / "backend/pyproject.toml").write_text(
        '[project]\nname = "locked"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f"dependencies = {json.dumps(wanted)}\n"
    )
    run(REPOSITORY / ".venv/bin/uv", "lock", "--project", source / "backend")
    build(source, "generate", "--ci", "github")
    commit(source, "first")
    found = GitHub(source, os.environ.get("DOCKER_HOST", ""))
    workflow = source / ".github/workflows/ci.yml"
    document = yaml.safe_load(workflow.read_text())
    document["jobs"] = {"test-app": document["jobs"]["test-app"]}
    only = tmp_path / "only.yml"
    only.write_text(yaml.safe_dump(document))
    found.workflow(only)
    assert found.failed == [], found.output
    assert "2 passed" in found.output
