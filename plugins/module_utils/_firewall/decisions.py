# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a walk through the chains comes to: who is accepted, stopped, or of unknown fate, and which rule decides."""

from __future__ import annotations

from typing import NamedTuple

from . import flow as flows
from . import model, packets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Match, Place
    from .packets import Batch

_BLOCKING = frozenset((model.DROP, model.REJECT))
_OF_CONNECTION = frozenset(
    (
        *("ct_state", "ct_status", "ct_direction", "ct_protocol", "ct_family"),
        *("ct_source", "ct_destination", "ct_source_port", "ct_destination_port"),
    )
)
_ORDER_UNKNOWN = "it depends on which of two chains of the same hook and priority comes first"


class Decision(NamedTuple):
    """What becomes of some packets of a batch.

    `verdict` is accept, drop, reject or unknown; `members` has bit n set for packet n; `place` is the deciding rule or
    policy (None for packets which no rule accepted and none stopped; for unknown the rule that cannot be decided).
    `detail` is what a reject sends back, or why the verdict is unknown. `how_is_sure` is False if the packets are
    stopped for certain, but by one of several rules that do it differently (drop, or reject with this or that).
    """

    verdict: str
    detail: str
    members: int
    place: Place | None
    how_is_sure: bool = True


class Rewrite(NamedTuple):
    """A rule that gives packets another source address: those in `sure` for certain, those in `maybe` perhaps."""

    sure: int
    maybe: int
    place: Place


class Result(NamedTuple):
    """All decisions about a batch (disjoint, together everybody), and the rules that rewrite sources."""

    decisions: list[Decision]
    rewrites: list[Rewrite]


class Ending(NamedTuple):
    """A place where packets may end, and those that may."""

    verdict: str
    detail: str
    members: int
    place: Place


class Seen:
    """What a walk notes on its way, each with the packets concerned (see `packets` for how they are counted)."""

    def __init__(self) -> None:
        self.endings: list[Ending] = []
        self.accepts: list[tuple[int, Place]] = []
        self.rewrites: list[Rewrite] = []
        self.partings: list[tuple[int, Place, Batch]] = []  # where packets may go either way from, as they were there


def conclude(seen: Seen, passed: int, batch: Batch) -> Result:
    """Sort all packets by what becomes of them; `passed` are those that may have come through all chains."""
    blocked = handed_over = 0
    ways: dict[tuple[str, str], int] = {}
    for ending in seen.endings:
        if ending.verdict in _BLOCKING:
            blocked |= ending.members
            way = (ending.verdict, ending.detail)
            ways[way] = ways.get(way, 0) | ending.members
        else:
            handed_over |= ending.members
    unknown = passed & blocked | handed_over
    decisions: list[Decision] = []
    left = batch.all
    for ending in seen.endings:
        if ending.verdict == model.UNKNOWN:
            left = _decide(decisions, left, ending.members, ending.verdict, ending.detail, ending.place)
    for members, place, as_it_was in seen.partings:
        why = _why(place, as_it_was, members & unknown & left)
        left = _decide(decisions, left, members & unknown, model.UNKNOWN, why, place)
    left = _decide(decisions, left, unknown, model.UNKNOWN, "whether it is dropped cannot be decided", None)
    # The last place is the one which would stop them even if none of the undecidable ones before it did.
    several = flows.in_several({(number, 0, 0, 0, 0): members for number, members in enumerate(ways.values())})
    for ending in reversed(seen.endings):
        for members, is_sure in ((ending.members & ~several, True), (ending.members & several, False)):
            left = _decide(decisions, left, members, ending.verdict, ending.detail, ending.place, is_sure)
    for members, place in reversed(seen.accepts):
        left = _decide(decisions, left, members, model.ACCEPT, "", place)
    _decide(decisions, left, left, model.ACCEPT, "", None)
    return Result(decisions, seen.rewrites)


def _decide(
    decisions: list[Decision],
    left: int,
    members: int,
    verdict: str,
    detail: str,
    place: Place | None,
    sure: bool = True,
) -> int:
    """Decide about those of `members` that are still left, and return who is left then."""
    if members & left:
        decisions.append(Decision(verdict, detail, members & left, place, sure))
    return left & ~members


def _why(place: Place, batch: Batch, members: int) -> str:
    """Say which words of the rule at `place` cannot be decided for `members`."""
    if place.rule is None:
        asked = "whether connections are tracked" if place.base.kind == "nat" else "which devices the chain belongs to"
        return f"it depends on {asked}"
    words = []
    asks_for_mark = not members
    for match in place.rule.matches if members else ():
        if match.kind == "undecidable":
            words.append(match.value)
        elif not packets.depends_on_the_way(match):
            sure, maybe = batch.answer(match)
            if maybe & ~sure & members:
                words.append(_words(match, batch))
        else:
            asks_for_mark = asks_for_mark or match.kind not in _OF_CONNECTION
    if words or asks_for_mark:
        return f"it depends on: {', '.join(words)}" if words else "it depends on a mark which cannot be known"
    return "it depends on the connection, of which not all is known"


def _words(match: Match, batch: Batch) -> str:
    if match.kind in {"set", "changing_set"}:
        return f"{match.kind.replace('_', ' ')} {match.value[0]}"
    words = match.kind.replace("_", " ")
    changed = match.kind.startswith("source") and batch.is_forgotten("source")
    return f"{words}, which was rewritten before" if changed else words


def either(first: Result, second: Result) -> Result:
    """Return what holds whichever of two results is true."""
    kinds: dict[tuple[str, str, bool], int] = {}
    for decision in second.decisions:
        kind = (decision.verdict, decision.detail, decision.how_is_sure)
        kinds[kind] = kinds.get(kind, 0) | decision.members
    decisions = []
    for decision in first.decisions:
        for (verdict, detail, is_sure), members in kinds.items():
            common = decision._replace(members=decision.members & members)
            if not common.members:
                continue
            if verdict == decision.verdict and (detail == decision.detail or verdict == model.UNKNOWN):
                decisions.append(common._replace(how_is_sure=common.how_is_sure and is_sure))
            elif {verdict, decision.verdict} <= _BLOCKING:
                decisions.append(common._replace(how_is_sure=False))
            else:
                decisions.append(common._replace(verdict=model.UNKNOWN, detail=_ORDER_UNKNOWN))
    return Result(decisions, _either_rewrites(first.rewrites, second.rewrites))


def _either_rewrites(first: Sequence[Rewrite], second: Sequence[Rewrite]) -> list[Rewrite]:
    found: dict[int, Rewrite] = {id(one.place.rule): one._replace(sure=0) for one in (*first, *second)}
    for key, one in found.items():
        sure, maybe = -1, 0
        for rewrites in (first, second):
            own = [other for other in rewrites if id(other.place.rule) == key]
            maybe |= flows.union(other.maybe for other in own)
            sure &= flows.union(other.sure for other in own)
        found[key] = one._replace(sure=sure, maybe=maybe)
    return list(found.values())
