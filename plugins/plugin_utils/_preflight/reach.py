# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom, by way and direction: what the probers were answered joined with what the listeners heard.

Hosts are bits of whole numbers, so that what is well costs next to nothing: a thousand hosts are a million pairs.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._preflight.masks import mask, numbers
from .._evidence import plain
from . import ways as all_ways

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .model import Host, Scene

OPEN, BLOCKED, UNKNOWN = "open", "blocked", "unknown"
HELD, TAKEN = "held", "taken"
# Where a packet was lost.
AT_LISTENER, AT_DIALLER, ON_THE_WAY, ANSWER, STRANGER = "listener", "dialler", "network", "answer", "stranger"
_MOST_DIGITS = 1 << 14


class Verdict(NamedTuple):
    """One direction of one pair on one way. place: where it is blocked; result: what the prober saw; sender and detail:
    who refused, and in which words."""

    state: str
    place: str = ""
    result: str = ""
    sender: str = ""
    detail: str = ""


class _Row(NamedTuple):
    """What one host told: by way and result whom it asked, whom it heard in front of and behind its firewall, details
    by way and number, and the state of its ports by way."""

    asked: Mapping[str, Mapping[str, int]]
    before: Mapping[str, int]
    behind: Mapping[str, int]
    details: Mapping[tuple[str, int], Mapping[str, Any]]
    ports: Mapping[str, str]
    was_heard: bool


