# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check overstates, whom the operator does not count, and where the host's own packets go.

The texts are from public threads, shortened; each is named beside it (owner/repository#number on GitHub).
"""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings

# projectcalico/calico#4288
CHECKED = """\
# calicoctl node checksystem
ip_set              OK
ip_tables           OK
ipt_rpfilter        OK
WARNING: Unable to detect the ipt_set module as Loaded/Builtin module or lsmod
ipt_set             FAIL
WARNING: Unable to detect the xt_icmp module as Loaded/Builtin module or lsmod
xt_icmp             FAIL
WARNING: Unable to detect the xt_rpfilter module as Loaded/Builtin module or lsmod
xt_rpfilter         FAIL
xt_set              OK
System doesn't meet one or more minimum systems requirements to run Calico
"""
# tigera/operator#3156
COUNTS_NONE = """\
apiVersion: operator.tigera.io/v1
kind: TigeraStatus
metadata:
  name: calico
status:
  conditions:
  - message: 'Failed to autoscale typha - not enough linux nodes to schedule typha pods on, require 1 and have 0: '
    reason: ResourceScalingError
    status: "True"
    type: Degraded
"""
# projectcalico/calico#6883
TUNNEL = """\
tunl0: flags=193<UP,RUNNING,NOARP>  mtu 1250
        tunnel   txqueuelen 1000  (IPIP Tunnel)
        RX packets 10203  bytes 6383285 (6.0 MiB)
        RX errors 0  dropped 0  overruns 0  frame 0
        TX packets 6271  bytes 437895 (427.6 KiB)
        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0
"""
IN_VAIN = (
    "2022-10-21 10:12:54.848 [WARNING][107] felix/ipip_mgr.go 163: Failed to list interface addresses "
    "error=message too long\n"
)
# projectcalico/bird#31
REFUSING = """\
# ip route
default via 10.240.0.1 dev ens4
10.240.0.1 dev ens4  scope link
unreachable 192.168.11.128/26  proto bird
blackhole 192.168.133.0/26  proto bird
"""
# projectcalico/calico#4662 has these ways; the rules are those of src/nm-cloud-setup/main.c in NetworkManager
PASSED_BY = """\
[ec2-user@ip-10-0-10-5 ~]$ ip rule
0:	from all lookup local
30400:	from 10.0.10.5 lookup 30400
32766:	from all lookup main
32767:	from all lookup default
"""
MAIN_FIRST = PASSED_BY.replace("30400:", "30350:	from all lookup main suppress_prefixlength 0\n30400:")
# projectcalico/calico#5705
KNOWN_OTHERWISE = """\
kind: Node
metadata:
  name: k3s-master
spec:
  addresses:
  - address: 10.200.0.1/32
    type: CalicoNodeIP
  - address: 10.0.0.2
    type: InternalIP
  bgp:
    ipv4Address: 10.200.0.1/32
  orchRefs:
  - nodeName: k3s-master
    orchestrator: k8s
"""
# canonical/microk8s#4033
NOT_YET = (
    "Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet "
    "valid: current time 2023-06-16T22:41:21+12:00 is before 2023-06-16T11:39:43Z\n"
)
# projectcalico/calico#2905
WAITS = """\
node-1 # calicoctl node status
IPv4 BGP status
+--------------+-------------------+-------+----------+---------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |  INFO   |
+--------------+-------------------+-------+----------+---------+
| 10.3.67.92   | node-to-node mesh | start | 14:07:10 | Passive |
+--------------+-------------------+-------+----------+---------+
"""


def likeliest(texts):
    found = [one for one in findings(texts).values() if one["fault"] != "undetermined" and one["role"] == "cause"]
    return max(found, key=lambda one: one["confidence"])["fault"] if found else ""


def test_modules_that_go_by_another_name_are_not_missing():
    assert "kernel_module_missing" not in findings(CHECKED)


def test_one_that_has_no_other_name_there_is():
    text = CHECKED.replace("xt_set              OK\n", "").replace("ipt_rpfilter        OK\n", "")
    assert likeliest(text) == "kernel_module_missing"


def test_a_check_that_finds_nothing_at_all_says_nothing():
    blind = "".join(line for line in CHECKED.splitlines(keepends=True) if " OK" not in line)
    more = blind + "WARNING: Unable to detect the ip_set module as Loaded/Builtin module or lsmod\n"
    assert "kernel_module_missing" not in findings(more)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (COUNTS_NONE, "operator_migration_stuck"),
        (PASSED_BY, "host_network_manager_interference"),
        (REFUSING, "no_encap_next_hop_not_onlink"),
        (KNOWN_OTHERWISE, "wrong_ip_autodetection"),
        (NOT_YET, "clock_skew"),
    ],
)
def test_it_names_first(text, fault):
    assert likeliest(text) == fault


def test_an_address_that_felix_cannot_set_is_missing():
    assert findings({"ifconfig.txt": TUNNEL, "calico.log": IN_VAIN})["tunnel_device_missing"]["confidence"] > 0.8
    assert "tunnel_device_missing" not in findings({"ifconfig.txt": TUNNEL})


def test_it_asks_the_main_table_first():
    assert "host_network_manager_interference" not in findings(MAIN_FIRST)


def test_a_node_on_record_by_the_address_kubernetes_knows_is_fine():
    assert "wrong_ip_autodetection" not in findings(KNOWN_OTHERWISE.replace("10.200.0.1/32", "10.0.0.2/24"))


def test_what_was_reached_by_hand_is_not_blocked():
    reached = "node-2 # nc -vC node-1 179\nConnection to node-1 179 port [tcp/bgp] succeeded!\n"
    blocked = {"tcp179_blocked_host_firewall", "tcp179_blocked_network"}
    assert blocked & set(findings({"node-1/status.txt": WAITS}))
    assert not blocked & set(findings({"node-1/status.txt": WAITS, "nc.txt": reached}))
