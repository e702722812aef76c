# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a firewall stopped and wrote to the kernel's log is evidence for the sessions that it stopped."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import packet_log

STAMP = "[91222.101223] "
PACKET = (
    "IN=eth0 OUT= MAC=52:54:00:a1:b2:11:52:54:00:a1:b2:13:08:00 SRC=10.20.0.13 DST=10.20.0.11 LEN=60 TOS=0x00 "
    "PREC=0xC0 TTL=64 ID=3321 DF PROTO=TCP SPT=43511 DPT=179 WINDOW=64240 RES=0x00 SYN URGP=0 \n"
)
SIX = (
    "IN= OUT=eth0 SRC=2001:0db8:0000:0000:0000:0000:0000:0001 DST=2001:0db8:0000:0000:0000:0000:0000:0002 LEN=80 TC=0 "
    "HOPLIMIT=64 FLOWLBL=0 PROTO=TCP SPT=43511 DPT=179 WINDOW=64240 RES=0x00 SYN URGP=0 \n"
)
STATUS = """root@kcp-1:~# calicoctl node status
Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+------------+---------+
| PEER ADDRESS |     PEER TYPE     | STATE |   SINCE    |  INFO   |
+--------------+-------------------+-------+------------+---------+
| 10.20.0.13   | node-to-node mesh | start | 2026-11-21 | Passive |
+--------------+-------------------+-------+------------+---------+

IPv6 BGP status
No IPv6 peers found.

"""


def found(log: str) -> dict[str, float]:
    bundle = read.sort({"paste.txt": f"root@kcp-1:~# dmesg\n{log}{STATUS}"})
    told, now = evidence.evidence(bundle)
    return {one["fault"]: one["confidence"] for one in analyse(told, now)["findings"]}


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP}[UFW BLOCK] {PACKET}",
        f"Nov 21 20:58:40 kcp-1 kernel: [UFW BLOCK] {PACKET}",
        f"Nov 21 20:58:40 kcp-1 kernel: {STAMP}FINAL_REJECT: {PACKET}",
        f"{STAMP}filter_IN_public_DROP: {PACKET}",
        f"{STAMP}IPTables-Dropped: {PACKET}",
    ],
)
def test_the_prefix_says_that_a_packet_was_stopped(line: str) -> None:
    (one,) = packet_log.facts({"dmesg.txt": line + line})
    assert (one["source"], one["destination"], one["port"], one["way"]) == ("10.20.0.13", "10.20.0.11", 179, "inbound")
    assert one["packets"] == 2


def test_the_other_family_and_the_other_way_are_read() -> None:
    (one,) = packet_log.facts({"dmesg.txt": f"{STAMP}[UFW BLOCK] {SIX}"})
    assert (one["source"], one["destination"], one["way"]) == ("2001:db8::1", "2001:db8::2", "outbound")


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP}[UFW ALLOW] {PACKET}",
        f"{STAMP}[UFW AUDIT] {PACKET}",
        f"{STAMP}calico-packet: {PACKET}",
        f"{STAMP}{PACKET}",
        f"{STAMP}[UFW BLOCK] {PACKET.replace('SYN', 'ACK SYN')}",
        f"{STAMP}[UFW BLOCK] {PACKET.replace('OUT=', 'OUT=cali1')}",
        "$ dmesg | grep 'BLOCK.* DPT=179'\n",
    ],
)
def test_what_was_not_stopped_or_opens_nothing_tells_of_no_firewall(line: str) -> None:
    assert packet_log.facts({"dmesg.txt": line}) == []


def test_a_stopped_caller_is_the_cause_of_its_session() -> None:
    faults = found(f"{STAMP}[UFW BLOCK] {PACKET}")
    assert next(iter(faults)) == "tcp179_blocked_host_firewall"
    assert faults["tcp179_blocked_host_firewall"] > 0.85


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP}[UFW ALLOW] {PACKET}",
        f"{STAMP}[UFW BLOCK] {PACKET.replace('10.20.0.13', '10.20.0.99')}",
        f"{STAMP}[UFW BLOCK] {PACKET.replace('DPT=179', 'DPT=22')}",
    ],
)
def test_what_else_was_logged_is_none(line: str) -> None:
    assert found(line).get("tcp179_blocked_host_firewall", 0) < 0.5
