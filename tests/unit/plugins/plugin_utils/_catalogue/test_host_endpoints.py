# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue import host_endpoint_rules as rules
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import (
    alone,
    apart,
    put,
    variable,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, summary, told

TCP_22 = [{"protocol": "tcp", "port": 22}]
LABELS = {"host": "yes"}


def endpoints(kube, profiles=("projectcalico-default-allow",), **more):
    """Automatic host endpoints, as kube-controllers make them."""
    for number in range(4):
        address = ("10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12")[number]
        put(
            kube,
            "HostEndpoint",
            f"node-{number + 1}-auto-hep",
            LABELS,
            node=f"node-{number + 1}",
            interfaceName="*",
            expectedIPs=[address],
            profiles=list(profiles),
            **more,
        )


def policy(kube, name="default-deny", **spec):
    put(kube, "GlobalNetworkPolicy", name, selector="has(host)", **spec)


def failsafes(kube, ports=None):
    open_anyway = TCP_22 if ports is None else ports
    settings = {"failsafeInboundHostPorts": open_anyway, "failsafeOutboundHostPorts": open_anyway}
    put(kube, "FelixConfiguration", "default", **settings)


def verdict(kube, direction=rules.INGRESS, port=179, peer="10.0.0.9"):
    cluster = kube.cluster()
    endpoint = next(one for one in cluster.host_endpoints if one.node == "node-2")
    return rules.decide(cluster, endpoint, rules.Packet(direction, peer, "10.0.0.10", port))


# --- policies, rule by rule ---


def test_bgp_is_a_failsafe_port(kube):
    endpoints(kube)
    policy(kube, types=["Ingress", "Egress"])
    assert verdict(kube).verdict == "allow"
    assert verdict(kube, port=1790).verdict == "deny"


def test_without_failsafe_and_policy_the_profile_decides(kube):
    failsafes(kube)
    endpoints(kube)
    assert verdict(kube).verdict == "allow"
    endpoints(kube, profiles=())
    assert verdict(kube).verdict == "deny"
    endpoints(kube, profiles=("own",))
    assert verdict(kube).verdict == "unknown"


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"action": "Allow"}, "allow"),
        ({"action": "Allow", "protocol": "TCP", "destination": {"ports": [179]}}, "allow"),
        ({"action": "Allow", "protocol": 6, "destination": {"ports": ["170:180"]}}, "allow"),
        ({"action": "Allow", "protocol": "UDP"}, "deny"),
        ({"action": "Allow", "notProtocol": "TCP"}, "deny"),
        ({"action": "Allow", "destination": {"ports": [22]}}, "deny"),
        ({"action": "Allow", "destination": {"ports": ["bgp"]}}, "unknown"),
        ({"action": "Allow", "destination": {"notPorts": [179]}}, "deny"),
        ({"action": "Allow", "source": {"nets": ["10.0.0.0/24"]}}, "allow"),
        ({"action": "Allow", "source": {"nets": ["172.16.0.0/12"]}}, "deny"),
        ({"action": "Allow", "source": {"notNets": ["10.0.0.0/8"]}}, "deny"),
        ({"action": "Allow", "source": {"selector": "has(host)"}}, "allow"),
        ({"action": "Allow", "source": {"selector": "role == 'web'"}}, "unknown"),
        ({"action": "Allow", "source": {"ports": [179]}}, "deny"),
        ({"action": "Allow", "source": {"namespaceSelector": "all()"}}, "unknown"),
        ({"action": "Allow", "ipVersion": 6}, "deny"),
        ({"action": "Deny"}, "deny"),
        ({"action": "Log"}, "deny"),
        ({"action": "Pass"}, "allow"),
    ],
)
def test_rules(kube, rule, wanted):
    failsafes(kube)
    endpoints(kube)
    policy(kube, types=["Ingress"], ingress=[rule])
    assert verdict(kube).verdict == wanted


def test_the_lower_order_comes_first(kube):
    failsafes(kube)
    endpoints(kube)
    policy(kube, "z-allow", order=10, types=["Ingress"], ingress=[{"action": "Allow", "protocol": "TCP"}])
    policy(kube, "a-deny", order=100, types=["Ingress"], ingress=[{"action": "Deny"}])
    assert verdict(kube).what == "GlobalNetworkPolicy z-allow"


