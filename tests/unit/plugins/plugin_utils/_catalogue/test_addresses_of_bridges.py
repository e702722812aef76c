# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address of a bridge is on the host, though other nodes do not know the host by it."""

from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read

INTERFACES = """2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000
    link/ether 52:54:00:a1:b2:13 brd ff:ff:ff:ff:ff:ff
    inet 10.20.0.13/24 brd 10.20.0.255 scope global eth0
       valid_lft forever preferred_lft forever
3: br-5f2c1a: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 02:42:9c:11:22:33 brd ff:ff:ff:ff:ff:ff
    inet 172.18.0.1/16 brd 172.18.255.255 scope global br-5f2c1a
       valid_lft forever preferred_lft forever
"""


def found(registered):
    rows = (
        ("NAME", "ASN", "IPV4", "IPV6"),
        ("kcp-1", "(64512)", "10.20.0.11/24", ""),
        ("wrk-2", "(64512)", registered, ""),
    )
    table = "".join("   ".join(f"{cell:15}" for cell in row) + "\n" for row in rows)
    texts = {"wrk-2/ip-addr.txt": INTERFACES, "calicoctl-get-nodes.txt": table}
    return {one["fault"]: one for one in analyse(*evidence.evidence(read.sort(texts)))["findings"]}


def test_the_address_of_a_bridge_is_a_wrong_choice_and_not_gone():
    findings = found("172.18.0.1/16")
    assert "stale_node_ip" not in findings
    assert findings["wrong_ip_autodetection"]["nodes"] == ["wrk-2"]
    assert findings["wrong_ip_autodetection"]["against"] == []


def test_an_address_on_no_interface_is_gone():
    assert found("10.20.0.77/24")["stale_node_ip"]["nodes"] == ["wrk-2"]
