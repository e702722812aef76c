# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._probe import transport, wire


def sum_of_words(data):
    """RFC 1071: over data that holds its own right checksum, the sum is all ones."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.binary(max_size=100))
def test_a_checksum_makes_the_sum_all_ones(data):
    even = data + b"\0" * (len(data) % 2)
    assert sum_of_words(even + wire.checksum(data)) == 0xFFFF


def test_the_example_of_rfc_1071():
    assert wire.checksum(bytes([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7])) == (0xDDF2 ^ 0xFFFF).to_bytes(
        2, "big"
    )


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.binary(min_size=4, max_size=4))
def test_a_syn_has_a_right_checksum_and_reads_back(port, sequence, peer):
    source = socket.inet_aton("10.200.0.9")
    segment = transport.syn_segment((port, 179), sequence, (source, peer))

    assert sum_of_words(source + peer + struct.pack("!HH", 6, len(segment)) + segment) == 0xFFFF
    assert transport.parse_tcp(segment) == transport.TcpReply(port, 179, 0, sequence, transport.TCP_SYN)
    assert segment[12] >> 4 == len(segment) // 4


def test_the_checksum_is_left_to_the_kernel_without_addresses():
    assert transport.syn_segment((1, 2), 3, None)[16:18] == b"\0\0"


@given(st.integers(8, 2000))
def test_an_echo_has_its_length_and_checksum(length):
    packet = wire.echo_request(wire.ICMP_ECHO, 7, 9, length, b"")

    assert len(packet) == length
    assert sum_of_words(packet) == 0xFFFF
    assert wire.parse_echo(packet)[:3] == (wire.ICMP_ECHO, 7, 9)


def test_an_ipv4_header_forbids_fragments():
    header = wire.ipv4_header(1500, 1, "10.0.0.1", "10.0.0.2")

    assert len(header) == 20
    assert header[6:8] == b"\x40\x00"
    assert wire.ipv4_header(1500, 1, "", "10.0.0.2")[12:16] == bytes(4)


def quoting4(kind, code, rest, protocol=6, payload=b"\x00\x01\x00\xb3\x00\x00\x00\x05"):
    header = wire.ipv4_header(28, protocol, "10.0.0.1", "10.0.0.2")
    return struct.pack("!BBHI", kind, code, 0, rest) + header + payload


def test_an_icmp_error_tells_what_it_is_about():
    error = wire.parse_icmp_error(quoting4(3, 13, 0), 4)

    assert error == wire.IcmpError(3, 13, 0, 6, "10.0.0.2", b"\x00\x01\x00\xb3\x00\x00\x00\x05")


def test_the_routers_mtu_is_read_only_where_it_stands():
    assert wire.parse_icmp_error(quoting4(3, 4, 1400), 4).mtu == 1400
    assert wire.parse_icmp_error(quoting4(3, 1, 1400), 4).mtu == 0
    assert wire.parse_icmp_error(quoting4(8, 0, 0), 4) is None


def test_an_icmpv6_error_likewise():
    header = struct.pack("!IHBB", 6 << 28, 8, 17, 64) + socket.inet_pton(socket.AF_INET6, "fd00::1") * 2
    message = struct.pack("!BBHI", 2, 0, 0, 1400) + header + b"12345678"

    assert wire.parse_icmp_error(message, 6) == wire.IcmpError(2, 0, 1400, 17, "fd00::1", b"12345678")
    assert wire.parse_icmp_error(b"\x80" + message[1:], 6) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_something_or_nothing_and_never_an_error(data):
    transport.parse_tcp(data)
    wire.parse_echo(data)
    wire.ipv4_payload(data)
    for version in (4, 6):
        error = wire.parse_icmp_error(data, version)
        assert error is None or len(error.quoted) < len(data)
