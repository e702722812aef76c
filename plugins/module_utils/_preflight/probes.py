# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The asking half: SYNs, UDP datagrams and IPIP packets to the listeners of other hosts, and what came of each."""

from __future__ import annotations

import errno
import socket
import struct

from .._probe import sockets, transport, wire
from .._probe.syn import SynProber, SynTarget
from .._probe.volley import Volley
from .._record import NamedTuple
from . import filters, marks, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OPEN, ANSWERED = "open", "answered"
_ERRORS4 = (wire.ICMP_UNREACHABLE, wire.ICMP_TIME_EXCEEDED, wire.ICMP_PARAMETER)
_ERRORS6 = (wire.ICMP6_UNREACHABLE, wire.ICMP6_TIME_EXCEEDED, wire.ICMP6_PARAMETER)
_IPIP = 4
_BGP = 179


class Target(NamedTuple):
    """One probe: the peer's number and address, how, on which port, from which address ('' for the kernel's choice),
    and what follows from the token of the peer's listener."""

    number: int
    peer: str
    kind: str
    port: int
    source: str
    marks: marks.Marks

    @property
    def way(self) -> str:
        """The name of the way."""
        return plan.name(self.kind, self.port, sockets.family_of(self.peer))


class Outcome(NamedTuple):
    """open (the peer's listener has answered), answered (somebody else on its port has, or something in between),
    reset, rejected, silent, error or not_tried, as of a SYN probe."""

    result: str
    sender: str = ""
    detail: str = ""


class MarkedSyns(SynProber):
    """Half-open SYN probes whose sequence numbers the peers' listeners know."""

    def __init__(self, targets: Sequence[Target], own_number: int, timeout: float, rate: float) -> None:
        self._marked = list(targets)
        self._own_number = own_number
        self._offered = [0] * len(targets)
        super().__init__([SynTarget(one.peer, one.port, one.source) for one in targets], timeout, rate)

    def sequences(self, count: int) -> tuple[int, ...]:
        """The numbers by which the listeners know whose SYN it is."""
        return tuple(marks.sequence(one.marks, self._own_number) for one in self._marked[:count])

    def opened(self, number: int, segment: bytes) -> None:
        """Note which MSS was offered: a listener of ours offers that of its token."""
        self._offered[number] = transport.offered_mss(segment)

    def outcomes(self) -> list[Outcome]:
        """What came of each target."""
        found = []
        for one, result, offered in zip(self._marked, self.results, self._offered):
            word = result.result
            if word == OPEN and offered != one.marks.mss:
                word = ANSWERED
            found.append(Outcome(word, result.sender, _code(result.icmp_type, result.icmp_code) or result.detail))
        return found


