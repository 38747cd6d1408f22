"""What `docker run` is told for a pod: its user, rights, limits, command, variables and files."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.pods import Cluster, Mount, Pod, arguments, command, docker_quantity, pod_template

Manifest = dict[str, Any]

# Files are handed to root and the pod's group.
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

POD = "securityContext: {runAsUser: 10001, runAsGroup: 10002, fsGroup: 10003}"


def loaded(text: str) -> Manifest:
    found: Manifest = yaml.safe_load(text)
    return found


def words(container: str, *mounts: Mount, shared: str = POD) -> list[str]:
    return arguments(loaded(container), loaded(shared), mounts)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def cluster(folder: Path, *manifests: str) -> Cluster:
    return Cluster([loaded(text) for text in manifests], folder, "test")


def pod(folder: Path, spec: str, *manifests: str, owner: str = "spec: {}") -> Pod:
    """A pod called `app`, in a namespace with the given objects; no engine is asked."""
    template = {"metadata": {"labels": {}}, "spec": loaded(POD) | loaded(spec)}
    return Pod(cluster(folder, *manifests), "app", template, loaded(owner))


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
def test_the_pod_of_a_workload(kind: str) -> None:
    manifest = {"kind": kind, "spec": {"replicas": 1, "template": {"spec": {"hostname": "a"}}}}
    assert pod_template(manifest) == {"spec": {"hostname": "a"}}


def test_the_pod_of_a_cron_job_is_that_of_its_job() -> None:
    spec = {"jobTemplate": {"spec": {"template": {"spec": {"hostname": "a"}}}}}
    assert pod_template({"kind": "CronJob", "spec": spec}) == {"spec": {"hostname": "a"}}


@pytest.mark.parametrize(
    "text",
    [
        "{kind: ConfigMap, data: {template: a}}",
        "{kind: Service, spec: {selector: {app: a}}}",
        "{kind: Namespace}",
        "{kind: PersistentVolumeClaim, spec: {}}",
        "{kind: HorizontalPodAutoscaler, spec: {scaleTargetRef: {kind: Deployment}}}",
    ],
)
def test_other_objects_make_no_pod(text: str) -> None:
    assert pod_template(loaded(text)) is None


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("512Ki", "512k"), ("64Mi", "64m"), ("1Gi", "1g"), ("100Gi", "100g")],
)
def test_quantities(quantity: str, expected: str) -> None:
    """Docker counts in powers of two as well."""
    assert docker_quantity(quantity) == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("{}", "--user=10001:10002"),
        ("{securityContext: {runAsUser: 70}}", "--user=70:10002"),
        ("{securityContext: {runAsGroup: 71}}", "--user=10001:71"),
        ("{securityContext: {runAsUser: 70, runAsGroup: 71}}", "--user=70:71"),
    ],
)
def test_a_container_s_user_goes_before_its_pod_s(own: str, expected: str) -> None:
    assert words(own)[0] == expected


def test_the_pod_s_group_is_a_further_one() -> None:
    assert "--group-add=10003" in words("{}")


def test_without_a_group_of_files_there_is_no_further_one() -> None:
    shared = "securityContext: {runAsUser: 1, runAsGroup: 2}"
    assert words("{}", shared=shared) == ["--user=1:2"]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ("{drop: [ALL]}", ["--cap-drop=ALL"]),
        ("{drop: [NET_RAW, MKNOD]}", ["--cap-drop=NET_RAW", "--cap-drop=MKNOD"]),
        ("{add: [NET_BIND_SERVICE]}", ["--cap-add=NET_BIND_SERVICE"]),
        (
            "{drop: [ALL], add: [CHOWN, KILL]}",
            ["--cap-drop=ALL", "--cap-add=CHOWN", "--cap-add=KILL"],
        ),
        ("{}", []),
    ],
)
def test_capabilities(capabilities: str, expected: list[str]) -> None:
    found = words(f"securityContext: {{capabilities: {capabilities}}}")
    assert [word for word in found if word.startswith("--cap-")] == expected


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ("{allowPrivilegeEscalation: false}", True),
        ("{allowPrivilegeEscalation: true}", False),
        ("{}", False),
    ],
)
def test_no_new_privileges_only_where_they_are_refused(security: str, expected: bool) -> None:
    found = words(f"securityContext: {security}")
    assert ("--security-opt=no-new-privileges:true" in found) is expected


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ("{readOnlyRootFilesystem: true}", True),
        ("{readOnlyRootFilesystem: false}", False),
        ("{}", False),
    ],
)
def test_read_only(security: str, expected: bool) -> None:
    assert ("--read-only" in words(f"securityContext: {security}")) is expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("{memory: 65536Ki}", ["--memory=65536k"]),
        ("{memory: 512Mi}", ["--memory=512m"]),
        ("{memory: 2Gi}", ["--memory=2g"]),
        ("{cpu: 2}", ["--cpus=2"]),
        ("{cpu: '0.5'}", ["--cpus=0.5"]),
        ("{cpu: '1.0', memory: 1Gi}", ["--memory=1g", "--cpus=1.0"]),
        ("{}", []),
    ],
)
def test_limits(limits: str, expected: list[str]) -> None:
    assert words(f"resources: {{limits: {limits}}}")[2:] == expected


def test_requests_are_no_limits() -> None:
    assert words("resources: {requests: {cpu: 100m, memory: 64Mi}}") == words("{}")


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (Mount("data", "/data"), "--volume=data:/data"),
        (Mount("/files", "/etc/files", read_only=True), "--volume=/files:/etc/files:ro"),
        (Mount("", "/tmp", size="64m"), "--tmpfs=/tmp:rw,size=64m,mode=0777"),
    ],
)
def test_mounts_as_options(mount: Mount, expected: str) -> None:
    assert words("{}", mount)[2:] == [expected]


def test_mounts_keep_their_order() -> None:
    found = words("{}", Mount("a", "/a"), Mount("", "/b", size="1m"), Mount("c", "/a/c"))
    assert [word.partition("=")[0] for word in found[2:]] == ["--volume", "--tmpfs", "--volume"]
    assert found[-1] == "--volume=c:/a/c"


@pytest.mark.parametrize(
    ("container", "entrypoint", "rest"),
    [
        ("{}", [], []),
        ("{args: [serve, --port, '80']}", [], ["serve", "--port", "80"]),
        ("{command: [sh]}", ["--entrypoint=sh"], []),
        ("{command: [sh, -c, exit]}", ["--entrypoint=sh"], ["-c", "exit"]),
        ("{command: [sh, -c], args: [exit]}", ["--entrypoint=sh"], ["-c", "exit"]),
    ],
)
def test_command_and_arguments(container: str, entrypoint: list[str], rest: list[str]) -> None:
    """The command is in place of the image's entrypoint, arguments of its command."""
    assert words(container)[2:] == entrypoint
    assert command(loaded(container)) == rest


