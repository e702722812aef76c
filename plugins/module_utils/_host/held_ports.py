# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds the ports that Calico needs, before Calico is there to hold them itself."""

from __future__ import annotations

import os

from . import sockets, tcp_table
from .processes import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .processes import ProcessTable

# BGP, Typha, health of Felix (OpenShift: 9199) and of Typha; VXLAN as Calico and as flannel have it, WireGuard.
TCP = (179, 5473, 9098, 9099, 9199)
UDP = (4789, 8472, 51820, 51821)
_LIMIT = 1 << 24
_MOST = 16


def look(processes: ProcessTable, devices: Mapping[int, str], proc_root: str = "/proc") -> list[dict[str, Any]]:
    """Return protocol, port and address of each listener, with process and pid where these can be seen.

    A UDP socket of the kernel's own belongs to no process, but to one of the tunnel `devices`, given by their ports.
    """
    folder = os.path.join(proc_root, "self/net")
    found = [("tcp", one) for one in sockets.read_tcp(folder, TCP) if one.state == sockets.LISTEN]
    for name in ("udp", "udp6"):
        table = read_bytes(os.path.join(folder, name), _LIMIT)
        found += [("udp", one) for one in tcp_table.parse(table, UDP) if one.local_port in UDP and not one.peer_port]
    found = [(protocol, one) for protocol, one in found if one.local_port in (*TCP, *UDP)]
    owners = sockets.owners([one.inode for _protocol, one in found], (), processes)
    entries: list[dict[str, Any]] = []
    for protocol, one in sorted(found, key=_order):
        entry: dict[str, Any] = {"protocol": protocol, "port": one.local_port, "address": one.local}
        process = owners.get(one.inode)
        if process is not None:
            entry.update(process=process.comm, pid=process.pid)
            if process.container:
                entry["container"] = process.container[:12]
        elif protocol == "udp" and one.local_port in devices:
            entry["device"] = devices[one.local_port]
        entries.append(entry)
    return entries[:_MOST]


def _order(item: tuple[str, sockets.TcpSocket]) -> tuple[str, int, str]:
    return item[0], item[1].local_port, item[1].local
