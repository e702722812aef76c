# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which modes the role ippool_encapsulation gives to pools, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import ippool_encapsulation
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import address, put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import Mesh
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of, told

POOL = "default-ipv4-ippool"
BARE = {"cidr": "10.244.0.0/16", "ipipMode": "Never", "vxlanMode": "Never"}
FAR = {"node-1": "10.0.0.9", "node-2": "10.0.0.10", "node-3": "10.0.1.1", "node-4": "10.0.1.2"}


@pytest.fixture
def mesh():
    """Four nodes in two subnets, all filters open, 1,500 bytes everywhere."""
    made = Mesh(FAR)
    for facts in made.facts.values():
        facts["calico_firewall"]["flows"] = {"accepted": ["ipip", "udp4789"]}
        path = {"class": "eth0", "peer": "10.0.0.9", "wanted": 1500, "carries": 1500, "result": "ok"}
        facts["calico_mtu"] = {
            "automatic": {"host": 1500, "interface": "eth0", "pods": 1500},
            "workloads": {"count": 2, "mtus": {"1500": 2}},
            "paths": [{**path, "reported_by": ""}],
        }
    return made


@pytest.fixture
def kube(kube):
    for name, own in FAR.items():
        address(kube, name, f"{own}/24", own)
    put(kube, "IPPool", POOL, **BARE)
    return kube


def decide(mesh, kube, missing=(), **options):
    evidence = replace(evidence_of(mesh, kube), missing=tuple(missing))
    return ippool_encapsulation.changes(Given("", tuple(FAR), mesh.facts, {}, evidence, {}, options))


def modes(done):
    return [
        (one["name"], {each["path"][-1]: each["value"] for each in one["set"]})
        for stage in done.more["stages"]
        for one in stage
    ]


def test_between_subnets_the_pool_encapsulates(mesh, kube):
    done = decide(mesh, kube)
    assert (done.refused, modes(done)) == ("", [(POOL, {"ipipMode": "CrossSubnet"})])
    assert done.changes[0]["set"][0]["was"] == ["Never", None]
    assert "node-1: 2 pods 1500 keep that MTU until they are made anew (1480 is right)" in done.says


def test_what_works_is_left_alone(mesh, kube):
    put(kube, "IPPool", POOL, **{**BARE, "vxlanMode": "CrossSubnet"})
    assert modes(decide(mesh, kube)) == []
    put(kube, "IPPool", POOL, **BARE)
    put(kube, "BGPPeer", "tor", peerIP="10.0.0.254", asNumber=64600)
    assert modes(decide(mesh, kube)) == []


def test_a_pool_has_one_encapsulation_only(mesh, kube):
    put(kube, "IPPool", POOL, **{**BARE, "ipipMode": "Always", "vxlanMode": "Always"})
    (changed,) = modes(decide(mesh, kube))
    assert changed == (POOL, {"ipipMode": "CrossSubnet", "vxlanMode": "Never"})
    asked = decide(mesh, kube, ipip="Always", vxlan="CrossSubnet")
    assert asked.refused == f"IPPool {POOL} is not changed: a pool uses IPIP or VXLAN, not both"


def test_ipv6_has_vxlan_only(mesh, kube):
    put(kube, "IPPool", "six", cidr="fd00:10:244::/64", ipipMode="Always")
    assert ("six", {"ipipMode": "Never", "vxlanMode": "CrossSubnet"}) in modes(decide(mesh, kube, pool="six"))
    assert "IPIP carries no IPv6" in decide(mesh, kube, pool="six", ipip="CrossSubnet").refused
    kube.objects["clusterinformations"][0]["spec"]["calicoVersion"] = "v3.22.1"
    for pod in kube.objects["pods"]:
        pod["spec"]["containers"][0]["image"] = "docker.io/calico/node:v3.22.1"
    assert "from Calico 3.23 on" in decide(mesh, kube, pool="six").refused


def test_azure_takes_vxlan_for_everything(mesh, kube):
    for node in kube.objects["nodes"]:
        node["spec"]["providerID"] = "azure:///subscriptions/0/x"
    assert modes(decide(mesh, kube)) == [(POOL, {"vxlanMode": "Always"})]
    assert "Azure drops IPIP" in decide(mesh, kube, ipip="Always").refused
    assert "use Always" in decide(mesh, kube, vxlan="CrossSubnet").refused


def test_clouds_that_drop_pods_addresses(mesh, kube):
    for node in kube.objects["nodes"]:
        node["spec"]["providerID"] = "aws:///eu-west-1a/i-0"
    assert modes(decide(mesh, kube)) == [(POOL, {"ipipMode": "Always"})]
    put(kube, "FelixConfiguration", "default", awsSrcDstCheck="Disable")
    assert modes(decide(mesh, kube)) == [(POOL, {"ipipMode": "CrossSubnet"})]


def test_without_bird_there_is_no_ipip(mesh, kube):
    kube.backend("vxlan")
    for facts in mesh.facts.values():
        facts["calico_bgp"] = {"expected": False, "expected_why": "the backend is vxlan", "daemons": {}}
    assert modes(decide(mesh, kube)) == [(POOL, {"vxlanMode": "CrossSubnet"})]
    assert "BIRD" in decide(mesh, kube, ipip="Always").refused