class MarkedPackets(Volley):
    """UDP datagrams and IPIP packets that the peers' listeners answer. Raises OSError without raw sockets."""

    def __init__(self, targets: Sequence[Target], own_number: int, timeout: float, rate: float) -> None:
        super().__init__(len(targets), timeout, rate)
        self._targets, self._own_number = list(targets), own_number
        self._outcomes = [Outcome("not_tried")] * len(targets)
        self._exits: dict[tuple[str, int, str], socket.socket] = {}
        self._by_reply: dict[tuple[bytes, int, int], int] = {}
        self._by_address: dict[tuple[str, int], int] = {}
        try:
            for number, one in enumerate(self._targets):
                self._by_reply[one.marks.reply, self._key(one), sockets.family_of(one.peer)] = number
                self._by_address[one.peer, self._key(one)] = number
                self._prepare(one)
        except OSError:
            self.close()
            raise

    def outcomes(self) -> list[Outcome]:
        """What came of each target."""
        return list(self._outcomes)

    def transmit(self, number: int) -> bool:
        """Send one packet."""
        one = self._targets[number]
        family = sockets.family_of(one.peer)
        body = marks.Body(one.marks.ask, self._own_number, one.port)
        leaving = self._exits[one.kind, family, one.source]
        try:
            if one.kind == marks.UDP:
                leaving.sendto(marks.datagram(body), sockets.socket_address(family, one.peer, one.port))
            else:
                source = one.source or transport.source_towards(family, one.peer) or "0.0.0.0"  # noqa: S104
                leaving.sendto(marks.inner_packet(body, source, one.peer), (one.peer, 0))
        except OSError as error:
            if sockets.may_be_full(error):
                return False
            self._settle(number, Outcome("error", "", sockets.why_not_sent(error, one.source)))
        else:
            if self._outcomes[number].result == "not_tried":
                self._outcomes[number] = Outcome("silent")
        return True

    def receive(self, source: socket.socket, data: bytes, sender: str, _now: float) -> None:
        """Match an answer by its token, an ICMP error by what it quotes."""
        body = None
        if source.type == socket.SOCK_DGRAM:
            body = marks.body_of_datagram(data)
        elif source.proto == _IPIP:
            body = marks.body_of_inner(wire.ipv4_payload(data))
        else:
            self._receive_error(source, data, sender)
        number = self._by_reply.get((body.token, body.port, source.family)) if body else None
        if number is not None and body is not None and body.number == self._own_number:
            self._settle(number, Outcome(OPEN))

    def _receive_error(self, source: socket.socket, data: bytes, sender: str) -> None:
        version = 4 if source.family == socket.AF_INET else 6
        error = wire.parse_icmp_error(wire.ipv4_payload(data) if version == 4 else data, version)
        if error is None or error.protocol not in (socket.IPPROTO_UDP, _IPIP):
            return
        port = 0
        if error.protocol == socket.IPPROTO_UDP:
            if len(error.quoted) < 8:
                return
            port = struct.unpack_from("!HH", error.quoted)[1]
        number = self._by_address.get((error.destination, port))
        if number is None:
            return
        word = "rejected" if sender != self._targets[number].source else "error"
        outcome = Outcome(word, sender, _code(error.type, error.code))
        if sender == self._targets[number].peer and self.waits_for(number):
            # Its kernel says that nobody has the port; the listener may have heard all the same, and answers yet.
            self._outcomes[number] = outcome
        else:
            self._settle(number, outcome)

    def _prepare(self, one: Target) -> None:
        family = sockets.family_of(one.peer)
        if not any(
            each.proto in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6) and each.family == family
            for each in self.sockets
        ):
            self.sockets.append(sockets.icmp(family, _ERRORS4 if family == socket.AF_INET else _ERRORS6))
        key = (one.kind, family, one.source)
        if key in self._exits:
            return
        if one.kind == marks.UDP:
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
        else:
            opened = sockets.raw(family, _IPIP)
            transport.attach(opened, filters.any_answer())
        self.sockets.append(opened)
        self._exits[key] = opened
        opened.bind(sockets.socket_address(family, one.source, 0))

    @staticmethod
    def _key(one: Target) -> int:
        return one.port if one.kind == marks.UDP else 0

    def _settle(self, number: int, outcome: Outcome) -> None:
        if self.waits_for(number):
            self.settle(number)
            self._outcomes[number] = outcome


def targets(request: plan.Request) -> tuple[list[Target], list[Target]]:
    """Return what is to be probed by SYN, and what by UDP and IPIP. Of a peer's ways none is first everywhere: each
    host begins with the peer after itself, so that not all ask the same one at once."""
    own = {sockets.family_of(one): one if is_here(one) else "" for one in request.own}
    peers = sorted(request.peers, key=lambda peer: (peer.number < request.number, peer.number))
    syns: list[Target] = []
    packets: list[Target] = []
    for peer in peers:
        known = marks.of_token(peer.token)
        for address in peer.addresses:
            family = sockets.family_of(address)
            source = own.get(family, "")
            ports = [port for port in request.ways.tcp if port != _BGP or peer.number not in request.signed]
            syns += [Target(peer.number, address, marks.TCP, port, source, known) for port in ports]
            packets += [Target(peer.number, address, marks.UDP, port, source, known) for port in request.ways.udp]
            if request.ways.ipip and family == socket.AF_INET:
                packets.append(Target(peer.number, address, marks.IPIP, 0, source, known))
    return syns, packets


def is_here(address: str) -> bool:
    """Say whether this host has the address."""
    family = sockets.family_of(address)
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.bind(sockets.socket_address(family, address, 0))
        except OSError as error:
            return error.errno not in (errno.EADDRNOTAVAIL, errno.EINVAL)
    return True


def _code(kind: int | None, code: int | None) -> str:
    return "" if kind is None else f"ICMP type {kind} code {code}"
