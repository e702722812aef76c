# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP sockets of one network namespace, from /proc/<pid>/net/tcp and tcp6, and whose they are."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from typing import NamedTuple

from .processes import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .processes import Process

LISTEN = "LISTEN"
# The order of the kernel's enumeration (include/net/tcp_states.h), which starts at 1.
_STATES = (
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
_TABLE_LIMIT = 64 * 1024 * 1024
_SOCKET_LINK = re.compile(r"socket:\[(\d+)\]$")


class TcpSocket(NamedTuple):
    """One socket. Queues are in bytes, `retransmits` those of the segment now waiting, `inode` 0 if nobody holds it."""

    local: str
    local_port: int
    peer: str
    peer_port: int
    state: str
    send_queue: int
    receive_queue: int
    retransmits: int
    inode: int


def read_tcp(net_folder: str, ports: Collection[int]) -> list[TcpSocket]:
    """Return the sockets with one of `ports` on either side; `net_folder` is a /proc/<pid>/net. Unreadable: none."""
    found: list[TcpSocket] = []
    for name in ("tcp", "tcp6"):
        found += parse(read_bytes(os.path.join(net_folder, name), _TABLE_LIMIT), ports)
    return found


def parse(table: bytes, ports: Collection[int]) -> list[TcpSocket]:
    """Read the kernel's table. Lines without one of `ports` are skipped unread: a busy host has a hundred thousand."""
    wanted = b"|".join(b"%04X" % port for port in sorted(ports))
    endpoints = rb"^ *\d+: (?:[0-9A-F]+:(?:%s) |[0-9A-F]+:[0-9A-F]+ [0-9A-F]+:(?:%s) ).*$" % (wanted, wanted)
    pattern = re.compile(endpoints, re.MULTILINE)
    found = []
    for match in pattern.finditer(table) if ports else ():
        one = _socket(match.group().decode("ascii", "replace").split())
        if one is not None:
            found.append(one)
    return found


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
            found.update((inode, process) for inode in missing & _held(process))
            missing -= found.keys()
            if not missing:
                break
    return found


def _held(process: Process) -> set[int]:
    """Return the inodes of the sockets among a process' open files."""
    folder = os.path.join(process.directory, "fd")
    held: set[int] = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return held
    for name in names:
        match = _SOCKET_LINK.match(_link(folder + "/" + name))
        if match:
            held.add(int(match.group(1)))
    return held


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _socket(fields: list[str]) -> TcpSocket | None:
    """Read one line's fields: sl local remote st tx:rx tr:when retransmits uid timeout inode …"""
    try:
        local, local_port = _endpoint(fields[1])
        peer, peer_port = _endpoint(fields[2])
        state = _STATES[int(fields[3], 16)]
        send, _colon, receive = fields[4].partition(":")
        # A listener's queues count connections, not bytes.
        queues = (0, 0) if state == LISTEN else (int(send, 16), int(receive, 16))
        return TcpSocket(local, local_port, peer, peer_port, state, *queues, int(fields[6], 16), int(fields[9]))
    except (IndexError, ValueError):
        return None


def _endpoint(text: str) -> tuple[str, int]:
    """Turn "0A00C80A:00B3" into an address and a port: 32-bit words in the machine's own byte order, in hexadecimal."""
    words, _colon, port = text.partition(":")
    raw = b"".join(int(words[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(words), 8))
    if len(raw) == 16 and raw[:12] == b"\0" * 10 + b"\xff\xff":
        raw = raw[12:]
    if len(raw) not in (4, 16):
        raise ValueError(text)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw), int(port, 16)
