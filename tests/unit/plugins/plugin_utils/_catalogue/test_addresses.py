# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils import kube as shapes
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import (
    address,
    alone,
    apart,
    held,
    note,
    put,
    variable,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, log, summary, told

ETH0 = ("10.0.0.10", 24, "eth0", ())


def detects(mesh, name, **detection):
    mesh.facts[name]["calico_node"]["autodetection"] = {"ipv4": detection}


def wrong(mesh, kube, name="node-2", chosen="192.168.56.4", interface="eth1"):
    """A node that is registered with the address of another interface than its peers use."""
    held(mesh, name, (mesh.addresses[name], 24, "eth0", ()), (chosen, 24, interface, ()))
    mesh.facts[name]["calico_node"]["bgp_addresses"] = {"ipv4": chosen}
    mesh.daemon(name)["config"]["local_address"] = chosen
    mesh.daemon(name)["router_id"] = chosen
    address(kube, name, f"{chosen}/24")
    mesh.addresses[name] = chosen
    for facts in (mesh.facts[peer] for peer in mesh.facts if peer != name):
        packed = facts["calico_bgp"]["daemons"]["ipv4"]["peers"]["packed"]["Mesh"]
        packed.clear()
    for peer in mesh.facts:
        mesh.daemon(peer)["peers"]["packed"] = {"Mesh": {}}
    names = list(mesh.facts)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            if name in (one, other):
                mesh.break_session(one, other)
    others = [mesh.addresses[one] for one in names if one != name]
    for one in names:
        if one != name:
            last = [int(each.rpartition(".")[2]) for each in others if each != mesh.addresses[one]]
            mesh.daemon(one)["peers"]["packed"] = {"Mesh": {"10.0.0": ",".join(map(str, last))}}


# --- the wrong interface ---


def test_the_address_of_another_interface_is_a_wrong_choice(mesh, kube):
    wrong(mesh, kube)
    detects(mesh, "node-2", picks="192.168.56.4/24", interface="eth1")
    found = told(mesh, kube)
    assert found["wrong_ip_autodetection"].role == "cause"
    assert found["wrong_ip_autodetection"].subject.where["object"] == "Node/node-2"
    assert found["wrong_ip_autodetection"].subject.where["interface"] == "eth1"
    assert {item.fault.id for item in found.values() if item.role == "cause"} == {"wrong_ip_autodetection"}
    assert "10.0.0.10: Kubernetes knows the node by it" in summary(mesh, kube, "wrong_ip_autodetection")
    told_to = commands(mesh, kube, "wrong_ip_autodetection")
    assert "kubectl set env -n kube-system daemonset/calico-node -c calico-node IP_AUTODETECTION_METHOD=" in told_to


def test_it_is_found_without_the_api(mesh, kube):
    wrong(mesh, kube)
    detects(mesh, "node-2", picks="192.168.56.4/24", interface="eth1")
    assert told(mesh)["wrong_ip_autodetection"].subject.nodes == ("node-2",)


def test_the_operator_is_told_in_its_installation(mesh, kube):
    wrong(mesh, kube)
    kube.objects["daemonsets"][0]["metadata"]["ownerReferences"] = [{"kind": "Installation", "name": "default"}]
    put(kube, "Installation", "default", calicoNetwork={"bgp": "Enabled"})
    told_to = commands(mesh, kube, "wrong_ip_autodetection")
    assert "kubectl patch installation default --type merge" in told_to
    assert '"firstFound": null' in told_to


def test_two_networks_are_no_fault_where_sessions_are_up(mesh, kube):
    for name in mesh.addresses:
        held(mesh, name, (f"172.20.0.{len(name)}", 24, "eth0", ()), (mesh.addresses[name], 24, "eth1", ()))
        kube.node(name)["status"]["addresses"][0]["address"] = f"172.20.0.{len(name)}"
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_a_bridge_named_in_the_log_is_enough(mesh):
    text = "Using autodetected IPv4 address on interface br-3faae2641db0"
    log(mesh, "node-2", "startup", "autodetected", text)
    mesh.facts["node-2"]["calico_node"]["bgp_addresses"] = {}
    found = told(mesh)
    assert found["wrong_ip_autodetection"].confidence >= 0.9
    assert "br-3faae2641db0" in summary(mesh, None, "wrong_ip_autodetection")


def test_the_address_that_every_virtual_machine_has_explains_the_duplicates(mesh, kube):
    for name in ("node-2", "node-3"):
        address(kube, name, "10.0.2.15/24")
    item = alone(kube)
    assert item["wrong_ip_autodetection"].role == "cause"
    assert item["duplicate_node_ip"].role == "consequence"


def test_a_peer_with_the_address_of_dockers_bridge(mesh, kube):
    kube.event("Pod", "calico-node-00001", "Unhealthy", "BIRD is not ready: BGP not established with 172.17.0.1")
    assert alone(kube)["wrong_ip_autodetection"].subject.nodes == ("172.17.0.1",)


def test_one_node_registered_unlike_all_others_is_suspected_by_the_api_alone(kube):
    address(kube, "node-2", "192.168.56.4/24")
    kube.not_ready("node-2")
    assert alone(kube)["wrong_ip_autodetection"].subject.nodes == ("node-2",)


# --- addresses that move ---


def test_a_floating_address_is_told_from_a_wrong_interface(mesh, kube):
    held(mesh, "node-2", ETH0, ("10.0.0.100", 32, "eth0", ("host_prefix", "shares_subnet", "vip")))
    mesh.facts["node-2"]["calico_node"].update(bgp_addresses={"ipv4": "10.0.0.100"}, vip_holders=["keepalived"])
    address(kube, "node-2", "10.0.0.100/32")
    apart(mesh, "node-2")
    found = told(mesh, kube)
    assert found["vip_chosen_as_node_ip"].role == "cause"
    assert found["vip_chosen_as_node_ip"].severity in ("major", "critical")
    assert "wrong_ip_autodetection" not in found
    assert "keepalived" in str(found["vip_chosen_as_node_ip"].speaks_for)


def test_a_floating_address_that_went_to_another_host(mesh, kube):
    held(mesh, "node-3", ("10.0.0.11", 24, "eth0", ()), ("10.0.0.100", 32, "eth0", ("host_prefix", "vip")))
    mesh.facts["node-2"]["calico_node"]["bgp_addresses"] = {"ipv4": "10.0.0.100"}
    address(kube, "node-2", "10.0.0.100/32")
    apart(mesh, "node-2")
    found = told(mesh, kube)
    assert found["vip_chosen_as_node_ip"].subject.nodes == ("node-2",)
    assert found["vip_chosen_as_node_ip"].role == "cause"


def test_a_floating_address_that_is_not_registered_is_nobodys_concern(mesh, kube):
    held(mesh, "node-2", ETH0, ("10.0.0.100", 32, "eth0", ("host_prefix", "shares_subnet", "vip")))
    mesh.facts["node-2"]["calico_node"]["vip_holders"] = ["keepalived"]
    assert told(mesh, kube) == {}


# --- not on the host ---


def moved(mesh, kube, now="10.0.0.77"):
    held(mesh, "node-2", (now, 24, "eth0", ()))
    apart(mesh, "node-2")


def test_the_api_names_the_object_of_a_stale_address(mesh, kube):
    moved(mesh, kube)
    found = told(mesh, kube)
    assert found["stale_node_ip"].role == "cause"
    assert found["stale_node_ip"].subject.where["object"] == "Node/node-2"
    assert "IPv4Address=10.0.0.77/24" in commands(mesh, kube, "stale_node_ip")


def test_an_annotation_apart_from_a_running_bird_is_seen(mesh, kube):
    address(kube, "node-2", "10.0.0.200/24")
    item = told(mesh, kube)["stale_node_ip"]
    assert item.subject.where["address"] == "10.0.0.200"


def test_an_address_given_by_hand_is_told_apart(mesh, kube):
    moved(mesh, kube, "172.20.0.4")
    detects(mesh, "node-2", set="address", given="10.0.0.10")
    log(mesh, "node-2", "startup", "node_ip_not_on_host", "Unable to confirm IPv4 address 10.0.0.10 is assigned")
    found = told(mesh, kube)
    assert found["node_ip_not_on_host"].role == "cause"
    assert found.get("stale_node_ip") is None or found["stale_node_ip"].role == "consequence"


def test_the_daemonset_tells_that_an_address_was_given(mesh, kube):
    moved(mesh, kube, "172.20.0.4")
    variable(kube, "IP", "none")
    assert told(mesh, kube)["node_ip_not_on_host"].confidence > 0.8


def test_bird_that_cannot_bind_and_a_bare_address_point_to_a_hand(mesh, kube):
    mesh.facts["node-2"]["calico_node"]["addresses"] = []
    mesh.bgp("node-2")["log"] = [
        {"kind": "bind_failed", "text": "Mesh_10_0_0_9: Socket error: bind: Address not available"}
    ]
    address(kube, "node-2", "10.0.0.10")
    apart(mesh, "node-2")
    assert "node_ip_not_on_host" in told(mesh, kube)


def test_another_internal_ip_of_the_subnet_is_suspicious_only_with_trouble(kube):
    address(kube, "node-2", "10.0.0.10/24", "10.0.0.99")
    assert alone(kube) == {}
    kube.not_ready("node-2")
    assert alone(kube)["stale_node_ip"].subject.nodes == ("node-2",)


# --- subnets ---


def test_an_address_on_record_without_its_subnet(mesh, kube):
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="CrossSubnet", vxlanMode="Never")
    address(kube, "node-2", "10.0.0.10/32")
    found = told(mesh, kube)
    assert list(found) == ["node_ip_mask_32"]
    assert found["node_ip_mask_32"].severity == "minor"
    assert "IPv4Address=10.0.0.10/24" in commands(mesh, kube, "node_ip_mask_32")
    assert list(alone(kube)) == ["node_ip_mask_32"]


