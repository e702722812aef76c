# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which method of autodetection the role ip_autodetection sets, where, and when it refuses to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import ip_autodetection
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.model import MissingNode
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import (
    address,
    put,
    variable,
)
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import ADDRESSES
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import evidence_of, told

WRONG = "192.168.77.10"
BY_VARIABLE = "IP_AUTODETECTION_METHOD"


def other(name, prefix=24, interface="eth1", position=3, **more):
    return {"address": name, "prefix": prefix, "interface": interface, "position": position, **more}


@pytest.fixture
def mesh(mesh):
    """Four nodes; node-2 has a second network card, and its address is registered."""
    for name, facts in mesh.facts.items():
        about = facts["calico_node"]
        about["addresses"][0]["position"] = 2
        about["calico"] = {"version": "v3.28.1"}
        about["autodetection"] = {"ipv4": {"set": "autodetect", "method": "", "picks": f"{ADDRESSES[name]}/24"}}
    mesh.facts["node-2"]["calico_node"]["addresses"].append(other(WRONG))
    mesh.facts["node-2"]["calico_node"]["bgp_addresses"] = {"ipv4": WRONG}
    mesh.facts["node-2"]["calico_bgp"]["daemons"]["ipv4"]["config"]["local_address"] = WRONG
    for peer in ("node-1", "node-3", "node-4"):
        mesh.break_session("node-2", peer)
    return mesh


@pytest.fixture
def kube(kube):
    variable(kube, "IP", "autodetect")
    address(kube, "node-2", f"{WRONG}/24")
    return kube


def decide(mesh, kube, missing=(), **options):
    evidence = replace(evidence_of(mesh, kube), missing=tuple(missing))
    return ip_autodetection.changes(Given("", tuple(ADDRESSES), mesh.facts, {}, evidence, {}, options))


def values(done):
    return {one["path"][-2]["name"]: one["value"] for change in done.changes for one in change["set"]}


def test_the_internal_ip_is_taken_where_it_is_right(mesh, kube):
    done = decide(mesh, kube)
    assert (done.refused, values(done)) == ("", {BY_VARIABLE: "kubernetes-internal-ip"})
    assert done.more["expected"] == {"addresses": ADDRESSES, "generation": 0}
    assert any(line.startswith("node-2: 192.168.77.10 -> 10.0.0.10") for line in done.says)
    (change,) = done.changes
    assert (change["kind"], change["namespace"], change["name"]) == ("DaemonSet", "kube-system", "calico-node")
    assert change["set"][0]["was"] == [None]


def test_a_wrong_internal_ip_is_not_taken(mesh, kube):
    kube.node("node-2")["status"]["addresses"][0]["address"] = "10.9.9.9"
    for name in ("node-1", "node-2", "node-3", "node-4"):
        mesh.facts[name]["calico_node"]["autodetection"]["ipv4"]["outward"] = ADDRESSES[name]
    assert values(decide(mesh, kube)) == {BY_VARIABLE: "cidr=10.0.0.0/24"}
    assert "node-2: nothing, not 10.0.0.10" in decide(mesh, kube, method="kubernetes-internal-ip").refused


def test_what_is_right_is_left_alone(mesh, kube):
    variable(kube, BY_VARIABLE, "interface=^eth0$")
    done = decide(mesh, kube)
    assert (done.changes, done.refused) == ((), "")
    assert "takes the right ipv4 address on every node" in done.says[0]
    assert "rolling_restart" in done.says[1]


def test_a_wish_is_tried_on_every_node(mesh, kube):
    assert values(decide(mesh, kube, method="interface=^eth0$")) == {BY_VARIABLE: "interface=^eth0$"}
    assert (
        "interface=eth is not right on every node: node-2: 192.168.77.10"
        in decide(mesh, kube, method="interface=eth").refused
    )


def test_every_node_must_be_read(mesh, kube):
    gone = [MissingNode("node-9", "unreachable", "10.0.0.99", unreachable=True)]
    assert "node-9 could not be read" in decide(mesh, kube, gone).refused
    mesh.facts["node-3"]["calico_node"]["addresses_left_out"] = 4
    assert "not all interfaces of node-3" in decide(mesh, kube).refused


def test_two_addresses_that_may_be_right(mesh, kube):
    address(kube, "node-2", f"{WRONG}/24", WRONG)
    assert "it is not clear which address of node-2 is the right one" in decide(mesh, kube).refused


