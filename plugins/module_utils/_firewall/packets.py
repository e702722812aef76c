# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many packets at once: every question is answered for all of them together, in one number with one bit per packet.

A match is answered with a pair (sure, maybe): the packets for which it surely holds, and those for which it may hold.
They differ where it is undecidable. What a thousand peers have in common costs as much as for one, and what they have
not costs a bisection per rule, so that rules and peers add up instead of multiplying.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from .._numbers import is_whole
from . import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from .ipset import IpSet
    from .model import Match, Packet

    Answer = tuple[int, int]
    Intervals = Sequence[tuple[int, int]]
    # What changes on a packet's way: mark, its unknown bits, connection's mark, its unknown bits,
    # BEFORE|TRACKED|UNTRACKED.
    State = tuple[int, int, int, int, int]

# How far conntrack has got with a packet. Before it, and for a packet taken out of its hands, there is no connection.
BEFORE, TRACKED, UNTRACKED = 0, 1, 2

_ON_THE_WAY = frozenset(
    (
        *("mark", "ct_mark", "ct_state", "ct_status", "ct_direction", "ct_protocol", "ct_family"),
        *("ct_source", "ct_destination", "ct_source_port", "ct_destination_port"),
    )
)
_WITH_PORTS = frozenset((1, 6, 17, 33, 47, 58, 132, 136))  # or what conntrack puts in their place
_OF_CONNECTION = {
    "ct_source": ("source", "destination"),
    "ct_destination": ("destination", "source"),
    "ct_source_port": ("source_port", "destination_port"),
    "ct_destination_port": ("destination_port", "source_port"),
}


class _Index:
    """Which packets have which value in one field; None stands for a value that is not known."""

    def __init__(self, masks: dict[Any, int]) -> None:
        self.unknown = masks.pop(None, 0)
        self.masks = masks
        self._sorted: list[int] = []
        self._up_to: list[int] = []

    def between(self, low: int, high: int) -> int:
        """Return the packets whose (numeric) value is within low..high."""
        if len(self.masks) < 4:
            return _union(mask for value, mask in self.masks.items() if low <= value <= high)
        if not self._sorted:
            self._sorted = sorted(self.masks)
            self._up_to = [0]
            for value in self._sorted:
                self._up_to.append(self._up_to[-1] | self.masks[value])
        first, last = bisect_left(self._sorted, low), bisect_right(self._sorted, high)
        return self._up_to[last] & ~self._up_to[first] if first < last else 0


# Prefixes in rules' texts, which several batches ask about.
_PREFIXES: dict[tuple[str, str], tuple[int, int] | None] = {}
_MOST_PREFIXES = 100_000


def _interval_of(text: str, family: str) -> tuple[int, int] | None:
    """Return the lowest and highest address of "address/length"; None if it is none of this family."""
    key = (text, family)
    if key not in _PREFIXES:
        address, _slash, length = text.partition("/")
        parsed = model.address_number(address)
        full = 32 if family == "ipv4" else 128
        known = parsed is not None and parsed[0] == family and is_whole(length) and int(length) <= full
        if len(_PREFIXES) >= _MOST_PREFIXES:
            _PREFIXES.clear()
        _PREFIXES[key] = model.prefix_interval(parsed[1], int(length), family) if known and parsed is not None else None
    return _PREFIXES[key]


