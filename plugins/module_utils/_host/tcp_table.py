# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's text tables of TCP sockets, /proc/<pid>/net/tcp and tcp6.

For other network namespaces than ours, and for kernels that cannot be asked (see tcp_diag): writing these tables costs
the kernel milliseconds even where there are few sockets.
"""

from __future__ import annotations

import os
import re
import socket
import sys

from .processes import read_bytes
from .sockets import LISTEN, PERSIST, PERSISTING, STATES, TcpSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_TABLE_LIMIT = 64 * 1024 * 1024


def read(net_folder: str, ports: Collection[int]) -> list[TcpSocket]:
    """Return the sockets with one of `ports` on either side; `net_folder` is a /proc/<pid>/net. Unreadable: none."""
    found: list[TcpSocket] = []
    for name in ("tcp", "tcp6"):
        found += parse(read_bytes(os.path.join(net_folder, name), _TABLE_LIMIT), ports)
    return found


def listening(net_folder: str) -> list[TcpSocket]:
    """Return all listening sockets, whatever their ports."""
    pattern = re.compile(rb"^ *\d+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 0A .*$", re.MULTILINE)
    found = []
    for name in ("tcp", "tcp6"):
        for match in pattern.finditer(read_bytes(os.path.join(net_folder, name), _TABLE_LIMIT)):
            one = _socket(match.group().decode("ascii", "replace").split())
            if one is not None:
                found.append(one)
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


def _socket(fields: list[str]) -> TcpSocket | None:
    """Read one line's fields: sl local remote st tx:rx tr:when retransmits uid timeout inode …"""
    try:
        local, local_port = _endpoint(fields[1])
        peer, peer_port = _endpoint(fields[2])
        state = STATES[int(fields[3], 16)]
        send, _colon, receive = fields[4].partition(":")
        # A listener's queues count connections, not bytes.
        queues = (0, 0) if state == LISTEN else (int(send, 16), int(receive, 16))
        timer = PERSIST if int(fields[5].partition(":")[0], 16) == PERSISTING else ""
        return TcpSocket(local, local_port, peer, peer_port, state, *queues, int(fields[6], 16), int(fields[9]), timer)
    except (IndexError, ValueError, OverflowError):
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
