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


OWN_ETC = """
mount -t tmpfs tmpfs /mnt
mkdir /mnt/new /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/new,workdir=/mnt/work overlay /etc
"""
CONFIG = """router id {0};
protocol bgp Mesh_10_200_0_10 {{ local as 64512; neighbor 10.200.0.10 as 64512; source address {0}; }}
"""


def facts(commands, bird=""):
    """Return calico_node.host of a host of its own on which these commands were run, by the address `bird` in BGP."""
    configure = ""
    if bird:
        configure = f"{OWN_ETC}mkdir -p /etc/calico/confd/config\n"
        configure += f"cat > /etc/calico/confd/config/bird.cfg <<'END'\n{CONFIG.format(bird)}END\n"
    script = f"set -e{HOST}{configure}{commands}\nexec {sys.executable} - {ROOT}"
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

    assert loose["rp_filter"] == {"strict": ["all"], "loose": ["eth0"]}
    assert strict["rp_filter"] == {"strict": ["all", "eth0"]}


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


def test_rules_that_lead_bgp_elsewhere_are_told():
    found = facts(
        """
        ip link add eth1 type veth peer name far1
        ip link set eth1 up
        ip link set far1 up
        ip address add 10.99.0.1/24 dev eth1
        ip route add blackhole default table 100
        ip route add default via 10.99.0.254 table 101
        ip rule add priority 100 from 10.200.0.9 to 10.200.0.10 lookup 100
        ip rule add priority 101 from 10.200.0.0/24 ipproto tcp dport 179 lookup 101
        ip rule add priority 102 not fwmark 0x10/0xff iif eth0 lookup main suppress_prefixlength 0
        ip rule add priority 103 uidrange 5-6 prohibit
        """,
        bird="10.200.0.9",
    )

    assert found["rules"] == {
        "ipv4": [
            "100: from 10.200.0.9 to 10.200.0.10 lookup 100",
            "101: from 10.200.0.0/24 ipproto 6 dport 179 lookup 101",
            "102: not from all fwmark 0x10/0xff iif eth0 lookup main suppress_prefixlength 0",
            "103: from all uidrange 5-6 prohibit",
        ]
    }
    assert found["rerouted"] == {
        "blackhole": {"10.200.0": "10"},
        "via 10.99.0.254 dev eth1": {"10.200.0": "11"},
    }
    assert "no_way" not in found


def test_routes_of_wireguard_stand_against_none_in_main():
    found = facts(
        """
        ip route add 10.244.2.0/26 via 10.200.0.10 proto bird
        ip route add 10.244.2.0/26 dev eth0 proto 80 table 1
        ip route add blackhole 10.244.1.0/26 proto 80
        """
    )

    assert found["routes"]["ipv4"] == {
        "bird": 1,
        "felix": 1,
        "other_tables": {"1": 1},
        "blackholes": ["10.244.1.0/26"],
    }


def test_packets_that_fit_no_connection_are_counted():
    send = (
        "import socket, struct; s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6);"
        "s.sendto(struct.pack('!HHIIBBHHH', 9, 9, 1, 1, 0x50, 0x3f, 9, 0, 0), ('127.0.0.1', 0))"
    )
    found = facts(
        f"""
        iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
        sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1
        {sys.executable} -c "{send}"
        """
    )

    assert found["conntrack"]["invalid"]["total"] >= 1
    assert found["conntrack"]["tcp_be_liberal"] is True


def test_tunnels_that_felix_uses_are_looked_at():
    found = facts(
        """
        ip link add tunl0 type veth peer name other
        ip link set tunl0 up
        ip link set other up
        ip route add 10.244.2.0/26 via 10.200.0.10 dev tunl0 onlink proto 80
        """
    )

    assert found["tunnels"] == [{"name": "tunl0", "problem": "no_address", "needed": "Felix sends routes into it"}]
