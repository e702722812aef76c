# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ports that the listener holds for its time, so that the kernel answers there; who has them where it cannot.

A port that a program listens on is never touched. Nobody can connect to a held port: its socket lets SYNs and resets in
and no third packet of a handshake, and what it half-opens is gone with the socket.
"""

from __future__ import annotations

import errno
import os
import re
import socket

from .._host import sockets as tcp_sockets
from .._host.processes import read_bytes
from .._probe import transport
from .._record import NamedTuple
from . import filters, marks, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from .._host.processes import ProcessTable

_BACKLOG = 1024
_TCP_MAXSEG = 2
_TABLE_LIMIT = 16 << 20
HELD, TAKEN, LEFT, FAILED = "held", "taken", "left", "failed"


class Port(NamedTuple):
    """One port and what became of it: held; taken by a program that was there before us; left to a Calico that is on
    this host, and may want it at any moment; or failed, for the reason in `detail`."""

    protocol: str
    port: int
    family: int
    state: str
    detail: str = ""


class Holder:
    """Holds what can be held of the ports; `ports` tells of all of them. close() lets go."""

    def __init__(self, ways: plan.Ways, own: marks.Marks, leave: bool) -> None:
        self.sockets: list[socket.socket] = []
        wanted = [(marks.TCP, one) for one in ways.tcp] + [(marks.UDP, one) for one in ways.udp]
        families = [one for one in plan.FAMILIES if one == socket.AF_INET or _has_ipv6()]
        self.ports = [self._take(kind, port, family, own, leave) for kind, port in wanted for family in families]

    def answers(self, families: Collection[int]) -> bool:
        """Say whether it is by us that the kernel answers SYNs in these families. UDP and IPIP we answer ourselves."""
        wanted = [one for one in self.ports if one.protocol == marks.TCP and one.family in families]
        return all(one.state == HELD for one in wanted)

    def close(self) -> None:
        """Let all ports go."""
        for each in self.sockets:
            each.close()
        self.sockets = []

    def _take(self, kind: str, port: int, family: int, own: marks.Marks, leave: bool) -> Port:
        try:
            opened = socket.socket(family, socket.SOCK_STREAM if kind == marks.TCP else socket.SOCK_DGRAM)
        except OSError as error:
            return Port(kind, port, family, FAILED, error.strerror or str(error))
        try:
            _bind(opened, kind, port, own)
        except OSError as error:
            opened.close()
            if error.errno == errno.EADDRINUSE:
                return Port(kind, port, family, TAKEN)
            return Port(kind, port, family, FAILED, error.strerror or str(error))
        if leave:
            opened.close()
            return Port(kind, port, family, LEFT)
        self.sockets.append(opened)
        return Port(kind, port, family, HELD)


def told(ports: Iterable[Port], processes: ProcessTable, proc_root: str = "/proc") -> list[dict[str, Any]]:
    """Return what is not held, as facts: protocol, port, ipv6, state, and of a port that is taken, by which process
    (none: by the kernel itself, as VXLAN devices do)."""
    found = []
    for one in ports:
        if one.state == HELD:
            continue
        entry: dict[str, Any] = {"protocol": one.protocol, "port": one.port, "state": one.state}
        if one.family == socket.AF_INET6:
            entry["ipv6"] = True
        if one.detail:
            entry["detail"] = one.detail
        if one.state == TAKEN:
            entry.update(_holder(one, processes, proc_root))
        found.append(entry)
    return found


def _bind(opened: socket.socket, kind: str, port: int, own: marks.Marks) -> None:
    if opened.family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == marks.UDP:
        opened.bind(("", port))
        transport.attach(opened, filters.NOTHING)
        return
    # Connections of an earlier program that only wait for their end are no program that listens.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("", port))
    opened.setsockopt(socket.IPPROTO_TCP, _TCP_MAXSEG, own.mss)
    transport.attach(opened, filters.NO_CONNECTION)
    opened.listen(_BACKLOG)


def _has_ipv6() -> bool:
    return os.path.exists("/proc/sys/net/ipv6/conf/all/disable_ipv6") and socket.has_ipv6


def _holder(port: Port, processes: ProcessTable, proc_root: str) -> dict[str, Any]:
    inodes = _listening(port, proc_root) if port.protocol == marks.TCP else _bound(port, proc_root)
    process = next(iter(tcp_sockets.owners(inodes, (), processes).values()), None) if inodes else None
    return {"process": process.comm, "pid": process.pid} if process else {}


def _listening(port: Port, proc_root: str) -> list[int]:
    found = tcp_sockets.read_tcp(os.path.join(proc_root, "self", "net"), {port.port})
    return [one.inode for one in found if one.state == tcp_sockets.LISTEN and one.local_port == port.port]


def _bound(port: Port, proc_root: str) -> list[int]:
    """Return the inodes of the UDP sockets on a port; a socket of the kernel's own is in no process' hands."""
    name = "udp6" if port.family == socket.AF_INET6 else "udp"
    pattern = re.compile(rf"^ *\d+: [0-9A-F]+:{port.port:04X} (?:\S+ +){{7}}(\d+)", re.MULTILINE)
    table = read_bytes(os.path.join(proc_root, "self", "net", name), _TABLE_LIMIT).decode("ascii", "replace")
    return [int(inode) for inode in pattern.findall(table)]
