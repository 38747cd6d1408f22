"""Manifests of every shape and option: built by kustomize, valid, without privilege, connected."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.deployment import derive
from tests import markdown
from tests.cases import SHAPES
from tests.e2e.pods import pod_template
from tests.lint.network_policies import Peer, allowed
from tests.lint.pod_security import violations
from tests.lint.tools import CONFIGURATION, run_tool
from tests.projects.compose import compose
from tests.runs import run
from tests.trees import distinct

OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "ingress": ("--set", "kubernetes_route=ingress", "--set", "kubernetes_secrets=external"),
    "uploads": ("--set", "uploads=/app/uploads", "--set", "gpu=true"),
    "elsewhere": ("--set", "postgres=external", "--set", "redis=external"),
    "output": ("--output", "ops/production", "--set", "proxy=none"),
}
# Shapes that show every option; without options, all of them are rendered.
SHOWN = ("everything--with-deps", "profile-web-app", "python-postgresql", "node")
PAIRS = [(shape, "plain") for shape in SHAPES] + [
    (shape, option) for option in OPTIONS if option != "plain" for shape in SHOWN
]
# The three newest that the tool carries.
VERSIONS = ("1.37.0", "1.36.0", "1.35.0")
ENVIRONMENTS = ("production", "staging")
DIGEST = f"sha256:{'0' * 64}"
Manifests = list[dict[str, Any]]


@dataclass(frozen=True)
class Tree:
    """A generated project, and its manifests as kustomize builds them, with digests of images."""

    name: str
    folder: Path
    rendered: dict[str, Path]

    def manifests(self, environment: str = "production") -> Manifests:
        return [m for m in yaml.safe_load_all(self.rendered[environment].read_text()) if m]

    @property
    def stack(self) -> Any:
        (file,) = self.folder.rglob(".copier-answers.yml")
        answers = yaml.safe_load(file.read_text())
        return derive(answers).stack


Trees = dict[str, Tree]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    folder = tmp_path_factory.mktemp("kubernetes")
    wanted = [(compose(s, folder / f"{s}-{o}"), o) for s, o in PAIRS]
    with ProcessPoolExecutor() as pool:
        return {tree.name: tree for tree in pool.map(_generate, *zip(*wanted, strict=True))}


def _generate(project: Path, options: str) -> Tree:
    result = run(project, "deploy", "--target", "kubernetes", "--generate", *OPTIONS[options])
    assert result.code == 0, result.stderr
    (folder,) = (path.parent for path in project.rglob("deploy/kubernetes/deploy.sh"))
    rendered = {}
    for environment in ENVIRONMENTS:
        kustomization = folder / "overlays" / environment / "kustomization.yaml"
        document = yaml.safe_load(kustomization.read_text())
        given = [f"{image['name']}={image['newName']}@{DIGEST}" for image in document["images"]]
        _script(folder / "set-images.sh", environment, *given)
        if (folder / "init-secrets.sh").exists():
            # What the script would ask for.
            _script(folder / "init-secrets.sh", environment, POSTGRES_PASSWORD="x" * 20)
        rendered[environment] = project.parent / f"{project.name}-{environment}.yaml"
        rendered[environment].write_text(run_tool("kubectl", "kustomize", kustomization.parent))
    return Tree(project.name, folder.parents[1], rendered)


def _script(path: Path, *arguments: str, **environment: str) -> None:
    result = subprocess.run(
        ["sh", path, *arguments],
        env={"PATH": "/usr/bin:/bin"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def _all(trees: Trees) -> list[Path]:
    return [path for tree in trees.values() for path in tree.rendered.values()]


def _pods(manifests: Manifests) -> dict[str, dict[str, Any]]:
    """The pods by the name of what makes them."""
    found = [(m["metadata"]["name"], pod_template(m)) for m in manifests]
    return {name: dict(pod) for name, pod in found if pod}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_health_checks_ask_for_the_domain(trees: Trees, environment: str) -> None:
    """An overlay names it once."""
    domain = "example.com" if environment == "production" else f"{environment}.example.com"
    asked = set()
    for tree in trees.values():
        for pod in _pods(tree.manifests(environment)).values():
            for container in pod["spec"]["containers"]:
                for probe in ("startupProbe", "readinessProbe"):
                    for header in (
                        container.get(probe, {}).get("httpGet", {}).get("httpHeaders", ())
                    ):
                        asked.add((header["name"], header["value"]))
    assert asked == {("Host", domain), ("X-Forwarded-Proto", "https")}


def test_a_service_that_is_away_keeps_its_name_in_the_cluster(trees: Trees) -> None:
    """A headless one's name goes with its pods, and is then looked for outside."""
    for path in _all(trees):
        for one in yaml.safe_load_all(path.read_text()):
            if one["kind"] == "Service":
                assert one["spec"].get("clusterIP") != "None", (path, one["metadata"]["name"])
                assert one["spec"].get("type", "ClusterIP") == "ClusterIP"