def test_one_address_on_two_nodes(mesh, kube):
    mesh.facts["node-3"]["calico_node"]["addresses"][0]["address"] = ADDRESSES["node-4"]
    assert decide(mesh, kube).refused.startswith("it is not known which address of")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("IP", "10.0.0.10", "is not told to look for its ipv4 address (IP is 10.0.0.10"),
        ("IP", "none", "IP is none"),
        ("CALICO_NETWORKING_BACKEND", "none", "with the backend none"),
    ],
)
def test_where_nobody_looks_for_addresses(mesh, kube, name, value, words):
    env = kube.template()["containers"][0]["env"]
    env[:] = [one for one in env if one["name"] != name]
    variable(kube, name, value)
    assert words in decide(mesh, kube).refused


def test_addresses_on_record_are_kept_unless_it_is_told_to_look(mesh, kube):
    env = kube.template()["containers"][0]["env"]
    env[:] = [one for one in env if one["name"] != "IP"]
    assert values(decide(mesh, kube)) == {BY_VARIABLE: "kubernetes-internal-ip", "IP": "autodetect"}


def test_the_operators_installation(mesh, kube):
    put(kube, "Installation", "default", calicoNetwork={"nodeAddressAutodetectionV4": {"firstFound": True}})
    (change,) = decide(mesh, kube).changes
    assert (change["kind"], change["despite_owner"]) == ("Installation", True)
    chosen = change["patch"]["spec"]["calicoNetwork"]["nodeAddressAutodetectionV4"]
    assert {key: value for key, value in chosen.items() if value} == {"kubernetes": "NodeInternalIP"}
    assert chosen["firstFound"] is None
    kube.objects["daemonsets"][0]["metadata"]["generation"] = 7
    assert decide(mesh, kube).more["expected"]["generation"] == 8


def test_kubespray_is_told_what_to_change(mesh, kube):
    kube.objects["clusterinformations"][0]["spec"]["clusterType"] = "kubespray,bgp,kubeadm,k8s"
    done = decide(mesh, kube)
    assert (done.changes, "kubespray" in done.refused) == ((), True)
    assert any("calico_ip_auto_method" in line for line in done.says)


def test_a_config_map_that_is_read(mesh, kube):
    read = {"configMapKeyRef": {"name": "calico-config", "key": "ip_method"}}
    kube.template()["containers"][0]["env"].append({"name": BY_VARIABLE, "valueFrom": read})
    kube.backend("bird")
    kube.objects["configmaps"][0]["data"]["ip_method"] = "first-found"
    config, agent = decide(mesh, kube).changes
    assert (config["kind"], config["set"]) == (
        "ConfigMap",
        [{"path": ["data", "ip_method"], "value": "kubernetes-internal-ip", "was": ["first-found"]}],
    )
    assert agent["set"][0]["path"][-1] == "netmedic.calico/autodetection"


def test_what_is_still_to_come(mesh, kube):
    wanted = decide(mesh, kube).more["expected"]
    status = kube.objects["daemonsets"][0]["status"]
    status.update(updatedNumberScheduled=3, numberReady=3)
    evidence = evidence_of(mesh, kube)

    def waits():
        options = {"seen": {"reached": True, "objects": kube.objects}, "expected": wanted}
        return ip_autodetection.changes(Given("", (), {}, {}, evidence, {}, options)).more["waits"]

    assert waits() == [
        "DaemonSet calico-node has 1 pod still to make anew",
        "node-2 is registered with 192.168.77.10, not with 10.0.0.10",
    ]
    status.update(updatedNumberScheduled=4)
    address(kube, "node-2", "10.0.0.10/24")
    assert waits() == []


def test_the_finding_has_a_remedy(mesh, kube):
    item = told(mesh, kube)["wrong_ip_autodetection"]
    remedy = item.fault.fix.remedy(evidence_of(mesh, kube), item.subject)
    assert (remedy.role, remedy.variables["ip_autodetection_method"]) == ("ip_autodetection", "kubernetes-internal-ip")


def remedy_of(mesh, kube):
    item = told(mesh, kube)["wrong_ip_autodetection"]
    return item.fault.fix.remedy(evidence_of(mesh, kube), item.subject), item


def test_what_the_api_says_counts_where_calico_node_does_not_run(mesh, kube):
    """A node whose calico-node has ended tells of no method, or of an earlier one."""
    variable(kube, BY_VARIABLE, "interface=^ens.*")
    for facts in mesh.facts.values():
        facts["calico_node"]["autodetection"]["ipv4"].update(set="unset", method="kubernetes-internal-ip")
    assert remedy_of(mesh, kube)[0].role == "ip_autodetection"


def test_pods_that_nobody_replaces_are_a_persons(mesh, kube):
    kube.objects["daemonsets"][0]["spec"]["updateStrategy"] = {"type": "OnDelete"}
    remedy, item = remedy_of(mesh, kube)
    assert remedy is None
    assert any(
        line.startswith("kubectl delete pod") for line in item.fault.fix.commands(evidence_of(mesh, kube), item.subject)
    )