class Batch:
    """Packets of one family and one direction, ready to be asked about.

    `sets` finds a set of ipset by its name; None for one that is unknown. With `kinds` there is one packet of each kind
    for each of `packets`, those of the first kind first; a kind tells the fields in which its packets are different.
    """

    def __init__(
        self,
        packets: Sequence[Packet],
        sets: Callable[[str], IpSet | None],
        kinds: Sequence[Mapping[str, Any]] = ({},),
    ) -> None:
        self.sets = sets
        self.family = packets[0].family if packets else "ipv4"
        self.size = len(packets)
        self.all = (1 << self.size * len(kinds)) - 1
        self.packets = packets
        self._kinds = kinds
        self._indexes: dict[str, _Index] = {}
        self._given: dict[str, _Index] = {}  # of fields that are no longer what the packets began with
        self._changed_sets: dict[str, Answer] = {}  # who may have been put into a set, and taken out of it
        self._answers: dict[Match, Answer] = {}
        self._named: dict[tuple[str, str], bool] = {}

    def index(self, field: str) -> _Index:
        """Return which packets have which value in `field`."""
        found = self._indexes.get(field)
        if found is None:
            found = self._indexes[field] = _Index(self._masks(field))
        return found

    def _masks(self, field: str) -> dict[Any, int]:
        masks: dict[Any, int] = {}
        each_kind = 0
        for number, kind in enumerate(self._kinds):
            first = 1 << number * self.size
            if field in kind:
                masks[kind[field]] = masks.get(kind[field], 0) | first * ((1 << self.size) - 1)
            else:
                each_kind |= first
        if each_kind:
            own: dict[Any, int] = {}
            for number, packet in enumerate(self.packets):
                value = getattr(packet, field)
                own[value] = own.get(value, 0) | 1 << number
            for value, mask in own.items():
                masks[value] = masks.get(value, 0) | mask * each_kind
        return masks

    def of_kind(self, members: int, kind: int) -> int:
        """Return those of `members` that are of a kind, as bits of the packets that the batch was made from."""
        return members >> kind * self.size & (1 << self.size) - 1

    def forgetting(self, fields: Iterable[str], who: int) -> Batch:
        """Return the same packets, of which those in `who` have unknown values in `fields`."""
        given = {}
        for field in fields:
            index = self.index(field)
            masks: dict[Any, int] = {value: mask & ~who for value, mask in index.masks.items() if mask & ~who}
            masks[None] = index.unknown | who
            given[field] = _Index(masks)
        return self._with(given)

    def _with(self, given: Mapping[str, _Index]) -> Batch:
        other = Batch(self.packets, self.sets, self._kinds)
        other._given = {**self._given, **given}
        other._indexes = dict(other._given)
        other._changed_sets = dict(self._changed_sets)
        return other

    def with_changed_set(self, name: str, grows: bool, who: int) -> Batch | None:
        """Return the same packets after a rule may have put those in `who` into a set, or have taken them out of it;
        None if that was known already."""
        put_in, taken_out = self._changed_sets.get(name, (0, 0))
        now = (put_in | who, taken_out) if grows else (put_in, taken_out | who)
        if now == (put_in, taken_out):
            return None
        other = self._with({})
        other._changed_sets[name] = now
        return other

    def after_others(self, batches: Iterable[Batch]) -> Batch | None:
        """Return these packets as they come after others, which have changed sets; None if that is known already."""
        changed: Batch | None = None
        for other in batches:
            for name, (put_in, taken_out) in other._changed_sets.items():
                for grows, who in ((True, put_in), (False, taken_out)):
                    if who:
                        changed = (changed or self).with_changed_set(name, grows, self.all) or changed
        return changed

    def is_forgotten(self, field: str) -> bool:
        """Say whether a field is no longer what the packets began with."""
        return field in self._given

    def goes_through(self) -> bool:
        """Say whether these packets go through this host: then they come by an interface and leave by another one."""
        return not any("" in self.index(field).masks for field in ("in_interface", "out_interface"))

    def before_routing(self) -> Batch:
        """Return the same packets as the hooks see them that come before it is known where they go."""
        return self._with({"out_interface": _Index({"": self.all})})

    def screen(self) -> model.Screen:
        """Return what throws out rules by their text."""
        protocols, ports = self.index("protocol"), self.index("destination_port")
        found: dict[int, Sequence[tuple[int, int]] | None] = {}
        for protocol, mask in protocols.masks.items():
            of_protocol = [value for value, others in ports.masks.items() if mask & others]
            intervals = [value if isinstance(value, tuple) else (value, value) for value in of_protocol]
            found[protocol] = None if mask & ports.unknown else intervals
        return model.Screen(None if protocols.unknown else found, self._can_be)

    def _can_be(self, field: str, text: str) -> bool:
        if field in {"in_interface", "out_interface"}:
            known = self._named.get((field, text))
            if known is None:
                name = text[:-1] + "*" if text.endswith("+") else text
                known = self._named[(field, text)] = self._interfaces(field, (name,))[1] != 0
            return known
        interval = _interval_of(text, self.family)
        index = self.index(field)
        if interval is None or index.unknown:
            return True
        low, high = interval
        if len(index.masks) < 4:
            return any(low <= value <= high for value in index.masks)
        return index.between(low, high) != 0

    # --- matches ---

    def answer(self, match: Match) -> Answer:
        """Return (sure, maybe) of a match that depends on nothing which changes on the way."""
        found = self._answers.get(match)
        if found is None:
            sure, maybe = self._ask(match, None)
            found = self._answers[match] = (self.all & ~maybe, self.all & ~sure) if match.negated else (sure, maybe)
        return found

    def answer_on_the_way(self, match: Match, state: State) -> Answer:
        """Return (sure, maybe) of any match for packets in `state`."""
        sure, maybe = self._ask(match, state)
        if match.negated and not (match.kind in _ON_THE_WAY and match.kind != "mark" and _no_connection(match, state)):
            return self.all & ~maybe, self.all & ~sure
        return sure, maybe

    def _ask(self, match: Match, state: State | None) -> Answer:
        kind, value = match.kind, match.value
        if kind in _INTERVALS:
            return self._between(kind, value)
        if kind in _WORDS:
            return self._one_of(self.index(kind), value)
        if kind in {"in_interface", "out_interface"}:
            return self._interfaces(kind, value)
        if kind == "any_of":
            return self._any_of(value, state)
        if kind == "changing_set":
            return self._as_changed(value[0], self._any_of(value[1], state))
        if kind in _SPECIAL:
            return _SPECIAL[kind](self, value)
        if state is not None and kind in _ON_THE_WAY:
            return self._by_state(kind, value, state)
        return 0, self.all

    def _between(self, field: str, intervals: Intervals) -> Answer:
        """Answer for a numeric field, whose values may be intervals (a port that is one of many)."""
        index = self.index(field)
        sure = maybe = 0
        if any(isinstance(value, tuple) for value in index.masks):
            for value, mask in index.masks.items():
                low, high = value if isinstance(value, tuple) else (value, value)
                overlap = [interval for interval in intervals if interval[0] <= high and low <= interval[1]]
                maybe |= mask if overlap else 0
                sure |= mask if any(interval[0] <= low and high <= interval[1] for interval in overlap) else 0
            return sure, maybe | index.unknown
        for low, high in intervals:
            sure |= index.between(low, high)
        return sure, sure | index.unknown

    def _one_of(self, index: _Index, values: Sequence[Any]) -> Answer:
        sure = _union(index.masks.get(value, 0) for value in values)
        return sure, sure | index.unknown

    def _interfaces(self, field: str, names: Sequence[str]) -> Answer:
        index = self.index(field)
        sure = 0
        for name in names:
            if name.endswith("*"):
                sure |= _union(mask for value, mask in index.masks.items() if value.startswith(name[:-1]))
            else:
                sure |= index.masks.get(name, 0)
        unknown = index.unknown
        if unknown and all(name == LOOPBACK for name in names):
            # By the loopback only this host's own packets go.
            end = "source_type" if field == "in_interface" else "destination_type"
            unknown &= ~self.index(end).masks.get("UNICAST", 0)
        return sure, sure | unknown

    def _bits(self, field: str, value: tuple[int, int]) -> Answer:
        index = self.index(field)
        sure = _union(mask for number, mask in index.masks.items() if number & value[1] == value[0])
        return sure, sure | index.unknown

    def _tcp_flags(self, value: tuple[int, Sequence[int]]) -> Answer:
        index = self.index("tcp_flags")
        sure = _union(mask for flags, mask in index.masks.items() if flags & value[0] in value[1])
        segments = self._one_of(self.index("protocol"), (6,))
        return sure & segments[0], (sure | index.unknown) & segments[1]

    def _any_port(self, intervals: Intervals) -> Answer:
        first, second = self._between("source_port", intervals), self._between("destination_port", intervals)
        return first[0] | second[0], first[1] | second[1]

    def _reverse_path(self, _value: None) -> Answer:
        # The caller names as incoming interface the one by which this host reaches the peer, so where it is known the
        # check passes.
        known = self.all & ~self.index("in_interface").unknown
        return known, self.all

    def _bridge_port(self, _value: object) -> Answer:
        return 0, self.all & ~self.index("bridged").masks.get(False, 0)

    def _set(self, value: tuple[str, Sequence[str]]) -> Answer:
        return self.in_set(*value)

    def in_set(self, name: str, directions: Sequence[str], depth: int = 0) -> Answer:
        """Return (sure, maybe): the packets in a set of ipset, after what rules have done to it on the way."""
        found = self.sets(name)
        answer = found.answer(self, directions, depth) if found is not None else (0, self.all)
        return self._as_changed(name, answer)

    def _as_changed(self, name: str, answer: Answer) -> Answer:
        put_in, taken_out = self._changed_sets.get(name, (0, 0))
        return answer[0] & ~taken_out, answer[1] | put_in

    def _ipsec(self, _value: None) -> Answer:
        return 0, self.all & ~self.index("ipsec").masks.get(False, 0)

    def _any_of(self, groups: Sequence[Sequence[Match]], state: State | None) -> Answer:
        sure = maybe = 0
        for group in groups:
            group_sure = group_maybe = self.all
            for match in group:
                answer = self.answer(match) if state is None else self.answer_on_the_way(match, state)
                group_sure &= answer[0]
                group_maybe &= answer[1]
            sure |= group_sure
            maybe |= group_maybe
        return sure, maybe

    # --- what changes on the way ---

    def _by_state(self, kind: str, value: Any, state: State) -> Answer:
        if kind == "mark":
            return self._mark(state[0], state[1], value)
        if kind == "ct_state":
            return self._ct_state(value, state)
        if state[4] != TRACKED:
            return 0, 0
        if kind == "ct_mark":
            return self._mark(state[2], state[3], value)
        if kind == "ct_direction":
            return self._one_of(self.index("direction"), value)
        if kind in {"ct_protocol", "ct_family"}:
            return self._one_of(self.index(kind[3:]), value)
        if kind == "ct_status":  # nothing has happened yet to a new connection; words are () where none can be meant
            news = self.index("state").masks.get("NEW", 0)
            return 0, self.all & ~news if value else 0
        if kind in _OF_CONNECTION:
            return self._of_connection(_OF_CONNECTION[kind], value)
        return 0, self.all

    def _mark(self, mark: int, unknown: int, value: tuple[int, Intervals]) -> Answer:
        bits, intervals = value
        if unknown & bits:
            return 0, self.all
        answer = self.all if any(low <= mark & bits <= high for low, high in intervals) else 0
        return answer, answer

    def _ct_state(self, words: Sequence[str], state: State) -> Answer:
        if state[4] == TRACKED:
            return self._one_of(self.index("state"), words)
        # Without a connection the kernel reports UNTRACKED or INVALID, also where conntrack simply has not run yet.
        answer = self.all if ("UNTRACKED" if state[4] == UNTRACKED else "INVALID") in words else 0
        return answer, answer

    def _of_connection(self, fields: tuple[str, str], intervals: Intervals) -> Answer:
        forth, back = self._between(fields[0], intervals), self._between(fields[1], intervals)
        originals = self.index("direction").masks.get("ORIGINAL", 0)
        sure = forth[0] & originals | back[0] & ~originals
        maybe = forth[1] & originals | back[1] & ~originals
        if fields[0] in {"source_port", "destination_port"}:  # without ports, conntrack keeps 0
            without = _union(mask for value, mask in self.index("protocol").masks.items() if value not in _WITH_PORTS)
            sure, maybe = sure & ~without, maybe & ~without
            if any(low <= 0 for low, _high in intervals):
                sure, maybe = sure | without, maybe | without
        return sure, maybe