def test_hosts_that_have_no_subnet_by_design_are_no_fault(mesh, kube):
    put(kube, "IPPool", "default-ipv4-ippool", cidr="10.244.0.0/16", ipipMode="CrossSubnet", vxlanMode="Never")
    for name, own in mesh.addresses.items():
        address(kube, name, f"{own}/32")
        held(mesh, name, (own, 32, "eth0", ("host_prefix",)))
        kube.node(name)["spec"]["providerID"] = f"gce://project/zone/{name}"
    assert told(mesh, kube) == {}
    assert alone(kube) == {}


def test_without_cross_subnet_the_subnet_does_not_count(mesh, kube):
    address(kube, "node-2", "10.0.0.10/32")
    assert told(mesh, kube) == {}


# --- no address ---


def test_a_method_that_fits_nothing(mesh, kube):
    mesh.facts["node-2"]["calico_node"]["bgp_addresses"] = {}
    detects(mesh, "node-2", method="interface=^ens3$", why="there is no interface that matches ^ens3$")
    text = "Unable to auto-detect an IPv4 address using interface regexes [^ens3$]: no valid host interfaces found"
    log(mesh, "node-2", "startup", "autodetection", text)
    note(kube, "node-2", "IPv4Address", None)
    kube.not_ready("node-2")
    found = told(mesh, kube)
    assert found["autodetection_found_nothing"].role == "cause"
    assert found["autodetection_found_nothing"].confidence >= 0.9
    assert "ipv4_missing_on_host" not in found
    assert "by interface=^ens3$" in summary(mesh, kube, "autodetection_found_nothing")


