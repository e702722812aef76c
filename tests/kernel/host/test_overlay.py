# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes on which no BIRD runs: what the kernel knows of the others, laid out as Felix and flannel do it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

import ansible_collections.netmedic.calico as collection

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root")

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
GATHER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
print(json.dumps(node.gather({"probe_timeout": 0.5})))
"""
# The others are one host far away with all their addresses.
HOST = """
mount -t proc proc /proc
mount --make-rprivate /
mount -t tmpfs none /run
ip link set lo up
unshare --net sleep 60 &
far=$!
while [ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add eth0 type veth peer name eth0 netns $far
sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1
ip link set eth0 up
ip address add 10.200.0.9/24 dev eth0
ip address add fd00::9/64 dev eth0
nsenter -t $far -n sysctl -qw net.ipv6.conf.eth0.accept_dad=0
nsenter -t $far -n ip link set eth0 up
for number in 10 11 12; do nsenter -t $far -n ip address add 10.200.0.$number/24 dev eth0; done
nsenter -t $far -n ip address add fd00::a/64 dev eth0
"""
VXLAN = """
ip link add vxlan.calico type vxlan id 4096 dstport 4789 local 10.200.0.9 dev eth0 nolearning
ip link set vxlan.calico mtu 1450 up
ip address add 10.244.1.0/32 dev vxlan.calico
for number in 10 11; do
  bridge fdb add 66:00:00:00:00:$number dst 10.200.0.$number dev vxlan.calico
  ip neighbour add 10.244.$number.0 lladdr 66:00:00:00:00:$number dev vxlan.calico nud permanent
  ip route add 10.244.$number.0/26 via 10.244.$number.0 dev vxlan.calico onlink proto 80
done
"""
VXLAN6 = """
ip link add vxlan-v6.calico type vxlan id 4096 dstport 4789 local fd00::9 dev eth0 nolearning udp6zerocsumtx
ip link set vxlan-v6.calico mtu 1430 up
ip address add fd10::1/128 dev vxlan-v6.calico
bridge fdb add 66:00:00:00:00:a6 dst fd00::a dev vxlan-v6.calico
"""


@pytest.fixture
def facts(tmp_path):
    """Return all facts of a host on which these commands were run, and calico-node with a networking backend."""

    def gather(commands, backend="vxlan"):
        calico = tmp_path / "calico-node"
        shutil.copy(shutil.which("sleep"), calico)
        running = f"CALICO_NETWORKING_BACKEND={backend} {calico} 60 &\n" if backend else ""
        script = f"set -e{HOST}{running}{commands}\nsleep 0.1\nexec {sys.executable} - {ROOT}"
        argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        done = subprocess.run(argv, input=GATHER, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return gather


def sources(facts, part):
    return {entry["source"]: entry["status"] for entry in facts[part]["sources"]}


def test_the_other_nodes_of_a_vxlan_cluster(facts):
    found = facts(VXLAN + "iptables -A INPUT -p udp --dport 4789 -s 10.200.0.11 -j DROP")

    overlay = found["calico_node"]["overlay"]
    assert overlay["addresses"] == {"ipv4": "10.200.0.9"}
    assert overlay["nodes"] == {"vxlan.calico": {"10.200.0": "10-11"}}
    device = overlay["devices"]["vxlan.calico"]
    assert (device["local"], device["mtu"], device["addresses"]) == ("10.200.0.9", 1450, ["10.244.1.0"])
    assert sources(found, "calico_node")["overlay"] == "ok"
    assert found["calico_node"]["bgp_addresses"] == {}
    assert "probes" not in found["calico_bgp"]
    firewall = found["calico_firewall"]
    assert firewall["tcp179"] == {"inbound": [], "outbound": []}
    (entry,) = firewall["flows"]["inbound"]
    assert (entry["flows"], entry["verdict"], entry["peers"]) == (["udp4789"], "drop", {"10.200.0": "11"})
    assert "udp8472" in firewall["flows"]["accepted"]
    (path,) = found["calico_mtu"]["paths"]
    assert (path["class"], path["result"], path["carries"]) == ("eth0 on-link 10.200.0.0/24", "ok", 1500)
    assert found["calico_mtu"]["encapsulation"]["kind"] == "vxlan"


def test_what_rewrites_the_source_of_tunnelled_packets(facts):
    found = facts(
        VXLAN
        + """
        ip address add 10.200.0.99/24 dev eth0
        iptables -t nat -A POSTROUTING -p udp -j SNAT --to-source 10.200.0.99
        """
    )

    (entry,) = found["calico_firewall"]["source_nat"]
    assert entry["flows"] == ["udp4789", "udp8472", "udp51820"]
    assert entry["to"] == "10.200.0.99"


def test_ipv6_is_looked_at_where_a_tunnel_uses_it(facts):
    found = facts(
        VXLAN + VXLAN6 + "sysctl -qw net.ipv6.conf.all.forwarding=0\nip6tables -A INPUT -p udp --dport 4789 -j DROP"
    )

    assert found["calico_node"]["overlay"]["nodes"]["vxlan-v6.calico"] == {"fd00:0:0:0:0:0:0": "a"}
    assert found["calico_node"]["host"]["forwarding_off"]["ipv6"]
    (entry,) = found["calico_firewall"]["flows"]["inbound"]
    assert (entry["flows"], entry["family"]) == (["udp4789"], "ipv6")
    assert {path["class"] for path in found["calico_mtu"]["paths"]} == {
        "eth0 on-link 10.200.0.0/24",
        "eth0 on-link fd00::/64",
    }


def test_the_other_nodes_of_canal(facts):
    found = facts(
        """
        ip link add flannel.1 type vxlan id 1 dstport 8472 local 10.200.0.9 dev eth0 nolearning
        ip link set flannel.1 up
        ip address add 10.244.1.0/32 dev flannel.1
        bridge fdb add 66:00:00:00:00:12 dst 10.200.0.12 dev flannel.1
        ip neighbour add 10.244.12.0 lladdr 66:00:00:00:00:12 dev flannel.1 nud permanent
        ip route add 10.244.12.0/24 via 10.244.12.0 dev flannel.1 onlink
        nft add table inet own
        nft 'add chain inet own in { type filter hook input priority 0; policy accept; }'
        nft 'add rule inet own in udp dport 8472 drop'
        """,
        backend="none",
    )

    node = found["calico_node"]
    assert node["overlay"]["addresses"] == {"ipv4": "10.200.0.9"}
    assert node["overlay"]["nodes"] == {"flannel.1": {"10.200.0": "12"}}
    assert node["overlay"]["devices"]["flannel.1"]["addresses"] == ["10.244.1.0"]
    assert "autodetection" not in node
    assert sources(found, "calico_node")["autodetection"] == "absent"
    (entry,) = found["calico_firewall"]["flows"]["inbound"]
    assert (entry["flows"], entry["rule"]["backend"]) == (["udp8472"], "nftables")
    assert found["calico_firewall"]["tcp179"] == {"inbound": [], "outbound": []}
    assert found["calico_mtu"]["paths"][0]["peer"] == "10.200.0.12"


def test_next_hops_of_felix_routes_and_of_flannels_host_gw(facts):
    found = facts(
        """
        ip route add 10.244.10.0/26 via 10.200.0.10 dev eth0 proto 80
        ip route add blackhole 10.244.1.0/26 proto 80
        ip route add 10.244.11.0/24 via 10.200.0.11 dev eth0
        ip route add 10.9.0.0/16 via 10.200.0.12 dev eth0
        mkdir /run/flannel
        echo FLANNEL_NETWORK=10.244.0.0/16 > /run/flannel/subnet.env
        """
    )

    assert found["calico_node"]["overlay"] == {
        "addresses": {"ipv4": "10.200.0.9"},
        "nodes": {"routes": {"10.200.0": "10-11"}},
    }


def test_where_bird_is_to_run_bgp_is_evaluated_with_the_nodes_learnt(facts):
    found = facts(VXLAN + "iptables -A INPUT -p tcp --dport 179 -j DROP", backend="bird")

    (entry,) = found["calico_firewall"]["tcp179"]["inbound"]
    assert (entry["verdict"], entry["count"]) == ("drop", 2)


def test_where_nothing_tells_of_others_that_is_said(facts):
    found = facts("", backend="none")

    assert "overlay" not in found["calico_node"]
    assert sources(found, "calico_node")["overlay"] == "absent"
    assert found["calico_mtu"]["paths"] == []