def test_objects_are_read_from_many_documents(tmp_path: Path) -> None:
    text = "---\nkind: Job\nmetadata: {name: a}\n---\n---\nkind: Service\nmetadata: {name: a}\n"
    found = Cluster.of(text, tmp_path, "test")
    assert [manifest["kind"] for manifest in found.manifests] == ["Job", "Service"]


def test_objects_are_found_by_kind_and_name(tmp_path: Path) -> None:
    found = cluster(
        tmp_path,
        "{kind: Job, metadata: {name: a}}",
        "{kind: Service, metadata: {name: b}}",
        "{kind: Service, metadata: {name: a}}",
    )
    assert found.get("Service", "a") is found.manifests[2]


def test_objects_are_listed_by_kind(tmp_path: Path) -> None:
    kinds = ("Job", "Service", "Deployment", "Job")
    found = cluster(tmp_path, *(f"{{kind: {kind}}}" for kind in kinds))
    assert found.all("Job", "Deployment") == [{"kind": k} for k in ("Job", "Deployment", "Job")]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("{app: web, tier: front}", ["web", "front"]),
        ("{app: web, tier: front, version: '2'}", ["web", "front"]),
        ("{app: docs, tier: front}", ["front"]),
        ("{app: web}", []),
        ("{app: web, tier: back}", []),
        ("{}", []),
    ],
)
def test_a_service_leads_to_pods_with_all_its_labels(
    labels: str, expected: list[str], tmp_path: Path
) -> None:
    found = cluster(
        tmp_path,
        "{kind: Service, metadata: {name: web}, spec: {selector: {app: web, tier: front}}}",
        "{kind: Service, metadata: {name: front}, spec: {selector: {tier: front}}}",
        "{kind: NetworkPolicy, metadata: {name: all}, spec: {podSelector: {}}}",
    )
    assert found.services_of({"metadata": {"labels": loaded(labels)}}) == expected