def test_the_api_alone_shows_a_node_without_address_whose_pod_crashes(kube):
    note(kube, "node-3", "IPv4Address", None)
    assert "autodetection_found_nothing" not in alone(kube)
    message = "Unable to auto-detect an IPv4 address: no valid IPv4 addresses found on the host interfaces"
    kube.not_ready("node-3", lastState={"terminated": {"exitCode": 1, "reason": "Error", "message": message}})
    assert alone(kube)["autodetection_found_nothing"].subject.nodes == ("node-3",)


def test_a_host_with_ipv6_only(mesh, kube):
    mesh.facts["node-2"]["calico_node"]["bgp_addresses"] = {}
    held(mesh, "node-2", ("2001:db8::2", 64, "eth0", ()))
    detects(mesh, "node-2", why="no interface that Calico does not leave out has a global IPv4 address")
    text = "Unable to auto-detect an IPv4 address: no valid IPv4 addresses found on the host interfaces"
    log(mesh, "node-2", "startup", "autodetection", text)
    note(kube, "node-2", "IPv4Address", None)
    kube.node("node-2")["status"]["addresses"][0]["address"] = "2001:db8::2"
    found = told(mesh, kube)
    assert found["ipv4_missing_on_host"].role == "cause"
    assert found["autodetection_found_nothing"].role == "consequence"
    assert "CALICO_ROUTER_ID=hash" in commands(mesh, kube, "ipv4_missing_on_host")