class Reach:
    """The matrix. Ways are called as nodes call them: tcp179, udp4789, ipip; those of IPv6 end on /6."""

    def __init__(self, hosts: Sequence[Host], ways: all_ways.Ways) -> None:
        self.names = [host.name for host in hosts]
        self.hosts = list(hosts)
        self.ways = ways
        self._number = {name: at for at, name in enumerate(self.names)}
        self._rows = [_row(host) for host in hosts]
        self._families = {
            six: mask(at for at, host in enumerate(hosts) if any((":" in one) == six for one in host.addresses))
            for six in (False, True)
        }

    @classmethod
    def of(cls, scene: Scene) -> Reach:
        """The matrix of what was seen."""
        return cls(taking_part(scene.hosts), all_ways.wanted(scene.planned))

    @cached_property
    def every_way(self) -> tuple[str, ...]:
        """All ways that were to be probed between any two hosts."""
        found = []
        for six in (False, True):
            if self._families[six].bit_count() > 1:
                found += [f"{way}/6" if six else way for way in self.ways.names if not (six and way == "ipip")]
        return tuple(found)

    def expected(self, prober: str, way: str) -> int:
        """The numbers of those that a host was to probe on a way, as bits."""
        family = self._families[way.endswith("/6")]
        own = 1 << self._number[prober]
        return family & ~own if family & own else 0

    def was_asked(self, prober: str) -> bool:
        """The host has probed."""
        return bool(self._rows[self._number[prober]].asked)

    def not_open(self, prober: str, way: str) -> int:
        """Of those the ones whose own listener has not answered, as bits."""
        asked = self._rows[self._number[prober]].asked.get(way, {})
        return self.expected(prober, way) & ~asked.get(OPEN, 0)

    def unanswered(self) -> int:
        """The hosts that somebody has not heard from on some way, as bits: these may be waiting for a probe yet."""
        found = 0
        for name in self.names:
            for way in self.every_way:
                found |= self.not_open(name, way)
        return found

    def troubles(self) -> Iterator[tuple[str, str, str, Verdict]]:
        """Prober, listener, way and verdict of all that is not open."""
        for name in self.names:
            for way in self.every_way:
                for number in numbers(self.not_open(name, way)):
                    found = self.verdict(name, self.names[number], way)
                    if found.state != OPEN:
                        yield name, self.names[number], way, found

    def verdict(self, prober: str, listener: str, way: str) -> Verdict:
        """What is known of one direction; unknown for hosts that took no part."""
        if prober not in self._number or listener not in self._number or prober == listener:
            return Verdict(UNKNOWN)
        if way == all_ways.MTU:
            return self._size(prober, listener)
        at, to = self._number[prober], self._number[listener]
        row, other = self._rows[at], self._rows[to]
        result = next((word for word, of in row.asked.get(way, {}).items() if of >> to & 1), "")
        if result == OPEN:
            return Verdict(OPEN, result=result)
        if result == "silent" and self._reached_by_another_name(row, to, way):
            return Verdict(OPEN, result=result)
        told = row.details.get((way, to), {})
        seen = Verdict(BLOCKED, "", result, plain.text(told.get("from")), plain.text(told.get("detail")))
        if other.behind.get(way, 0) >> at & 1:
            return self._heard(to, way, seen)
        if result in ("", "not_tried"):
            # Nothing was sent, as to BGP's port where there are passwords, or too late.
            return Verdict(UNKNOWN, result=result)
        return seen._replace(place=_place(way, at, seen, other), state=_state(seen, other, way))

    def sizes(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Prober, listener and what was measured of all paths that carry less than is sent into them."""
        for name, host in zip(self.names, self.hosts, strict=False):
            for one in plain.mappings(plain.mapping(host.probed.get("mtu")).get("smaller")):
                number = plain.integer(one.get("host"))
                if number is not None and 0 <= number < len(self.names) and plain.count(one.get("carries")):
                    yield name, self.names[number], one

    def not_measured(self) -> Iterator[tuple[str, str, str]]:
        """Prober, listener and why its path was not measured; '' where nobody answered."""
        for name, host in zip(self.names, self.hosts, strict=True):
            told = plain.mapping(host.probed.get("mtu"))
            for key in ("silent", "silent/6"):
                for of in _sets(told.get(key)).values():
                    yield from ((name, self.names[number], "") for number in numbers(of) if number < len(self.names))
            for one in plain.mappings(told.get("smaller")):
                number = plain.integer(one.get("host"))
                if number is not None and 0 <= number < len(self.names) and not plain.count(one.get("carries")):
                    yield name, self.names[number], plain.text(one.get("detail"))

    def other_senders(self) -> Iterator[tuple[str, str, str]]:
        """Prober, listener and the address that the listener saw instead of the prober's own."""
        for name, host in zip(self.names, self.hosts, strict=False):
            for source in (host.probed, host.told):
                senders = plain.mapping(plain.mapping(source.get("heard")).get("other_senders"))
                for text, address in senders.items():
                    number = plain.integer(text)
                    if number is not None and 0 <= number < len(self.names):
                        yield self.names[number], name, plain.text(address)

    def _heard(self, to: int, way: str, seen: Verdict) -> Verdict:
        """The probe came through the listener's firewall, and the answer is not what it should be."""
        state = self._rows[to].ports.get(way, HELD)
        if not way.startswith("tcp"):
            # What is carried here is not answered: each direction counts for itself.
            return Verdict(OPEN, result=seen.result)
        if seen.result == "answered" or (state != HELD and seen.result == "reset"):
            # A program on the port, the kernel where nobody has it, or something between them that has rewritten what
            # was offered, and has let it through.
            return Verdict(OPEN, result=seen.result)
        if state == TAKEN and seen.result == "silent" and not self._answers_somebody(to, way):
            # The program may answer nobody, as one that wants signed segments, or is not to be seen from here.
            return Verdict(UNKNOWN, result=seen.result)
        return seen._replace(place=ANSWER)

    def _reached_by_another_name(self, row: _Row, to: int, way: str) -> bool:
        """Two hosts have this address, and as one of them it has answered: the other one was not to be asked."""
        of = row.asked.get(way, {})
        answered = of.get(OPEN, 0) | of.get("answered", 0) | of.get("reset", 0)
        return any(answered >> number & 1 for number in self._namesakes.get(to, ()))

    @cached_property
    def _namesakes(self) -> dict[int, list[int]]:
        """By number the numbers of the hosts with which a host shares an address; none for most."""
        holders: dict[str, list[int]] = {}
        for number, host in enumerate(self.hosts):
            for address in host.addresses:
                holders.setdefault(address, []).append(number)
        found: dict[int, list[int]] = {}
        for numbers_of in (of for of in holders.values() if len(of) > 1):
            for number in numbers_of:
                found[number] = [one for one in numbers_of if one != number]
        return found

    def _answers_somebody(self, to: int, way: str) -> bool:
        """A host's port, whoever has it, has answered one of the others."""
        asked = (row.asked.get(way, {}) for row in self._rows)
        return any(of.get(word, 0) >> to & 1 for of in asked for word in (OPEN, "answered", "reset"))

    def _size(self, prober: str, listener: str) -> Verdict:
        for name, other, one in self.sizes():
            if (name, other) == (prober, listener):
                return Verdict(BLOCKED, ON_THE_WAY, plain.text(one.get("result")) or "smaller")
        told = plain.mapping(self.hosts[self._number[prober]].probed.get("mtu"))
        bit = self._number[listener]
        fine = any(value >> bit & 1 for key, of in told.items() if key.startswith("ok") for value in _sets(of).values())
        return Verdict(OPEN if fine else UNKNOWN)


def taking_part(hosts: Mapping[str, Host]) -> list[Host]:
    """The hosts that listen, in the inventory's order, by which they are numbered."""
    return [host for host in hosts.values() if host.addresses and plain.text(host.listened.get("token"))]


def _state(seen: Verdict, other: _Row, way: str) -> str:
    """Something answers that is not our listener: where another program has the port, and nobody tells what that host
    heard, it is that program."""
    if seen.result == "answered" and other.ports.get(way) == TAKEN and not other.was_heard:
        return OPEN
    return BLOCKED


def _place(way: str, prober: int, seen: Verdict, other: _Row) -> str:
    if other.before.get(way, 0) >> prober & 1:
        return AT_LISTENER
    if seen.result == "answered":
        return STRANGER
    if seen.result == "error":
        return AT_DIALLER
    return ON_THE_WAY if other.was_heard else ""


def _row(host: Host) -> _Row:
    ways = plain.mapping(host.probed.get("ways"))
    heard = [plain.mapping(source.get("heard")) for source in (host.probed, host.told)]
    details = {}
    for one in plain.mappings(host.probed.get("details")):
        number = plain.integer(one.get("host"))
        if number is not None:
            details[plain.text(one.get("way")), number] = one
    ports = {}
    for one in plain.mappings(host.listened.get("ports")):
        six = "/6" if one.get("ipv6") else ""
        ports[f"{plain.text(one.get('protocol'))}{plain.text(one.get('port'))}{six}"] = plain.text(one.get("state"))
    return _Row(
        {way: _sets(of) for way, of in ways.items()},
        _joined(_sets(one.get("before")) for one in heard),
        _joined(_sets(one.get("behind")) for one in heard),
        details,
        ports,
        # Only what it heard in the end tells that something never came.
        bool(heard[1]),
    )


def _joined(sets: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in sets:
        for key, value in one.items():
            found[key] = found.get(key, 0) | value
    return found


def _sets(told: Any) -> dict[str, int]:
    """Sets of hosts by name, as nodes tell them."""
    return {name: _bits(text) for name, text in plain.mapping(told).items()}


def _bits(told: Any) -> int:
    text = plain.text(told)
    try:
        return int(text, 16) if len(text) <= _MOST_DIGITS and "-" not in text else 0
    except ValueError:
        return 0
