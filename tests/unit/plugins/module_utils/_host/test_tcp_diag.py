# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import sockets, tcp_diag, tcp_table

RECORDED = pathlib.Path(__file__).parent / "recorded" / "tcp_diag"
PORTS = (179, 1790)
# The filter's codes, from <linux/inet_diag.h>.
JUMP, SOURCE_AT_LEAST, SOURCE_AT_MOST, DESTINATION_AT_LEAST, DESTINATION_AT_MOST = 1, 2, 3, 4, 5


class Kernel:
    """Stands in for netlink.Netlink: answers with what was recorded, after the filter."""

    def __init__(self, protocol):
        assert protocol == socket.NETLINK_SOCK_DIAG if hasattr(socket, "NETLINK_SOCK_DIAG") else protocol == 4

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def dump(self, kind, body):
        assert kind == 20
        family = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}[body[0]]
        lines = [line.split() for line in (RECORDED / "sock_diag.txt").read_text().splitlines()]
        bodies = [bytes.fromhex(text) for name, text in lines if name == family]
        return [(kind, one) for one in bodies if passes(body[60:], *struct.unpack_from("!HH", one, 4))]


def passes(program, source, destination):
    """Run a filter as inet_diag_bc_run() does."""
    at = 0
    while at < len(program):
        code, yes, otherwise = struct.unpack_from("=BBH", program, at)
        if code == JUMP:
            at += otherwise
            continue
        port = struct.unpack_from("=H", program, at + 6)[0]
        holds = {
            SOURCE_AT_LEAST: source >= port,
            SOURCE_AT_MOST: source <= port,
            DESTINATION_AT_LEAST: destination >= port,
            DESTINATION_AT_MOST: destination <= port,
        }[code]
        at += yes if holds else otherwise
    return at == len(program)


@pytest.fixture
def kernel(monkeypatch):
    monkeypatch.setattr(tcp_diag, "Netlink", Kernel)
    monkeypatch.setattr(tcp_diag.kernel_modules, "present", lambda _name: True)


@pytest.mark.parametrize("ports", [(179,), (1790,), PORTS, (22, 179, 1790), (1,)])
def test_the_kernel_tells_the_same_as_its_tables(kernel, ports):
    tables = [tcp_table.parse((RECORDED / name).read_bytes(), ports) for name in ("tcp", "tcp6")]

    assert tcp_diag.read(ports) == tables[0] + tables[1]


def test_what_was_met(kernel):
    found = tcp_diag.read(PORTS)

    assert {one.state for one in found} == {
        *("LISTEN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "CLOSE_WAIT", "TIME_WAIT"),
    }
    (stuck,) = [one for one in found if one.send_queue == 512]
    assert (stuck.state, stuck.retransmits) == ("ESTABLISHED", 3)
    assert [one.peer for one in found if one.local_port == 1790 and one.state != "LISTEN"] == ["10.200.0.10"]


@given(
    st.sets(st.integers(1, 65535), min_size=1, max_size=4),
    st.integers(0, 65535),
    st.integers(0, 65535),
)
def test_the_filter_lets_through_what_has_one_of_the_ports(ports, source, destination):
    program = tcp_diag._program(ports)

    assert passes(program, source, destination) == bool({source, destination} & ports)
    assert all(passes(program, port, destination) and passes(program, source, port) for port in ports)


@given(st.binary(min_size=72, max_size=80))
def test_any_answer_is_survived(body):
    tcp_diag._socket(body)


def test_a_kernel_that_would_have_to_load_a_module_is_not_asked(monkeypatch):
    monkeypatch.setattr(tcp_diag, "Netlink", None)
    for told in (False, None):
        monkeypatch.setattr(tcp_diag.kernel_modules, "present", lambda _name, told=told: told)
        assert tcp_diag.read([179]) is None


def test_a_kernel_that_refuses(monkeypatch):
    def refuse(protocol):
        raise OSError(93, "Protocol not supported")

    monkeypatch.setattr(tcp_diag, "Netlink", refuse)
    monkeypatch.setattr(tcp_diag.kernel_modules, "present", lambda _name: True)

    assert tcp_diag.read([179]) is None


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_this_kernel_filters_as_we_think(family):
    with socket.socket(family) as listener:
        try:
            listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listener.listen(1)
        port = listener.getsockname()[1]
        with socket.create_connection(listener.getsockname()[:2]) as dialler:
            found = tcp_diag.read([port])
            if found is None:
                pytest.skip("this kernel has no tcp_diag")
            listed = tcp_table.read("/proc/self/net", [port])
            own = dialler.getsockname()[1]

    # The kernel may give the listener a port to which a connection of an earlier program still lingers in TIME_WAIT.
    ours = {0, port, own}
    found, listed = ([one for one in some if {one.local_port, one.peer_port} <= ours] for some in (found, listed))
    assert sorted(found) == sorted(listed)
    assert {(one.local_port, one.peer_port, one.state) for one in found} == {
        (port, 0, sockets.LISTEN),
        (port, own, "ESTABLISHED"),
        (own, port, "ESTABLISHED"),
    }
