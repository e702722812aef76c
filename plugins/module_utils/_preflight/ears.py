# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listening half: hears the probes of other hosts, answers those that ask for it, and remembers who was heard.

It hears twice: in front of the host's firewall, on packet sockets, and behind it, on raw sockets. What is heard in
front only was dropped by this host; what is not heard at all was lost on the way or never sent.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from .._probe import sockets, transport, wire
from .._probe.loop import Prober
from .._record import NamedTuple
from . import filters, marks, masks, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_ETHERTYPES: dict[int, int] = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86DD}
_RAW = {marks.TCP: socket.IPPROTO_TCP, marks.UDP: socket.IPPROTO_UDP, marks.IPIP: 4}
_IP_PKTINFO = 8
_BUFFER = 1 << 20
_A_LONG_TIME = 3600.0
BEFORE, BEHIND = "before", "behind"


class _Ear(NamedTuple):
    where: str
    kind: str
    family: int


class _Heard(NamedTuple):
    """One probe: from whom to whom, on which port, and which number the prober says it has."""

    sender: str
    receiver: str
    number: int
    port: int
    source_port: int


class Ears(Prober):
    """Hears and answers until somebody else ends it. `masks`: by where it was heard (before or behind the firewall)
    and by way the numbers of the hosts that were.

    Raises OSError (PermissionError without CAP_NET_RAW) if there are no raw sockets for IPv4; what else cannot be had
    is in `problems`.
    """

    def __init__(self, token: str, ways: plan.Ways) -> None:
        super().__init__()
        self.own = marks.of_token(token)
        self.masks: dict[str, dict[str, int]] = {BEFORE: {}, BEHIND: {}}
        self.senders: dict[tuple[int, int], str] = {}
        self.problems: list[str] = []
        self.last = time.monotonic()
        self._ears: dict[socket.socket, _Ear] = {}
        self._mouths: dict[int, socket.socket] = {}
        try:
            for family in plan.FAMILIES:
                self._open(family, ways)
        except OSError:
            self.close()
            raise

    def advance(self, now: float) -> float | None:
        """Nothing is sent unasked."""
        return now + _A_LONG_TIME

    def close(self) -> None:
        """Give the sockets back."""
        super().close()
        for each in self._mouths.values():
            each.close()
        self._mouths = {}

    def every(self) -> list[socket.socket]:
        """All sockets, those that only send among them."""
        return [*self.sockets, *self._mouths.values()]

    def receive(self, source: socket.socket, data: bytes, sender: str, now: float) -> None:
        """Note who was heard, and answer what passed the firewall. TCP's answers are the kernel's."""
        ear = self._ears[source]
        heard = _read(ear, data, sender)
        if heard is None:
            return
        found = self.masks[ear.where]
        way = plan.name(ear.kind, heard.port, ear.family)
        bit = 1 << heard.number
        if not found.get(way, 0) & bit:
            found[way] = found.get(way, 0) | bit
            self.last = now
        if ear.where == BEHIND:
            self.senders.setdefault((heard.number, ear.family), heard.sender)
            if ear.kind != marks.TCP:
                # A full queue or a rule of this host's loses the answer; the prober asks a second time.
                with contextlib.suppress(OSError):
                    self._answer(ear, heard)

    def heard_all(self, request: plan.Request) -> bool:
        """Say whether every peer of this host was heard on every way."""
        behind = self.masks[BEHIND]
        for family in plan.FAMILIES:
            expected = masks.mask(
                peer.number for peer in request.peers if any(sockets.family_of(one) == family for one in peer.addresses)
            )
            if any(expected & ~behind.get(way, 0) for way in plan.names(request.ways, family)):
                return False
        return True

    def told(self, peers: Iterable[plan.Peer]) -> dict[str, Any]:
        """Return who was heard where, and whose packets came from another address than that host's own."""
        facts: dict[str, Any] = {where: masks.as_texts(found) for where, found in self.masks.items()}
        others = {}
        for peer in peers:
            for address in peer.addresses:
                sender = self.senders.get((peer.number, sockets.family_of(address)), address)
                if sender != address:
                    others[str(peer.number)] = sender
        if others:
            facts["other_senders"] = others
        return facts

    def _open(self, family: int, ways: plan.Ways) -> None:
        for kind, ports in ((marks.TCP, ways.tcp), (marks.UDP, ways.udp), (marks.IPIP, (0,) if ways.ipip else ())):
            if not ports or (kind == marks.IPIP and family == socket.AF_INET6):
                continue
            try:
                self._hear(_Ear(BEHIND, kind, family), _raw(kind, family), ports)
            except OSError as error:
                if family == socket.AF_INET:
                    raise
                self.problems.append(f"IPv6 is not listened to: {error.strerror or error}.")
                return
            try:
                self._hear(_Ear(BEFORE, kind, family), _packets(family), ports)
            except OSError as error:
                self.problems.append(f"What comes in front of the firewall is not heard: {error.strerror or error}.")
        if ways.udp and family not in self._mouths:
            self._mouths[family] = transport.udp6() if family == socket.AF_INET6 else _mute(socket.IPPROTO_UDP)

    def _hear(self, ear: _Ear, opened: socket.socket, ports: Iterable[int]) -> None:
        make = filters.raw_socket if ear.where == BEHIND else filters.packet_socket
        self.sockets.append(opened)
        transport.attach(opened, make(ear.kind, ear.family, self.own, list(ports)))
        # What came between opening and filtering is somebody else's.
        _drain(opened)
        self._ears[opened] = ear

    def _answer(self, ear: _Ear, heard: _Heard) -> None:
        body = marks.Body(self.own.reply, heard.number, heard.port)
        if ear.kind == marks.IPIP:
            inner = marks.inner_packet(body, heard.receiver, heard.sender)
            for each, other in self._ears.items():
                if other == ear:
                    _send_from(each, inner, heard)
            return
        payload = marks.datagram(body)
        head = struct.pack("!HHHH", heard.port, heard.source_port, 8 + len(payload), 0)
        mouth = self._mouths[ear.family]
        if ear.family == socket.AF_INET:
            _send_from(mouth, head + payload, heard)
        else:
            mouth.sendto(head + payload, sockets.socket_address(ear.family, heard.sender, 0))


