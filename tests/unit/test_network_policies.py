"""What NetworkPolicies let through, against kubernetes.io's text and its reference of the API.

What is marked as failing is where the reader of policies is known not to follow them.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.lint.network_policies import Peer, allowed

WEB = Peer("web", "shop", {"app": "web", "tier": "front"})
DATABASE = Peer("database", "shop", {"app": "database", "tier": "back"})
JOB = Peer("job", "shop", {"app": "job", "tier": "back"})
BLOG = Peer("blog", "blog", {"app": "web", "tier": "front"})
BLOG_JOB = Peer("blog-job", "blog", {"app": "job", "tier": "back"})
INTERNET = Peer("internet", address="93.184.216.34")

DENY_INGRESS = "{podSelector: {}, policyTypes: [Ingress]}"
DENY_EGRESS = "{podSelector: {}, policyTypes: [Egress]}"
DENY_ALL = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
ALLOW_INGRESS = "{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}"
ALLOW_EGRESS = "{podSelector: {}, policyTypes: [Egress], egress: [{}]}"


def policy(spec: str, namespace: str = "shop") -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "spec": yaml.safe_load(spec)}


def into_database(*rules: str) -> dict[str, Any]:
    """A policy that isolates the database for ingress but for what its rules allow."""
    selector = "podSelector: {matchLabels: {app: database}}"
    return policy(f"{{{selector}, policyTypes: [Ingress], ingress: [{', '.join(rules)}]}}")


def out_of_web(*rules: str) -> dict[str, Any]:
    """A policy that isolates the web for egress but for what its rules allow."""
    selector = "podSelector: {matchLabels: {app: web}}"
    return policy(f"{{{selector}, policyTypes: [Egress], egress: [{', '.join(rules)}]}}")


@pytest.mark.parametrize(
    ("source", "target"),
    [(WEB, DATABASE), (WEB, BLOG), (BLOG, WEB), (WEB, INTERNET), (INTERNET, WEB)],
)
def test_without_policies_everything_is_allowed(source: Peer, target: Peer) -> None:
    assert allowed([], source, target, 80)


@pytest.mark.parametrize("source", [WEB, JOB, BLOG, INTERNET])
def test_a_pod_selected_for_ingress_is_isolated(source: Peer) -> None:
    assert not allowed([into_database()], source, DATABASE, 5432)


@pytest.mark.parametrize("target", [WEB, JOB, BLOG, INTERNET])
def test_isolation_for_ingress_leaves_egress_alone(target: Peer) -> None:
    assert allowed([into_database()], DATABASE, target, 80)


@pytest.mark.parametrize("target", [DATABASE, JOB, BLOG, INTERNET])
def test_a_pod_selected_for_egress_is_isolated(target: Peer) -> None:
    assert not allowed([out_of_web()], WEB, target, 80)


@pytest.mark.parametrize("source", [DATABASE, JOB, BLOG, INTERNET])
def test_isolation_for_egress_leaves_ingress_alone(source: Peer) -> None:
    assert allowed([out_of_web()], source, WEB, 80)


def test_pods_that_no_policy_selects_are_not_isolated() -> None:
    assert allowed([into_database(), out_of_web()], DATABASE, JOB, 80)


@pytest.mark.parametrize(
    ("labels", "isolated"),
    [
        ("{}", True),
        ("{tier: back}", True),
        ("{app: database, tier: back}", True),
        ("{app: database, tier: front}", False),
        ("{app: database, tier: back, part: of}", False),
        ("{tier: front}", False),
    ],
)
def test_a_policy_selects_pods_that_have_all_its_labels(labels: str, isolated: bool) -> None:
    selecting = policy(f"{{podSelector: {{matchLabels: {labels}}}, policyTypes: [Ingress]}}")
    assert allowed([selecting], WEB, DATABASE, 5432) is not isolated


@pytest.mark.parametrize(
    ("source", "target"),
    [(WEB, DATABASE), (DATABASE, WEB), (BLOG, WEB), (WEB, BLOG), (INTERNET, WEB), (WEB, INTERNET)],
)
def test_default_deny_stops_everything(source: Peer, target: Peer) -> None:
    assert not allowed([policy(DENY_ALL)], source, target, 80)


@pytest.mark.parametrize(
    ("spec", "into", "out"), [(DENY_INGRESS, False, True), (DENY_EGRESS, True, False)]
)
def test_default_deny_of_one_direction(spec: str, into: bool, out: bool) -> None:
    assert allowed([policy(spec)], INTERNET, WEB, 80) is into
    assert allowed([policy(spec)], WEB, INTERNET, 80) is out


@pytest.mark.parametrize("source", [WEB, JOB, BLOG, INTERNET])
def test_a_rule_without_from_is_for_any_source(source: Peer) -> None:
    policies = [into_database("{ports: [{port: 5432}]}")]
    assert allowed(policies, source, DATABASE, 5432)


@pytest.mark.parametrize("target", [DATABASE, JOB, BLOG, INTERNET])
def test_a_rule_without_to_is_for_any_target(target: Peer) -> None:
    policies = [out_of_web("{ports: [{port: 443}]}")]
    assert allowed(policies, WEB, target, 443)


def test_a_rule_with_an_empty_from_is_for_any_source() -> None:
    assert allowed([into_database("{from: []}")], WEB, DATABASE, 5432)


def test_a_rule_with_an_empty_to_is_for_any_target() -> None:
    assert allowed([out_of_web("{to: []}")], WEB, INTERNET, 443)


@pytest.mark.parametrize("port", [1, 80, 65535])
@pytest.mark.parametrize("protocol", ["TCP", "UDP", "SCTP"])
def test_a_rule_without_ports_is_for_all_of_them(port: int, protocol: str) -> None:
    policies = [into_database("{from: [{podSelector: {}}]}")]
    assert allowed(policies, WEB, DATABASE, port, protocol)


def test_a_rule_with_empty_ports_is_for_all_of_them() -> None:
    assert allowed([into_database("{ports: []}")], WEB, DATABASE, 5432)


@pytest.mark.parametrize(
    ("port", "expected"), [(5432, True), (5433, True), (5434, False), (80, False)]
)
def test_a_rule_is_for_each_of_its_ports(port: int, expected: bool) -> None:
    policies = [into_database("{ports: [{port: 5432}, {port: 5433}]}")]
    assert allowed(policies, WEB, DATABASE, port) is expected


@pytest.mark.parametrize("port", [32001, 32767, 32768])
def test_an_end_port_makes_a_range(port: int) -> None:
    policies = [into_database("{ports: [{port: 32000, endPort: 32768}]}")]
    assert allowed(policies, WEB, DATABASE, port)


@pytest.mark.parametrize(
    ("rule", "protocol", "expected"),
    [
        ("{port: 53}", "TCP", True),
        ("{port: 53}", "UDP", False),
        ("{port: 53, protocol: TCP}", "UDP", False),
        ("{port: 53, protocol: UDP}", "UDP", True),
        ("{port: 53, protocol: UDP}", "TCP", False),
        ("{port: 53, protocol: SCTP}", "SCTP", True),
        ("{port: 53, protocol: SCTP}", "TCP", False),
        ("{protocol: UDP}", "UDP", True),
        ("{protocol: UDP}", "TCP", False),
    ],
)
def test_a_port_is_of_a_protocol(rule: str, protocol: str, expected: bool) -> None:
    """TCP where none is named; without a port, the protocol's every port."""
    policies = [into_database(f"{{ports: [{rule}]}}")]
    assert allowed(policies, WEB, DATABASE, 53, protocol) is expected


