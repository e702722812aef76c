# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of ipset, read from `ipset save`, as far as they decide about packets.

    create cali40all-hosts-net hash:net family inet hashsize 1024 maxelem 1048576
    add cali40all-hosts-net 10.200.0.9

A set's type names its dimensions (hash:ip,port has two); the rule says for each whether the packet's source or its
destination is looked up. A set of a type that is not known here, or an element that cannot be read, is undecidable.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

from .._numbers import is_whole
from .._unread import note
from . import iptables_rule, model
from .model import Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Dict

    from .._unread import Unread
    from .packets import Answer, Batch

    _Sets = Dict[str, "IpSet"]
else:
    _Sets = dict

_DIMENSIONS = frozenset(("ip", "net", "port", "iface"))
# Options of a whole set which change what its elements mean.
_ODD_OPTIONS = frozenset(("netmask", "bitmask", "markmask"))
_LISTS_DEEP = 8
_WITH_PORTS = frozenset((6, 17, 132, 136))
_ICMP = frozenset((1, 58))


class _Element(NamedTuple):
    """One line of a set: its parts by dimension, and the options that matter."""

    parts: Sequence[str]
    nomatch: bool
    wildcard: bool


class IpSet:
    """One set and what it says about packets."""

    def __init__(self, name: str, kind: str, options: Sequence[str]) -> None:
        self.name = name
        self.kind = kind
        self.family = "ipv6" if "inet6" in options else "ipv4"
        self.odd = not _ODD_OPTIONS.isdisjoint(options)
        self.lines: list[str] = []

    def answer(self, batch: Batch, directions: Sequence[str], depth: int = 0) -> Answer:
        """Return (sure, maybe): the packets of `batch` in this set, looked up by `directions` ("src", "dst")."""
        if self.kind == "list:set":
            return self._in_a_member(batch, directions, depth)
        dimensions = self.kind.partition(":")[2].split(",")
        if self.odd or not _DIMENSIONS.issuperset(dimensions):
            return 0, batch.all
        # The kernel finds nothing in a set of the other family, or asked about fewer dimensions than it has.
        if len(directions) < len(dimensions) or (self.kind != "bitmap:port" and self.family != batch.family):
            return 0, 0
        if self.kind == "hash:ip" and not any(" nomatch" in line for line in self.lines):
            return self._plain_addresses(batch, directions[0])
        return self._by_longest_prefix(batch, dimensions, directions)

    def _in_a_member(self, batch: Batch, directions: Sequence[str], depth: int) -> Answer:
        sure = maybe = 0
        for line in self.lines:
            name = line.split(" ", 1)[0]
            answer = batch.in_set(name, directions, depth + 1) if depth < _LISTS_DEEP else (0, batch.all)
            sure |= answer[0]
            maybe |= answer[1]
        return sure, maybe

    def _plain_addresses(self, batch: Batch, direction: str) -> Answer:
        """Look the few addresses of the packets up in the set, which may be very large, and not the other way round."""
        members = {line.split(" ", 1)[0] for line in self.lines}
        index = batch.index("source" if direction == "src" else "destination")
        family, size = (socket.AF_INET, 4) if self.family == "ipv4" else (socket.AF_INET6, 16)
        sure = 0
        for number, mask in index.masks.items():
            if socket.inet_ntop(family, number.to_bytes(size, "big")) in members:
                sure |= mask
        return sure, sure | index.unknown

    def _by_longest_prefix(self, batch: Batch, dimensions: Sequence[str], directions: Sequence[str]) -> Answer:
        """Ask every element. Of those that hold a packet the longest prefix counts, and it may say "nomatch".

        Where an interface belongs to a net, the kernel looks no further than the longest prefix that holds the
        address, even if none of its interfaces is the packet's.
        """
        elements = [_element(line) for line in self.lines]
        ends_early = "iface" in dimensions
        if ends_early or any(element.nomatch for element in elements):
            elements.sort(key=lambda element: _prefix_length(element.parts[0]), reverse=True)
        sure = maybe = excluded_sure = excluded_maybe = 0
        longer: Answer = (0, 0)  # who is held by a longer prefix
        equal: Answer = (0, 0)
        length = -1
        for element in elements:
            element_sure, element_maybe = _holds(element, batch, dimensions, directions)
            if ends_early:
                if _prefix_length(element.parts[0]) != length:
                    length = _prefix_length(element.parts[0])
                    longer = longer[0] | equal[0], longer[1] | equal[1]
                held = _holds(element._replace(parts=element.parts[:1]), batch, dimensions[:1], directions[:1])
                equal = equal[0] | held[0], equal[1] | held[1]
                element_sure &= ~longer[1]
                element_maybe &= ~longer[0]
            if element.nomatch:
                excluded_sure |= element_sure & ~maybe
                excluded_maybe |= element_maybe & ~sure
            else:
                sure |= element_sure & ~excluded_maybe
                maybe |= element_maybe & ~excluded_sure
        return sure, maybe


