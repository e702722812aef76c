# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""chronyd over its port for commands: UDP 323 on this host, which by default answers anybody here who only asks.

The protocol is version 6 of chrony's candm.h, in use since chrony 2.2 for what is asked here.
"""

from __future__ import annotations

import os
import socket
import struct
import time

from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_PORT = 323
_VERSION, _REQUEST, _REPLY, _SUCCESS = 6, 1, 2, 0
_N_SOURCES, _SOURCE_DATA, _TRACKING = 14, 15, 33
_IPV4, _IPV6 = 1, 2
# Question: version, type, two reserved bytes, command, attempt, sequence, padding.
_QUESTION = struct.Struct("!BBxxHHI8x")
# Answer: version, type, reserved, command, kind of reply, status, padding, sequence, padding.
_ANSWER = struct.Struct("!BBxxHHH6xI8x")
_LONGEST_ANSWER = (
    104  # a question must be as long as its answer, so that nobody can use chronyd to send more than he did
)
_MOST_SOURCES = 64
_LEAPS = ("Normal", "Insert second", "Delete second", "Not synchronised")


def ask(timeout: float, port: int = _PORT) -> str:
    """Return what chronyd says in the form of `chronyc -c -n tracking sources`; '' if it does not answer."""
    return next((said for said in (_at(family, host, port, timeout) for family, host in _PLACES) if said), "")


def _at(family: int, address: str, port: int, timeout: float) -> str:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((address, port))
            return "\n".join(_lines(_Conversation(asking, time.monotonic() + timeout)))
    except OSError:
        return ""


def _lines(chronyd: _Conversation) -> list[str]:
    """Return a line for tracking and one for each source, in chronyc's fields. Raises OSError without an answer."""
    tracking, sources = chronyd.answers([(_TRACKING, b""), (_N_SOURCES, b"")])
    if len(tracking) < 44:
        return []
    lines = [_tracking(tracking)]
    count = struct.unpack_from("!I", sources)[0] if len(sources) >= 4 else 0
    questions = [(_SOURCE_DATA, struct.pack("!i", number)) for number in range(min(count, _MOST_SOURCES))]
    lines += [_source(data) for data in chronyd.answers(questions) if len(data) >= 32]
    return lines


class _Conversation:
    """Questions to chronyd and its answers, until a point of the monotonic clock."""

    def __init__(self, asking: socket.socket, until: float) -> None:
        self._socket, self._until = asking, until
        self._sequence = int.from_bytes(os.urandom(3), "big")

    def answers(self, questions: list[tuple[int, bytes]]) -> list[bytes]:
        """Return the body of each answer, b"" for a refusal. Raises OSError (socket.timeout) if one is missing."""
        found: dict[int, bytes] = {}
        first = self._sequence
        for command, body in questions:
            packet = _QUESTION.pack(_VERSION, _REQUEST, command, 0, self._sequence) + body
            self._socket.send(packet.ljust(_LONGEST_ANSWER, b"\0"))
            self._sequence += 1
        while len(found) < len(questions):
            left = self._until - time.monotonic()
            if left <= 0:
                raise socket.timeout("chronyd does not answer")
            self._socket.settimeout(left)
            data = self._socket.recv(1024)
            answer = _parse(data)
            if answer is not None and first <= answer.sequence < self._sequence:
                found[answer.sequence] = answer.body
        return [found[first + number] for number in range(len(questions))]


class _Parsed(NamedTuple):
    sequence: int
    body: bytes


def _parse(data: bytes) -> _Parsed | None:
    if len(data) < _ANSWER.size:
        return None
    version, kind, _command, _reply, status, sequence = _ANSWER.unpack_from(data)
    if version != _VERSION or kind != _REPLY:
        return None
    return _Parsed(sequence, data[_ANSWER.size :] if status == _SUCCESS else b"")


def _tracking(body: bytes) -> str:
    reference = body[:4]
    name = _address(body[4:24]) or "".join(_printable(reference))
    stratum, leap, high, low, nanoseconds = struct.unpack_from("!HHIII", body, 24)
    updated = (high if high != 0x7FFFFFFF else 0) * (1 << 32) + low + nanoseconds / 1e9
    offset = parse_float(body[40:44])
    fields = [reference.hex().upper(), name, str(stratum), f"{updated:.9f}", f"{offset:.9f}", *[""] * 8]
    return ",".join([*fields, _LEAPS[leap] if leap < len(_LEAPS) else str(leap)])


def _source(body: bytes) -> str:
    stratum, _state, mode = struct.unpack_from("!HHH", body, 22)
    reach = struct.unpack_from("!H", body, 30)[0]
    sign = "^=#"[mode] if mode < 3 else "^"
    return ",".join([sign, "", _address(body[:20]), str(stratum), "", f"{reach:o}", "", "", "", ""])


def parse_float(raw: bytes) -> float:
    """Return the value of chrony's own floating point number: 7 bits of exponent, 25 of coefficient, both signed."""
    if len(raw) < 4:
        return 0.0
    value = struct.unpack("!I", raw)[0]
    exponent, coefficient = value >> 25, value & 0x1FFFFFF
    if exponent >= 1 << 6:
        exponent -= 1 << 7
    if coefficient >= 1 << 24:
        coefficient -= 1 << 25
    return float(coefficient * 2.0 ** (exponent - 25))


def _address(raw: bytes) -> str:
    family = struct.unpack_from("!H", raw, 16)[0] if len(raw) >= 18 else 0
    if family == _IPV4:
        return socket.inet_ntop(socket.AF_INET, raw[:4])
    return socket.inet_ntop(socket.AF_INET6, raw[:16]) if family == _IPV6 else ""


def _printable(reference: bytes) -> Iterator[str]:
    """Yield the characters of a reference's name, such as PPS."""
    for value in reference:
        if 32 < value < 127 and value != ord(","):
            yield chr(value)
