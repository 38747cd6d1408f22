"""The pods of the rendered manifests, run on a Docker engine with their very settings."""

from __future__ import annotations

import base64
import copy
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.guides import Reader, printed, scripts
from tests.e2e.pipelines import open_registry
from tests.e2e.pods import Cluster, Pod
from tests.e2e.stacks import need_image, run
from tests.kubectl import stand_in
from tests.lint.tools import TOOLS
from tests.projects.compose import compose
from tests.runs import build, edit

SHAPE = "e2e-fastapi-postgresql-redis"

# The real kubectl first: it refuses a wrong command before it asks for the cluster, which is not
# there. Then the stand-in answers; commands of the guide alone have nothing to wait for.
KUBECTL = """#!/bin/sh
input=$(mktemp)
trap 'rm -f "$input" "$input.said" "$input.yaml"' EXIT
[ -t 0 ] || cat >"$input"
real=$input
case "$*" in
    # What it would read here is the stand-in's.
    *'--filename -'*)
        real=$input.yaml
        "$REAL" create configmap any --dry-run=client --output yaml >"$real"
        ;;
esac
"$REAL" "$@" <"$real" >"$input.said" 2>&1 || grep -q refused "$input.said" || {
    cat "$input.said" >&2
    exit 64
}
case "$*" in
    kustomize*) cat "$input.said" ;;
    'exec --stdin '*) grep -qx new "$input" ;;
    'exec '*) echo data ;;
    'get pods --namespace '* | 'create '*' --namespace '* | 'delete namespace '*) ;;
    'scale --namespace '* | 'wait --namespace '* | 'patch pv '*' volume') ;;
    'delete statefulset --namespace '* | 'delete pvc --namespace '*) ;;
    'get pvc --namespace '*) echo volume ;;
    'apply '*'/namespace.yaml') ;;
    *) "$STAND_IN" "$@" <"$input" ;;
esac
"""


def rendered(project: Path, environment: str = "production") -> str:
    """The manifests, as the guide's commands render them, with images that are built here."""
    folder = project / "deploy/kubernetes"
    run("sh", folder / "init-secrets.sh", environment)
    return run(TOOLS / "kubectl", "kustomize", folder / "overlays" / environment)


def images(project: Path, text: str) -> None:
    """Build the app's image under the name that the manifests have."""
    name = next(line.split()[-1] for line in text.splitlines() if "registry.example.com" in line)
    run("docker", "build", "--quiet", "--tag", name, "--file", "Dockerfile.prod", ".", cwd=project)


