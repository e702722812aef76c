# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP and UDP without connections: segments as bytes (RFC 768, 793), and the sockets that they go through.

Option numbers are Linux's own; Python's socket module lacks most of the names.
"""

from __future__ import annotations

import socket
import struct
from array import array
from contextlib import suppress

from .._record import NamedTuple
from .sockets import raw, socket_address
from .wire import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TCP_SYN, TCP_RST = 0x02, 0x04
_MSS_OPTION = struct.pack("!BBH", 2, 4, 1460)
_IPV6_CHECKSUM = 7
_SO_ATTACH_FILTER = 26
# Classic BPF: accept SYN or RST segments to one local port. %X is replaced by the header's length.
_LDX_IP_HEADER_LENGTH, _LDX_ZERO = (0xB1, 0, 0, 0), (0x01, 0, 0, 0)
_ACCEPT, _REJECT = (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0)


class TcpReply(NamedTuple):
    """What a TCP segment says about a probe."""

    source_port: int
    destination_port: int
    acknowledged: int
    sequence: int
    flags: int


def syn_segment(ports: tuple[int, int], sequence: int, addresses: tuple[bytes, bytes] | None) -> bytes:
    """Return a TCP SYN from the first port to the second, with the MSS option that every real one has.

    `addresses` (source, destination, 4 bytes each) are for the checksum; None where the kernel fills it in (IPv6).
    """
    length = 20 + len(_MSS_OPTION)
    head = struct.pack("!HHIIBBH", ports[0], ports[1], sequence, 0, length << 2, TCP_SYN, 64240)
    tail = b"\0\0" + _MSS_OPTION
    if addresses is None:
        return head + b"\0\0" + tail
    pseudo = addresses[0] + addresses[1] + struct.pack("!HH", socket.IPPROTO_TCP, length)
    return head + checksum(pseudo + head + tail) + tail


def parse_tcp(segment: bytes) -> TcpReply | None:
    """Read a TCP header; None if it is cut short."""
    if len(segment) < 20:
        return None
    source, destination, sequence, acknowledged, _offset, flags = struct.unpack_from("!HHIIBB", segment)
    return TcpReply(source, destination, acknowledged, sequence, flags)


def offered_mss(segment: bytes) -> int:
    """Return the MSS that a segment's options offer (RFC 793, 3.1), 0 if there is none."""
    options = segment[20 : (segment[12] >> 4) * 4] if len(segment) > 20 else b""
    at = 0
    while at + 1 < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        if options[at] == 2 and len(options) >= at + 4:
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += max(options[at + 1], 2)
    return 0


def udp_datagram(ports: tuple[int, int], length: int) -> bytes:
    """Return a UDP datagram of `length` bytes in all; the kernel fills in the checksum."""
    return struct.pack("!HHHH", ports[0], ports[1], length, 0) + b"\0" * max(length - 8, 0)


def tcp(family: int, source: str, port: int) -> socket.socket:
    """Open a raw TCP socket that hears only SYN and RST segments to `port` of `source`."""
    opened = raw(family, socket.IPPROTO_TCP, source)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_CHECKSUM, 16)
    program = (
        # A raw IPv4 socket sees the IP header, a raw IPv6 socket does not.
        _LDX_IP_HEADER_LENGTH if family == socket.AF_INET else _LDX_ZERO,
        (0x48, 0, 0, 2),  # destination port
        (0x15, 0, 3, port),
        (0x50, 0, 0, 13),  # flags
        (0x45, 0, 1, 0x06),  # SYN or RST
        _ACCEPT,
        _REJECT,
    )
    # Without the filter every segment for this host is looked at in Python, which is slower and not wrong.
    with suppress(OSError):
        attach(opened, program)
    return opened


def udp6(source: str = "") -> socket.socket:
    """Open a raw socket that sends UDP over IPv6; the kernel fills in the checksum."""
    opened = raw(socket.AF_INET6, socket.IPPROTO_UDP, source)
    opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_CHECKSUM, 6)
    attach(opened, (_REJECT,))  # it is for sending only
    return opened


def reserve_port(family: int, source: str) -> tuple[socket.socket, int]:
    """Take a free TCP port of `source` and keep others from using it; nothing listens there, so the kernel resets
    whoever answers."""
    holder = socket.socket(family, socket.SOCK_STREAM)
    try:
        holder.bind(socket_address(family, source, 0))
        return holder, int(holder.getsockname()[1])
    except OSError:
        holder.close()
        raise


def source_towards(family: int, peer: str) -> str:
    """Return the address the kernel would use towards `peer`, '' without a route. Connecting a UDP socket sends
    nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(socket_address(family, peer, 179))
            return str(asking.getsockname()[0]).partition("%")[0]
        except OSError:
            return ""


def attach(opened: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    """Attach a classic BPF program, given as (code, jump if true, jump if false, constant)."""
    code = array("B", b"".join(struct.pack("=HBBI", *line) for line in program))
    # struct sock_fprog: the kernel copies the program out of our memory during the call.
    address, _length = code.buffer_info()
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), address))