def test_a_cluster_of_ipv6_is_healthy(mesh, kube):
    variable(kube, "IP", "none")
    for number, name in enumerate(mesh.addresses):
        own = f"2001:db8::{number + 1}"
        held(mesh, name, (own, 64, "eth0", ()))
        mesh.facts[name]["calico_node"]["bgp_addresses"] = {"ipv6": own}
        mesh.facts[name]["calico_node"]["autodetection"] = {"ipv4": {"set": "none"}, "ipv6": {"picks": f"{own}/64"}}
        note(kube, name, "IPv4Address", None)
        note(kube, name, "IPv6Address", f"{own}/64")
        kube.node(name)["status"]["addresses"][0]["address"] = own
    assert {name for name in told(mesh, kube) if "ip" in name} == set()
    assert alone(kube) == {}


# --- InternalIP ---


def test_a_node_without_internal_ip(mesh, kube):
    kube.node("node-2")["status"]["addresses"] = [{"type": "Hostname", "address": "node-2"}]
    found = told(mesh, kube)
    assert found["node_has_no_internal_ip"].subject.where == {
        "object": "Node/node-2",
        "field": "status.addresses",
        "node": "node-2",
    }
    assert "node_has_no_internal_ip" in alone(kube)


def test_a_node_that_waits_for_its_cloud(kube):
    kube.node("node-2")["status"]["addresses"] = []
    kube.node("node-2")["spec"]["taints"] = [
        {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}
    ]
    item = alone(kube)["node_has_no_internal_ip"]
    assert item.confidence > 0.9


# --- duplicates ---


def test_two_nodes_on_record_with_one_address(kube):
    address(kube, "node-3", "10.0.0.10/24")
    item = alone(kube)["duplicate_node_ip"]
    assert item.subject.nodes[0] == "node-3"
    assert item.severity == "critical"


def test_calico_that_does_not_start_for_a_record_that_is_left_over(mesh):
    text = "Calico node 'old-node' is already using the IPv4 address 10.0.0.10."
    log(mesh, "node-2", "startup", "node_ip_conflict", text)
    found = told(mesh)
    assert found["stale_node_in_mesh"].subject.where["object"] == "Node/old-node"
    assert found["stale_node_in_mesh"].confidence < 0.6
    assert "duplicate_node_ip" not in found


TAKEN = "Calico node 'old-node' is already using the IPv4 address 10.0.0.10."


def test_one_line_decides_neither_for_a_record_that_is_left_over_nor_for_a_duplicate(mesh):
    mesh.lose("node-4")
    log(mesh, "node-2", "startup", "node_ip_conflict", TAKEN)
    found = told(mesh)
    assert "stale_node_in_mesh" not in found
    assert "duplicate_node_ip" not in found


@pytest.mark.parametrize(
    ("there", "fault"),
    [(None, "stale_node_in_mesh"), ("Unknown", "stale_node_in_mesh"), ("True", "duplicate_node_ip")],
)
def test_what_kubernetes_knows_of_the_node_that_has_the_address_decides(mesh, kube, there, fault):
    log(mesh, "node-2", "startup", "node_ip_conflict", TAKEN)
    if there is not None:
        kube.objects["nodes"].append(kube._node("old-node", "10.0.0.99"))
        kube.condition("old-node", "Ready", there, "NodeStatusUnknown", "", lastTransitionTime=shapes.ago(9000))
    mine = {name for name in told(mesh, kube) if name in ("stale_node_in_mesh", "duplicate_node_ip")}
    assert mine == {fault}


def test_calico_that_does_not_start_for_a_node_that_is_there(mesh):
    text = "Calico node 'node-3' is already using the IPv4 address 10.0.0.10."
    log(mesh, "node-2", "startup", "node_ip_conflict", text)
    found = told(mesh)
    assert "stale_node_in_mesh" not in found
    assert "duplicate_node_ip" in found
