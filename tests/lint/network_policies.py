"""What NetworkPolicies let through, by the rules of networking.k8s.io/v1.

kubernetes.io/docs, "Network Policies": a pod that a policy selects for a direction may do there
only what some policy's rule allows; a connection needs the source's leave and the target's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """An end of a connection: a pod with labels in a namespace, or an address outside."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


def allowed(
    policies: Sequence[Mapping[str, Any]],
    source: Peer,
    target: Peer,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection is let through."""
    if source == target:
        return True
    return _direction(policies, "Egress", source, target, port, protocol) and _direction(
        policies, "Ingress", target, source, port, protocol
    )


def _direction(
    policies: Sequence[Mapping[str, Any]],
    direction: str,
    own: Peer,
    other: Peer,
    port: int,
    protocol: str,
) -> bool:
    selecting = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and _selects(policy["spec"]["podSelector"], own.labels)
        and direction in _types(policy["spec"])
    ]
    if not selecting:
        return True
    key, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(
        _port_matches(rule.get("ports"), port, protocol)
        and (
            not rule.get(peers)
            or any(_is(peer, other, policy["metadata"]["namespace"]) for peer in rule[peers])
        )
        for policy in selecting
        for rule in policy["spec"].get(key, ())
    )


def _types(spec: Mapping[str, Any]) -> Sequence[str]:
    """The directions that a policy is about: by default Ingress, and Egress where it has rules."""
    given: Sequence[str] = spec.get("policyTypes") or ()
    return given or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _port_matches(ports: Any, port: int, protocol: str) -> bool:
    if not ports:
        return True
    return any(
        p.get("protocol", "TCP") == protocol
        and ("port" not in p or p["port"] <= port <= p.get("endPort", p["port"]))
        for p in ports
    )


def _is(peer: Mapping[str, Any], other: Peer, namespace: str) -> bool:
    if "ipBlock" in peer:
        if not other.address:
            return False
        address = ipaddress.ip_address(other.address)
        block = peer["ipBlock"]
        return _within(address, block["cidr"]) and not any(
            _within(address, cidr) for cidr in block.get("except", ())
        )
    if other.address:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": other.namespace}
        if not _selects(peer["namespaceSelector"], labels):
            return False
    elif other.namespace != namespace:
        return False
    return _selects(peer.get("podSelector", {}), other.labels)


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, cidr: str) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    return address.version == network.version and address in network


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}, selector
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()
