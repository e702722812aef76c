# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture shows of BGP: who called whom, what each end sent, whether it was acknowledged, and how it ended.

calico_bgp.captured is a list, one entry for each pair of ends:

  {"caller": "10.0.0.9", "called": "10.0.0.10",    as tcpdump printed them, names perhaps
   "handshake": true,                              a SYN and its answer are in the capture
   "sent": {"payloads": 3, "repeated": 3, "acknowledged": false, "messages": {"open": 3}},      by the caller
   "answered": {...},                              the same of the end that was called
   "resets": ["10.0.0.10"],                        who sent a reset
   "notifications": [{"by": "10.0.0.9", "says": "Hold timer expired (4)", "heard_before": 0.4}]}

repeated: how often the same bytes were sent at most. acknowledged: the other end has them. heard_before: seconds since
the other end's last message, absent if the capture has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.bgp_daemon import BGP_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .tcpdump import Packet

    Entry = dict[str, Any]

MOST = 20
_MOST_CONNECTIONS = 400
_MOST_NOTIFICATIONS = 5
_CLOCK = re.compile(r"(?:\S+ )?(\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)$")
_BYTES = re.compile(r"\bseq (\d{1,10}:(\d{1,10}))\b")
_ACK = re.compile(r"\back (\d{1,10})\b")
_DAY = 86400.0


def conversations(packets: Iterable[Packet]) -> list[Entry]:
    """Return an entry for each pair of ends that speak BGP, the first MOST of them: of their last connection over which
    anything was sent, with the notifications of all."""
    found: dict[tuple[str, int, str], _Connection] = {}
    for packet in packets:
        if packet.protocol != "tcp" or BGP_PORT not in (packet.source_port, packet.destination_port):
            continue
        caller, port, called = packet.source, packet.source_port, packet.destination
        if packet.destination_port != BGP_PORT:
            caller, port, called = packet.destination, packet.destination_port, packet.source
        if caller != called and ((caller, port, called) in found or len(found) < _MOST_CONNECTIONS):
            found.setdefault((caller, port, called), _Connection(caller, called)).add(packet)
    return _by_ends(found.values())


def _by_ends(connections: Iterable[_Connection]) -> list[Entry]:
    entries: dict[frozenset[str], Entry] = {}
    for one in connections:
        ends, entry = frozenset(one.ends), one.entry()
        before = entries.get(ends)
        if before is not None:
            told = [*before["notifications"], *entry["notifications"]][:_MOST_NOTIFICATIONS]
            sent = entry["sent"]["payloads"] or entry["answered"]["payloads"]
            entry = {**(entry if sent else before), "notifications": told}
        if before is not None or len(entries) < MOST:
            entries[ends] = entry
    return list(entries.values())


class _Sent:
    """What one end sent."""

    def __init__(self) -> None:
        self.payloads = 0
        self.acknowledged = False
        self.messages: dict[str, int] = {}
        self.last: float | None = None
        self.ends: set[str] = set()
        self._ranges: dict[str, int] = {}

    def add(self, packet: Packet, at: float | None) -> None:
        self.payloads += 1
        self.last = at
        for kind, _says in packet.messages:
            self.messages[kind] = self.messages.get(kind, 0) + 1
        numbers = _BYTES.search(packet.info)
        if numbers is not None:
            self.ends.add(numbers.group(2))
            self._ranges[numbers.group(1)] = self._ranges.get(numbers.group(1), 0) + 1

    def entry(self) -> Entry:
        found: Entry = {"payloads": self.payloads, "repeated": max(self._ranges.values(), default=0)}
        found["acknowledged"] = self.acknowledged
        return {**found, "messages": self.messages}


class _Connection:
    """The packets of one connection."""

    def __init__(self, caller: str, called: str) -> None:
        self.ends = (caller, called)
        self._sent = {caller: _Sent(), called: _Sent()}
        self._asked = self._taken = False
        self._resets: list[str] = []
        self._notifications: list[Entry] = []

    def add(self, packet: Packet) -> None:
        at = _seconds(packet.at)
        own, other = self._sent[packet.source], self._sent[packet.destination]
        if "S" in packet.flags:
            self._asked = self._asked or "." not in packet.flags
            self._taken = self._taken or "." in packet.flags
            return
        if "R" in packet.flags and packet.source not in self._resets:
            self._resets.append(packet.source)
        number = _ACK.search(packet.info)
        # tcpdump counts from the first byte where it has seen a connection's start; else the first numbers are as sent.
        if number is not None and other.payloads:
            counted = self._asked and int(number.group(1)) > 1
            other.acknowledged = other.acknowledged or counted or number.group(1) in other.ends
        if packet.length:
            self._note(packet, at, other.last)
            own.add(packet, at)

    def _note(self, packet: Packet, at: float | None, heard: float | None) -> None:
        for kind, says in packet.messages:
            if kind == "notification" and len(self._notifications) < _MOST_NOTIFICATIONS:
                entry: Entry = {"by": packet.source, "says": says}
                if at is not None and heard is not None:
                    # Clocks without a date begin anew at midnight.
                    entry["heard_before"] = round((at - heard) % _DAY, 3)
                self._notifications.append(entry)

    def entry(self) -> Entry:
        caller, called = self.ends
        return {
            "caller": caller,
            "called": called,
            "handshake": self._asked and self._taken,
            "sent": self._sent[caller].entry(),
            "answered": self._sent[called].entry(),
            "resets": self._resets,
            "notifications": self._notifications,
        }


def _seconds(at: str) -> float | None:
    """Return a time as seconds, of the day where it has no date; None for none."""
    clock = _CLOCK.match(at)
    if clock is not None:
        hours, minutes, seconds = clock.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return float(at) % _DAY if re.fullmatch(r"\d{9,11}\.\d{1,9}", at) else None
