# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._commonality import properties
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube, ago

ADDRESSES = {f"n{number}": f"10.0.{number % 2}.{number}" for number in range(4)}


def of_objects(change):
    kube = Kube(ADDRESSES)
    change(kube)
    return properties.of_cluster(kube.cluster())


def test_what_kubernetes_says_of_nodes():
    def change(kube):
        for number, name in enumerate(ADDRESSES):
            metadata = kube.node(name)["metadata"]
            metadata["creationTimestamp"] = ago(3600 * 24 * (30 if number else 2))
            metadata.setdefault("labels", {})["kubernetes.io/hostname"] = name
        kube.node("n1")["metadata"]["labels"]["team"] = "x"
        kube.node("n2")["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
        kube.node("n3").setdefault("spec", {}).update(providerID="aws:///eu-1/i-1", unschedulable=True)

    found = of_objects(change)
    assert found["n1"]["team"] == "x"
    assert found["n0"]["team"] == properties.NONE
    assert found["n2"]["node-role.kubernetes.io/control-plane"] == properties.HERE
    assert (found["n3"]["provider"], found["n3"]["cordoned"]) == ("aws", properties.HERE)
    assert found["n1"]["subnet"] == "10.0.1.0/24"
    assert found["n0"]["joined within the last week"] == properties.HERE
    assert found["n1"]["joined within the last week"] == properties.NOT
    assert not any("hostname" in attribute for attribute in found["n0"])


def test_pods_and_pools():
    def change(kube):
        kube.objects["ippools"].append(
            {"kind": "IPPool", "metadata": {"name": "other"}, "spec": {"cidr": "10.9.0.0/16"}}
        )
        kube.objects["blockaffinities"][1]["spec"]["cidr"] = "10.9.1.0/26"

    found = of_objects(change)
    assert found["n1"]["a block of pool other"] == properties.HERE
    assert found["n0"]["a block of pool other"] == properties.NONE
    assert found["n0"]["a block of pool default-ipv4-ippool"] == properties.HERE
    assert found["n0"]["calico-node's image"]


def test_what_a_host_tells():
    node = read_node(
        "n1",
        {
            "calico_node": {
                "bgp_addresses": {"ipv4": "10.0.1.9"},
                "addresses": [{"address": "10.0.1.9", "prefix": 23, "interface": "bond0"}],
                "uptime_seconds": 1000,
            },
            "calico_mtu": {
                "interfaces": {"bond0": 9000},
                "paths": [{"class": "bond0 via 10.0.0.1 to 10.1.0.0/24", "peer": "10.1.0.1"}],
            },
            "calico_firewall": {"owners": ["ufw"]},
            "calico_chrony": {"service": "ntpd", "running": True},
        },
    )
    found = properties.of_host(node)
    assert (found["interface"], found["subnet of BGP's address"], found["MTU"]) == ("bond0", "10.0.0.0/23", "9000")
    assert (found["gateway"], found["firewall"], found["clock service"]) == ("10.0.0.1", "ufw", "ntpd")
    assert found["booted within the last hour"] == properties.HERE


def test_nothing_known_is_nothing_said():
    assert "interface" not in properties.of_host(read_node("n1", {}))