class Running:
    """A cluster with everything started in the order of deploy.sh."""

    def __init__(self, project: Path, cluster: Cluster) -> None:
        self.project, self.cluster = project, cluster
        self.pods: dict[str, Pod] = {}
        for manifest in cluster.all("StatefulSet"):
            self._start(manifest)
        self.migration = cluster.job(cluster.get("Job", "migrate"))
        for manifest in cluster.all("Deployment"):
            self._start(manifest)

    def _start(self, manifest: object) -> None:
        pod = self.cluster.start(manifest)  # type: ignore[arg-type]
        pod.until_ready()
        self.pods[pod.name] = pod

    def get(self, path: str) -> object:
        status, body = self.pods["app"].get(path, "http")
        assert status == 200, (path, status, self.pods["app"].log())
        return json.loads(body)

    def post(self, path: str, data: object) -> object:
        app = self.pods["app"]
        request = urllib.request.Request(
            f"http://{app.address}:{app.port('http')}{path}",
            data=json.dumps(data).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    project = compose(SHAPE, tmp_path_factory.mktemp("kubernetes") / "project")
    build(project, "deploy", "--target", "kubernetes", "--generate")
    text = rendered(project)
    images(project, text)
    folder = tmp_path_factory.mktemp("kubernetes-files")
    migrations = project / "database/migrations"
    with Cluster.of(text, folder, f"e2e-kubernetes-{os.getpid()}") as cluster:
        # As deploy.sh makes it.
        cluster.config_maps["migrations"] = {p.name: p.read_text() for p in migrations.iterdir()}
        yield Running(project, cluster)


def test_every_probe_of_every_pod_passes(running: Running) -> None:
    assert running.pods.keys() == {"app", "worker", "postgres", "redis"}
    for pod in running.pods.values():
        assert list(pod.probes()) == ["startupProbe", "readinessProbe", "livenessProbe"]
        assert all(pod.passes(pod.main[probe]) for probe in pod.probes()), pod.name


def test_the_migration_has_run(running: Running) -> None:
    assert "migrate: the schema is up to date" in running.migration


def test_the_app_answers_and_reaches_its_services(running: Running) -> None:
    assert running.get("/health") == {"status": "healthy"}
    item = running.post("/api/v1/items", {"name": "first"})
    assert item in running.get("/api/v1/items")  # type: ignore[operator]
    assert running.get("/api/v1/items/url") == {"ok": True}
    assert running.post("/api/v1/visits", {}) == {"visits": 1}
    assert running.post("/api/v1/jobs/add", {"x": 2, "y": 3}) == {"result": 5}


def test_the_apps_role_is_no_superuser_and_extensions_may_come_later(running: Running) -> None:
    pod = running.pods["postgres"].container
    asked = 'psql -qAt -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$0"'
    inside = ("docker", "exec", pod, "sh", "-c")
    role = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    assert run(*inside, asked, role).strip() == "f"
    # As deploy.sh calls it.
    scripts = running.project / "deploy/kubernetes/base/scripts"
    part = (scripts / "postgres.sh").read_text()
    added = part.replace('"vector";\n', '"vector";\nCREATE EXTENSION IF NOT EXISTS pageinspect;\n')
    assert added != part
    run(*inside, added, "postgres.sh", "extensions")
    held = "SELECT count(*) FROM pg_extension WHERE extname IN ('vector', 'pageinspect')"
    assert run(*inside, asked, held).strip() == "2"


def test_no_secret_is_in_a_container_s_settings(running: Running) -> None:
    values = [
        base64.b64decode(value).decode()
        for secret in running.cluster.all("Secret")
        for value in secret["data"].values()
    ]
    assert len(values) == 3
    for pod in running.pods.values():
        inspected = run("docker", "inspect", pod.container)
        assert not [value for value in values if value in inspected], pod.name


def test_what_was_backed_up_comes_back(running: Running) -> None:
    cluster = running.cluster
    item = running.post("/api/v1/items", {"name": "kept"})
    visits = running.post("/api/v1/visits", {})
    said = cluster.job(cluster.get("CronJob", "backup"))
    assert "Backed up postgres redis to " in said
    running.post("/api/v1/items", {"name": "lost"})
    running.post("/api/v1/visits", {})

    # The steps of restore.sh.
    cluster.config_maps["restore"] = {"BACKUP": "latest"}
    name = cluster.job(cluster.get("CronJob", "backups")).strip()
    cluster.config_maps["restore"] = {"BACKUP": name}
    running.pods["redis"].stop()
    said = cluster.job(cluster.get("CronJob", "restore"))
    assert f"Restored postgres from {name}" in said
    running._start(cluster.get("StatefulSet", "redis"))
    names = [found["name"] for found in running.get("/api/v1/items")]  # type: ignore[attr-defined]
    assert item["name"] in names  # type: ignore[index]
    assert "lost" not in names
    assert running.post("/api/v1/visits", {}) == {"visits": visits["visits"] + 1}  # type: ignore[index]
    cluster.config_maps["restore"] = {"BACKUP": ""}
    assert name in cluster.job(cluster.get("CronJob", "backups"))


def test_a_backup_without_one_of_its_parts_does_not_count(running: Running) -> None:
    cluster = running.cluster
    manifest = copy.deepcopy(cluster.get("CronJob", "backup"))
    pod = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    del pod["initContainers"][-1]
    with pytest.raises(AssertionError, match="redis is missing"):
        cluster.job(manifest)


def test_every_command_of_the_guide(tmp_path: Path) -> None:
    """The images and manifests are real, and every command is one that kubectl accepts."""
    project = compose(SHAPE, tmp_path / "project")
    build(project, "deploy", "--target", "kubernetes", "--generate")
    kubernetes = project / "deploy/kubernetes"
    state = tmp_path / "state"
    tool = tmp_path / "stand-in"
    tool.write_text(stand_in(state, SHAPE))
    tool.chmod(0o755)
    config = tmp_path / "kubeconfig"
    kubectl = (TOOLS / "kubectl", "--kubeconfig", config, "config")
    run(*kubectl, "set-cluster", "none", "--server=http://127.0.0.1:1")
    run(*kubectl, "set-context", "none", "--cluster=none")
    run(*kubectl, "use-context", "none")
    (tmp_path / "password").write_text("new\n")
    # No Gateway is here that would answer.
    tools = {"kubectl": KUBECTL, "curl": "#!/bin/sh\n", "sleep": "#!/bin/sh\n"}
    words = {
        "sha256:DIGEST": f"sha256:{'0' * 64}",
        "NEW-PASSWORD-FILE": str(tmp_path / "password"),
        ":VERSION": ":v1",
    }
    guide = kubernetes / "README.md"
    with open_registry() as registry:
        words["REGISTRY"] = registry
        reader = Reader(project, tmp_path / "bin", tools, lambda: words)
        reader.environment |= {
            "REAL": str(TOOLS / "kubectl"),
            "STAND_IN": str(tool),
            "KUBECONFIG": str(config),
        }
        database = f"{registry}/database"
        try:
            # Images that were pulled have a digest.
            need_image("pgvector/pgvector:pg15")
            run("docker", "tag", "pgvector/pgvector:pg15", database)
            run("docker", "push", "--quiet", database)
            for version, (title, script) in enumerate(scripts(guide)):
                for app in ("app", "worker"):
                    (state / "images" / app).write_text(f"version-{version}\n")
                if title.endswith("Start"):
                    edit(
                        kubernetes / "overlays/production/kustomization.yaml",
                        "[example.com]",
                        "[shop.test]",
                    )
                reader.script(script)
        finally:
            listing = ("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
            images = run(*listing, "--filter", f"reference={registry}/*").split()
            subprocess.run(["docker", "image", "rm", *images], check=False)
    assert reader.executed == printed(guide)
    calls = (state / "calls").read_text()
    for call in ("apply ", "rollout undo ", "create job restore-"):
        assert call in calls