def test_what_does_not_track_comes_before_all(kube):
    failsafes(kube)
    endpoints(kube)
    policy(kube, "allow", order=1, types=["Ingress"], ingress=[{"action": "Allow"}])
    policy(kube, "raw", order=9, doNotTrack=True, applyOnForward=True, types=["Ingress"], ingress=[{"action": "Deny"}])
    assert verdict(kube).what == "GlobalNetworkPolicy raw"


def test_a_policy_of_the_other_direction_does_not_count(kube):
    failsafes(kube)
    endpoints(kube)
    policy(kube, types=["Egress"])
    assert verdict(kube).verdict == "allow"
    assert verdict(kube, rules.EGRESS).verdict == "deny"


def test_failsafe_ports_of_the_environment_count_first(kube):
    endpoints(kube)
    policy(kube, types=["Ingress"])
    variable(kube, "FELIX_FAILSAFEINBOUNDHOSTPORTS", "tcp:0.0.0.0/0:22,tcp:10.0.0.0/24:179")
    assert verdict(kube).verdict == "allow"
    assert verdict(kube, peer="172.20.0.1").verdict == "deny"


def test_staged_policies_and_other_selectors_do_not_count(kube):
    failsafes(kube)
    endpoints(kube)
    kube.objects["stagedglobalnetworkpolicies"] = [
        {"kind": "StagedGlobalNetworkPolicy", "metadata": {"name": "s"}, "spec": {"selector": "all()"}}
    ]
    put(kube, "GlobalNetworkPolicy", "pods", selector="app == 'web'", types=["Ingress"])
    assert verdict(kube).verdict == "allow"


# --- the fault ---


def test_a_healthy_cluster_with_host_endpoints(mesh, kube):
    endpoints(kube)
    policy(kube, types=["Ingress", "Egress"])
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_other_failsafe_ports_without_host_endpoints_are_no_fault(mesh, kube):
    failsafes(kube)
    kube.objects["hostendpoints"] = []
    kube.status["hostendpoints"] = "ok"
    assert told(mesh, kube) == {}


def test_failsafe_ports_alone_are_a_suspicion(kube):
    failsafes(kube)
    item = alone(kube)["host_endpoint_policy"]
    assert 0.5 <= item.confidence < 0.8
    assert item.subject.where["object"] == "FelixConfiguration/default"


def test_a_policy_that_cuts_bgp(mesh, kube):
    failsafes(kube)
    endpoints(kube)
    policy(kube, types=["Ingress"], ingress=[{"action": "Allow", "destination": {"ports": [22]}, "protocol": "TCP"}])
    apart(mesh, "node-2")
    for name in mesh.addresses:
        if name != "node-2":
            mesh.probe(name, "node-2", "silent")
            mesh.reach(name, "node-2")
    found = told(mesh, kube)
    assert found["host_endpoint_policy"].role == "cause"
    assert found["host_endpoint_policy"].subject.where["object"] == "GlobalNetworkPolicy/default-deny"
    assert "stops the BGP connections that peers open" in summary(mesh, kube, "host_endpoint_policy")
    told_to = commands(mesh, kube, "host_endpoint_policy")
    assert '"failsafeInboundHostPorts": [{"protocol": "tcp", "port": 22}, {"protocol": "tcp", "port": 179}]' in told_to


def test_calicos_own_rule_is_no_host_firewall(mesh):
    apart(mesh, "node-2")
    mesh.block("node-2", ["node-1"], chain="cali-fh-eth0", owner="calico", path=["INPUT 1", "cali-INPUT 4"])
    found = told(mesh)
    assert found["host_endpoint_policy"].role == "cause"
    assert found["tcp179_blocked_host_firewall"].role == "consequence"


def test_a_latent_policy_is_minor_while_sessions_are_up(mesh, kube):
    failsafes(kube)
    endpoints(kube)
    policy(kube, types=["Ingress"])
    for name in mesh.facts:
        mesh.facts[name]["calico_firewall"] = {}
    assert told(mesh, kube)["host_endpoint_policy"].severity == "minor"


def test_what_the_kernel_lets_pass_is_not_cut(mesh, kube):
    failsafes(kube)
    endpoints(kube)
    put(
        kube,
        "GlobalNetworkPolicy",
        "nodes",
        selector="has(host)",
        types=["Ingress"],
        ingress=[{"action": "Allow", "source": {"selector": "nodes == 'all'"}}],
    )
    assert told(mesh, kube) == {}