def close(mesh, name, flow):
    rule = {
        "backend": "iptables-nft",
        "table": "filter",
        "chain": "INPUT",
        "rule": 3,
        "text": "-p 4 -j DROP",
        "owner": "ufw",
    }
    entry = {"flows": [flow], "verdict": "drop", "family": "ipv4", "rule": {**rule, "family": "ipv4"}}
    mesh.facts[name]["calico_firewall"]["flows"]["inbound"] = [entry]


def test_a_closed_port_is_named(mesh, kube):
    close(mesh, "node-3", "udp4789")
    refused = decide(mesh, kube, vxlan="CrossSubnet").refused
    assert "node-3 drops VXLAN (UDP 4789) from other nodes (iptables-nft filter INPUT rule 3, of ufw)" in refused
    assert "bgp_firewall_flows: [vxlan]" in refused
    assert modes(decide(mesh, kube)) == [(POOL, {"ipipMode": "CrossSubnet"})]
    close(mesh, "node-3", "ipip")
    assert modes(decide(mesh, kube)) == [(POOL, {"vxlanMode": "CrossSubnet"})]


def test_every_node_must_be_read(mesh, kube):
    gone = [MissingNode("node-9", "unreachable", "10.0.0.99", unreachable=True)]
    assert "node-9 could not be read: unreachable" in decide(mesh, kube, gone).refused
    del mesh.facts["node-2"]["calico_firewall"]["flows"]
    assert "the filters of node-2 could not be read" in decide(mesh, kube).refused
    del mesh.facts["node-4"]
    assert "node-4 is a node of the cluster and none of the hosts" in decide(mesh, kube).refused


def test_sizes_must_fit(mesh, kube):
    setting = {"metadata": {"name": "calico-config", "namespace": "kube-system"}, "data": {"veth_mtu": "1500"}}
    kube.objects["configmaps"] = [setting]
    refused = decide(mesh, kube).refused
    assert "ConfigMap calico-config sets veth_mtu to 1500, and with 20 bytes of encapsulation" in refused
    assert "mtu_encapsulation: ipip" in refused
    setting["data"]["veth_mtu"] = "1480"
    assert decide(mesh, kube).refused == ""
    setting["data"]["veth_mtu"] = "0"
    mesh.facts["node-2"]["calico_mtu"]["paths"][0].update(carries=1400, result="smaller")
    assert "only 1400 bytes are carried from node-2" in decide(mesh, kube).refused


def test_a_prefix_that_is_too_wide(mesh, kube):
    address(kube, "node-1", "10.0.0.9/16")
    assert modes(decide(mesh, kube)) == [(POOL, {"ipipMode": "Always"})]
    assert "node-1 are registered with a prefix" in decide(mesh, kube, ipip="CrossSubnet").refused


def test_nothing_without_the_api(mesh, kube):
    done = decide(mesh, None)
    assert "was not asked" in done.refused
    assert done.more["ask"] is True
    assert "there is no pool of-mine" in decide(mesh, kube, pool="of-mine").refused
    assert "'Sometimes' is no mode" in decide(mesh, kube, ipip="Sometimes").refused


def test_nodes_in_several_subnets_are_not_left_bare(mesh, kube):
    put(kube, "IPPool", POOL, **{**BARE, "ipipMode": "CrossSubnet"})
    assert "in several subnets" in decide(mesh, kube, ipip="Never").refused


def test_the_operators_pool_is_changed_in_its_installation(mesh, kube):
    spec = {"calicoNetwork": {"bgp": "Enabled", "ipPools": [{"cidr": "10.244.0.0/16", "encapsulation": "None"}]}}
    put(kube, "Installation", "default", **spec)
    put(kube, "IPPool", POOL, {"app.kubernetes.io/managed-by": "tigera-operator"}, **BARE)
    (change,) = decide(mesh, kube).changes
    assert (change["kind"], change["name"], change["despite_owner"]) == ("Installation", "default", True)
    path = ["spec", "calicoNetwork", "ipPools", {"cidr": "10.244.0.0/16"}, "encapsulation"]
    assert change["set"] == [{"path": path, "value": "IPIPCrossSubnet", "was": ["None"]}]


def test_kubesprays_pool_is_left_to_kubespray(mesh, kube):
    kube.objects["clusterinformations"][0]["spec"]["clusterType"] = "kubespray,bgp,kubeadm,k8s"
    kube.objects["ippools"] = []
    put(kube, "IPPool", "default-pool", **BARE)
    done = decide(mesh, kube)
    assert (done.changes, "kubespray" in done.refused) == ((), True)
    assert any("calico_ipip_mode" in line for line in done.says)


def test_the_finding_has_a_remedy(mesh, kube):
    item = told(mesh, kube)["encapsulation_disabled_but_needed"]
    remedy = item.fault.fix.remedy(evidence_of(mesh, kube), item.subject)
    assert (remedy.role, remedy.hosts) == ("ippool_encapsulation", ())
    done = decide(
        mesh, kube, **{name.removeprefix("ippool_encapsulation_"): one for name, one in remedy.variables.items()}
    )
    assert modes(done) == [(POOL, {"ipipMode": "CrossSubnet"})]
