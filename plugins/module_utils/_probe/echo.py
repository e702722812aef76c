# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ICMP and ICMPv6 echo to many addresses at once: does the peer's machine answer at all."""

from __future__ import annotations

import errno
import os
import socket
import struct

from . import sockets, wire
from .volley import Volley

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS4 = (wire.ICMP_ECHO_REPLY, wire.ICMP_UNREACHABLE, wire.ICMP_TIME_EXCEEDED)
_KINDS6 = (wire.ICMP6_ECHO_REPLY, wire.ICMP6_UNREACHABLE, wire.ICMP6_TIME_EXCEEDED)
_LENGTH = 64


class EchoProber(Volley):
    """Asks all targets, given as (peer, source address or ''); `results` are in the targets' order once the loop
    has run.

    A result is answered, silent, unreachable (an ICMP error, or no route) or not_tried (a rule of this
    host refused the packet, or time ran out).
    Raises OSError (PermissionError without CAP_NET_RAW) if raw sockets cannot be had.
    """

    def __init__(self, targets: Sequence[tuple[str, str]], timeout: float, rate: float) -> None:
        super().__init__(len(targets), timeout, rate)
        self._targets = list(targets)
        self.results = ["not_tried"] * len(targets)
        self._identifier, self._token = struct.unpack("=H8s", os.urandom(10))
        self._numbers = {peer.partition("%")[0]: number for number, (peer, _source) in enumerate(targets)}
        self._exits: dict[tuple[int, str], socket.socket] = {}
        try:
            for peer, source in targets:
                self._prepare(sockets.family_of(peer), source)
        except OSError:
            self.close()
            raise

    def transmit(self, number: int) -> bool:
        """Send one echo request."""
        peer, source = self._targets[number]
        family = sockets.family_of(peer)
        kind = wire.ICMP_ECHO if family == socket.AF_INET else wire.ICMP6_ECHO
        packet = wire.echo_request(kind, self._identifier, number & 0xFFFF, _LENGTH, self._token)
        try:
            self._exits[family, source].sendto(packet, sockets.socket_address(family, peer, 0))
        except OSError as error:
            if sockets.may_be_full(error):
                return False
            self._settle(number, "not_tried" if error.errno == errno.EPERM else "unreachable")
        else:
            self.results[number] = "silent"
        return True

    def receive(self, source: socket.socket, data: bytes, sender: str, _now: float) -> None:
        """Match a reply or an error with its request."""
        version = 4 if source.family == socket.AF_INET else 6
        message = wire.ipv4_payload(data) if version == 4 else data
        error = wire.parse_icmp_error(message, version)
        echo = wire.parse_echo(error.quoted if error else message)
        number = self._numbers.get(error.destination if error else sender)
        if number is None or echo is None or echo[1:3] != (self._identifier, number & 0xFFFF):
            return
        if error:
            self._settle(number, "unreachable")
        elif echo[0] in (wire.ICMP_ECHO_REPLY, wire.ICMP6_ECHO_REPLY) and echo[3].startswith(self._token):
            self._settle(number, "answered")

    def _prepare(self, family: int, source: str) -> None:
        if (family, source) in self._exits:
            return
        kinds = _KINDS4 if family == socket.AF_INET else _KINDS6
        try:
            opened = sockets.icmp(family, kinds, source)
        except PermissionError:
            raise
        except OSError:
            # The BGP source address is not on this host; whether the peer is alive can be asked from another one.
            opened = sockets.icmp(family, kinds)
        self.sockets.append(opened)
        self._exits[family, source] = opened

    def _settle(self, number: int, result: str) -> None:
        if self.waits_for(number):
            self.settle(number)
            self.results[number] = result
