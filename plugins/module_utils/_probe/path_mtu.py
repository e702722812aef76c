# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What size of packet a path carries, measured with packets that routers must not fragment.

The size wanted goes first: if it is answered, one packet has told all. Else a router's own word is tried, and
failing that the size is searched for. Sizes are those of the IP packet.

Nothing is left in the kernel's cache of path MTUs, which would outlive the measurement and change what BGP's own
connections do: IPv4 echoes go through a socket that refuses to learn. For IPv6 the kernel learns from every "packet
too big" that quotes an echo, so a UDP packet to a port where nobody listens goes first ("port unreachable" is the
answer). The router's word is taken from that. Echoes follow only where UDP is dropped; should a router then answer
an echo but not UDP, the kernel does learn (what is true anyway).
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from .._record import NamedTuple
from . import sockets, wire
from .loop import Prober

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SMALLEST4, SMALLEST6 = 576, 1280
# Where paths really end: tunnels and clouds. Tried before numbers between them.
_USUAL = (1280, 1370, 1400, 1410, 1420, 1430, 1440, 1450, 1460, 1476, 1480, 1492, 1500, 8901, 8951, 8981)
_MOST_PACKETS = 14
_SURE = 2  # failures after which a size is known to be too big; a router's refusal is as good
_MOST_PEERS = 3
_UDP_PORT = 33434  # traceroute's first: where firewalls let UDP in, they let this in
_FIRST_OWN_PORT = 61000  # above the range from which the kernel hands out ports, so no socket of this host is meant
_SHORTEST_WAIT = 0.15
_KINDS4 = (wire.ICMP_ECHO_REPLY, wire.ICMP_UNREACHABLE)
_KINDS6 = (wire.ICMP6_ECHO_REPLY, wire.ICMP6_UNREACHABLE, wire.ICMP6_TOO_BIG)


class Path(NamedTuple):
    """One class of path: peers to try in order, the address to send from ('' for the kernel's choice) and the size
    wanted."""

    name: str
    peers: Sequence[str]
    source: str
    wanted: int


class PathResult(NamedTuple):
    """`result`: ok, smaller, local (this host's own interface takes less), silent (no peer answers) or error (not
    sent; see `detail`).

    `carries` is the largest size that was answered, None if none was; `reported_by` the router that said what it
    carries.
    """

    name: str
    peer: str
    wanted: int
    carries: int | None
    result: str
    reported_by: str = ""
    packets: int = 0
    detail: str = ""


