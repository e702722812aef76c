# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections from this host to the programs that govern Calico (API server, Typha, etcd), and who listens for them.

The kernel picks them by where they lead, as for `ss dst …`: a host may have a hundred thousand others to port 443.
"""

from __future__ import annotations

import socket
import struct

from .._record import NamedTuple
from . import sockets, tcp_diag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from .sockets import TcpSocket

OPENING = "SYN_SENT"
# <linux/inet_diag.h>
_JUMP, _SOURCE_AT_LEAST, _SOURCE_AT_MOST, _AT_LEAST, _AT_MOST, _LEADS_TO = 1, 2, 3, 4, 5, 8
_OPERATION = struct.Struct("=BBH")
_MOST_ENDPOINTS = 12


class Wanted(NamedTuple):
    """What to look for: connections to these endpoints (address and port) and to these ports wherever that is, and
    sockets with these ports of our own."""

    endpoints: Collection[tuple[str, int]]
    to_ports: Collection[int]
    own_ports: Collection[int]

    def has(self, one: TcpSocket) -> bool:
        """Say whether a socket is one of those."""
        leads = one.peer_port in self.to_ports or (one.peer, one.peer_port) in self.endpoints
        return leads or one.local_port in self.own_ports


def read(wanted: Wanted, net_folder: str) -> list[TcpSocket]:
    """Return the sockets looked for; `net_folder` is a /proc/<pid>/net. Unreadable: none."""
    if sockets.is_our_network(net_folder):
        found = tcp_diag.ask(program(wanted))
        if found is not None:
            return [one for one in found if wanted.has(one)]
    from . import tcp_table

    ports = {port for _address, port in wanted.endpoints}.union(wanted.to_ports, wanted.own_ports)
    return [one for one in tcp_table.read(net_folder, ports) if wanted.has(one)]


def connections(found: Iterable[TcpSocket], port: int | None, endpoints: Collection[tuple[str, int]]) -> dict[str, Any]:
    """Return by endpoint ("10.0.0.1:6443") how many connections to it there are: established, opening (asked for and
    not answered yet), retransmitting (established, and what was sent last is not acknowledged). `endpoints` are named
    whether there are any or not; others with the port are, too."""
    entries: dict[str, Any] = {shown(*endpoint): {"established": 0} for endpoint in endpoints}
    for one in found:
        if one.peer_port != port and (one.peer, one.peer_port) not in endpoints:
            continue
        name = shown(one.peer, one.peer_port)
        states = []
        if one.state == sockets.ESTABLISHED:
            states = ["established"] + ["retransmitting"] * (one.retransmits > 0)
        elif one.state == OPENING:
            states = ["opening"]
        if states and (name in entries or len(entries) < _MOST_ENDPOINTS):
            entry = entries.setdefault(name, {"established": 0})
            for state in states:
                entry[state] = entry.get(state, 0) + 1
    return entries


def shown(address: str, port: int) -> str:
    """Return "10.0.0.1:6443" or "[fd00::1]:6443"."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def program(wanted: Wanted) -> bytes:
    """Write a filter in the kernel's language: ways to pass, each of them comparisons that must all hold. A comparison
    says by how many bytes to go on if it holds and if not; to the very end means yes, beyond it no."""
    ways = [[_leads_to(*endpoint)] for endpoint in sorted(wanted.endpoints)]
    ways += [[_port(_AT_LEAST, port), _port(_AT_MOST, port)] for port in sorted(wanted.to_ports)]
    ways += [[_port(_SOURCE_AT_LEAST, port), _port(_SOURCE_AT_MOST, port)] for port in sorted(wanted.own_ports)]
    written = b""
    for way in reversed(ways):
        # Behind the way stands a jump over all that follows; a comparison that fails leads behind that jump.
        end = _OPERATION.pack(_JUMP, _OPERATION.size, _OPERATION.size + len(written)) if written else b""
        failed = len(end) if written else _OPERATION.size
        body = b""
        for code, argument in reversed(way):
            size = _OPERATION.size + len(argument)
            body = _OPERATION.pack(code, size, size + len(body) + failed) + argument + body
        written = body + end + written
    return written


def _port(code: int, port: int) -> tuple[int, bytes]:
    return code, struct.pack("=HH", 0, port)


def _leads_to(address: str, port: int) -> tuple[int, bytes]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    return _LEADS_TO, struct.pack("=BBxxi", family, 8 * len(raw), port) + raw