LOOPBACK = "lo"
_INTERVALS = frozenset(("source", "destination", "source_port", "destination_port", "uid"))
_WORDS = frozenset(
    (
        *("protocol", "family", "packet_type", "in_type"),
        *("source_type", "destination_type", "source_type_here", "destination_type_here"),
    )
)
_SPECIAL: dict[str, Callable[[Batch, Any], Answer]] = {
    "always": lambda batch, _value: (batch.all, batch.all),
    "source_bits": lambda batch, value: batch._bits("source", value),
    "destination_bits": lambda batch, value: batch._bits("destination", value),
    "tcp_flags": Batch._tcp_flags,
    "any_port": Batch._any_port,
    "reverse_path": Batch._reverse_path,
    "bridge_port": Batch._bridge_port,
    "set": Batch._set,
    "ipsec": Batch._ipsec,
}


def depends_on_the_way(match: Match) -> bool:
    """Say whether the answer to `match` may change while a packet passes through the chains."""
    if match.kind in {"any_of", "changing_set"}:
        groups = match.value if match.kind == "any_of" else match.value[1]
        return any(depends_on_the_way(inner) for group in groups for inner in group)
    return match.kind in _ON_THE_WAY


def _no_connection(match: Match, state: State) -> bool:
    """Say whether `match` asks about a connection where there is none: then neither it nor its opposite holds."""
    return match.kind != "ct_state" and state[4] != TRACKED


def _union(masks: Iterable[int]) -> int:
    result = 0
    for mask in masks:
        result |= mask
    return result
