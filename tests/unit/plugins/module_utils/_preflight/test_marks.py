# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._preflight import filters, marks, masks, options, plan
from ansible_collections.netmedic.calico.plugins.module_utils._probe import transport, wire

TOKEN, OTHER = "00112233aabbccdd", "00112233aabbccde"
OWN = marks.of_token(TOKEN)


def run(program, packet):
    """Run a classic BPF program as the kernel does (Documentation/networking/filter.rst); bytes that are accepted."""
    accumulator = index = at = 0
    while True:
        code, when, other, value = program[at]
        at += 1
        if code == 0x06:
            return value
        size = {0x30: 1, 0x50: 1, 0x48: 2, 0x40: 4}.get(code)
        if size:
            start = value + (0 if code == 0x30 else index)
            if start + size > len(packet):
                return 0
            accumulator = int.from_bytes(packet[start : start + size], "big")
        elif code == 0xB1:
            index = (packet[value] & 0xF) * 4
        elif code == 0x01:
            index = value
        elif code == 0x54:
            accumulator &= value
        elif code == 0x15:
            at += when if accumulator == value else other
        elif code == 0x45:
            at += when if accumulator & value else other
        else:
            raise AssertionError(code)


def ip(payload, protocol):
    return wire.ipv4_header(20 + len(payload), protocol, "192.0.2.1", "192.0.2.2") + payload


def syn(known, port, number=3):
    addresses = socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2")
    return ip(transport.syn_segment((40000, port), marks.sequence(known, number), addresses), 6)


def udp(known, port):
    payload = marks.datagram(marks.Body(known.ask, 3, port))
    return ip(struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload, 17)


def ipip(known):
    return ip(marks.inner_packet(marks.Body(known.ask, 3, 0), "192.0.2.1", "192.0.2.2"), 4)


@pytest.mark.parametrize("make", [filters.raw_socket, filters.packet_socket])
def test_filters_take_the_listeners_own_probes_and_nothing_else(make):
    stranger = marks.of_token(OTHER)
    for kind, ports, fine, wrong in (
        ("tcp", [179, 5473], [syn(OWN, 179), syn(OWN, 5473)], [syn(OWN, 22), syn(stranger, 179)]),
        (
            "udp",
            [4789, 8472],
            [udp(OWN, 4789), udp(OWN, 8472)],
            [udp(OWN, 53), udp(stranger, 4789), udp(OWN, 4789)[:40]],
        ),
        ("ipip", [0], [ipip(OWN)], [ipip(stranger), ipip(OWN)[:44]]),
    ):
        program = make(kind, socket.AF_INET, OWN, ports)
        assert all(run(program, packet) for packet in fine), kind
        assert not any(run(program, packet) for packet in wrong), kind
    # What is no bare SYN is no probe: nothing of a connection is looked at.
    acknowledged = bytearray(syn(OWN, 179))
    acknowledged[33] |= 0x10
    assert not run(make("tcp", socket.AF_INET, OWN, [179]), bytes(acknowledged))


def test_a_packet_socket_takes_no_other_protocol():
    assert not run(
        filters.packet_socket("udp", socket.AF_INET, OWN, [4789]), udp(OWN, 4789).replace(b"\x40\x11", b"\x40\x06", 1)
    )


def test_a_listening_socket_lets_no_handshake_end():
    def flags(value):
        return bytes(13) + bytes([value]) + bytes(6)

    assert run(filters.NO_CONNECTION, flags(0x02))
    assert run(filters.NO_CONNECTION, flags(0x04))
    assert not run(filters.NO_CONNECTION, flags(0x10))
    assert not run(filters.NO_CONNECTION, flags(0x18))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_bodies_come_back_as_they_were_sent(number, port):
    body = marks.Body(OWN.reply, number, port)
    assert marks.body_of_datagram(marks.datagram(body)) == body
    assert marks.body_of_inner(marks.inner_packet(body, "192.0.2.1", "192.0.2.2")) == body


