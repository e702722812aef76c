# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP sockets of one network namespace, and whose they are."""

from __future__ import annotations

import os
import time

from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .processes import Process

LISTEN = "LISTEN"
ESTABLISHED = "ESTABLISHED"
PERSIST = "persist"
PERSISTING = 4  # as the kernel numbers it
# The order of the kernel's enumeration (include/net/tcp_states.h), which starts at 1.
STATES = (
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    LISTEN,
    "CLOSING",
    "SYN_RECV",
)


class TcpSocket(NamedTuple):
    """One socket. Queues are in bytes, `retransmits` those of the segment now waiting, `inode` 0 if nobody holds it,
    `timer` persist while the peer's window is closed, else ''."""

    local: str
    local_port: int
    peer: str
    peer_port: int
    state: str
    send_queue: int
    receive_queue: int
    retransmits: int
    inode: int
    timer: str = ""


def read_tcp(net_folder: str, ports: Collection[int]) -> list[TcpSocket]:
    """Return the sockets with one of `ports` on either side; `net_folder` is a /proc/<pid>/net. Unreadable: none."""
    if is_our_network(net_folder):
        from . import tcp_diag

        found = tcp_diag.read(ports)
        if found is not None:
            return found
    from . import tcp_table

    return tcp_table.read(net_folder, ports)


def owners(
    inodes: Iterable[int], first: Iterable[Process], others: Iterable[Process], patience: float = 1.0
) -> dict[int, Process]:
    """Return the process that holds each socket, by inode; `first` are the likely ones.

    Stops as soon as all are found, and after `patience` seconds at the latest: the processes' open files are many.
    Those of other users' processes cannot be seen without privileges.
    """
    missing = set(inodes) - {0}
    found: dict[int, Process] = {}
    seen: set[int] = set()
    deadline = time.monotonic() + patience
    for group in (first, others):
        if not missing:
            break
        for process in group:
            if time.monotonic() > deadline:
                break
            if process.pid in seen:
                continue
            seen.add(process.pid)
            found.update((inode, process) for inode in missing & process.sockets())
            missing -= found.keys()
            if not missing:
                break
    return found


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def is_our_network(net_folder: str) -> bool:
    """Say whether a /proc/<pid>/net is of the network that this program is in."""
    here = _link("/proc/self/ns/net")
    return bool(here) and _link(os.path.join(os.path.dirname(net_folder), "ns/net")) == here