CONFIG = "{kind: ConfigMap, metadata: {name: shared}, data: {HOST: db, EMPTY: '', PORT: '1'}}"


def test_the_data_of_a_config_map(tmp_path: Path) -> None:
    found = cluster(tmp_path, CONFIG).data("ConfigMap", "shared")
    assert found == {"HOST": b"db", "EMPTY": b"", "PORT": b"1"}


@pytest.mark.parametrize("values", ["", ", data: {}", ", data: null"])
@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_an_object_without_data_has_no_keys(kind: str, values: str, tmp_path: Path) -> None:
    found = cluster(tmp_path, f"{{kind: {kind}, metadata: {{name: shared}}{values}}}")
    assert found.data(kind, "shared") == {}


def test_the_data_of_a_secret_is_decoded(tmp_path: Path) -> None:
    secret = f"{{kind: Secret, metadata: {{name: shared}}, data: {{KEY: {encoded('pä$s')}}}}}"
    assert cluster(tmp_path, secret).data("Secret", "shared") == {"KEY": "pä$s".encode()}


def test_the_plain_data_of_a_secret(tmp_path: Path) -> None:
    secret = (
        "{kind: Secret, metadata: {name: shared},"
        f" stringData: {{PLAIN: pä$s}}, data: {{KEY: {encoded('a')}}}}}"
    )
    found = cluster(tmp_path, secret).data("Secret", "shared")
    assert found == {"PLAIN": "pä$s".encode(), "KEY": b"a"}


@pytest.mark.parametrize(("kind", "name"), [("ConfigMap", "other"), ("Secret", "shared")])
def test_there_is_no_data_under_another_name_or_kind(kind: str, name: str, tmp_path: Path) -> None:
    assert cluster(tmp_path, CONFIG).data(kind, name) is None


def test_a_config_map_that_a_script_makes(tmp_path: Path) -> None:
    found = cluster(tmp_path)
    found.config_maps["made"] = {"BACKUP": "latest"}
    assert found.data("ConfigMap", "made") == {"BACKUP": b"latest"}
    assert found.data("Secret", "made") is None


def test_a_config_map_that_a_script_makes_anew(tmp_path: Path) -> None:
    found = cluster(tmp_path, CONFIG)
    found.config_maps["shared"] = {"HOST": "other"}
    assert found.data("ConfigMap", "shared") == {"HOST": b"other"}


def environment(folder: Path, *entries: str) -> dict[str, str]:
    return pod(folder, "{}", CONFIG).environment(loaded(f"env: [{', '.join(entries)}]"))


def reference(name: str, key: str, more: str = "") -> str:
    return f"{{name: X, valueFrom: {{configMapKeyRef: {{name: {name}, key: {key}{more}}}}}}}"


def test_a_container_without_variables(tmp_path: Path) -> None:
    assert pod(tmp_path, "{}").environment({}) == {}


@pytest.mark.parametrize("value", ["1", "", "a b=c"])
def test_a_variable_s_value(value: str, tmp_path: Path) -> None:
    assert environment(tmp_path, f"{{name: X, value: '{value}'}}") == {"X": value}


@pytest.mark.parametrize(("key", "value"), [("HOST", "db"), ("EMPTY", ""), ("PORT", "1")])
@pytest.mark.parametrize("more", ["", ", optional: true"])
def test_a_variable_of_a_config_map(key: str, value: str, more: str, tmp_path: Path) -> None:
    assert environment(tmp_path, reference("shared", key, more)) == {"X": value}


@pytest.mark.parametrize(("name", "key"), [("shared", "NONE"), ("none", "HOST")])
def test_an_optional_variable_may_be_missing(name: str, key: str, tmp_path: Path) -> None:
    entries = (reference(name, key, ", optional: true"), "{name: Y, value: y}")
    assert environment(tmp_path, *entries) == {"Y": "y"}


@pytest.mark.parametrize(("name", "key"), [("shared", "NONE"), ("none", "HOST")])
@pytest.mark.parametrize("more", ["", ", optional: false"])
def test_a_variable_that_is_missing_is_an_error(
    name: str, key: str, more: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="is nowhere"):
        environment(tmp_path, reference(name, key, more))


def test_memory_is_mounted_with_its_size(tmp_path: Path) -> None:
    spec = "volumes: [{name: tmp, emptyDir: {medium: Memory, sizeLimit: 64Mi}}]"
    found = pod(tmp_path, spec).mounts(loaded("volumeMounts: [{name: tmp, mountPath: /tmp}]"))
    assert found == [Mount("", "/tmp", size="64m")]


