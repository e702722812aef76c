# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
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
print(json.dumps(node.gather({"probe": False, "peers": ["10.200.0.10", "10.200.0.11"]}, ("node",))["calico_node"]))
"""
HOST = """
mount -t proc proc /proc
ip link set lo up
ip link add eth0 type veth peer name far
ip link set eth0 up
ip link set far up
ip address add 10.200.0.9/24 dev eth0
ip route add default via 10.200.0.254
sysctl -qw net.ipv4.conf.all.forwarding=1
"""


def facts(commands):
    """Return calico_node.host of a host of its own on which these commands were run."""
    script = f"set -e{HOST}{commands}\nexec {sys.executable} - {ROOT}"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", script]
    done = subprocess.run(argv, input=GATHER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["host"]


def test_a_host_as_it_should_be_has_little_to_say():
    found = facts("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0")

    assert not {"forwarding_off", "rp_filter", "reverse_path_dropped", "routes", "tunnels", "neighbours"} & set(found)
    assert len(json.dumps(found)) < 600


def test_forwarding_that_is_off_is_seen_at_once_and_per_interface():
    assert facts("sysctl -qw net.ipv4.conf.all.forwarding=0")["forwarding_off"] == {"ipv4": ["all", "eth0"]}
    assert facts("sysctl -qw net.ipv4.conf.eth0.forwarding=0")["forwarding_off"] == {"ipv4": ["eth0"]}


def test_the_reverse_path_filter_in_effect_is_told():
    loose = facts("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=2")
    strict = facts("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=0")

    assert (loose["rp_filter"], strict["rp_filter"]) == ({"loose": ["eth0"]}, {"strict": ["eth0"]})


def test_routes_of_bird_and_felix_are_told_apart():
    found = facts(
        """
        ip route add blackhole 10.244.1.0/26 proto bird
        ip route add 10.244.2.0/26 via 10.200.0.10 proto bird
        ip route add 10.244.2.0/26 via 10.200.0.10 proto 80 metric 9
        ip route add 10.244.3.0/26 via 10.200.0.254 proto bird
        ip route add unreachable 10.244.4.0/26 proto bird
        """
    )

    assert found["routes"]["ipv4"] == {
        "bird": 4,
        "felix": 1,
        "blackholes": ["10.244.1.0/26"],
        "unreachable": ["10.244.4.0/26"],
        "conflicts": ["10.244.2.0/26"],
        "via_router": {"10.200.0.254": 1},
    }


def test_a_peer_without_a_way_and_one_that_does_not_answer_are_told():
    found = facts(
        """
        ip route add blackhole 10.200.0.10/32
        ip neighbour replace 10.200.0.11 dev eth0 nud failed
        """
    )

    assert found["no_way"] == {"blackhole": {"10.200.0": "10"}}
    assert found["neighbours"] == {"failed": {"10.200.0": "11"}}


def test_a_tunnel_that_is_down_and_one_with_another_end_are_told():
    found = facts(
        """
        ip link add vxlan.calico type vxlan id 4096 dstport 4789 local 10.200.0.77 dev eth0
        ip address add 10.244.1.0/32 dev vxlan.calico
        ip link add flannel.1 type vxlan id 1 dstport 8472 local 10.200.0.9 dev eth0
        ip link set vxlan.calico up
        """
    )

    assert {entry["name"]: entry["problem"] for entry in found["tunnels"]} == {
        "vxlan.calico": "local_not_here",
        "flannel.1": "down",
    }
    assert found["other_plugins"] == {"flannel": {"interfaces": ["flannel.1"]}}


def test_connections_that_are_tracked_are_counted():
    say = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    found = facts(
        f"""
        iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
        {sys.executable} -c "{say}"
        """
    )

    assert found["conntrack"]["count"] >= 1
    assert found["conntrack"]["max"] > 1000