def _raw(kind: str, family: int) -> socket.socket:
    return sockets.raw(family, _RAW[kind])


def _mute(protocol: int) -> socket.socket:
    """Return a raw socket that only sends."""
    opened = sockets.raw(socket.AF_INET, protocol)
    try:
        transport.attach(opened, filters.NOTHING)
    except OSError:
        opened.close()
        raise
    return opened


def _packets(family: int) -> socket.socket:
    """Return a packet socket for one family's packets that come in, from the IP header on."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETHERTYPES[family]))
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return opened


def _drain(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while opened.recv(1):
            pass


def _send_from(opened: socket.socket, payload: bytes, heard: _Heard) -> None:
    """Answer from the address that was asked, which need not be the one that the kernel would take."""
    where = struct.pack("=I4s4s", 0, socket.inet_aton(heard.receiver), b"\0" * 4)
    opened.sendmsg([payload], [(socket.IPPROTO_IP, _IP_PKTINFO, where)], 0, (heard.sender, 0))


def _read(ear: _Ear, data: bytes, sender: str) -> _Heard | None:
    """Read what came by an ear: the filter has seen to it that it is a probe of this run."""
    receiver = ""
    transported = data
    if ear.family == socket.AF_INET:
        transported = wire.ipv4_payload(data)
        if len(data) >= 20:
            sender, receiver = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    elif ear.where == BEFORE:
        transported = data[40:]
    if ear.kind == marks.TCP:
        reply = transport.parse_tcp(transported)
        if reply is None:
            return None
        return _Heard(sender, receiver, reply.sequence & 0xFFFF, reply.destination_port, reply.source_port)
    if ear.kind == marks.IPIP:
        body = marks.body_of_inner(transported)
        return _Heard(sender, receiver, body.number, 0, 0) if body else None
    body = marks.body_of_datagram(transported[8:])
    if body is None or len(transported) < 8:
        return None
    source_port, port = struct.unpack_from("!HH", transported)
    return _Heard(sender, receiver, body.number, port, source_port)
