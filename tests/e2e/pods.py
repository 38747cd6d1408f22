"""Runs the pods of rendered manifests on a Docker engine, as a kubelet would run them.

Each container gets the very user, rights, environment, files, limits and command that its manifest
says; Services are names on the network, probes are asked until they pass. What a Docker engine
cannot do is left out: network policies, scheduling, autoscaling.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.stacks import eventually, run

Manifest = Mapping[str, Any]
# Where a pod stands in each kind of object.
_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def pod_template(manifest: Manifest) -> Manifest | None:
    """The pod that an object makes, or None where it makes none."""
    found: Any = manifest
    for key in _TEMPLATES.get(manifest["kind"], ("",)):
        if not key:
            return None
        found = found[key]
    template: Manifest = found
    return template


def docker_quantity(quantity: str) -> str:
    """`512Mi` as Docker writes it: `512m` (kubernetes.io/docs, "Quantity")."""
    return {"Ki": "k", "Mi": "m", "Gi": "g"}[quantity[-2:]].join((quantity[:-2], ""))


@dataclass(frozen=True)
class Mount:
    """Where a volume appears in a container: a `source` that Docker mounts, or memory."""

    source: str
    target: str
    read_only: bool = False
    size: str | None = None


def arguments(container: Manifest, pod: Manifest, mounts: Sequence[Mount]) -> list[str]:
    """The options of `docker run` that give a container what its manifest says."""
    own, shared = container.get("securityContext", {}), pod.get("securityContext", {})
    security = {**shared, **own}
    words = [f"--user={security['runAsUser']}:{security['runAsGroup']}"]
    if "fsGroup" in shared:
        words.append(f"--group-add={shared['fsGroup']}")
    words += [f"--cap-drop={name}" for name in security.get("capabilities", {}).get("drop", ())]
    words += [f"--cap-add={name}" for name in security.get("capabilities", {}).get("add", ())]
    if security.get("allowPrivilegeEscalation") is False:
        words.append("--security-opt=no-new-privileges:true")
    if security.get("readOnlyRootFilesystem"):
        words.append("--read-only")
    limits = container.get("resources", {}).get("limits", {})
    if "memory" in limits:
        words.append(f"--memory={docker_quantity(limits['memory'])}")
    if "cpu" in limits:
        words.append(f"--cpus={limits['cpu']}")
    for mount in mounts:
        if mount.size is not None:
            words.append(f"--tmpfs={mount.target}:rw,size={mount.size},mode=0777")
        else:
            end = ":ro" if mount.read_only else ""
            words.append(f"--volume={mount.source}:{mount.target}{end}")
    if "command" in container:
        words.append(f"--entrypoint={container['command'][0]}")
    return words


def command(container: Manifest) -> list[str]:
    """What stands behind the image in `docker run`."""
    return [*container.get("command", [])[1:], *container.get("args", [])]


@dataclass
class Cluster:
    """The objects of one namespace, and the containers that run for them.

    Attributes:
        manifests: All objects, as `kubectl kustomize` renders them.
        folder: Where files for the containers are written.
        name: What its containers, network and volumes are called.
        config_maps: Further ConfigMaps, by name, as a script would make them.
    """

    manifests: list[Manifest]
    folder: Path
    name: str
    config_maps: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, folder: Path, name: str) -> Cluster:
        return cls([m for m in yaml.safe_load_all(text) if m], folder, name)

    def __enter__(self) -> Cluster:
        run("docker", "network", "create", "--label", f"cluster={self.name}", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        label = f"label=cluster={self.name}"
        for kind, remove in (
            (["ps", "--all"], ["rm", "--force", "--volumes"]),
            (["network", "ls"], ["network", "rm"]),
            (["volume", "ls"], ["volume", "rm", "--force"]),
        ):
            ids = run("docker", *kind, "--quiet", "--filter", label).split()
            if ids:
                subprocess.run(["docker", *remove, *ids], capture_output=True, check=False)

    def get(self, kind: str, name: str) -> Manifest:
        return next(
            m for m in self.manifests if m["kind"] == kind and m["metadata"]["name"] == name
        )

    def all(self, *kinds: str) -> list[Manifest]:
        return [m for m in self.manifests if m["kind"] in kinds]

    def services_of(self, template: Manifest) -> list[str]:
        """Names of the Services that lead to a pod."""
        labels = template["metadata"]["labels"]
        return [
            s["metadata"]["name"]
            for s in self.all("Service")
            if s["spec"]["selector"].items() <= labels.items()
        ]

    def start(self, manifest: Manifest) -> Pod:
        """Run an object's pod: init containers to their end, then the one that stays."""
        template = pod_template(manifest)
        assert template is not None
        pod = Pod(self, manifest["metadata"]["name"], template, manifest)
        pod.start()
        return pod

    def job(self, manifest: Manifest) -> str:
        """Run a pod that ends; what its containers said.

        Raises:
            AssertionError: One of them failed.
        """
        return self.start(manifest).wait()

    def data(self, kind: str, name: str) -> dict[str, bytes] | None:
        """The keys of a ConfigMap or Secret, or None where there is none."""
        if kind == "ConfigMap" and name in self.config_maps:
            return {key: value.encode() for key, value in self.config_maps[name].items()}
        for manifest in self.all(kind):
            if manifest["metadata"]["name"] == name:
                plain = {k: v.encode() for k, v in manifest.get("stringData", {}).items()}
                values = manifest.get("data") or {}
                if kind == "ConfigMap":
                    return {key: value.encode() for key, value in values.items()}
                return plain | {k: base64.b64decode(v) for k, v in values.items()}
        return None


