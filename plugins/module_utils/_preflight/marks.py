# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preflight's packets carry, so that a listener knows those of its run, and a prober its answer.

Each listener draws a token. A prober learns it by way of the controller and puts what follows from it into its packets:
half of a SYN's sequence number, the payload of a UDP datagram, the inmost payload of an IPIP packet. The answer carries
what else follows from it: the MSS that the listener's kernel offers, or another token. So no other host, and nothing
between the two, is taken for the listener.

All are packets that do nothing where they should not be: a VXLAN device drops a datagram whose header says that there
is no VNI (RFC 7348, 5), a tunnel device hands the inner packet, an echo reply that nobody waits for, to a kernel that
drops it (RFC 792).
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct

from .._probe import wire
from .._record import NamedTuple

_MAGIC = b"nmPF"
_NO_VNI = b"\0" * 8
_BODY = struct.Struct("!4s8sHH")
TOKEN_BYTES = 8
INNER = 28  # the IP and ICMP headers within an IPIP packet
OFFSET_UDP, OFFSET_IPIP = 8 + len(_NO_VNI), 20 + 8  # from the transport header, and from the inner one
# Below what any path's clamping makes of it, above what a kernel takes for nonsense.
_LEAST_MSS, _MSS_RANGE = 500, 500
TCP, UDP, IPIP = "tcp", "udp", "ipip"


class Body(NamedTuple):
    """What a UDP or IPIP packet carries: a token, the prober's number and the UDP port that is probed (0: IPIP)."""

    token: bytes
    number: int
    port: int


class Marks(NamedTuple):
    """What follows from a listener's token: `ask` and `reply` of UDP and IPIP, `tag` of SYNs, `mss` of the answer."""

    ask: bytes
    reply: bytes
    tag: int
    mss: int


def new_token() -> str:
    """Return a token, in hexadecimal."""
    return os.urandom(TOKEN_BYTES).hex()


def of_token(token: str) -> Marks:
    """Return what follows from a token. Raises ValueError if it is none."""
    seed = bytes.fromhex(token)
    if len(seed) != TOKEN_BYTES:
        raise ValueError("a token has 16 hexadecimal digits")
    drawn = hashlib.sha256(seed).digest()
    tag, mss = struct.unpack_from("!HH", drawn, 16)
    return Marks(drawn[:8], drawn[8:16], tag, _LEAST_MSS + mss % _MSS_RANGE)


def sequence(marks: Marks, number: int) -> int:
    """Return the initial sequence number of a SYN from the prober of this number."""
    return marks.tag << 16 | (number & 0xFFFF)


def datagram(body: Body) -> bytes:
    """Return a UDP payload: a VXLAN header without a VNI, and the body."""
    return _NO_VNI + _packed(body)


def inner_packet(body: Body, source: str, destination: str) -> bytes:
    """Return what an IPIP packet carries: an echo reply that nobody waits for, from one host to the other itself."""
    message = bytearray(wire.echo_request(wire.ICMP_ECHO_REPLY, 0, body.number, 8 + _BODY.size, _packed(body)))
    header = bytearray(wire.ipv4_header(20 + len(message), socket.IPPROTO_ICMP, source, destination))
    header[1] = 0
    header[10:12] = wire.checksum(bytes(header))
    return bytes(header + message)


def body_of_datagram(payload: bytes) -> Body | None:
    """Read a UDP payload; None if it is none of ours."""
    return _unpacked(payload[len(_NO_VNI) :])


def body_of_inner(packet: bytes) -> Body | None:
    """Read what an IPIP packet carries; None if it is none of ours."""
    return _unpacked(packet[INNER:])


def magic_word() -> int:
    """Return how all bodies begin, as the number that a filter compares."""
    return int(struct.unpack("!I", _MAGIC)[0])


def token_words(token: bytes) -> tuple[int, int]:
    """Return a body's token as the two numbers that a filter compares."""
    first, second = struct.unpack("!II", token)
    return int(first), int(second)


def _packed(body: Body) -> bytes:
    return _BODY.pack(_MAGIC, body.token, body.number & 0xFFFF, body.port & 0xFFFF)


def _unpacked(data: bytes) -> Body | None:
    if len(data) < _BODY.size:
        return None
    magic, token, number, port = _BODY.unpack_from(data)
    return Body(token, number, port) if magic == _MAGIC else None
