# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to the kernel about links, addresses, neighbours and routes over one rtnetlink socket.

Reading only, needs no privilege and no program. `ip -j` gives the same answers at the price of a process per
question, and not on every node. Layouts: <linux/netlink.h>, <linux/rtnetlink.h>.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length, type
ERROR = 2
DONE = 3
_REQUEST = 0x1
_DUMP = 0x300
_DUMP_INTERRUPTED = 0x10
_RECEIVE_SIZE = 1 << 18
# One reply takes about 1 KiB of the receive buffer whatever its length; what does not fit is lost, not queued.
_BATCH = 64
_ATTEMPTS = 3


class Netlink:
    """One netlink socket, by default an rtnetlink one. Its methods raise OSError if the kernel refuses or does not
    answer in time."""

    def __init__(self, timeout: float = 2.0, protocol: int = 0) -> None:
        self._sequence = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        try:
            self._socket.settimeout(timeout)
            self._socket.bind((0, 0))
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Netlink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def dump(self, kind: int, body: bytes) -> list[tuple[int, bytes]]:
        """Return all (type, body) pairs of one table. If it changes meanwhile it is read again, up to three times."""
        messages: list[tuple[int, bytes]] = []
        for _attempt in range(_ATTEMPTS):
            messages, whole = self._dump_once(kind, body)
            if whole:
                break
        return messages

    def ask(self, kind: int, bodies: Sequence[bytes]) -> list[bytes | int]:
        """Send one question per body; return for each, in order, the reply's body or an errno."""
        answers: list[bytes | int] = []
        for start in range(0, len(bodies), _BATCH):
            answers += self._ask_some(kind, bodies[start : start + _BATCH])
        return answers

    def _dump_once(self, kind: int, body: bytes) -> tuple[list[tuple[int, bytes]], bool]:
        self._sequence += 1
        self._socket.send(HEADER.pack(16 + len(body), kind, _REQUEST | _DUMP, self._sequence, 0) + body)
        messages: list[tuple[int, bytes]] = []
        whole = True
        while True:
            for kind_seen, flags, sequence, content in split(self._socket.recv(_RECEIVE_SIZE)):
                if sequence != self._sequence:
                    continue
                whole = whole and not flags & _DUMP_INTERRUPTED
                if kind_seen == DONE:
                    return messages, whole
                if kind_seen == ERROR:
                    number = errno_of(content)
                    raise OSError(number, os.strerror(number))
                messages.append((kind_seen, content))

    def _ask_some(self, kind: int, bodies: Sequence[bytes]) -> list[bytes | int]:
        first = self._sequence + 1
        self._sequence += len(bodies)
        packets = [
            HEADER.pack(16 + len(body), kind, _REQUEST, first + i, 0) + body + b"\0" * (-len(body) % 4)
            for i, body in enumerate(bodies)
        ]
        self._socket.send(b"".join(packets))
        answers: dict[int, bytes | int] = {}
        while len(answers) < len(bodies):
            for kind_seen, _flags, sequence, content in split(self._socket.recv(_RECEIVE_SIZE)):
                if first <= sequence <= self._sequence:
                    answers[sequence] = errno_of(content) if kind_seen == ERROR else content
        return [answers[first + i] for i in range(len(bodies))]


def split(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Return (type, flags, sequence, body) of each message in a datagram; a broken tail is left out."""
    messages = []
    offset = 0
    while offset + 16 <= len(data):
        length, kind, flags, sequence, _port = HEADER.unpack_from(data, offset)
        if length < 16 or offset + length > len(data):
            break
        messages.append((kind, flags, sequence, data[offset + 16 : offset + length]))
        offset += (length + 3) & ~3
    return messages


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """Return the attributes from `offset` on by their type, without the flag bits; a broken tail is left out."""
    found = {}
    end = len(data)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > end:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def text(data: bytes | None) -> str:
    """Return a string attribute without its closing zero byte; '' if there is none."""
    return (data or b"").split(b"\0", 1)[0].decode("utf-8", "replace")


def number(data: bytes | None) -> int:
    """Return a 32-bit attribute; 0 if there is none."""
    return int(struct.unpack("=I", data)[0]) if data is not None and len(data) == 4 else 0


def address(data: bytes | None) -> str:
    """Return an address attribute as text; '' if there is none or it is neither IPv4 nor IPv6."""
    if data is None or len(data) not in (4, 16):
        return ""
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def errno_of(content: bytes) -> int:
    """Return the positive errno of an error message's body; EPROTO if it is cut short."""
    return -int(struct.unpack_from("=i", content)[0]) if len(content) >= 4 else errno.EPROTO
