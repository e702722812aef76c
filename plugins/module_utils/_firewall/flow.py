# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets on their way: which of them may be in which state. A flow maps a state to the packets that may be in it."""

from __future__ import annotations

from . import packets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from .model import Effect
    from .packets import Batch, State

    Flow = dict[State, int]

_ALL_BITS = 0xFFFFFFFF
MAX_STATES = 32


def start(batch: Batch) -> Flow:
    """Return all packets as they arrive. A connection which exists already has a mark that is not known here."""
    flow: Flow = {}
    fields = [batch.index(field).masks.items() for field in ("mark", "ct_mark", "state")]
    for mark, with_mark in fields[0]:
        for ct_mark, with_ct_mark in fields[1]:
            for word, present in fields[2]:
                who = with_mark & with_ct_mark & present
                if who:
                    ct_unknown = 0 if word == "NEW" else _ALL_BITS
                    stage = packets.UNTRACKED if word == "UNTRACKED" else packets.BEFORE
                    add(flow, {(mark, 0, ct_mark & ~ct_unknown, ct_unknown, stage): who})
    return flow


def members(flow: Flow) -> int:
    """Return the packets of a flow."""
    return union(flow.values())


def union(masks: Iterable[int]) -> int:
    """Return everybody who is in one of `masks`."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def in_several(flow: Flow) -> int:
    """Return the packets that may be in more than one state."""
    if len(flow) < 2:
        return 0
    seen = several = 0
    for present in flow.values():
        several |= seen & present
        seen |= present
    return several


def add(flow: Flow, other: Flow) -> None:
    """Add the packets of `other` to `flow`."""
    for state, present in other.items():
        flow[state] = flow.get(state, 0) | present


def merged(first: Flow, second: Flow) -> Flow:
    """Return the packets of both. Too many states at once are made one, whose differing bits are unknown."""
    if not second:
        return first
    flow = dict(first)
    add(flow, second)
    return flow if len(flow) <= MAX_STATES else _widened(flow)


def part(flow: Flow, who: int, tracked_only: bool = False) -> Flow:
    """Return those of `who`, on request only those with a connection."""
    return {
        state: present & who
        for state, present in flow.items()
        if present & who and (not tracked_only or state[4] == packets.TRACKED)
    }


def without(flow: Flow, other: Flow) -> Flow:
    """Return the packets of `flow` that are not in the same state in `other`."""
    found = {state: present & ~other.get(state, 0) for state, present in flow.items()}
    return {state: present for state, present in found.items() if present}


def tracked(flow: Flow, invalid: int = 0) -> Flow:
    """Return the packets after conntrack has seen them. To those in `invalid` it gives no connection."""
    found: Flow = {}
    for state, present in flow.items():
        taken = present & ~invalid if state[4] == packets.BEFORE else 0
        if taken:
            add(found, {(*state[:4], packets.TRACKED): taken})
        if present & ~taken:
            add(found, {state: present & ~taken})
    return found


def changed(state: State, effects: Sequence[Effect]) -> State:
    """Return the state after the effects of a rule."""
    for effect in effects:
        state = _CHANGES[effect.kind](state, effect.value)
    return state


def _mark(state: State, value: tuple[int, int]) -> State:
    mark, unknown = _flipped(state[0], state[1], value)
    return (mark, unknown, *state[2:])


def _ct_mark(state: State, value: tuple[int, int]) -> State:
    if state[4] != packets.TRACKED:
        return state
    return (*state[:2], *_flipped(state[2], state[3], value), state[4])


def _flipped(mark: int, unknown: int, value: tuple[int, int]) -> tuple[int, int]:
    keep, flip = value
    unknown &= keep
    return ((mark & keep) ^ flip) & ~unknown, unknown


def _save_mark(state: State, value: tuple[int, int]) -> State:
    if state[4] != packets.TRACKED:
        return state
    mark, unknown, ct_mark, ct_unknown, stage = state
    ct_bits, bits = value
    ct_unknown = ct_unknown & ~ct_bits | unknown & bits
    return mark, unknown, ((ct_mark & ~ct_bits) ^ (mark & bits)) & ~ct_unknown, ct_unknown, stage


def _restore_mark(state: State, value: tuple[int, int]) -> State:
    if state[4] != packets.TRACKED:
        return state
    mark, unknown, ct_mark, ct_unknown, stage = state
    ct_bits, bits = value
    unknown = unknown & ~bits | ct_unknown & ct_bits
    return ((mark & ~bits) ^ (ct_mark & ct_bits)) & ~unknown, unknown, ct_mark, ct_unknown, stage


def _untrack(state: State, _value: None) -> State:
    return (*state[:4], packets.UNTRACKED) if state[4] == packets.BEFORE else state


_CHANGES: dict[str, Callable[[State, Any], State]] = {
    "mark": _mark,
    "ct_mark": _ct_mark,
    "save_mark": _save_mark,
    "restore_mark": _restore_mark,
    "untrack": _untrack,
    "mark_among": lambda state, value: (value[0], value[1], *state[2:]),
    "ct_mark_among": lambda state, value: (*state[:2], *value, state[4]) if state[4] == packets.TRACKED else state,
    "forget_mark": lambda state, _value: (0, _ALL_BITS, *state[2:]),
    "forget_ct_mark": lambda state, _value: (*state[:2], 0, _ALL_BITS, state[4]),
    # Changes outside of the packet: the walk keeps them.
    "set_grows": lambda state, _value: state,
    "set_shrinks": lambda state, _value: state,
}


def _widened(flow: Flow) -> Flow:
    """Make one state of all those at the same stage: what they disagree about is unknown."""
    found: dict[int, State] = {}
    present_at: dict[int, int] = {}
    for state, present in flow.items():
        known = found.setdefault(state[4], state)
        unknown = known[1] | state[1] | known[0] ^ state[0]
        ct_unknown = known[3] | state[3] | known[2] ^ state[2]
        found[state[4]] = known[0] & ~unknown, unknown, known[2] & ~ct_unknown, ct_unknown, state[4]
        present_at[state[4]] = present_at.get(state[4], 0) | present
    return {found[stage]: present for stage, present in present_at.items()}
