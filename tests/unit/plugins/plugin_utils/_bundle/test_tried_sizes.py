# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests for pings between nodes that are told to be too large."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline

ADDRESSES = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu {mtu} qdisc fq_codel state UP group default qlen 1000
    link/ether 52:54:00:0a:00:{number} brd ff:ff:ff:ff:ff:ff
    inet 10.20.0.{number}/24 brd 10.20.0.255 scope global eth0
5: tunl0@NONE: <NOARP,UP,LOWER_UP> mtu {tunnel} qdisc noqueue state UNKNOWN group default qlen 1000
    link/ipip 0.0.0.0 brd 0.0.0.0
    inet 192.168.{number}.0/32 scope global tunl0
"""
HEAD = "PING 10.20.0.13 (10.20.0.13) 1472(1500) bytes of data.\n"
TAIL = (
    "\n--- 10.20.0.13 ping statistics ---\n1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms\n"
)
TOLD = "From 10.20.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1450)\n"
LEARNT = "ping: local error: message too long, mtu=1450\n"


def faults(tmp_path, said, mtu=1500, tunnel=1480, path="wrk-1/ping.txt", prompt=""):
    for number, name in ((12, "wrk-1"), (13, "wrk-2")):
        (tmp_path / name).mkdir(parents=True)
        text = ADDRESSES.format(number=number, mtu=mtu, tunnel=tunnel)
        (tmp_path / name / "ip-addr.txt").write_text(text, encoding="utf-8")
    (tmp_path / path).write_text(prompt + HEAD + said + TAIL, encoding="utf-8")
    return offline.analysed(str(tmp_path)).report["findings"]


@pytest.mark.parametrize("said", [TOLD, LEARNT, TOLD + LEARNT])
@pytest.mark.parametrize(
    ("path", "prompt"),
    [("wrk-1/ping.txt", ""), ("ping.txt", "root@wrk-1:~# ping -M do -s 1472 -c 1 10.20.0.13\n")],
)
def test_a_way_that_is_said_to_carry_less_than_pods_send_is_a_fault(tmp_path, said, path, prompt):
    found = faults(tmp_path, said, path=path, prompt=prompt)
    assert found[0]["fault"] == "mtu_mismatch"
    assert found[0]["nodes"] == ["wrk-1", "wrk-2"]


@pytest.mark.parametrize(("mtu", "tunnel"), [(1450, 1430), (1500, 1430)])
@pytest.mark.parametrize("said", [TOLD, LEARNT])
def test_what_pods_send_fits_all_the_same(tmp_path, mtu, tunnel, said):
    found = faults(tmp_path, said, mtu, tunnel)
    assert "mtu_mismatch" not in {one["fault"] for one in found}