@pytest.mark.parametrize(
    ("more", "read_only"), [("", False), (", readOnly: false", False), (", readOnly: true", True)]
)
def test_claims_are_mounted_as_the_mount_says(more: str, read_only: bool, tmp_path: Path) -> None:
    app = pod(tmp_path, "volumes: [{name: data, persistentVolumeClaim: {claimName: uploads}}]")
    app.prepared.add("uploads")
    found = app.mounts(loaded(f"volumeMounts: [{{name: data, mountPath: /data{more}}}]"))
    assert found == [Mount("test-uploads", "/data", read_only)]


def test_a_claim_of_a_stateful_set_is_named_after_the_pod(tmp_path: Path) -> None:
    app = pod(tmp_path, "{}", owner="spec: {volumeClaimTemplates: [{metadata: {name: data}}]}")
    app.prepared.add("data-app-0")
    found = app.mounts(loaded("volumeMounts: [{name: data, mountPath: /data}]"))
    assert found == [Mount("test-data-app-0", "/data")]


def test_an_empty_folder_is_the_pod_s_own(tmp_path: Path) -> None:
    app = pod(tmp_path, "volumes: [{name: cache, emptyDir: {sizeLimit: 10Gi}}]")
    app.prepared.add("app-cache")
    found = app.mounts(loaded("volumeMounts: [{name: cache, mountPath: /cache}]"))
    assert found == [Mount("test-app-cache", "/cache")]


def test_a_container_has_the_mounts_that_it_names(tmp_path: Path) -> None:
    memory = "emptyDir: {medium: Memory, sizeLimit: 1Mi}"
    app = pod(tmp_path, f"volumes: [{{name: a, {memory}}}, {{name: b, {memory}}}]")
    found = app.mounts(loaded("volumeMounts: [{name: b, mountPath: /x}, {name: b, mountPath: /y}]"))
    assert [mount.target for mount in found] == ["/x", "/y"]
    assert app.mounts({}) == []


SECRETS = (
    f"{{kind: Secret, metadata: {{name: secrets}}, data: {{KEY: {encoded('k')},"
    f" TOKEN: {encoded('t')}, OTHER: {encoded('o')}}}}}"
)
PASSWORDS = f"{{kind: Secret, metadata: {{name: passwords}}, data: {{DB: {encoded('pä$s')}}}}}"
FILES = loaded("volumeMounts: [{name: files, mountPath: /etc/files}]")
OPTIONAL = ", optional: true"


def source(name: str, *keys: str, more: str = "") -> str:
    items = ", ".join(f"{{key: {key}, path: {key.lower()}}}" for key in keys)
    return f"{{secret: {{name: {name}, items: [{items}]{more}}}}}"


def projected(folder: Path, *sources: str, mode: str = "") -> Path:
    """Where the files of Secrets are, as they would be mounted."""
    volume = f"{{name: files, projected: {{{mode}sources: [{', '.join(sources)}]}}}}"
    (found,) = pod(folder, f"volumes: [{volume}]", SECRETS, PASSWORDS).mounts(FILES)
    return Path(found.source)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@as_root
def test_only_the_listed_secrets_are_written(tmp_path: Path) -> None:
    found = projected(tmp_path, source("secrets", "KEY", "TOKEN"))
    assert contents(found) == {"key": b"k", "token": b"t"}


@as_root
def test_secrets_of_many_sources_stand_together(tmp_path: Path) -> None:
    found = projected(tmp_path, source("passwords", "DB"), source("secrets", "KEY"))
    assert contents(found) == {"db": "pä$s".encode(), "key": b"k"}


@as_root
@pytest.mark.parametrize(
    ("mode", "expected"),
    [("", 0o644), ("defaultMode: 0440, ", 0o440), ("defaultMode: 0640, ", 0o640)],
)
def test_the_mode_of_secrets(mode: str, expected: int, tmp_path: Path) -> None:
    found = projected(tmp_path, source("secrets", "KEY"), mode=mode)
    assert stat.S_IMODE((found / "key").stat().st_mode) == expected


@as_root
def test_secrets_are_root_s_and_the_pod_s_group(tmp_path: Path) -> None:
    status = (projected(tmp_path, source("secrets", "KEY")) / "key").stat()
    assert (status.st_uid, status.st_gid) == (0, 10003)