def test_a_connection_is_of_tcp_by_default() -> None:
    assert not allowed([into_database("{ports: [{port: 53, protocol: UDP}]}")], WEB, DATABASE, 53)


@pytest.mark.parametrize(
    ("egress", "ingress", "expected"),
    [
        (ALLOW_EGRESS, ALLOW_INGRESS, True),
        (ALLOW_EGRESS, DENY_INGRESS, False),
        (DENY_EGRESS, ALLOW_INGRESS, False),
        (DENY_EGRESS, DENY_INGRESS, False),
    ],
)
def test_both_ends_have_to_allow(egress: str, ingress: str, expected: bool) -> None:
    assert allowed([policy(egress), policy(ingress)], WEB, DATABASE, 5432) is expected


def test_both_namespaces_have_to_allow() -> None:
    policies = [policy(ALLOW_EGRESS), policy(DENY_INGRESS, "blog")]
    assert not allowed(policies, WEB, BLOG, 80)


@pytest.mark.parametrize(
    ("selector", "source", "expected"),
    [
        ("{matchLabels: {app: web}}", WEB, True),
        ("{matchLabels: {app: web}}", JOB, False),
        ("{matchLabels: {app: web}}", BLOG, False),
        ("{matchLabels: {app: web}}", INTERNET, False),
        ("{}", WEB, True),
        ("{}", JOB, True),
        ("{}", BLOG, False),
        ("{}", INTERNET, False),
    ],
)
def test_a_pod_selector_alone_is_of_the_policy_s_namespace(
    selector: str, source: Peer, expected: bool
) -> None:
    policies = [into_database(f"{{from: [{{podSelector: {selector}}}]}}")]
    assert allowed(policies, source, DATABASE, 5432) is expected


