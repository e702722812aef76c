# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that speak BGP on this host beside Calico's BIRD: a router may take their sessions for the node's own.

A speaker need not listen to have sessions. Whose connections these are is looked up only where there are more of them
than BIRD has sessions: BIRD's own open files are many.
"""

from __future__ import annotations

from .._host import sockets
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._host.processes import Process, ProcessTable
    from .._host.sockets import TcpSocket

# FRR's and Quagga's, MetalLB's, GoBGP's, ExaBGP's, OpenBGPD's, those of other network plugins, and BIRD itself.
NAMES = (
    "bgpd",
    "speaker",
    "metallb-speaker",
    "gobgpd",
    "exabgp",
    "openbgpd",
    "kube-router",
    "cilium-agent",
    "cilium-operator",
    "kube-vip",
    "bird",
    "bird6",
    "bird2",
)
_MOST = 8
_SHORT_ID = 12


def look(
    found: Sequence[TcpSocket], known: int, own: Sequence[Process], processes: ProcessTable
) -> dict[str, list[dict[str, Any]]]:
    """Return other_speakers: programs by name that may speak BGP, and those that hold connections to the BGP ports and
    are not Calico's BIRD (`own`), which has `known` sessions. Each with peers, packed, if it has any; connections
    whose holder may not be seen have no process. {} without any."""
    here = own[0].network_namespace if own else processes.network_namespace
    mine = {process.pid for process in own}
    named = [process for process in processes.named(*NAMES) if process.pid not in mine and _is_here(process, here)]
    connected = [one for one in found if one.state == sockets.ESTABLISHED]
    peers: dict[int, list[str]] = {}
    by_pid = {process.pid: process for process in named}
    if len(connected) > known:
        held = sockets.owners([one.inode for one in connected], own, ())
        foreign = [one for one in connected if one.inode not in held]
        holders = sockets.owners([one.inode for one in foreign], named, processes)
        for one in foreign:
            holder = holders.get(one.inode)
            pid = holder.pid if holder is not None else 0
            if holder is not None:
                by_pid[pid] = holder
            peers.setdefault(pid, []).append(one.peer)
    entries = [_entry(by_pid.get(pid), peers.get(pid, [])) for pid in sorted({*by_pid, *peers})]
    entries.sort(key=lambda entry: "peers" not in entry)
    return {"other_speakers": entries[:_MOST]} if entries else {}


def _entry(process: Process | None, peers: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if process is not None:
        entry = {"process": process.comm, "pid": process.pid}
        if process.container:
            entry["container"] = process.container[:_SHORT_ID]
    if peers:
        entry["peers"] = pack(sorted(set(peers)))
    return entry


def _is_here(process: Process, here: str) -> bool:
    there = process.network_namespace
    return not here or not there or there == here