@as_root
def test_files_are_mounted_read_only(tmp_path: Path) -> None:
    """Whatever the mount says."""
    volume = f"{{name: files, projected: {{sources: [{source('secrets', 'KEY')}]}}}}"
    mounts = loaded("volumeMounts: [{name: files, mountPath: /etc/files, readOnly: false}]")
    (found,) = pod(tmp_path, f"volumes: [{volume}]", SECRETS).mounts(mounts)
    assert (found.target, found.read_only) == ("/etc/files", True)


@as_root
def test_an_optional_key_may_be_missing(tmp_path: Path) -> None:
    found = projected(tmp_path, source("secrets", "KEY", "NONE", more=OPTIONAL))
    assert contents(found) == {"key": b"k"}


@as_root
def test_an_optional_secret_may_be_missing(tmp_path: Path) -> None:
    found = projected(tmp_path, source("none", "KEY", more=OPTIONAL), source("secrets", "TOKEN"))
    assert contents(found) == {"token": b"t"}


@pytest.mark.parametrize("more", ["", ", optional: false"])
def test_a_key_that_is_missing_is_an_error(more: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the Secret secrets has no NONE"):
        projected(tmp_path, source("secrets", "KEY", "NONE", more=more))


@pytest.mark.parametrize("more", ["", ", optional: false"])
def test_a_secret_that_is_missing_is_an_error(more: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="there is no Secret none"):
        projected(tmp_path, source("none", "KEY", more=more))


def test_what_is_optional_in_one_source_is_not_in_another(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the Secret secrets has no NONE"):
        projected(tmp_path, source("secrets", "NONE", more=OPTIONAL), source("secrets", "NONE"))


@as_root
def test_written_anew_secrets_have_their_new_value(tmp_path: Path) -> None:
    """Though nobody may write to the file."""
    volume = f"{{defaultMode: 0440, sources: [{source('secrets', 'KEY')}]}}"
    app = pod(tmp_path, f"volumes: [{{name: files, projected: {volume}}}]", SECRETS)
    app.mounts(FILES)
    app.cluster.get("Secret", "secrets")["data"]["KEY"] = encoded("new")
    (found,) = app.mounts(FILES)
    assert contents(Path(found.source)) == {"key": b"new"}


@as_root
@pytest.mark.parametrize(("mode", "expected"), [("", 0o644), (", defaultMode: 0555", 0o555)])
def test_a_config_map_as_files(mode: str, expected: int, tmp_path: Path) -> None:
    spec = f"volumes: [{{name: files, configMap: {{name: shared{mode}}}}}]"
    (found,) = pod(tmp_path, spec, CONFIG).mounts(FILES)
    folder = Path(found.source)
    assert contents(folder) == {"HOST": b"db", "EMPTY": b"", "PORT": b"1"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {expected}


def test_a_config_map_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        pod(tmp_path, "volumes: [{name: files, configMap: {name: none}}]").mounts(FILES)


@as_root
def test_volumes_have_folders_of_their_own(tmp_path: Path) -> None:
    volumes = ", ".join(f"{{name: {name}, configMap: {{name: shared}}}}" for name in "ab")
    mounts = ", ".join(f"{{name: {name}, mountPath: /{name}}}" for name in "ab")
    app = pod(tmp_path, f"volumes: [{volumes}]", CONFIG)
    first, second = app.mounts(loaded(f"volumeMounts: [{mounts}]"))
    assert first.source != second.source


MAIN = """
containers:
  - name: web
    ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9000}]
"""


@pytest.mark.parametrize(
    ("port", "expected"), [("http", 8080), ("admin", 9000), (1234, 1234), (8080, 8080)]
)
def test_ports_by_name_and_number(port: str | int, expected: int, tmp_path: Path) -> None:
    assert pod(tmp_path, MAIN).port(port) == expected


def test_a_container_is_called_after_cluster_and_pod(tmp_path: Path) -> None:
    assert pod(tmp_path, MAIN).container == "test-app-web"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", []),
        ("livenessProbe: {}", ["livenessProbe"]),
        ("livenessProbe: {}, readinessProbe: {}", ["readinessProbe", "livenessProbe"]),
        (
            "livenessProbe: {}, readinessProbe: {}, startupProbe: {}",
            ["startupProbe", "readinessProbe", "livenessProbe"],
        ),
    ],
)
def test_probes_are_asked_in_a_kubelet_s_order(
    given: str, expected: list[str], tmp_path: Path
) -> None:
    assert [*pod(tmp_path, f"containers: [{{{given}}}]").probes()] == expected
