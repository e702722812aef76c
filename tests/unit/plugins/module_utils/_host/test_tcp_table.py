# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import sockets, tcp_table

RECORDED = pathlib.Path(__file__).parent / "recorded"


def recorded(name, ports=(179,)):
    return tcp_table.parse((RECORDED / name).read_bytes(), ports)


def test_every_state_that_was_met():
    found = {(one.peer, one.peer_port if one.peer_port == 179 else 0): one for one in recorded("mixed.tcp")}

    assert found["0.0.0.0", 0].state == sockets.LISTEN
    assert found["10.200.0.9", 0].state == "ESTABLISHED"
    assert found["10.200.0.1", 179].state == "ESTABLISHED"
    assert found["10.200.0.4", 179].state == "SYN_SENT"
    stuck = found["10.200.0.67", 0]
    assert (stuck.state, stuck.local, stuck.local_port) == ("FIN_WAIT1", "10.200.0.10", 179)
    assert stuck.send_queue > 0
    assert stuck.retransmits > 0


def test_ipv6_addresses():
    found = recorded("ipv6.tcp6")

    assert [(one.local, one.peer) for one in found if one.state == "ESTABLISHED"] == [("fd00:200::a", "fd00:200::9")]
    assert [one.local for one in found if one.state == sockets.LISTEN] == ["::"]


def test_an_ipv4_peer_on_an_ipv6_socket():
    ends = b"0000000000000000FFFF00000A00C80A:00B3 0000000000000000FFFF00000900C80A:8C73"
    line = b"   0: " + ends + b" 01 00000001:00000000 00:00000000 00000000     0        0 21200 1 0\n"

    (one,) = tcp_table.parse(line, [179])

    assert (one.local, one.peer, one.send_queue, one.inode) == ("10.200.0.10", "10.200.0.9", 1, 21200)


def test_only_the_ports_asked_for():
    assert recorded("mixed.tcp", ()) == []
    assert recorded("mixed.tcp", (1790,)) == []
    assert len(recorded("mixed.tcp", (1790, 179))) == len(recorded("mixed.tcp"))


@given(st.binary())
def test_any_bytes_are_survived(table):
    tcp_table.parse(table, [179])


@given(st.text(alphabet="0123456789ABCDEF: \n"))
def test_any_heap_of_numbers_is_survived(text):
    tcp_table.parse(("   0: 0A00C80A:00B3 " + text).encode(), [179])


def test_lines_cut_off_are_left_out():
    whole = (RECORDED / "mixed.tcp").read_bytes()

    assert len(tcp_table.parse(whole[:-100], [179])) < len(recorded("mixed.tcp"))


def test_a_folder_that_is_not_there(tmp_path):
    assert tcp_table.read(str(tmp_path / "net"), [179]) == []
