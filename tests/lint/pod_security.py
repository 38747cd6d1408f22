"""The Pod Security Standard `restricted` (kubernetes.io/docs, "Pod Security Standards").

Every control of the profile, baseline's included, against a pod's specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}
_SECCOMP = {"RuntimeDefault", "Localhost"}
_SELINUX = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SAFE_SYSCTLS = {
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"),
    *("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"),
    *("net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time"),
    *("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
}


def violations(spec: Mapping[str, Any]) -> Iterator[str]:
    """What the profile refuses in a pod, one sentence each."""
    pod = spec.get("securityContext") or {}
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield f"{name} is set"
    if {sysctl["name"] for sysctl in pod.get("sysctls") or ()} - _SAFE_SYSCTLS:
        yield "an unsafe sysctl is set"
    if pod.get("runAsNonRoot") is False:
        yield "runAsNonRoot is false for the pod"
    yield from _of_context(pod)
    for volume in spec.get("volumes", ()):
        if not volume.keys() - {"name"} <= _VOLUMES:
            yield f"the volume {volume['name']} is of a kind that is refused"
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(key, ()):
            for sentence in _of_container(container, pod):
                yield f"{container['name']}: {sentence}"


def _of_context(context: Mapping[str, Any]) -> Iterator[str]:
    """What neither a pod nor a container may say."""
    if context.get("runAsUser") == 0:
        yield "it runs as root"
    seccomp = context.get("seccompProfile") or {}
    if seccomp and seccomp.get("type") not in _SECCOMP:
        yield "its seccomp profile is refused"
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield "AppArmor is off"
    labels = context.get("seLinuxOptions") or {}
    if labels.get("type") not in _SELINUX or labels.get("user") or labels.get("role"):
        yield "its SELinux label is refused"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "hostProcess is set"


def _of_container(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    own = container.get("securityContext") or {}
    both = {**pod, **{key: value for key, value in own.items() if value is not None}}
    yield from _of_context(own)
    if own.get("privileged"):
        yield "it is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if both.get("runAsNonRoot") is not True and pod.get("runAsNonRoot") is not False:
        yield "runAsNonRoot is not true"
    if not both.get("seccompProfile"):
        yield "it has no seccomp profile"
    capabilities = own.get("capabilities") or {}
    if "ALL" not in capabilities.get("drop", ()):
        yield "capabilities are not dropped"
    if not {*capabilities.get("add", ())} <= {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "it has a host port"
    if own.get("procMount", "Default") != "Default":
        yield "procMount is set"
    lifecycle = container.get("lifecycle") or {}
    handlers = [container.get(f"{kind}Probe") for kind in ("startup", "readiness", "liveness")]
    handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
    for handler in filter(None, handlers):
        for action in ("httpGet", "tcpSocket"):
            if (handler.get(action) or {}).get("host"):
                yield "a probe asks another host"