def test_an_inner_packet_is_a_whole_one_that_a_kernel_drops_in_silence():
    packet = marks.inner_packet(marks.Body(OWN.ask, 7, 0), "192.0.2.1", "192.0.2.2")
    assert wire.checksum(packet[:20]) == b"\0\0"
    assert wire.checksum(packet[20:]) == b"\0\0"
    assert (packet[0], packet[9], packet[20]) == (0x45, 1, wire.ICMP_ECHO_REPLY)
    assert struct.unpack_from("!H", packet, 2)[0] == len(packet)


def test_a_vxlan_device_drops_a_datagram():
    """RFC 7348: the flag that there is a VNI must be set."""
    assert marks.datagram(marks.Body(OWN.ask, 7, 4789))[0] & 0x08 == 0


def test_what_follows_from_a_token_differs_and_keeps_its_bounds():
    found = {marks.of_token(marks.new_token()) for _count in range(50)}
    assert len({one.ask for one in found}) == len({one.reply for one in found}) == 50
    assert all(500 <= one.mss < 1000 for one in found)
    for wrong in ("", "zz", TOKEN + "00"):
        with pytest.raises(ValueError, match="hexadecimal"):
            marks.of_token(wrong)


def test_the_offered_mss_is_read_from_any_options():
    def segment(options):
        padded = options + b"\0" * (-len(options) % 4)
        return bytes(12) + bytes([(20 + len(padded)) // 4 << 4]) + bytes(7) + padded

    assert transport.offered_mss(segment(b"\2\4\2\1")) == 0x201
    assert transport.offered_mss(segment(b"\1\1\4\2\2\4\5\xb4")) == 1460
    assert transport.offered_mss(segment(b"")) == 0
    assert transport.offered_mss(segment(b"\3\0\0\0")) == 0
    assert transport.offered_mss(b"\2") == 0


@given(st.sets(st.integers(0, 300)))
def test_masks_hold_what_was_put_in(numbers):
    of = masks.mask(numbers)
    assert set(masks.numbers(of)) == numbers
    assert int(masks.as_text(of), 16) == of


REQUEST = {
    "number": 1,
    "own": ["192.0.2.1"],
    "peers": [[0, ["192.0.2.9"], TOKEN]],
    "tcp": [179],
    "udp": [4789],
    "ipip": True,
    "mtu": True,
    "timeout": 1.0,
    "rate": 1000,
}


def test_a_request_is_read():
    found = plan.read_request(json.dumps(REQUEST))
    assert found.peers == [plan.Peer(0, ["192.0.2.9"], TOKEN)]
    assert list(plan.names(found.ways, socket.AF_INET)) == ["tcp179", "udp4789", "ipip"]
    assert list(plan.names(found.ways, socket.AF_INET6)) == ["tcp179/6", "udp4789/6"]


@pytest.mark.parametrize(
    "change",
    [
        {"tcp": [0]},
        {"udp": [70000]},
        {"peers": [[0, ["here"], TOKEN]]},
        {"peers": [[0, [], "x"]]},
        {"number": -1},
        {"peers": [[1 << 20, [], TOKEN]]},
        {"peers": [[]]},
        {"timeout": None},
    ],
)
def test_a_request_that_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match="cannot be read"):
        plan.read_request(json.dumps(dict(REQUEST, **change)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tcp_ports": [0]}, "tcp_ports"),
        ({"udp_ports": list(range(1, 40))}, "udp_ports"),
        ({"listen_seconds": 0}, "listen_seconds"),
    ],
)
def test_options_out_of_range_are_told(change, why):
    fine = {"tcp_ports": [179], "udp_ports": [], "ipip": True, "listen_seconds": 5}
    assert options.out_of_range(fine) == ""
    assert options.out_of_range(dict(fine, **change)).startswith(why)