@pytest.mark.parametrize(
    ("selector", "source", "expected"),
    [
        ("{matchLabels: {kubernetes.io/metadata.name: blog}}", BLOG, True),
        ("{matchLabels: {kubernetes.io/metadata.name: blog}}", BLOG_JOB, True),
        ("{matchLabels: {kubernetes.io/metadata.name: blog}}", WEB, False),
        ("{matchLabels: {kubernetes.io/metadata.name: blog}}", INTERNET, False),
        ("{}", BLOG, True),
        ("{}", WEB, True),
        ("{}", INTERNET, False),
    ],
)
def test_a_namespace_selector_alone_is_for_all_pods_there(
    selector: str, source: Peer, expected: bool
) -> None:
    policies = [into_database(f"{{from: [{{namespaceSelector: {selector}}}]}}")]
    assert allowed(policies, source, DATABASE, 5432) is expected


IN_BLOG = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: blog}}"
IS_WEB = "podSelector: {matchLabels: {app: web}}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [(BLOG, True), (BLOG_JOB, False), (WEB, False), (JOB, False), (INTERNET, False)],
)
def test_two_selectors_in_one_item_have_both_to_match(source: Peer, expected: bool) -> None:
    policies = [into_database(f"{{from: [{{{IN_BLOG}, {IS_WEB}}}]}}")]
    assert allowed(policies, source, DATABASE, 5432) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [(BLOG, True), (BLOG_JOB, True), (WEB, True), (JOB, False), (INTERNET, False)],
)
def test_of_two_items_one_has_to_match(source: Peer, expected: bool) -> None:
    policies = [into_database(f"{{from: [{{{IN_BLOG}}}, {{{IS_WEB}}}]}}")]
    assert allowed(policies, source, DATABASE, 5432) is expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [(DATABASE, False), (JOB, True), (BLOG, False), (BLOG_JOB, True), (INTERNET, False)],
)
def test_selectors_of_egress_select_targets(target: Peer, expected: bool) -> None:
    is_job = "podSelector: {matchLabels: {app: job}}"
    policies = [out_of_web(f"{{to: [{{{IN_BLOG}, {is_job}}}, {{{is_job}}}]}}")]
    assert allowed(policies, WEB, target, 80) is expected


BLOCKS = [
    ("{cidr: 172.17.0.0/16, except: [172.17.1.0/24]}", "172.17.0.9", True),
    ("{cidr: 172.17.0.0/16, except: [172.17.1.0/24]}", "172.17.1.9", False),
    ("{cidr: 172.17.0.0/16, except: [172.17.1.0/24]}", "172.17.2.9", True),
    ("{cidr: 172.17.0.0/16, except: [172.17.1.0/24]}", "172.18.0.9", False),
    ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 192.168.0.0/16]}", "93.184.216.34", True),
    ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 192.168.0.0/16]}", "10.1.2.3", False),
    ("{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 192.168.0.0/16]}", "192.168.1.1", False),
    ("{cidr: 93.184.216.34/32}", "93.184.216.34", True),
    ("{cidr: 93.184.216.34/32}", "93.184.216.35", False),
    ("{cidr: '2001:db8::/32', except: ['2001:db8:1::/48']}", "2001:db8::1", True),
    ("{cidr: '2001:db8::/32', except: ['2001:db8:1::/48']}", "2001:db8:1::1", False),
    ("{cidr: '2001:db8::/32', except: ['2001:db8:1::/48']}", "2001:db9::1", False),
    ("{cidr: '::/0'}", "2001:db8::1", True),
    ("{cidr: '::/0'}", "93.184.216.34", False),
    ("{cidr: 0.0.0.0/0}", "2001:db8::1", False),
]


