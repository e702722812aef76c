# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of pods' packets, on a host with pods and a tunnel laid out as Calico does it, and what they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import ansible_collections.netmedic.calico as collection

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root")

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
# Pods and the other node are namespaces of their own. One of them tells what gets through: TCP connections, by name.
HOST = """
mount -t proc proc /proc
ip link set lo up
sysctl -qw net.ipv4.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip link add eth0 type veth peer name far0
ip link set eth0 up
ip address add 10.200.0.9/24 dev eth0
for name in far one two; do
  unshare --net sleep 60 &
  eval "$name=$!"
done
sleep 0.2
ip link set far0 netns $far
nsenter -t $far -n sh -c 'ip link set lo up; ip link set far0 up; ip address add 10.200.0.10/24 dev far0
  ip address add 10.244.2.1/32 dev lo; ip route add 10.244.1.0/24 via 10.200.0.9'
ip route add default via 10.200.0.10
ip route add 10.244.2.0/26 via 10.200.0.10 dev eth0 proto bird
ip route add blackhole 10.244.1.0/26 proto bird
number=5
for pod in $one $two; do
  ip link add cali$number type veth peer name eth0 netns $pod
  ip link set cali$number up
  ip route add 10.244.1.$number/32 dev cali$number scope link
  sysctl -qw net.ipv4.conf.cali$number.proxy_arp=1 net.ipv4.neigh.cali$number.proxy_delay=0
  nsenter -t $pod -n sh -c "ip link set lo up; ip link set eth0 up; ip address add 10.244.1.$number/32 dev eth0
    ip route add 169.254.1.1 dev eth0 scope link; ip route add default via 169.254.1.1 dev eth0"
  number=$((number + 1))
done
"""
GATHER = """
import ctypes, json, os, socket, sys
root, far, one, two, host = sys.argv[1:]
sys.path.insert(0, root)
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
facts = node.gather({"probe": False}, ("firewall",))["calico_firewall"]

def socket_of(name):
    descriptor = os.open("/proc/%s/ns/net" % places[name][0], os.O_RDONLY)
    assert ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000) == 0
    return socket.socket()

places = {"host": (host, "10.200.0.9", 10250), "far": (far, "10.244.2.1", 29999),
          "one": (one, "10.244.1.5", 29999), "two": (two, "10.244.1.6", 29999)}
listeners = [socket_of(name) for name in places]
for listener, (_pid, _address, port) in zip(listeners, places.values()):
    listener.bind(("0.0.0.0", port))
    listener.listen(5)

def reaches(name, other):
    with socket_of(name) as caller:
        caller.settimeout(0.5)
        if name == "far":
            caller.bind(("10.244.2.1", 0))
        return caller.connect_ex(places[other][1:]) == 0

ways = {"pods to host": ("one", "host"), "host to pods": ("host", "one"), "pods to eth0": ("one", "far"),
        "eth0 to pods": ("far", "one"), "pods to pods": ("one", "two")}
seen = {way: reaches(*ends) for way, ends in ways.items()}
print(json.dumps({"facts": facts, "seen": seen}))
"""
WAYS = {"pods to host", "host to pods", "pods to eth0", "eth0 to pods", "pods to pods"}


def look(commands):
    """Return (calico_firewall.pods, which ways real connections get through) with these filters."""
    script = f"set -e{HOST}{commands}\nsleep 60 &\nexec {sys.executable} - {ROOT} $far $one $two $!"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    done = subprocess.run(argv, input=GATHER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found["facts"], found["seen"]


def check(commands):
    """Return the entries that are not accepted, after real connections have borne out all that is said."""
    facts, seen = look(commands)
    pods = facts["pods"]
    stopped = {way for entry in pods.get("not_accepted", ()) for way in entry["ways"]}
    assert stopped | set(pods["accepted"]) == WAYS
    assert {way for way, passes in seen.items() if not passes} == stopped
    return pods.get("not_accepted", [])


@pytest.mark.parametrize(
    ("commands", "ways", "rule"),
    [
        ("iptables -A INPUT -p tcp --dport 22 -j ACCEPT", None, None),
        ("iptables -P FORWARD DROP", ["pods to eth0", "eth0 to pods", "pods to pods"], "-P FORWARD DROP"),
        (
            "iptables -I FORWARD -i cali+ -j DROP",
            ["pods to eth0", "pods to pods", "eth0 to pods"],
            "-A FORWARD -i cali+ -j DROP",
        ),
        ("iptables -A INPUT -i cali+ -j DROP", ["pods to host", "host to pods"], "-A INPUT -i cali+ -j DROP"),
        (
            "iptables-legacy -A FORWARD -o cali+ -m conntrack --ctstate NEW -j REJECT",
            ["eth0 to pods", "pods to pods"],
            None,
        ),
        ("iptables -A FORWARD -d 10.244.2.0/24 -m conntrack --ctstate NEW -j DROP", ["pods to eth0"], None),
        (
            """
            nft add table inet own
            nft 'add chain inet own f { type filter hook forward priority 0; policy drop; }'
            nft 'add rule inet own f ct state established accept'
            """,
            ["pods to eth0", "eth0 to pods", "pods to pods"],
            "policy drop",
        ),
        ("iptables -A OUTPUT -o cali+ -m conntrack --ctstate NEW -j DROP", ["host to pods"], None),
    ],
)
def test_what_stops_pods_is_named(commands, ways, rule):
    entries = check(commands)

    assert {way for entry in entries for way in entry["ways"]} == set(ways or ())
    if rule:
        assert entries[0]["rule"]["text"].startswith(rule)


def test_answers_that_are_stopped_are_told_as_such():
    first, second = (
        check("iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -i eth0 -j DROP"),
        check("iptables -I INPUT -i cali+ -j DROP"),
    )

    assert [(entry["ways"], entry.get("answers")) for entry in first] == [(["pods to eth0"], True)]
    assert [(entry["ways"], entry.get("answers")) for entry in second] == [
        (["pods to host"], None),
        (["host to pods"], True),
    ]


def test_what_calicos_own_rules_stop_is_no_fault_of_the_hosts_firewall():
    facts, _seen = look(
        """
        iptables -N cali-FORWARD
        iptables -N cali-from-wl-dispatch
        iptables -A FORWARD -j cali-FORWARD
        iptables -A cali-FORWARD -i cali+ -j cali-from-wl-dispatch
        iptables -A cali-from-wl-dispatch -j DROP
        """
    )

    assert facts["pods"]["by_calico"] == [{"ways": ["pods to eth0", "pods to pods", "eth0 to pods"], "family": "ipv4"}]
    assert "not_accepted" not in facts["pods"]


def test_a_node_without_filters_says_nothing():
    facts, seen = look("true")

    assert "pods" not in facts
    assert all(seen.values())