@dataclass
class Pod:
    """One pod: its containers share its volumes and its place on the network."""

    cluster: Cluster
    name: str
    template: Manifest
    owner: Manifest
    said: str = ""
    prepared: set[str] = field(default_factory=set)

    @property
    def spec(self) -> Manifest:
        spec: Manifest = self.template["spec"]
        return spec

    @property
    def main(self) -> Manifest:
        (container,) = self.spec["containers"]
        found: Manifest = container
        return found

    @property
    def container(self) -> str:
        return f"{self.cluster.name}-{self.name}-{self.main['name']}"

    def start(self) -> None:
        for container in self.spec.get("initContainers", ()):
            name = f"{self.cluster.name}-{self.name}-{container['name']}"
            run("docker", *self._run(container, name))
            self._ended(name)
        run("docker", *self._run(self.main, self.container))

    def wait(self) -> str:
        """Wait for its end; what it said."""
        self._ended(self.container)
        return self.said

    def _ended(self, name: str) -> None:
        code = run("docker", "wait", name).strip()
        result = subprocess.run(["docker", "logs", name], capture_output=True, text=True)
        self.said += result.stdout + result.stderr
        run("docker", "rm", "--volumes", name)
        assert code == "0", self.said

    def _run(self, container: Manifest, name: str) -> list[str]:
        words = ["run", "--detach", "--name", name, "--label", f"cluster={self.cluster.name}"]
        words += ["--network", self.cluster.name, "--hostname", f"{self.name}-0"]
        if container is self.main:
            for service in self.cluster.services_of(self.template):
                words += ["--network-alias", service]
        words += [f"--env={key}={value}" for key, value in self.environment(container).items()]
        words += arguments(container, self.spec, self.mounts(container))
        return [*words, container["image"], *command(container)]

    def environment(self, container: Manifest) -> dict[str, str]:
        """Its variables, with those of ConfigMaps looked up."""
        found = {}
        for entry in container.get("env", ()):
            if "value" in entry:
                found[entry["name"]] = entry["value"]
                continue
            reference = entry["valueFrom"]["configMapKeyRef"]
            data = self.cluster.data("ConfigMap", reference["name"]) or {}
            if reference["key"] in data:
                found[entry["name"]] = data[reference["key"]].decode()
            else:
                assert reference.get("optional"), f"{reference} is nowhere"
        return found

    def mounts(self, container: Manifest) -> list[Mount]:
        volumes = {volume["name"]: volume for volume in self.spec.get("volumes", ())}
        claims = self.owner["spec"].get("volumeClaimTemplates", ())
        for claim in claims:
            name = f"{claim['metadata']['name']}-{self.name}-0"
            volumes[claim["metadata"]["name"]] = {"persistentVolumeClaim": {"claimName": name}}
        return [
            self._mount(volumes[mount["name"]], mount)
            for mount in container.get("volumeMounts", ())
        ]

    def _mount(self, volume: Manifest, mount: Manifest) -> Mount:
        target, read_only = mount["mountPath"], mount.get("readOnly", False)
        if "emptyDir" in volume:
            size = volume["emptyDir"].get("sizeLimit")
            if volume["emptyDir"].get("medium") == "Memory":
                return Mount("", target, size=docker_quantity(size))
            return Mount(self._volume(f"{self.name}-{volume['name']}", mode="0777"), target)
        if "persistentVolumeClaim" in volume:
            return Mount(
                self._volume(volume["persistentVolumeClaim"]["claimName"]), target, read_only
            )
        return Mount(str(self._files(volume) / mount.get("subPath", "")), target, read_only=True)

    def _volume(self, claim: str, mode: str = "2775") -> str:
        """A volume as a fresh file system: root's, but for the pod's group, with lost+found."""
        name, group = f"{self.cluster.name}-{claim}", self.spec["securityContext"]["fsGroup"]
        # Once for the pod, before its first container.
        if claim in self.prepared:
            return name
        self.prepared.add(claim)
        run("docker", "volume", "create", "--label", f"cluster={self.cluster.name}", name)
        script = (
            "mkdir -p /volume/lost+found && chmod 0700 /volume/lost+found"
            # OnRootMismatch: the group of everything changes where that of the top differs.
            f' && [ "$(stat -c %g /volume)" = {group} ] || chgrp -R {group} /volume'
            f" && chmod -R g+rwX /volume && chmod {mode} /volume"
            " && find /volume -type d -exec chmod g+s {} +"
        )
        image = ["--user", "0", "--entrypoint", "sh", self.main["image"], "-c", script]
        if mode == "0777":
            image[-1] = f"chmod {mode} /volume"
        run("docker", "run", "--rm", "--volume", f"{name}:/volume", *image)
        return name

    def _files(self, volume: Manifest) -> Path:
        """The files of a ConfigMap, or of Secrets, as the kubelet writes them."""
        folder = self.cluster.folder / f"{self.name}-{volume['name']}"
        folder.mkdir(exist_ok=True, parents=True)
        if "configMap" in volume:
            data = self.cluster.data("ConfigMap", volume["configMap"]["name"])
            assert data is not None, volume
            mode = volume["configMap"].get("defaultMode", 0o644)
            files = data
        else:
            mode = volume["projected"].get("defaultMode", 0o644)
            files = {}
            for source in volume["projected"]["sources"]:
                files |= self._items(source["secret"])
        for name, content in files.items():
            path = folder / name
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
            os.chown(path, 0, self.spec["securityContext"]["fsGroup"])
        return folder

    def _items(self, source: Manifest) -> dict[str, bytes]:
        data = self.cluster.data("Secret", source["name"])
        optional = source.get("optional", False)
        assert data is not None or optional, f"there is no Secret {source['name']}"
        found = {}
        for item in source["items"]:
            if data and item["key"] in data:
                found[item["path"]] = data[item["key"]]
            else:
                assert optional, f"the Secret {source['name']} has no {item['key']}"
        return found

    @property
    def address(self) -> str:
        inspected = json.loads(run("docker", "inspect", self.container))[0]
        found: str = inspected["NetworkSettings"]["Networks"][self.cluster.name]["IPAddress"]
        return found

    def port(self, port: int | str) -> int:
        if isinstance(port, int):
            return port
        found: int = next(p["containerPort"] for p in self.main["ports"] if p["name"] == port)
        return found

    def passes(self, probe: Manifest) -> bool:
        """Whether a probe passes now."""
        if "exec" in probe:
            words = ["docker", "exec", self.container, *probe["exec"]["command"]]
            timeout = probe.get("timeoutSeconds", 1)
            try:
                return subprocess.run(words, capture_output=True, timeout=timeout).returncode == 0
            except subprocess.TimeoutExpired:
                return False
        if "httpGet" in probe:
            action = probe["httpGet"]
            headers = {h["name"]: h["value"] for h in action.get("httpHeaders", ())}
            timeout = probe.get("timeoutSeconds", 1)
            return self.get(action["path"], action["port"], headers, timeout)[0] in range(200, 400)
        port = self.port(probe["tcpSocket"]["port"])
        script = f"</dev/tcp/{self.address}/{port}"
        return subprocess.run(["bash", "-c", script], capture_output=True).returncode == 0

    def get(
        self,
        path: str,
        port: int | str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> tuple[int, str]:
        """Ask the pod itself; 0 and nothing where nobody answers."""
        url = f"http://{self.address}:{self.port(port)}{path}"
        request = urllib.request.Request(url, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def probes(self) -> Iterable[str]:
        return [n for n in ("startupProbe", "readinessProbe", "livenessProbe") if n in self.main]

    def until_ready(self) -> None:
        """Wait until every probe has passed, in the order of a kubelet."""
        for name in self.probes():
            probe = self.main[name]
            tries = probe.get("failureThreshold", 3) * probe.get("periodSeconds", 10)
            try:
                eventually(partial(self.passes, probe), max(tries, 600))
            except AssertionError:
                raise AssertionError(f"{self.name}: {name} fails\n{self.log()}") from None

    def log(self) -> str:
        result = subprocess.run(["docker", "logs", self.container], capture_output=True, text=True)
        return result.stdout[-3000:] + result.stderr[-3000:]

    def stop(self) -> None:
        """Stop and remove it, as when it is scaled to nothing."""
        grace = str(self.spec.get("terminationGracePeriodSeconds", 30))
        run("docker", "stop", "--time", grace, self.container)
        run("docker", "rm", "--volumes", self.container)
