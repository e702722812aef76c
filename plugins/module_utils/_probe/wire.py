# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets as bytes: the few headers that the probes write and read. RFC 791, 792, 793, 1071, 4443, 8200."""

from __future__ import annotations

import socket
import struct
from array import array

from .._record import NamedTuple

ICMP_ECHO_REPLY, ICMP_UNREACHABLE, ICMP_ECHO, ICMP_TIME_EXCEEDED, ICMP_PARAMETER = 0, 3, 8, 11, 12
ICMP_FRAGMENTATION_NEEDED = 4
ICMP6_UNREACHABLE, ICMP6_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAMETER, ICMP6_ECHO, ICMP6_ECHO_REPLY = (
    1,
    2,
    3,
    4,
    128,
    129,
)


class IcmpError(NamedTuple):
    """An ICMP error and what it quotes: the packet that caused it.

    `mtu` is what a router says it can carry, 0 if it says nothing. `quoted` begins with the quoted packet's
    transport header.
    """

    type: int
    code: int
    mtu: int
    protocol: int
    destination: str
    quoted: bytes


def checksum(data: bytes) -> bytes:
    """Return the Internet checksum of `data`, in the bytes' order."""
    words = array("H", data if len(data) % 2 == 0 else data + b"\0")
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("=H", ~total & 0xFFFF)


def echo_request(kind: int, identifier: int, sequence: int, length: int, token: bytes) -> bytes:
    """Return an echo request of `length` bytes in all, beginning its data with `token`. The checksum is right for
    IPv4; for IPv6 the kernel puts its own in."""
    data = token + b"\0" * max(length - 8 - len(token), 0)
    body = struct.pack("!HH", identifier, sequence) + data
    head = struct.pack("!BB", kind, 0)
    return head + checksum(head + b"\0\0" + body) + body


def parse_echo(message: bytes) -> tuple[int, int, int, bytes] | None:
    """Return type, identifier, sequence number and data of an ICMP message; None if it is cut short."""
    if len(message) < 8:
        return None
    kind, _code, _sum, identifier, sequence = struct.unpack_from("!BBHHH", message)
    return kind, identifier, sequence, message[8:]


def ipv4_payload(packet: bytes) -> bytes:
    """Return what follows the IPv4 header, as raw IPv4 sockets deliver it; b"" if the packet is cut short."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return b""
    return packet[(packet[0] & 0x0F) * 4 :]


def parse_icmp_error(message: bytes, version: int) -> IcmpError | None:
    """Read an ICMP (version 4) or ICMPv6 (version 6) error; None if it is no error or quotes too little."""
    if len(message) < 8:
        return None
    kind, code, _sum, upper, lower = struct.unpack_from("!BBHHH", message)
    quoted = message[8:]
    if version == 4:
        if kind not in (ICMP_UNREACHABLE, ICMP_TIME_EXCEEDED, ICMP_PARAMETER) or len(quoted) < 20:
            return None
        mtu = lower if (kind, code) == (ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED) else 0
        return IcmpError(
            kind, code, mtu, quoted[9], socket.inet_ntop(socket.AF_INET, quoted[16:20]), ipv4_payload(quoted)
        )
    if kind >= ICMP6_ECHO or len(quoted) < 40:
        return None
    mtu = (upper << 16 | lower) if kind == ICMP6_TOO_BIG else 0
    return IcmpError(kind, code, mtu, quoted[6], socket.inet_ntop(socket.AF_INET6, quoted[24:40]), quoted[40:])


def ipv4_header(length: int, protocol: int, source: str, destination: str) -> bytes:
    """Return an IPv4 header with "don't fragment" set. The kernel fills in identification, checksum and an empty
    source."""
    addresses = (socket.inet_aton(source) if source else bytes(4)) + socket.inet_aton(destination)
    return struct.pack("!BBHHHBBH", 0x45, 0xC0, length, 0, 0x4000, 64, protocol, 0) + addresses
