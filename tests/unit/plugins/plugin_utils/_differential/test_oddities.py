# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd is worth a note where nothing else was read. The outputs are of public threads, which each test names."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.shown import findings

# projectcalico/calico#4927
UFW = """Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), deny (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
Anywhere                   ALLOW IN    10.35.2.0/24
"""
# rancher/rke#485
FORWARD = """$ sudo iptables -t filter -v --line-numbers -L FORWARD
Chain FORWARD (policy DROP 3 packets, 188 bytes)
num   pkts bytes target         prot opt in     out     source    destination
1    76887  119M cali-FORWARD   all  --  any    any     anywhere  anywhere     /* cali:wUHhoiAYhphO9Mso */
2       15   936 KUBE-FORWARD   all  --  any    any     anywhere  anywhere     /* kubernetes forward rules */
"""
# projectcalico/calico#5094
FLOATING = """2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP group default qlen 1000
    link/ether 52:54:00:6f:1a:0e brd ff:ff:ff:ff:ff:ff
    inet 192.168.200.51/24 brd 192.168.200.255 scope global eth0
       valid_lft forever preferred_lft forever
    inet 192.168.200.59/32 scope global eth0
       valid_lft forever preferred_lft forever
"""
# canonical/microk8s#4142
LARGE = """2: ens3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1442 qdisc fq_codel state UP group default qlen 1000
    link/ether fa:16:3e:1d:77:bb brd ff:ff:ff:ff:ff:ff
    inet 192.168.122.91/24 metric 100 brd 192.168.122.255 scope global dynamic ens3
       valid_lft 23992sec preferred_lft 23992sec
11: cali8f849197aa4@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default
    link/ether ee:ee:ee:ee:ee:ee brd ff:ff:ff:ff:ff:ff link-netns cni-a0090244-f7d3-e0dd-6738-7bcc89313657
12: vxlan.calico: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1392 qdisc noqueue state UNKNOWN group default
    link/ether 66:76:5b:16:16:8d brd ff:ff:ff:ff:ff:ff
"""
# projectcalico/calico#2072
BELOW = """2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP group default qlen 1000
3: wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420 qdisc noqueue state UNKNOWN group default qlen 1
5: cali217c693643a@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UP group default
7: tunl0@NONE: <NOARP,UP,LOWER_UP> mtu 1440 qdisc noqueue state UNKNOWN group default qlen 1
"""
# projectcalico/calico#3422
PODS = """NAMESPACE       NAME                                       READY   STATUS             RESTARTS   AGE     IP                NODE     NOMINATED NODE   READINESS GATES
kube-system     calico-kube-controllers-5fc5dbfc47-ktfzc   1/1     Running            2          9d      192.168.219.72    master   <none>           <none>
kube-system     calico-node-bwhff                          1/1     Running            2          9d      192.168.29.85     master   <none>           <none>
kube-system     calico-node-rn9zg                          1/1     Running            1          7d7h    192.168.29.16     node1    <none>           <none>
"""  # noqa: E501 as kubectl prints it
# projectcalico/calico#4924
STORED = """2021-09-13 07:31:22.371 [INFO][9] startup/startup.go 396: Early log level set to info
2021-09-13 07:31:22.371 [INFO][9] startup/utils.go 129: Using stored node name kworker3 from /var/lib/calico/nodename
2021-09-13 07:31:22.371 [INFO][9] startup/utils.go 139: Determined node name: kworker3
"""
# projectcalico/calico#3134
DOWN = """bird: Netlink: Network is down
bird: Netlink: Network is down
2020-09-27 07:27:15.279 [INFO][57] ipip_mgr.go 133: Tunnel wasn't admin up, enabling it flags=0 mtu=1440
bird: Netlink: Network is down
"""


@pytest.mark.parametrize(
    ("text", "fault", "says"),
    [
        (UFW, "host_firewall_blocks_pod_interfaces", "FORWARD drops what no rule lets pass"),
        (FORWARD, "host_firewall_blocks_pod_interfaces", "FORWARD drops what no rule lets pass"),
        (FLOATING, "vip_chosen_as_node_ip", "192.168.200.59/32 beside another address on eth0"),
        (
            LARGE.replace("mtu 1442", "mtu 1500"),
            "mtu_misconfigured_value",
            "pods' interfaces have an MTU of 1500, vxlan.calico has 1392",
        ),
        (BELOW, "mtu_mismatch", "tunl0 (MTU 1440) may go through wg0"),
        (PODS, "ippool_overlaps_network", "have addresses of 192.168.0.0/16"),
        (DOWN, "tunnel_device_missing", "Network is down"),
        (STORED, "nodename_mismatch", "Using stored node name kworker3"),
    ],
)
def test_what_is_odd_is_worth_a_note_and_no_more(text, fault, says):
    found = findings(text)[fault]
    assert (found["severity"], found["guess"]) == ("info", True)
    assert found["confidence"] < 0.4
    assert says in found["evidence"][0]["says"]
    assert found["missing"]


def test_pods_with_more_than_the_interface_are_no_oddity():
    found = findings(LARGE)
    assert found["mtu_misconfigured_value"]["confidence"] >= 0.5
    assert "1 pod with 1500, and ens3 has 1442" in found["mtu_misconfigured_value"]["summary"]


def test_two_networks_alone_are_worth_a_note():
    second = FLOATING.replace("192.168.200.59/32 scope global eth0", "10.0.2.15/24 scope global eth1")
    assert list(findings(second)) == ["wrong_ip_autodetection"]


def test_where_sessions_were_heard_nothing_is_odd():
    """Half of all hosts with Docker have FORWARD so, and their pods are well."""
    status = """Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+-------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |
+--------------+-------------------+-------+----------+-------------+
| 172.16.0.6   | node-to-node mesh | up    | 15:24:40 | Established |
+--------------+-------------------+-------+----------+-------------+
"""
    assert not findings({"status.txt": status, "ufw-status.txt": UFW.replace("10.35.2.0", "172.16.0.0")})


def test_known_pools_are_no_guess():
    pools = """NAME                  CIDR            NAT    IPIPMODE   VXLANMODE   DISABLED   SELECTOR
default-ipv4-ippool   192.168.0.0/16  true   Always     Never       false      all()
"""
    assert not [one for one in findings({"pods.txt": PODS, "pools.txt": pools}).values() if one.get("guess")]
