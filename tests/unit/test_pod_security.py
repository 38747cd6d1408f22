"""The checker of pods, against kubernetes.io's text of the Pod Security Standard `restricted`.

Every case is one control of the profile, baseline's included. What is marked as failing is where
the checker is known to judge otherwise than the standard.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.lint.pod_security import violations

Spec = dict[str, Any]

POD = """
securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
volumes: []
"""
CONTAINER = """
name: app
securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
KINDS = ("containers", "initContainers", "ephemeralContainers")


def merged(base: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386): null takes a key away."""
    if not isinstance(patch, dict):
        return patch
    old = base if isinstance(base, dict) else {}
    new = {key: merged(old.get(key), value) for key, value in patch.items() if value is not None}
    return {key: value for key, value in old.items() if key not in patch} | new


def changed(text: str, change: str) -> Spec:
    found: Spec = merged(yaml.safe_load(text), yaml.safe_load(change))
    return found


def pod(change: str = "{}", container: str = "{}") -> Spec:
    """A pod with one container, and what a case changes in either."""
    return changed(POD, change) | {"containers": [changed(CONTAINER, container)]}


def test_a_restricted_pod_passes() -> None:
    assert [*violations(pod())] == []


@pytest.mark.parametrize(
    "change",
    [
        "hostNetwork: true",
        "hostPID: true",
        "hostIPC: true",
        "securityContext: {sysctls: [{name: kernel.msgmax, value: '65536'}]}",
        "securityContext: {windowsOptions: {hostProcess: true}}",
        "securityContext: {runAsNonRoot: null}",
        "securityContext: {runAsNonRoot: false}",
        "securityContext: {runAsUser: 0}",
        "securityContext: {seccompProfile: null}",
        "securityContext: {seccompProfile: {type: Unconfined}}",
    ],
)
def test_what_a_pod_may_not_set_is_found(change: str) -> None:
    assert len([*violations(pod(change))]) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        "securityContext: {privileged: true}",
        "securityContext: {windowsOptions: {hostProcess: true}}",
        "securityContext: {procMount: Unmasked}",
        "ports: [{containerPort: 80}, {containerPort: 81, hostPort: 81}]",
        "securityContext: {allowPrivilegeEscalation: null}",
        "securityContext: {allowPrivilegeEscalation: true}",
        "securityContext: {runAsNonRoot: false}",
        "securityContext: {runAsUser: 0}",
        "securityContext: {seccompProfile: {type: Unconfined}}",
        "securityContext: {capabilities: null}",
        "securityContext: {capabilities: {drop: []}}",
        "securityContext: {capabilities: {drop: [NET_RAW, SYS_ADMIN]}}",
        "securityContext: {capabilities: {add: [SYS_ADMIN]}}",
        "securityContext: {capabilities: {add: [NET_BIND_SERVICE, NET_RAW]}}",
        "securityContext: {capabilities: {add: [CHOWN]}}",  # baseline lets it be added
        "securityContext: {capabilities: {add: [ALL]}}",
    ],
)
def test_what_a_container_may_not_set_is_found(change: str, kind: str) -> None:
    """Whatever kind of container it is, and beside one that is as it should be."""
    spec = pod()
    spec.setdefault(kind, []).append(changed(CONTAINER, change) | {"name": "other"})
    found = [*violations(spec)]
    assert len(found) == 1
    assert "other" in found[0]


@pytest.mark.parametrize(
    "kind",
    [
        *("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi"),
        *("glusterfs", "rbd", "flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile"),
        *("vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk", "portworxVolume"),
        *("scaleIO", "storageos"),
    ],
)
def test_volumes_of_other_kinds_are_found(kind: str) -> None:
    good = {"name": "good", "emptyDir": {}}
    spec = pod() | {"volumes": [good, {"name": "bad", kind: {}}]}
    found = [*violations(spec)]
    assert len(found) == 1
    assert "bad" in found[0]


@pytest.mark.parametrize(
    "kind",
    [
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
        *("projected", "secret"),
    ],
)
def test_volumes_of_the_profile_s_kinds_pass(kind: str) -> None:
    spec = pod() | {"volumes": [{"name": "data", kind: {}}]}
    assert [*violations(spec)] == []


def test_a_container_does_not_heal_what_its_pod_may_not_set() -> None:
    spec = pod("securityContext: {runAsUser: 0}", "securityContext: {runAsUser: 1000}")
    assert len([*violations(spec)]) == 1


@pytest.mark.parametrize(
    ("change", "container"),
    [
        ("securityContext: {seLinuxOptions: {type: spc_t}}", "{}"),
        ("securityContext: {seLinuxOptions: {user: system_u}}", "{}"),
        ("securityContext: {seLinuxOptions: {role: system_r}}", "{}"),
        ("{}", "securityContext: {seLinuxOptions: {type: spc_t}}"),
        ("{}", "securityContext: {seLinuxOptions: {user: system_u}}"),
        ("{}", "securityContext: {seLinuxOptions: {role: system_r}}"),
        ("securityContext: {appArmorProfile: {type: Unconfined}}", "{}"),
        ("{}", "securityContext: {appArmorProfile: {type: Unconfined}}"),
        # Refused since 1.34.
        ("{}", "startupProbe: {httpGet: {port: 80, host: 10.0.0.1}}"),
        ("{}", "readinessProbe: {httpGet: {port: 80, host: 10.0.0.1}}"),
        ("{}", "livenessProbe: {tcpSocket: {port: 80, host: 10.0.0.1}}"),
        ("{}", "lifecycle: {postStart: {httpGet: {port: 80, host: 10.0.0.1}}}"),
        ("{}", "lifecycle: {preStop: {httpGet: {port: 80, host: 10.0.0.1}}}"),
        # A pod may not set these, even where every container sets something else.
        ("securityContext: {runAsNonRoot: false}", "securityContext: {runAsNonRoot: true}"),
        (
            "securityContext: {seccompProfile: {type: Unconfined}}",
            "securityContext: {seccompProfile: {type: RuntimeDefault}}",
        ),
    ],
)
def test_what_is_refused_on_either_level(change: str, container: str) -> None:
    assert len([*violations(pod(change, container))]) == 1


@pytest.mark.parametrize(
    ("change", "container"),
    [
        ("securityContext: {runAsNonRoot: null}", "securityContext: {runAsNonRoot: true}"),
        (
            "securityContext: {seccompProfile: null}",
            "securityContext: {seccompProfile: {type: RuntimeDefault}}",
        ),
        (
            "securityContext: null",
            "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}",
        ),
    ],
)
def test_a_container_may_say_what_its_pod_does_not(change: str, container: str) -> None:
    assert [*violations(pod(change, container))] == []


def test_every_container_has_to_say_what_its_pod_does_not() -> None:
    spec = pod("securityContext: {runAsNonRoot: null}", "securityContext: {runAsNonRoot: true}")
    spec["initContainers"] = [changed(CONTAINER, "name: silent")]
    found = [*violations(spec)]
    assert len(found) == 1
    assert "silent" in found[0]


@pytest.mark.parametrize(
    "change",
    [
        "{hostNetwork: false, hostPID: false, hostIPC: false}",
        "securityContext: {runAsUser: null}",
        "securityContext: {seccompProfile: {type: Localhost, localhostProfile: app.json}}",
        "securityContext: {seLinuxOptions: {type: container_t, level: 's0:c1,c2'}}",
        "securityContext: {appArmorProfile: {type: RuntimeDefault}}",
        "securityContext: {appArmorProfile: {type: Localhost, localhostProfile: app}}",
        "securityContext: {sysctls: []}",
        "securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}",
        "securityContext: {windowsOptions: {hostProcess: false}}",
    ],
)
def test_what_a_pod_may_set_passes(change: str) -> None:
    assert [*violations(pod(change))] == []


@pytest.mark.parametrize(
    "change",
    [
        "securityContext: {privileged: false}",
        "securityContext: {procMount: Default}",
        "securityContext: {runAsUser: 70}",
        "securityContext: {seccompProfile: {type: Localhost, localhostProfile: app.json}}",
        "securityContext: {capabilities: {drop: [NET_RAW, ALL]}}",
        "securityContext: {capabilities: {add: []}}",
        "securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}",
        "ports: [{containerPort: 80}]",
        "ports: [{containerPort: 80, hostPort: 0}]",
        "livenessProbe: {httpGet: {port: 80, host: ''}}",
        "readinessProbe: {httpGet: {port: 80, path: /}}",
        "securityContext: {windowsOptions: {hostProcess: false}}",
    ],
)
def test_what_a_container_may_set_passes(change: str) -> None:
    assert [*violations(pod(container=change))] == []


def test_a_pod_that_sets_nothing_is_refused() -> None:
    assert [*violations({"containers": [{"name": "app"}]})]