class Search:
    """Finds the largest size that passes. Pure: told what happened to a size, it names the next one to try; None when
    it knows enough. A size that met silence counts as too big only after a second try: packets do get lost."""

    def __init__(self, wanted: int, smallest: int) -> None:
        self.wanted = wanted
        self.smallest = min(smallest, wanted)
        self.passed = 0
        self._strikes: dict[int, int] = {}
        self._word = 0

    def first(self) -> int:
        """Return the size to begin with."""
        return self.wanted

    def answered(self, size: int) -> int | None:
        """Note that `size` passed."""
        only_small = self.passed == 0 and size < self.wanted
        self.passed = max(self.passed, size)
        # The peer answers small packets after all. Was the large one merely lost?
        high = self._too_big_above(self.passed)
        return high if only_small and self._strikes.get(high) == 1 else self._next()

    def too_big(self, size: int, mtu: int) -> int | None:
        """Note that a router refused `size` and says it carries `mtu` (0: it does not say)."""
        self._strikes[size] = _SURE
        if self.smallest <= mtu < size:
            self._word = mtu
        return self._next()

    def silent(self, size: int) -> int | None:
        """Note that `size` was not answered, which may be the peer's silence while nothing has been answered yet."""
        self._strikes[size] = self._strikes.get(size, 0) + 1
        return None if size <= self.smallest else self._next()

    def _too_big_above(self, size: int) -> int:
        return min((failed for failed in self._strikes if failed > size), default=self.wanted + 1)

    def _next(self) -> int | None:
        low = self.passed
        high = self._too_big_above(low)
        if low >= self.wanted or (low and low == self._word and self._strikes.get(high) == _SURE):
            return None
        if low < self._word < high:
            return self._word
        if not low:
            return self.smallest
        if low + 1 >= high:
            return high if self._strikes.get(high) == 1 else None
        usual = [size for size in _USUAL if low < size < high]
        return usual[len(usual) // 2] if usual else (low + high) // 2


class PathProber(Prober):
    """Measures all paths side by side; `results` are in the paths' order once the loop has run. Raises OSError
    without raw sockets."""

    def __init__(self, paths: Sequence[Path], timeout: float) -> None:
        super().__init__()
        self._identifier, self._token = struct.unpack("=H8s", os.urandom(10))
        self._walks: list[_Walk] = []
        try:
            for number, path in enumerate(paths):
                self._walks.append(self._walk(number, path, timeout))
        except OSError:
            self.close()
            raise

    @property
    def results(self) -> list[PathResult]:
        """What is known of each path."""
        return [walk.result() for walk in self._walks]

    def advance(self, now: float) -> float | None:
        """Send what is due on each path."""
        times = [due for due in (walk.advance(now) for walk in self._walks) if due is not None]
        return min(times) if times else None

    def receive(self, source: socket.socket, data: bytes, sender: str, _now: float) -> None:
        """Match an answer with the packet it answers, by identifier or port and by sequence number."""
        version = 4 if source.family == socket.AF_INET else 6
        message = wire.ipv4_payload(data) if version == 4 else data
        error = wire.parse_icmp_error(message, version)
        quoted = error.quoted if error else message
        if error is not None and error.protocol == socket.IPPROTO_UDP:
            ports = struct.unpack_from("!HH", quoted) if len(quoted) >= 8 else (0, 0)
            number, step = ports[0] - _FIRST_OWN_PORT, ports[1] - _UDP_PORT
        else:
            echo = wire.parse_echo(quoted)
            if echo is None or echo[1] != self._identifier or (error is None and not echo[3].startswith(self._token)):
                return
            number, step = echo[2] >> 8, echo[2] & 0xFF
        if 0 <= number < len(self._walks):
            self._walks[number].hear(step, sender, error, _now)

    def _walk(self, number: int, path: Path, timeout: float) -> _Walk:
        family = sockets.family_of(path.peers[0] if path.peers else "")
        try:
            listening = sockets.icmp(family, _KINDS4 if family == socket.AF_INET else _KINDS6, path.source)
        except PermissionError:
            raise
        except OSError:
            listening = sockets.icmp(family, _KINDS4 if family == socket.AF_INET else _KINDS6)
        self.sockets.append(listening)
        if family == socket.AF_INET:
            listening.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
            return _Walk(number, path, timeout, (self._identifier, self._token), listening, None)
        from . import transport

        sending = transport.udp6(path.source)
        self.sockets.append(sending)
        return _Walk(number, path, timeout, (self._identifier, self._token), listening, sending)


class _Walk:
    """One path's measurement: which peer, which size, which way of asking, until when to wait."""

    def __init__(
        self,
        number: int,
        path: Path,
        timeout: float,
        mark: tuple[int, bytes],
        echoing: socket.socket,
        udp: socket.socket | None,
    ) -> None:
        self._number, self._path, self._mark = number, path, mark
        self._echoing, self._udp = echoing, udp
        self._smallest = SMALLEST4 if udp is None else SMALLEST6
        self._timeout = self._wait = timeout
        self._peers = list(path.peers[:_MOST_PEERS])
        self._search = Search(path.wanted, self._smallest)
        self._by_udp = udp is not None
        self._size: int | None = self._search.first() if self._peers else None
        self._peer = self._peers.pop(0) if self._peers else ""
        self._until = 0.0
        self._sent = 0.0
        self._packets = self._step = 0
        self._reported_by = self._detail = ""
        self._local = False

    def result(self) -> PathResult:
        """Return what was found out so far."""
        carries = self._search.passed
        if self._detail:
            word = "error"
        elif carries >= self._path.wanted:
            word = "ok"
        elif self._local:
            word = "local"
        else:
            word = "smaller" if carries else "silent"
        path = self._path
        return PathResult(
            path.name, self._peer, path.wanted, carries or None, word, self._reported_by, self._packets, self._detail
        )

    def advance(self, now: float) -> float | None:
        """Send the next packet, or give up on the one that is out; None when the path is done."""
        if self._size is not None and self._until and now >= self._until:
            self._unanswered()
        if self._size is None:
            return None
        if not self._until:
            self._send(now)
        return self._next_event()

    def _next_event(self) -> float | None:
        return self._until if self._size is not None else None

    def hear(self, step: int, sender: str, error: wire.IcmpError | None, now: float) -> None:
        """Take the answer to packet number `step` of this path; late answers to earlier packets are let go."""
        if step != self._step or self._size is None or not self._until:
            return
        size = self._size
        self._wait = min(self._timeout, max(_SHORTEST_WAIT, 4 * (now - self._sent)))
        if error is None or (sender == self._peer and not _says_too_big(error, self._udp is not None)):
            # A refusal by the peer itself shows as well as a reply that the packet has arrived.
            self._go(self._search.answered(size))
        elif _says_too_big(error, self._udp is not None):
            self._reported_by = sender
            self._go(self._search.too_big(size, error.mtu))
        else:
            # Unreachable: this peer tells nothing about sizes.
            self._next_peer()

    def _unanswered(self) -> None:
        size = self._size or 0
        if self._by_udp and not self._search.passed:
            # UDP is dropped on the way or at the peer. Ask the same by echo.
            self._by_udp = False
            self._go(size)
        elif size <= self._search.smallest and not self._search.passed:
            self._next_peer()
        else:
            self._go(self._search.silent(size))

    def _go(self, size: int | None) -> None:
        self._until = 0.0
        self._size = size if self._packets < _MOST_PACKETS else None

    def _next_peer(self) -> None:
        self._until = 0.0
        self._packets = 0
        if not self._peers:
            self._size = None
            return
        self._peer = self._peers.pop(0)
        self._search = Search(self._path.wanted, self._smallest)
        self._by_udp = self._udp is not None
        self._wait = self._timeout
        self._size = self._search.first()

    def _send(self, now: float) -> None:
        size = self._size or 0
        self._step = (self._step + 1) & 0xFF
        self._packets += 1
        self._sent = now
        self._until = now + self._wait
        try:
            self._transmit(size)
        except OSError as error:
            if sockets.may_be_full(error):
                return  # counts as lost
            self._local = error.errno == errno.EMSGSIZE
            self._detail = "" if self._local else sockets.why_not_sent(error, self._path.source)
            self._size = None

    def _transmit(self, size: int) -> None:
        identifier, token = self._mark
        sequence = self._number << 8 | self._step
        if self._udp is None:
            packet = wire.echo_request(wire.ICMP_ECHO, identifier, sequence, size - 20, token)
            header = wire.ipv4_header(size, socket.IPPROTO_ICMP, self._path.source, self._peer)
            self._echoing.sendto(header + packet, (self._peer, 0))
            return
        to = sockets.socket_address(socket.AF_INET6, self._peer, 0)
        if self._by_udp:
            from . import transport

            ports = (_FIRST_OWN_PORT + self._number, _UDP_PORT + self._step)
            self._udp.sendto(transport.udp_datagram(ports, size - 40), to)
        else:
            self._echoing.sendto(wire.echo_request(wire.ICMP6_ECHO, identifier, sequence, size - 40, token), to)


def _says_too_big(error: wire.IcmpError, version6: bool) -> bool:
    if version6:
        return error.type == wire.ICMP6_TOO_BIG
    return (error.type, error.code) == (wire.ICMP_UNREACHABLE, wire.ICMP_FRAGMENTATION_NEEDED)
