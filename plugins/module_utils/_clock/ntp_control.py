# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ntpd's control messages (mode 6, RFC 9327), asked over this host's loopback, which ntpd's usual `restrict` lines
allow. Only reading."""

from __future__ import annotations

import os
import socket
import struct
import time

from .._record import NamedTuple

_PLACES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_PORT = 123
_FIRST_BYTE = 2 << 3 | 6  # version 2, mode 6
_READ_STATUS, _READ_VARIABLES = 1, 2
_RESPONSE, _ERROR, _MORE, _OPERATION = 0x80, 0x40, 0x20, 0x1F
_HEADER = struct.Struct("!BBHHHHH")  # first byte, operation, sequence, status, association, offset, count
_REACHABLE = 0x1000
_MOST_BYTES = 65536
_MOST_UNREACHABLE = 16
_WANTED = b"leap,stratum,refid,offset"


class Report(NamedTuple):
    """What ntpd says: its system variables as it spells them, and how many sources it has and which answer."""

    variables: str
    sources: int
    reachable: int


def ask(timeout: float, port: int = _PORT) -> Report | None:
    """Return what ntpd on this host says of itself; None if it does not answer such questions."""
    return next((report for report in (_at(family, host, port, timeout) for family, host in _PLACES) if report), None)


def _at(family: int, address: str, port: int, timeout: float) -> Report | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((address, port))
            return _report(asking, time.monotonic() + timeout)
    except OSError:
        return None


def _report(asking: socket.socket, until: float) -> Report:
    variables = _question(asking, until, _READ_VARIABLES, 0, _WANTED).decode("ascii", "replace")
    peers = _question(asking, until, _READ_STATUS, 0)
    pairs = [struct.unpack_from("!HH", peers, offset) for offset in range(0, len(peers) - 3, 4)]
    reachable = sum(bool(status & _REACHABLE) for _association, status in pairs)
    silent = [association for association, status in pairs if not status & _REACHABLE]
    # What stands for a pool of servers is no source, and has no address.
    pools = sum(_is_pool(asking, until, association) for association in silent[:_MOST_UNREACHABLE])
    return Report(variables, len(pairs) - pools, reachable)


def _is_pool(asking: socket.socket, until: float, association: int) -> bool:
    try:
        said = _question(asking, until, _READ_VARIABLES, association, b"srcadr")
    except OSError:
        return False
    return said.partition(b"=")[2].strip(b' \r\n"') in (b"0.0.0.0", b"::", b"(null)")


def _question(asking: socket.socket, until: float, operation: int, association: int, body: bytes = b"") -> bytes:
    """Return the answer's data, put together from its parts. Raises OSError if ntpd refuses or does not answer."""
    sequence = struct.unpack("!H", os.urandom(2))[0]
    packet = _HEADER.pack(_FIRST_BYTE, operation, sequence, 0, association, 0, len(body)) + body
    asking.send(packet + b"\0" * (-len(packet) % 4))
    parts: dict[int, bytes] = {}
    end = None
    while end is None or sum(len(part) for part in parts.values()) < end:
        left = until - time.monotonic()
        if left <= 0:
            raise socket.timeout("ntpd does not answer")
        asking.settimeout(left)
        data = asking.recv(4096)
        if len(data) < _HEADER.size:
            continue
        _first, answered, number, _status, _association, offset, count = _HEADER.unpack_from(data)
        if number != sequence or not answered & _RESPONSE or answered & _OPERATION != operation:
            continue
        if answered & _ERROR or offset + count > _MOST_BYTES:
            raise OSError(f"ntpd refuses the question, error {_status >> 8}")
        parts[offset] = data[_HEADER.size : _HEADER.size + count]
        if not answered & _MORE:
            end = offset + len(parts[offset])
    return b"".join(parts[offset] for offset in sorted(parts))
