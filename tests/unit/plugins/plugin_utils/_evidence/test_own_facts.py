# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import address_facts, host_facts

NODE = {
    "addresses": [
        {"address": "10.0.0.9", "prefix": 24, "interface": "eth0", "position": 1, "up": True, "signs": ["vip"]}
    ],
    "other_addresses": [{"address": "172.17.0.1", "prefix": 16, "interface": "docker0", "position": 2}],
    "vip_holders": ["keepalived"],
    "autodetection": {
        "ipv4": {"picks": "10.0.0.9/24", "interface": "eth0", "method": "cidr=10.0.0.0/8", "outward": "10.0.0.9"},
        "ipv6": {"set": "none"},
    },
    "kubelet_nodename": "node-1",
    "nodename_source": "file",
    "host": {
        "other_sources": {"10.0.2.15": {"10.0.0": "10-12"}},
        "kubelet": {"node_ip": "10.0.0.9"},
        "routes": {"ipv4": {"bird": 3, "felix": 1, "via_router": {"10.0.0.254": 2}, "conflicts": ["10.244.2.0/26"]}},
        "strain": {
            "pressure": {"cpu": [23.9, 71.0]},
            "calico_node": {"throttled": {"periods": 9000, "throttled": 4100, "seconds": 250.5}, "oom_kills": 3},
            "interfaces": {"eth0": {"rx_dropped": {"total": 40, "grew": 2}}},
        },
    },
}
BGP = {
    "other_speakers": [{"process": "speaker", "pid": 4711, "peers": {"10.0.0": "254"}}],
    "sockets": [
        {"peer": "10.0.0.10", "state": "ESTABLISHED", "retransmits": 3, "send_queue": 512},
        {"peer": "10.0.0.11", "state": "SYN_SENT", "retransmits": 3},
    ],
    "daemons": {
        "ipv4": {
            "config": {"hold_times": {"9": {"10.0.0": "10"}}, "keepalive_times": {"3": {"10.0.0": "10"}}},
            "peers": {"short_hold_times": {"9": {"10.0.0": "10-11"}}, "without_routes": "all", "routes_filtered": 4},
        }
    },
}


def test_addresses():
    found = address_facts.read({"calico_node": NODE})
    assert [(one.with_length, one.own) for one in found.held] == [("10.0.0.9/24", True), ("172.17.0.1/16", False)]
    assert found.of("10.0.0.9").signs == {"vip"}
    assert found.of("") is None
    assert found.of_family("ipv4") == found.held[:1]
    assert found.complete
    assert found.detection["ipv4"].detects
    assert found.detection["ipv4"].method == "cidr=10.0.0.0/8"
    assert not found.detection["ipv6"].detects
    assert found.other_sources == {"10.0.2.15": {"10.0.0.10", "10.0.0.11", "10.0.0.12"}}
    assert (found.kubelet_nodename, found.kubelet_node_ip) == ("node-1", "10.0.0.9")


def test_surroundings_of_bird():
    found = host_facts.read({"calico_node": NODE, "calico_bgp": BGP})
    assert found.speakers == (host_facts.OtherSpeaker("speaker", 4711, "", frozenset(["10.0.0.254"])),)
    assert [one.peer for one in found.stuck] == ["10.0.0.10"]
    assert found.routes["ipv4"].conflicts == ("10.244.2.0/26",)
    exchange = found.exchange["ipv4"]
    assert exchange.hold_times == {"10.0.0.10": 9, "10.0.0.11": 9}
    assert exchange.configured_hold == {"10.0.0.10": 9}
    assert exchange.all_without_routes
    assert found.strain.losses == {"eth0": {"rx_dropped": 40}}
    assert found.strain.told == [
        "something waited for cpu in 71 % of the last minute",
        "calico-node's container was held back in 4100 of 9000 periods",
        "3 processes of calico-node killed for want of memory",
    ]


def test_nothing_told_is_nothing():
    assert address_facts.read({}) == address_facts.AddressFacts()
    assert host_facts.read({}) == host_facts.HostFacts()


def test_nodes_and_records_are_joined(mesh, kube):
    mesh.facts["node-2"]["calico_node"].update(nodename="other", kubelet_nodename="node-2")
    mesh.lose("node-3")
    evidence = replace(mesh.evidence(), cluster=kube.cluster())
    found = {one.record: one for one in evidence.registered}
    assert found["node-2"].node is evidence.nodes["node-2"]
    assert found["node-3"].node is None
    assert found["node-3"].name == "node-3"
    assert found["node-1"].stored("ipv4") == "10.0.0.9/24"
    assert evidence.uses_bgp
    assert evidence.expected.count() == 6
    assert mesh.evidence().expected is None
