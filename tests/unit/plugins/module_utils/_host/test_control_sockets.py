# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import (
    control_sockets,
    kernel_modules,
    sockets,
    tcp_table,
)
from ansible_collections.netmedic.calico.plugins.module_utils._host.control_sockets import Wanted
from ansible_collections.netmedic.calico.plugins.module_utils._host.sockets import TcpSocket


def connection(peer, port, state=sockets.ESTABLISHED, retransmits=0, own=40000):
    return TcpSocket("10.0.0.1", own, peer, port, state, 0, 0, retransmits, 1)


def test_connections_are_counted_by_where_they_lead():
    found = [
        connection("10.0.0.5", 5473),
        connection("10.0.0.5", 5473, retransmits=3),
        connection("10.0.0.6", 5473, "SYN_SENT"),
        connection("fd00::7", 5473, "SYN_SENT"),
        connection("10.0.0.8", 443),
        connection("10.0.0.9", 5473, "TIME_WAIT"),
        connection("10.0.0.2", 50000, own=5473),
    ]

    assert control_sockets.connections(found, 5473, [("10.0.0.4", 5473)]) == {
        "10.0.0.4:5473": {"established": 0},
        "10.0.0.5:5473": {"established": 2, "retransmitting": 1},
        "10.0.0.6:5473": {"established": 0, "opening": 1},
        "[fd00::7]:5473": {"established": 0, "opening": 1},
    }
    many = [connection(f"10.0.1.{number}", 5473) for number in range(40)]
    assert len(control_sockets.connections(many, 5473, [])) == 12


@pytest.fixture
def pairs(listen):
    """Listen and connect, over IPv4, IPv6, and IPv4 in an IPv6 socket; yield the ports."""
    kept = []
    ports = []
    for family, address, dialled in (
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
        (socket.AF_INET6, "::", "::ffff:127.0.0.1"),
    ):
        server = listen(address, family)
        ports.append(server.getsockname()[1])
        client = socket.socket(family)
        client.connect((dialled, ports[-1]))
        kept += [client, server.accept()[0]]
    yield ports
    for one in kept:
        one.close()


@pytest.mark.skipif(not kernel_modules.present("tcp_diag"), reason="this kernel cannot be asked for sockets")
def test_the_kernel_understands_the_filter(pairs):
    first, second, third = pairs
    everything = {first, second, third, 443, 5473}
    tables = [one for name in ("tcp", "tcp6") for one in tcp_table.parse(_table(name), everything)]
    for wanted in (
        Wanted([("127.0.0.1", first)], [], []),
        Wanted([("127.0.0.1", third)], [], []),
        Wanted([("127.0.0.2", first), ("::1", second)], [], []),
        Wanted([("::1", second), ("127.0.0.1", third), ("10.0.0.1", 443)], [5473], [first]),
        Wanted([], [first, second], []),
        Wanted([], [], [second, third, 1]),
        Wanted([("127.0.0.1", first)], [second], [third]),
        Wanted([("10.0.0.1", 443)], [1], [2]),
    ):
        told = control_sockets.tcp_diag.ask(control_sockets.program(wanted))
        expected = [one for one in tables if wanted.has(one)]
        assert sorted(map(str, told)) == sorted(map(str, expected)), wanted
        assert sorted(map(str, control_sockets.read(wanted, "/proc/self/net"))) == sorted(map(str, expected))


def test_where_the_kernel_cannot_be_asked_its_tables_tell(pairs, monkeypatch):
    monkeypatch.setattr(control_sockets.tcp_diag, "ask", lambda _program: None)

    found = control_sockets.read(Wanted([("127.0.0.1", pairs[0])], [], []), f"/proc/{os.getpid()}/net")

    assert [(one.peer_port, one.state) for one in found] == [(pairs[0], "ESTABLISHED")]


@given(st.lists(st.integers(1, 65535), max_size=8), st.lists(st.integers(1, 65535), max_size=8))
def test_every_jump_of_a_filter_stays_within_it_or_ends_it(ports, own):
    program = control_sockets.program(Wanted([("10.0.0.1", port) for port in ports], ports, own))

    at = 0
    starts = set()
    steps = []
    while at < len(program):
        starts.add(at)
        _code, yes, otherwise = control_sockets._OPERATION.unpack_from(program, at)
        steps.append((at, otherwise))
        at += yes
    assert at == len(program)
    assert all(at + jump in {*starts, len(program), len(program) + 4} for at, jump in steps)


def _table(name):
    with open(f"/proc/self/net/{name}", "rb") as table:
        return table.read()
