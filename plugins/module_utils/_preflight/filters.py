# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Classic BPF programs by which the kernel keeps all from our sockets but preflight's own packets.

A busy host has a million packets a second; a program of a dozen steps for each is nothing, Python for each is much.
"""

from __future__ import annotations

import socket

from . import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import List, Tuple

    Steps = List[Tuple[int, int, int, int]]

_LDB, _LDX_HEADER, _LDX = 0x30, 0xB1, 0x01
_LDW_X, _LDH_X, _LDB_X = 0x40, 0x48, 0x50
_JEQ, _JSET, _AND, _RET = 0x15, 0x45, 0x54, 0x06
_ALL = 0xFFFF
_SYN, _ACK = 0x02, 0x10
_FLAGS = 0x17  # FIN, SYN, RST, ACK
_NUMBERS = {marks.TCP: socket.IPPROTO_TCP, marks.UDP: socket.IPPROTO_UDP, marks.IPIP: 4}

# For a listening TCP socket: SYNs and resets only, so that no connection ever comes about.
NO_CONNECTION = ((_LDB, 0, 0, 13), (_JSET, 0, 1, _ACK), (_RET, 0, 0, 0), (_RET, 0, 0, _ALL))
# For a socket that only holds a port or only sends.
NOTHING = ((_RET, 0, 0, 0),)


def raw_socket(kind: str, family: int, own: marks.Marks, ports: Sequence[int]) -> Steps:
    """Return the program of a raw socket (which for IPv4 sees the IP header) for probes of one kind."""
    head: Steps = [(_LDX_HEADER, 0, 0, 0) if family == socket.AF_INET else (_LDX, 0, 0, 0)]
    return _whole(head, [], kind, own, ports)


def packet_socket(kind: str, family: int, own: marks.Marks, ports: Sequence[int]) -> Steps:
    """Return the program of a packet socket that sees packets from the IP header on, before any firewall does."""
    number = _NUMBERS[kind]
    if family == socket.AF_INET:
        return _whole([(_LDX_HEADER, 0, 0, 0)], [(_LDB, 9, number)], kind, own, ports)
    return _whole([(_LDX, 0, 0, 40)], [(_LDB, 6, number)], kind, own, ports)


def any_answer() -> Steps:
    """Return the program of a raw IPv4 socket for whatever of preflight's comes by IPIP."""
    steps = [(_LDX_HEADER, 0, 0, 0), (_LDW_X, 0, 0, marks.OFFSET_IPIP), (_JEQ, 0, -1, marks.magic_word())]
    return _resolved(steps)


def _whole(
    head: Steps, first: Sequence[tuple[int, int, int]], kind: str, own: marks.Marks, ports: Sequence[int]
) -> Steps:
    """Return a program that accepts what passes all tests; a test is an instruction that loads, where, and the value
    that must be there."""
    tests = list(first)
    if kind == marks.TCP:
        tests += [(_LDH_X, 4, own.tag)]
        last: Steps = [(_LDB_X, 0, 0, 13), (_AND, 0, 0, _FLAGS), (_JEQ, 0, -1, _SYN), (_LDH_X, 0, 0, 2)]
    else:
        offset = marks.OFFSET_UDP if kind == marks.UDP else marks.OFFSET_IPIP
        words = (marks.magic_word(), *marks.token_words(own.ask))
        tests += [(_LDW_X, offset + 4 * at, word) for at, word in enumerate(words)]
        last = [(_LDH_X, 0, 0, 2)] if kind == marks.UDP else []
    steps = list(head)
    for load, at, value in tests:
        steps += [(load, 0, 0, at), (_JEQ, 0, -1, value)]
    steps += last
    if kind != marks.IPIP:
        most = len(ports) - 1
        steps += [(_JEQ, most - at, -1 if at == most else 0, port) for at, port in enumerate(ports)]
    return _resolved(steps)


def _resolved(steps: Steps) -> Steps:
    """Put the two ends behind a program, and say how far it is to the refusal, which -1 stands for."""
    refuse = len(steps) + 1
    found = [
        (code, when, refuse - at - 1 if other == -1 else other, value)
        for at, (code, when, other, value) in enumerate(steps)
    ]
    return [*found, (_RET, 0, 0, _ALL), (_RET, 0, 0, 0)]