@pytest.mark.parametrize(("block", "address", "expected"), BLOCKS)
def test_a_block_of_sources(block: str, address: str, expected: bool) -> None:
    policies = [into_database(f"{{from: [{{ipBlock: {block}}}]}}")]
    assert allowed(policies, Peer("outside", address=address), DATABASE, 5432) is expected


@pytest.mark.parametrize(("block", "address", "expected"), BLOCKS)
def test_a_block_of_targets(block: str, address: str, expected: bool) -> None:
    policies = [out_of_web(f"{{to: [{{ipBlock: {block}}}]}}")]
    assert allowed(policies, WEB, Peer("outside", address=address), 443) is expected


@pytest.mark.parametrize("source", [WEB, BLOG])
def test_a_block_is_for_addresses_outside_the_cluster(source: Peer) -> None:
    policies = [into_database("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}")]
    assert not allowed(policies, source, DATABASE, 5432)


def test_what_one_block_excepts_another_may_allow() -> None:
    policies = [
        out_of_web(
            "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}",
            "{to: [{ipBlock: {cidr: 10.0.0.7/32}}]}",
        )
    ]
    assert allowed(policies, WEB, Peer("private", address="10.0.0.7"), 443)


@pytest.mark.parametrize(("port", "expected"), [(5432, True), (80, False)])
def test_policies_add_up(port: int, expected: bool) -> None:
    """In whatever order: what one allows, no other takes away."""
    policies = [policy(DENY_ALL), into_database("{ports: [{port: 5432}]}")]
    assert allowed(policies, BLOG, DATABASE, port) is expected
    assert allowed(policies[::-1], BLOG, DATABASE, port) is expected


@pytest.mark.parametrize(
    ("source", "port", "expected"),
    [(WEB, 80, True), (JOB, 81, True), (WEB, 81, False), (JOB, 80, False)],
)
def test_peer_and_port_have_to_match_in_the_same_rule(
    source: Peer, port: int, expected: bool
) -> None:
    web = "{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}"
    job = "{from: [{podSelector: {matchLabels: {app: job}}}], ports: [{port: 81}]}"
    for policies in ([into_database(web, job)], [into_database(web), into_database(job)]):
        assert allowed(policies, source, DATABASE, port) is expected


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", False),
        (", ingress: []", False),
        (", ingress: [{ports: [{port: 80}]}]", False),
        (", egress: [{}]", False),
        (", ingress: [{}]", True),
    ],
)
def test_without_types_a_policy_is_for_ingress(rest: str, expected: bool) -> None:
    assert allowed([policy(f"{{podSelector: {{}}{rest}}}")], INTERNET, WEB, 443) is expected


@pytest.mark.parametrize("rest", ["", ", ingress: [{}]"])
def test_without_types_and_egress_rules_egress_is_left_alone(rest: str) -> None:
    assert allowed([policy(f"{{podSelector: {{}}{rest}}}")], WEB, INTERNET, 443)


def test_without_types_egress_rules_make_a_policy_for_egress() -> None:
    egress = policy("{podSelector: {}, egress: [{ports: [{port: 80}]}]}")
    assert not allowed([egress], WEB, INTERNET, 443)


def test_a_policy_for_egress_alone_leaves_ingress_alone() -> None:
    assert allowed([policy(ALLOW_EGRESS)], INTERNET, WEB, 80)


def test_a_policy_isolates_no_pod_of_another_namespace() -> None:
    assert allowed([policy(DENY_ALL, "blog")], WEB, DATABASE, 5432)


def test_a_policy_allows_nothing_in_another_namespace() -> None:
    policies = [policy(DENY_INGRESS), policy(ALLOW_INGRESS, "blog")]
    assert not allowed(policies, WEB, DATABASE, 5432)


def test_a_pod_always_reaches_itself() -> None:
    assert allowed([policy(DENY_ALL)], WEB, WEB, 80)