class Sets(_Sets):
    """Sets by their names, and as `unread` the lines that were not understood."""

    def __init__(self) -> None:
        super().__init__()
        self.unread: Unread = []


def parse(text: str) -> Sets:
    """Read `ipset save` output: lines of "create" and "add". Never raises."""
    found = Sets()
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split(None, 3)
        if len(words) > 2 and words[0] == "add" and words[1] in found:
            found[words[1]].lines.append(line.split(None, 2)[2])
        elif len(words) > 2 and words[0] == "create":
            found[words[1]] = IpSet(words[1], words[2], words[3].split() if len(words) > 3 else ())
        elif words and line[0] != "#":
            note(found.unread, number, line)
    return found


def cuts(found: IpSet, directions: Sequence[str], family: str) -> Iterator[tuple[Match | None, str]]:
    """Yield what the elements of a set ask of a packet, as (a condition, "") or, of a set of sets, (None, a set)."""
    if found.kind == "list:set":
        yield from ((None, line.split(" ", 1)[0]) for line in found.lines)
        return
    dimensions = found.kind.partition(":")[2].split(",")
    if not _DIMENSIONS.issuperset(dimensions):
        return
    for element in map(_element, found.lines):
        for part, dimension, direction in zip(element.parts, dimensions, directions):
            yield from ((match, "") for match in _ASK[dimension](part, direction == "src", element, family) or ())


def _element(line: str) -> _Element:
    words = line.split('"', 1)[0].split()  # a comment comes last and is quoted
    return _Element(words[0].split(",") if words else [""], "nomatch" in words[1:], "wildcard" in words[1:])


def _prefix_length(part: str) -> int:
    _address, slash, length = part.partition("/")
    return int(length) if slash and is_whole(length) else 128


def _holds(element: _Element, batch: Batch, dimensions: Sequence[str], directions: Sequence[str]) -> Answer:
    """Return (sure, maybe) of one element, all its dimensions together."""
    if len(element.parts) != len(dimensions):
        return 0, batch.all
    sure = maybe = batch.all
    for part, dimension, direction in zip(element.parts, dimensions, directions):
        matches = _ASK[dimension](part, direction == "src", element, batch.family)
        for match in matches if matches is not None else (Match("undecidable", False, part),):
            answer = batch.answer(match)
            sure &= answer[0]
            maybe &= answer[1]
    return sure, maybe


def _addresses(part: str, source: bool, _element: _Element, family: str) -> Sequence[Match] | None:
    address, slash, length = part.partition("/")
    low_text, dash, high_text = address.partition("-")
    low, high = model.address_number(low_text), model.address_number(high_text if dash else low_text)
    full = 32 if family == "ipv4" else 128
    if low is None or high is None or low[0] != family or (slash and not (is_whole(length) and int(length) <= full)):
        return None
    interval = (low[1], high[1]) if not slash else model.prefix_interval(low[1], int(length), family)
    return (Match("source" if source else "destination", False, (interval,)),)


def _port(part: str, source: bool, _element: _Element, _family: str) -> Sequence[Match] | None:
    protocol, colon, port = part.rpartition(":")
    low, _dash, high = port.partition("-")
    if not is_whole(low) or (high and not is_whole(high)):
        return None
    interval = (int(low), int(high or low))
    ports = Match("source_port" if source else "destination_port", False, (interval,))
    if not colon:  # bitmap:port does not tell TCP from UDP, and knows no other
        return (Match("protocol", False, (6, 17)), ports)
    number = iptables_rule.protocol_number(protocol.lower())
    if number in _WITH_PORTS:
        return (Match("protocol", False, (number,)), ports)
    # A protocol without ports is looked up as port 0, ICMP by its type and code.
    return (
        None if number in _ICMP or number < 0 else (Match("protocol", False, (number if interval == (0, 0) else -1,)),)
    )


def _interface(part: str, source: bool, element: _Element, _family: str) -> Sequence[Match] | None:
    if part.startswith("physdev:"):
        return None
    name = part + "*" if element.wildcard else part
    return (Match("in_interface" if source else "out_interface", False, (name,)),)


_ASK: dict[str, Callable[[str, bool, _Element, str], Sequence[Match] | None]] = {
    "ip": _addresses,
    "net": _addresses,
    "port": _port,
    "iface": _interface,
}
