# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Half-open SYN probes: is a peer's BGP port open, without a connection.

BIRD takes a connection from a configured neighbour for that neighbour's restart and drops the live session. A SYN
alone never reaches it: the peer's kernel answers, our kernel resets the answer because no socket is waiting for it,
and the listening program has seen nothing.

What a probe leaves behind: one connection tracking entry on hosts that track (10 s after an answer, 120 s in
silence), as a dialling BIRD does. Many rejections from one router or host may show as silence in part: Linux sends
a handful of ICMP errors at once, then one a second. A listener that has a TCP MD5 key for our address drops the
unsigned SYN in silence and counts it (TCPMD5NotFound).
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from .._record import NamedTuple
from . import sockets, transport, wire
from .volley import Volley

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ERRORS4 = (wire.ICMP_UNREACHABLE, wire.ICMP_TIME_EXCEEDED, wire.ICMP_PARAMETER)
_ERRORS6 = (wire.ICMP6_UNREACHABLE, wire.ICMP6_TIME_EXCEEDED, wire.ICMP6_PARAMETER)


class SynTarget(NamedTuple):
    """Whom to probe; `source` is the address to probe from, '' for the kernel's choice."""

    peer: str
    port: int
    source: str = ""


class SynResult(NamedTuple):
    """The answer.

    `result`: open, reset, rejected (an ICMP error came from `sender`), silent, error (the packet did not leave this
    host; `detail` says why), or not_tried (time ran out before its turn).
    """

    peer: str
    port: int
    source: str
    result: str
    sender: str = ""
    icmp_type: int | None = None
    icmp_code: int | None = None
    detail: str = ""


class _Exit(NamedTuple):
    """The sockets for one source address."""

    family: int
    source: str
    socket: socket.socket
    port: int


class SynProber(Volley):
    """Probes all targets; `results` are in the targets' order once the loop has run.

    Raises OSError (PermissionError without CAP_NET_RAW) if raw sockets cannot be had at all.
    """

    def __init__(self, targets: Sequence[SynTarget], timeout: float, rate: float) -> None:
        super().__init__(len(targets), timeout, rate)
        self._targets = list(targets)
        self.results = [SynResult(each.peer, each.port, each.source, "not_tried") for each in targets]
        self._sequences = self.sequences(len(targets))
        self._exits: dict[tuple[int, str], _Exit | OSError] = {}
        self._exit_of: dict[socket.socket, _Exit] = {}
        self._ways: list[_Exit | OSError] = []
        self._holders: list[socket.socket] = []
        self._numbers: dict[tuple[str, int], int] = {}
        try:
            for number, target in enumerate(targets):
                self._numbers[target.peer.partition("%")[0], target.port] = number
                self._ways.append(self._way(sockets.family_of(target.peer), target))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Give the sockets and ports back."""
        super().close()
        for holder in self._holders:
            holder.close()
        self._holders = []

    def transmit(self, number: int) -> bool:
        """Send one SYN; the second attempt is the same packet, as a real dialler's would be."""
        target, way = self._targets[number], self._ways[number]
        if isinstance(way, OSError):
            self._fail(number, sockets.why_not_sent(way, target.source))
            return True
        try:
            self._send(way, target, self._sequences[number])
        except OSError as error:
            if sockets.may_be_full(error):
                return False
            self._fail(number, sockets.why_not_sent(error, way.source))
        else:
            self.results[number] = self.results[number]._replace(source=way.source, result="silent")
        return True

    def receive(self, source: socket.socket, data: bytes, sender: str, _now: float) -> None:
        """Match a segment or an ICMP error with the probe it answers; whatever matches none is somebody else's."""
        way = self._exit_of.get(source)
        if way is None:
            self._receive_icmp(source, data, sender)
            return
        segment = wire.ipv4_payload(data) if way.family == socket.AF_INET else data
        reply = transport.parse_tcp(segment)
        number = self._numbers.get((sender, reply.source_port)) if reply else None
        if reply is None or number is None or reply.destination_port != way.port:
            return
        if reply.acknowledged != (self._sequences[number] + 1) & 0xFFFFFFFF:
            return
        if reply.flags & transport.TCP_RST:
            self._settle(number, "reset")
        elif reply.flags & transport.TCP_SYN and self._settle(number, "open"):
            self.opened(number, segment)

    def sequences(self, count: int) -> tuple[int, ...]:
        """Return the initial sequence number of each target's SYN."""
        return struct.unpack(f"={count}I", os.urandom(4 * count))

    def opened(self, number: int, segment: bytes) -> None:
        """Take note of the segment that said that a target is open. For those who want to know more of it."""

    def _way(self, family: int, target: SynTarget) -> _Exit | OSError:
        """Return the sockets for a target's source address; an address that is not ours fails its own targets only."""
        source = target.source or transport.source_towards(family, target.peer)
        if not source:
            return OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        if (family, source) not in self._exits:
            try:
                self._exits[family, source] = self._open(family, source)
            except PermissionError:
                raise
            except OSError as error:
                self._exits[family, source] = error
        return self._exits[family, source]

    def _open(self, family: int, source: str) -> _Exit:
        if not any(each.family == family for each in self.sockets):
            self.sockets.append(sockets.icmp(family, _ERRORS4 if family == socket.AF_INET else _ERRORS6))
        holder, port = transport.reserve_port(family, source)
        self._holders.append(holder)
        opened = transport.tcp(family, source, port)
        self.sockets.append(opened)
        way = _Exit(family, source, opened, port)
        self._exit_of[opened] = way
        return way

    def _send(self, way: _Exit, target: SynTarget, sequence: int) -> None:
        addresses = None
        if way.family == socket.AF_INET:
            addresses = (socket.inet_aton(way.source), socket.inet_aton(target.peer))
        segment = transport.syn_segment((way.port, target.port), sequence, addresses)
        way.socket.sendto(segment, sockets.socket_address(way.family, target.peer, 0))

    def _receive_icmp(self, source: socket.socket, data: bytes, sender: str) -> None:
        version = 4 if source.family == socket.AF_INET else 6
        error = wire.parse_icmp_error(wire.ipv4_payload(data) if version == 4 else data, version)
        if error is None or error.protocol != socket.IPPROTO_TCP or len(error.quoted) < 8:
            return
        own_port, port, sequence = struct.unpack_from("!HHI", error.quoted)
        number = self._numbers.get((error.destination, port))
        if number is None or sequence != self._sequences[number]:
            return
        way = self._ways[number]
        if isinstance(way, OSError) or way.port != own_port:
            return
        if sender == way.source:
            word = "ARP" if version == 4 else "neighbour discovery"
            self._fail(number, f"nobody on the link answers {word} for the peer or its gateway", sender, error)
        else:
            self._settle(number, "rejected", sender, error)

    def _fail(self, number: int, detail: str, sender: str = "", error: wire.IcmpError | None = None) -> None:
        if self._settle(number, "error", sender, error):
            self.results[number] = self.results[number]._replace(detail=detail)

    def _settle(self, number: int, result: str, sender: str = "", error: wire.IcmpError | None = None) -> bool:
        """Note a target's answer; return False if it had one already."""
        if not self.waits_for(number):
            return False
        self.settle(number)
        way = self._ways[number]
        self.results[number] = self.results[number]._replace(
            source=self._targets[number].source if isinstance(way, OSError) else way.source,
            result=result,
            sender=sender,
            icmp_type=error.type if error else None,
            icmp_code=error.code if error else None,
        )
        return True
