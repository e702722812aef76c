# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Few packets that stand for all: one of each class that the rules can tell apart.

Rules tell packets apart by where values lie: a rule for 10.0.0.0/8 and one for 10.0.0.5 cut all addresses into three
classes, and any address of a class meets the same fate as any other of it. The fields are gone through one after the
other. After each, packets for which the same rules may still hold, on the same conditions, are the same so far, and one
of them goes on to the next field: so the ports that are told apart for UDP are not told apart again for TCP.
"""

from __future__ import annotations

from .._record import NamedTuple
from . import ipset, packets
from .model import Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from .counterfactual import Sets
    from .model import BaseChain, Packet, Rule
    from .packets import Batch

_ADDRESSES = ("source", "destination")
_PORTS = ("source_port", "destination_port")
_INTERFACES = ("in_interface", "out_interface")
_TYPES = ("source_type", "destination_type", "source_type_here", "destination_type_here")
_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
_FLAGS = (0x02, 0x12, 0x10, 0x04, 0x11, 0x00, 0x03)
FIELDS = ("protocol", "state", *_INTERFACES, *_ADDRESSES, *_PORTS, "tcp_flags", *_TYPES, "packet_type")
_WITH_PORTS = frozenset((6, 17, 33, 132, 136))
_TCP = 6
_DEEPEST = 4
_ROOM = 4  # how many times the limit there may be before those of one class are put together
_FIELD_OF = {field: field for field in FIELDS if field != "state"}
_FIELD_OF.update(source_bits="source", destination_bits="destination")
# What is asked of the connection's first packet may be about either end of this one.
_EITHER_END = {
    "any_port": _PORTS,
    "ct_source": _ADDRESSES,
    "ct_destination": _ADDRESSES,
    "ct_source_port": _PORTS,
    "ct_destination_port": _PORTS,
    "ct_protocol": ("protocol",),
}
_OF_STATE = frozenset(("ct_state", "ct_status", "ct_direction", "ct_mark"))


class Representatives(NamedTuple):
    """Packets of different classes. `complete` says whether every class there is has its packet."""

    packets: list[Packet]
    complete: bool


def representatives(
    bases: Sequence[BaseChain],
    find_set: Sets,
    packet: Packet,
    within: Iterable[Rule] = (),
    fields: Iterable[str] = FIELDS,
    limit: int = 5_000,
) -> Representatives:
    """Return packets that differ from `packet` in `fields`, one for each class that the rules of `bases` tell apart.

    With the rules `within` only packets are given for which one of them may hold: what a rule might change if it were
    added is changed for one of these, and for no other packet. `packet` tells the family and the direction; of the
    interfaces only the one which that direction has is varied. Beyond `limit` packets no more are told apart.
    """
    from .counterfactual import relevant

    within = list(within)
    tests = _Tests(packet.family, find_set)
    for matches in {id(rule): rule.matches for rule in [*_rules(relevant(bases, packet)), *within]}.values():
        tests.add(matches)
    wanted = frozenset(fields)
    varied = [field for field in FIELDS if field in wanted and (getattr(packet, field) != "" or field in _ADDRESSES)]
    found: dict[Packet, None] = {}
    complete = True
    for conditions in [rule.matches for rule in within] or [()]:
        tried, whole = _told_apart(packet, varied, tests, conditions, limit)
        complete = complete and whole
        found.update((one, None) for one in tried)
    return Representatives(list(found), complete)


def _rules(bases: Iterable[BaseChain]) -> Iterator[Rule]:
    seen = set()
    for base in bases:
        for chain in base.table.chains.values():
            if id(chain) not in seen:
                seen.add(id(chain))
                yield from chain.rules()


def _told_apart(
    packet: Packet, varied: Sequence[str], tests: _Tests, conditions: Sequence[Match], limit: int
) -> tuple[list[Packet], bool]:
    found, complete, done = [packet], True, set(FIELDS) - set(varied)
    asked = [match for match in conditions if not packets.depends_on_the_way(match)]
    for field in varied:
        done.add(field)
        values = _fitting(field, tests.values(field, packet), asked, packet, tests)
        if not values:
            return [], complete
        room = max(limit * _ROOM // len(values), 1)
        if len(found) > room or len(values) > limit * _ROOM:
            found, values, complete = found[:room], values[: limit * _ROOM], False
        made = [_sound(one._replace(**{field: value})) for one in found for value in values]
        batch = packets.Batch(list(dict.fromkeys(made)), tests.find_set)
        maybe = batch.all
        for match in asked:
            if all(part in done for part, _match in tests.parts(match)):
                maybe &= batch.answer(match)[1]
        found = [batch.packets[number] for number in _firsts(tests.masks(batch, done), maybe, len(batch.packets))]
        if len(found) > limit:
            found, complete = found[:limit], False
    return found, complete


def _fitting(field: str, values: list[Any], asked: Sequence[Match], packet: Packet, tests: _Tests) -> list[Any]:
    """Return those of `values` with which the conditions on this field alone may hold."""
    own = [match for match in asked if [part for part, _match in tests.parts(match)] == [field]]
    if not own:
        return values
    batch = packets.Batch([packet._replace(**{field: value}) for value in values], tests.find_set)
    maybe = batch.all
    for match in own:
        maybe &= batch.answer(match)[1]
    return [value for number, value in enumerate(values) if maybe >> number & 1]


def _firsts(masks: Iterable[int], everybody: int, count: int) -> list[int]:
    """Return the number of one packet of each class: of one class are those that are in the same masks.

    A mask is as good as its opposite, and most have few bits or lack few, so that the work is that of the fewer ones.
    """
    signs: list[list[int]] = [[] for _number in range(count)]
    for name, mask in enumerate(masks):
        bits = f"{mask & everybody:b}"[::-1]
        inside = bits.count("1")
        if inside * 2 > count:
            bits = f"{everybody & ~mask:b}"[::-1]
        at = bits.find("1")
        while at >= 0:
            signs[at].append(name)
            at = bits.find("1", at + 1)
    found: dict[tuple[int, ...], int] = {}
    for number in range(count):
        if everybody >> number & 1:
            found.setdefault(tuple(signs[number]), number)
    return list(found.values())


class _Tests:
    """What the rules ask of packets, field by field."""

    def __init__(self, family: str, find_set: Sets) -> None:
        self.find_set = find_set
        self._family = family
        self._rules: dict[tuple[Match, ...], None] = {}
        self._parts: dict[Match, list[tuple[str, Match]]] = {}
        self._bounds: dict[str, set[int]] = {}
        self._words: dict[str, set[Any]] = {"state": set(_STATES)}

    def add(self, matches: Sequence[Match]) -> None:
        """Take in the conditions of one rule."""
        self._rules[tuple(matches)] = None
        for match in matches:
            for field, part in self.parts(match):
                self._cut(field, part)

    def parts(self, match: Match) -> list[tuple[str, Match]]:
        """Return (field, condition on that field alone) of all that a match asks."""
        found = self._parts.get(match)
        if found is None:
            found = self._parts[match] = list(self._taken_apart(match, 0))
        return found

    def _taken_apart(self, match: Match, depth: int) -> Iterator[tuple[str, Match]]:
        kind, value = match.kind, match.value
        if kind in _FIELD_OF:
            yield _FIELD_OF[kind], match
        elif kind in _EITHER_END:
            yield from ((field, Match(field, False, value)) for field in _EITHER_END[kind])
            if kind != "any_port":
                yield "state", match
        elif kind in _OF_STATE:
            yield "state", match
        elif kind in {"any_of", "changing_set"}:
            for group in value if kind == "any_of" else value[1]:
                for inner in group:
                    yield from self._taken_apart(inner, depth)
        elif kind == "set":
            yield from self._of_set(value[0], value[1], depth)

    def _of_set(self, name: str, directions: Sequence[str], depth: int) -> Iterator[tuple[str, Match]]:
        found = self.find_set(name)
        if found is None or depth > _DEEPEST:
            return
        for match, member in ipset.cuts(found, directions, self._family):
            if match is not None:
                yield from self._taken_apart(match, depth)
            elif member:
                yield from self._of_set(member, directions, depth + 1)

    def _cut(self, field: str, part: Match) -> None:
        if field == "state":
            return
        if part.kind in {"source_bits", "destination_bits"}:
            number, mask = part.value
            lowest = number ^ (mask & -mask)
            self._bounds.setdefault(field, set()).update((number, number + 1, lowest, lowest + 1))
        elif field in _ADDRESSES or field in _PORTS:
            for low, high in part.value:
                self._bounds.setdefault(field, set()).update((low, high + 1))
        elif field == "tcp_flags":
            self._words.setdefault(field, set()).update([*_FLAGS, *part.value[1]])
        else:
            self._words.setdefault(field, set()).update(part.value)

    def values(self, field: str, packet: Packet) -> list[Any]:
        """Return one value of each range between two cuts, the packet's own one first."""
        own = getattr(packet, field)
        if field in _ADDRESSES or field in _PORTS:
            highest = 65535 if field in _PORTS else (1 << (32 if self._family == "ipv4" else 128)) - 1
            starts = {0} | {bound for bound in self._bounds.get(field, ()) if 0 <= bound <= highest}
            known = own[:1] if isinstance(own, tuple) else [] if own is None else [own]
            return [*known, *sorted(starts.difference(known))]
        words = set(self._words.get(field, ()))
        if field in _INTERFACES:
            words = {name[:-1] + "0" if name.endswith("*") else name for name in words} | {"other0"}
        elif field == "protocol":
            words = {number for number in words if 0 <= number <= 255} | {253}
        return [own, *sorted(words - {own})]

    def masks(self, batch: Batch, done: set[str]) -> set[int]:
        """Return who may still meet each rule, as far as the fields in `done` tell, and on which conditions."""
        found = set()
        states = batch.index("state").masks.values()
        for matches in self._rules:
            alive = batch.all
            split: list[int] = []
            for match in matches:
                parts = self.parts(match)
                if len(parts) == 1 and parts[0][1] is match and parts[0][0] in done and parts[0][0] != "state":
                    sure, maybe = batch.answer(match)
                    alive &= maybe
                    split.append(sure)
                    continue
                for field, part in parts:
                    if field == "state":
                        split += states
                    elif field in done:
                        split += batch.answer(part)
            if alive:
                found.add(alive)
                found.update(mask & alive for mask in split)
        return found


def _sound(packet: Packet) -> Packet:
    """Return the packet without what its protocol has not."""
    if packet.protocol not in _WITH_PORTS:
        packet = packet._replace(source_port=None, destination_port=None)
    direction = "REPLY" if packet.state == "ESTABLISHED" else "ORIGINAL"
    flags = packet.tcp_flags if packet.protocol == _TCP else 0
    return packet._replace(tcp_flags=flags, direction=direction)