def test_every_overlay_is_built(trees: Trees) -> None:
    assert len(trees) == len(PAIRS)
    for tree in trees.values():
        for environment in ENVIRONMENTS:
            names = {m["metadata"].get("namespace") for m in tree.manifests(environment)}
            assert names == {f"{tree.stack.name}-{environment}", None}


@pytest.fixture(scope="module")
def objects(trees: Trees, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every object of all trees once, under the same name of the project: the tool is slow."""
    found = {
        re.sub(rf"(?<![\w.]){tree.stack.name}(?![a-z0-9])", "project", path.read_text())
        for tree in trees.values()
        for path in tree.rendered.values()
    }
    texts = {
        text.strip() for document in found for text in re.split(r"^---$", document, flags=re.M)
    }
    file = tmp_path_factory.mktemp("objects") / "objects.yaml"
    file.write_text("\n---\n".join(sorted(texts)))
    return file


@pytest.mark.parametrize("version", VERSIONS)
def test_the_api_s_schemas(version: str, objects: Path) -> None:
    said = run_tool("kubernetes-validate", "--strict", "-k", version, objects)
    assert said.count(" passed for resource ") > 100


def test_checkov(trees: Trees, tmp_path: Path) -> None:
    for path in _all(trees):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    run_tool("checkov", "--config-file", CONFIGURATION / "checkov-kubernetes.yml", "-d", tmp_path)


def test_yamllint(trees: Trees) -> None:
    files = [path for tree in trees.values() for path in tree.folder.rglob("kubernetes/**/*.yaml")]
    assert (
        run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *distinct(files))
        == ""
    )


def test_shellcheck(trees: Trees) -> None:
    files = [path for tree in trees.values() for path in tree.folder.rglob("kubernetes/**/*.sh")]
    assert run_tool("shellcheck", "-x", *distinct(files)) == ""


def test_pod_security_is_restricted_and_every_pod_passes(trees: Trees) -> None:
    for tree in trees.values():
        manifests = tree.manifests()
        (namespace,) = (m for m in manifests if m["kind"] == "Namespace")
        level = namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        assert level == "restricted"
        for name, pod in _pods(manifests).items():
            assert [*violations(pod["spec"])] == [], (tree.name, name)
            assert pod["spec"]["automountServiceAccountToken"] is False


def test_apps_run_as_a_user_that_no_host_has(trees: Trees) -> None:
    for tree in trees.values():
        pods = _pods(tree.manifests())
        for app in tree.stack.apps:
            assert pods[app.name]["spec"]["securityContext"]["runAsUser"] >= 10000


def test_no_secret_has_a_value(trees: Trees) -> None:
    """What is generated holds no Secret at all: kustomize makes it of the file that git ignores."""
    for tree in trees.values():
        for path in tree.folder.rglob("kubernetes/**/*.yaml"):
            for manifest in yaml.safe_load_all(path.read_text()):
                assert manifest["kind"] != "Secret", path
                for generator in manifest.get("secretGenerator", ()):
                    assert generator["envs"] == [f"{generator['name']}.env"]
                    assert generator["name"] in {"secrets", "passwords"}
                    assert generator.keys() == {"name", "envs"}
        names = {secret.name for secret in tree.stack.variables if secret.secret}
        for path in tree.folder.rglob("kubernetes/overlays/*/*.env"):
            settings = dict(
                line.split("=", 1)
                for line in path.read_text().splitlines()
                if line and not line.startswith("#")
            )
            assert path.name in {"secrets.env", "passwords.env"} or not names & settings.keys()


def test_git_ignores_the_secrets(trees: Trees, tmp_path: Path) -> None:
    tree = trees["profile-web-app-plain"]
    subprocess.run(["git", "init", "-q", tree.folder], check=True)
    for name in ("secrets.env", "passwords.env"):
        file = f"deploy/kubernetes/overlays/production/{name}"
        assert (tree.folder / file).exists()
        subprocess.run(["git", "check-ignore", "-q", file], cwd=tree.folder, check=True)


def test_a_pod_sees_only_the_secrets_that_it_reads(trees: Trees) -> None:
    for tree in trees.values():
        stack = tree.stack
        own = {name for app in stack.apps for name in app.passed_on}
        for service in stack.services:
            if service.name not in _pods(tree.manifests()):
                continue
            volumes = _pods(tree.manifests())[service.name]["spec"].get("volumes", ())
            keys = {
                item["key"]
                for volume in volumes
                for source in volume.get("projected", {}).get("sources", ())
                for item in source["secret"]["items"]
            }
            assert keys == {env.variable for env in service.secrets}
            assert not keys & own


def test_every_pod_and_volume_that_is_named_is_there(trees: Trees) -> None:
    """Selectors, claims, ConfigMaps and backends lead somewhere."""
    for tree in trees.values():
        manifests = tree.manifests()
        names = {(m["kind"], m["metadata"]["name"]) for m in manifests}
        pods = _pods(manifests)
        labels = [pod["metadata"]["labels"] for pod in pods.values()]
        if (tree.folder / "deploy/kubernetes/base/kustomization.yaml").exists():
            base = tree.folder / "deploy/kubernetes/base"
            listed = yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]
            assert {*listed, "kustomization.yaml"} == {path.name for path in base.glob("*.yaml")}
        for manifest in manifests:
            spec = manifest.get("spec", {})
            selector = spec.get("selector", {})
            selector = selector.get("matchLabels", selector)
            if selector:
                assert [one for one in labels if selector.items() <= one.items()], manifest
            for rule in spec.get("rules", ()):
                for backend in rule.get("backendRefs", ()):
                    assert ("Service", backend["name"]) in names
        claims = {name for kind, name in names if kind == "PersistentVolumeClaim"}
        claims |= {
            f"{claim['metadata']['name']}-{m['metadata']['name']}-0"
            for m in manifests
            for claim in m.get("spec", {}).get("volumeClaimTemplates", ())
        }
        # The rest is made by deploy.sh and restore.sh.
        made = {name for kind, name in names if kind == "ConfigMap"} | {"migrations", "restore"}
        for pod in pods.values():
            for volume in pod["spec"].get("volumes", ()):
                if "persistentVolumeClaim" in volume:
                    assert volume["persistentVolumeClaim"]["claimName"] in claims
                if "configMap" in volume:
                    assert volume["configMap"]["name"] in made


@pytest.mark.parametrize(("shape", "options"), PAIRS)
def test_policies_let_through_the_model_s_edges_and_nothing_else(
    shape: str, options: str, trees: Trees
) -> None:
    _check_policies(trees[f"{shape}-{options}"])


def _check_policies(tree: Tree) -> None:
    manifests, stack = tree.manifests(), tree.stack
    policies = [m for m in manifests if m["kind"] == "NetworkPolicy"]
    namespace = f"{stack.name}-production"
    pods = {
        name: Peer(name, namespace, pod["metadata"]["labels"])
        for name, pod in _pods(manifests).items()
    }
    gateway = Peer("gateway", "traefik", {"app.kubernetes.io/name": "traefik"})
    dns = Peer("dns", "kube-system", {"k8s-app": "kube-dns"})
    stranger = Peer("stranger", "default", {"app.kubernetes.io/name": "app"})
    neighbour = Peer("neighbour", f"{stack.name}-staging", {"app.kubernetes.io/name": "postgres"})
    internet = Peer("internet", address="93.184.216.34")
    metadata = Peer("metadata", address="169.254.169.254")
    private = Peer("private", address="10.0.0.7")
    cache = Peer("cache", address="169.254.20.10")
    outside = [gateway, dns, cache, stranger, neighbour, internet, metadata, private]
    services = {service.name: service.port for service in stack.services}
    webs = {app.name: app.port for app in stack.web_apps}
    elsewhere = {service.port for service in stack.external}
    ports = {*services.values(), *webs.values(), *elsewhere, 22, 53, 80, 443}

    found = {
        (source.name, target.name, port)
        for source in [*pods.values(), *outside]
        for target in [*pods.values(), *outside]
        for port in ports
        if source is not target
        and (source in pods.values() or target in pods.values())
        and allowed(policies, source, target, port)
    }

    expected = {(edge.source, edge.target, edge.port) for edge in stack.edges}
    expected |= {("gateway", name, port) for name, port in webs.items()}
    saved = [service for service in stack.services if not service.paused_backup]
    expected |= {("backup", service.name, service.port) for service in saved}
    expected |= {("restore", s.name, s.port) for s in saved if not s.stopped_restore}
    users = {app.name: app for app in stack.apps}
    users |= {worker.name: worker.app for worker in stack.workers}
    expected |= {(name, "internet", port) for name in users for port in ports}
    reaching = {name: {stack.service(s).port for s in app.external} for name, app in users.items()}
    if stack.migrations and stack.service("postgres").external:
        reaching["migrate"] = {5432}
    expected |= {
        (name, target.name, port)
        for name, its in reaching.items()
        for port in its
        for target in outside
    }
    resolving = {source for source, _, _ in expected if source in pods}
    expected |= {(name, server, 53) for name in resolving for server in ("dns", "cache")}
    assert found == expected, tree.name
    assert all(allowed(policies, pods[name], dns, 53, "UDP") for name in resolving)


def test_a_change_of_the_apps_settings_leaves_the_databases_alone(trees: Trees) -> None:
    tree = trees["profile-web-app-plain"]
    overlay = tree.folder / "deploy/kubernetes/overlays/production"
    before = _pods(tree.manifests())
    settings, secrets = overlay / "settings.env", overlay / "secrets.env"
    kept = settings.read_text(), secrets.read_text()
    settings.write_text(kept[0].replace("WEB_CONCURRENCY=auto", "WEB_CONCURRENCY=4"))
    secrets.write_text(kept[1] + "LOG_LEVEL=debug\n")
    try:
        rendered = yaml.safe_load_all(run_tool("kubectl", "kustomize", overlay))
        after = _pods([manifest for manifest in rendered if manifest])
    finally:
        settings.write_text(kept[0])
        secrets.write_text(kept[1])
    changed = {name for name in before if before[name] != after[name]}
    assert changed & {"app", "frontend"}
    assert not changed & {service.name for service in tree.stack.services}


def test_markdown(trees: Trees) -> None:
    config = CONFIGURATION / "pymarkdown.json"
    guides = [tree.folder / "deploy/kubernetes/README.md" for tree in trees.values()]
    assert run_tool("pymarkdown", "--config", config, "scan", *distinct(guides)) == ""
    for guide in guides:
        sections = markdown.sections(guide.read_text())
        for section, following in zip(sections, [*sections[1:], None], strict=True):
            empty = not section.blocks and (not following or following.level <= section.level)
            assert not empty, (guide, section.title)
