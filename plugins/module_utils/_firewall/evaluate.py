# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walk packets through the chains that the kernel would take them through, and say what becomes of them and why.

All packets of a batch walk together, as bits of one number (see `packets`). Where a match is undecidable its packets take
both ways. They meet again where the chains do, so the work grows with the rules and not with the number of ways. In the
end a packet has a verdict if all its ways end alike; else its verdict is unknown, and the rule at which its ways parted
for good is named.
"""

from __future__ import annotations

from typing import NamedTuple

from . import flow as flows
from . import model, packets
from .model import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .flow import Flow
    from .model import BaseChain, Chain, Match, Rule
    from .packets import Batch

MAX_STEPS = 200_000
MAX_DEPTH = 64
_BLOCKING = frozenset((model.DROP, model.REJECT))
_HOOKS = model.INBOUND + model.OUTBOUND
_BEFORE_CONNTRACK = frozenset(("ingress", "prerouting", "output"))
_ORDER_UNKNOWN = "it depends on which of two chains of the same hook and priority comes first"


class Decision(NamedTuple):
    """What becomes of some packets of a batch.

    `verdict` is accept, drop, reject or unknown; `members` has bit n set for packet n; `place` is the deciding rule or
    policy (None for packets which no rule accepted and none stopped; for unknown the rule that cannot be decided).
    `detail` is what a reject sends back, or why the verdict is unknown. `how_is_sure` is False if the packets are stopped
    for certain, but by one of several rules that do it differently (drop, or reject with this or that).
    """

    verdict: str
    detail: str
    members: int
    place: Place | None
    how_is_sure: bool = True


class Result(NamedTuple):
    """All decisions about a batch (disjoint, together everybody), and (members, place) of rules that rewrite sources."""

    decisions: list[Decision]
    rewrites: list[tuple[int, Place]]


class _Prepared(NamedTuple):
    """A rule that some packet of the batch may match: who surely and who maybe does, and what is decided on the way."""

    sure: int
    maybe: int
    on_the_way: tuple[Match, ...]
    rule: Rule


class _Ending(NamedTuple):
    """A place where packets may end, and those that may."""

    verdict: str
    detail: str
    members: int
    place: Place


def evaluate(bases: Iterable[BaseChain], batch: Batch) -> Result:
    """Take `batch` through the base chains given, in the order in which the kernel calls them.

    For an inbound packet those are of the hooks model.INBOUND, for an outbound one of model.OUTBOUND; which of the two is
    seen from the chains given. The result holds for every packet of the batch, and is never a guess. The kernel does not
    tell in which order it calls chains of one hook and one priority, so where that could matter both orders are walked.
    """
    ordered = sorted(bases, key=_order)
    prepared: dict[int, list[_Prepared]] = {}
    result = _walked(ordered, batch, prepared)
    if len({_order(base) for base in ordered}) == len(ordered):
        return result
    ordered.reverse()
    return _either(result, _walked(sorted(ordered, key=_order), batch, prepared))


def _walked(bases: Sequence[BaseChain], batch: Batch, prepared: dict[int, list[_Prepared]]) -> Result:
    walk = _Walk(batch, prepared)
    news = batch.index("state").masks.get("NEW", 0)
    flow = flows.start(batch)
    certain = batch.all
    for base in bases:
        if not flow:
            break
        if base.hook not in _BEFORE_CONNTRACK or (base.hook != "ingress" and base.priority > model.CONNTRACK):
            flow = flows.tracked(flow)
        sure, maybe = _through_device(base, batch)
        is_nat = base.kind == "nat"
        if is_nat:  # only a connection's first packet is shown to these chains
            sure, maybe = sure & news, maybe & news
        entering = flows.part(flow, maybe, tracked_only=is_nat)
        waiting = flows.without(flow, flows.part(flow, sure, tracked_only=is_nat))
        going_on, stopped = walk.through(base, entering, certain & sure)
        flow = flows.merged(waiting, going_on)
        certain &= ~stopped & ~flows.in_several(flow)
    return Result(_conclude(walk, flows.members(flow)), walk.rewrites)


def _either(first: Result, second: Result) -> Result:
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
    return Result(decisions, first.rewrites)


def _order(base: BaseChain) -> tuple[int, int]:
    return _HOOKS.index(base.hook), base.priority


def _through_device(base: BaseChain, batch: Batch) -> tuple[int, int]:
    """Return which packets surely and which maybe pass the device that `base` belongs to."""
    if not base.device:
        return batch.all, batch.all
    if base.device == "?":
        return 0, batch.all
    field = "out_interface" if base.hook == "egress" else "in_interface"
    return batch.answer(model.Match(field, False, (base.device,)))


class _Walk:
    """The state of one walk."""

    def __init__(self, batch: Batch, prepared: dict[int, list[_Prepared]]) -> None:
        self.batch = batch
        self.screen = batch.screen()
        self.steps = 0
        self.endings: list[_Ending] = []
        self.accepts: list[tuple[int, Place]] = []
        self.rewrites: list[tuple[int, Place]] = []
        self.partings: list[tuple[int, Place]] = []  # who lost certainty, and where
        self._prepared = prepared
        self._path: list[tuple[str, int]] = []
        self._accepted: Flow = {}
        self._base: BaseChain

    def through(self, base: BaseChain, flow: Flow, certain: int) -> tuple[Flow, int]:
        """Take packets through a base chain; return those that (may) go on to the next one, and those that may have ended."""
        self._base, self._accepted = base, {}
        first_ending, first_parting = len(self.endings), len(self.partings)
        left, _ended = self._through_chain(base.chain, flow, certain)
        if base.chain.policy == model.DROP and left:
            place = Place(base, base.chain, None, ((base.chain.name, 0),))
            self.endings.append(_Ending(model.DROP, "", flows.members(left), place))
            left = {}
        going_on = flows.merged(left, self._accepted)
        stopped = 0
        for ending in self.endings[first_ending:]:
            stopped |= ending.members
        self._forget_partings(first_parting, certain & ~stopped & ~flows.in_several(going_on))
        return going_on, stopped

    def _through_chain(self, chain: Chain, flow: Flow, certain: int) -> tuple[Flow, int]:
        """Take packets through the rules of `chain`, of which those in `certain` are surely there and in one state.

        Return those that leave it by its end or by a return, and those of which something else may have become.
        """
        returned: Flow = {}
        ended = 0
        for prepared in self._rules_of(chain):
            if not flow:
                break
            self.steps += len(flow)
            if self.steps > MAX_STEPS:
                return returned, ended | self._stop(chain, flow, "the ruleset takes too many steps")
            flow, certain, ended_here = self._at_rule(chain, prepared, flow, certain, returned)
            ended |= ended_here
        if chain.doubt and flow:
            return returned, ended | self._stop(chain, flow, chain.doubt)
        return flows.merged(returned, flow), ended

    def _stop(self, chain: Chain, flow: Flow, why: str) -> int:
        """End packets here because nothing can be said about their further way; return them."""
        stopped = flows.members(flow)
        place = Place(self._base, chain, None, (*self._path, (chain.name, 0)))
        self.endings.append(_Ending(model.UNKNOWN, why, stopped, place))
        return stopped

    def _at_rule(
        self, chain: Chain, prepared: _Prepared, flow: Flow, certain: int, returned: Flow
    ) -> tuple[Flow, int, int]:
        """Apply one rule; return (who goes on to the next, who of them surely does, who may have ended)."""
        rule = prepared.rule
        moved, rest, sure_hit = self._hits(prepared, flow)
        if not moved:
            return flow, certain, 0
        hit = flows.members(moved)
        ended = 0
        if rule.verdict in {model.JUMP, model.GOTO}:
            back, ended, still = self._jump(chain, rule, moved, certain, sure_hit)
            if rule.verdict == model.GOTO:
                flows.add(returned, back)
                still = certain & ~hit
            else:
                rest = flows.merged(rest, back)
                still &= ~flows.in_several(rest)
        elif rule.verdict == model.CONTINUE:
            rest = flows.merged(rest, moved)
            still = certain & ~flows.in_several(rest)
            self._part(chain, rule, certain & ~still)
        else:
            still = certain & ~hit
            ended = self._end(chain, rule, moved, returned, certain & sure_hit)
        self._part(chain, rule, certain & hit & ~sure_hit & ~still)
        return rest, still, ended

    def _hits(self, prepared: _Prepared, flow: Flow) -> tuple[Flow, Flow, int]:
        """Return (those that may match, changed as the rule says; those that may not; those that surely match)."""
        moved: Flow = {}
        rest: Flow = {}
        sure_hit = 0
        for state, present in flow.items():
            sure, maybe = prepared.sure, prepared.maybe
            for match in prepared.on_the_way:
                answer = self.batch.answer_on_the_way(match, state)
                sure &= answer[0]
                maybe &= answer[1]
            if present & maybe:
                flows.add(moved, {flows.changed(state, prepared.rule.effects): present & maybe})
            if present & ~sure:
                flows.add(rest, {state: present & ~sure})
            sure_hit |= present & sure
        return moved, rest, sure_hit

    def _jump(self, chain: Chain, rule: Rule, moved: Flow, certain: int, sure_hit: int) -> tuple[Flow, int, int]:
        """Take packets through another chain; return (who comes back, who may have ended, who is still certain)."""
        target = self._base.table.chains.get(rule.argument)
        self._path.append((chain.name, rule.number))
        first_parting = len(self.partings)
        if target is None or len(self._path) > MAX_DEPTH:
            why = "the chains jump to each other too deeply" if target else f"the chain {rule.argument} is not listed"
            back, ended = {}, self._stop(target or chain, moved, why)
        else:
            back, ended = self._through_chain(target, moved, certain & sure_hit)
        self._path.pop()
        still = certain & ~ended
        self._forget_partings(first_parting, still)
        return back, ended, still

    def _end(self, chain: Chain, rule: Rule, moved: Flow, returned: Flow, surely: int) -> int:
        """Apply a verdict that ends the way through this chain; return whose way through all chains it may end."""
        if rule.verdict == model.RETURN:
            flows.add(returned, moved)
            return 0
        hit = flows.members(moved)
        place = self._place(chain, rule)
        if rule.verdict in {model.ACCEPT, model.REWRITE_SOURCE}:
            flows.add(self._accepted, moved)
            if rule.verdict == model.REWRITE_SOURCE:
                self.rewrites.append((surely, place))
            elif self._base.kind == "filter" and self._base.hook in {"input", "output"}:
                self.accepts.append((surely, place))
        else:
            self.endings.append(_Ending(rule.verdict, rule.argument, hit, place))
        return hit

    def _place(self, chain: Chain, rule: Rule) -> Place:
        return Place(self._base, chain, rule, (*self._path, (chain.name, rule.number)))

    def _part(self, chain: Chain, rule: Rule, who: int) -> None:
        if who:
            self.partings.append((who, self._place(chain, rule)))

    def _forget_partings(self, first: int, together_again: int) -> None:
        """Packets whose ways have met again, whatever they did since partings[first], have not parted."""
        if together_again:
            self.partings[first:] = [(who & ~together_again, place) for who, place in self.partings[first:]]

    def _rules_of(self, chain: Chain) -> list[_Prepared]:
        found = self._prepared.get(id(chain))
        if found is None:
            found = self._prepared[id(chain)] = _prepare(self.batch, chain.rules(self.screen))
        return found


def _prepare(batch: Batch, rules: Sequence[Rule]) -> list[_Prepared]:
    """Answer all that does not change on the way, and keep the rules that some packet may match and that do something."""
    found = []
    for rule in rules:
        if rule.verdict == model.CONTINUE and not rule.effects:
            continue
        sure = maybe = batch.all
        on_the_way: list[Match] = []
        for match in rule.matches:
            if packets.depends_on_the_way(match):
                on_the_way.append(match)
                continue
            answer = batch.answer(match)
            sure &= answer[0]
            maybe &= answer[1]
            if not maybe:
                break
        else:
            found.append(_Prepared(sure, maybe, tuple(on_the_way), rule))
    return found


def _conclude(walk: _Walk, passed: int) -> list[Decision]:
    """Sort all packets by what becomes of them."""
    blocked = handed_over = 0
    ways: dict[tuple[str, str], int] = {}
    for ending in walk.endings:
        if ending.verdict in _BLOCKING:
            blocked |= ending.members
            way = (ending.verdict, ending.detail)
            ways[way] = ways.get(way, 0) | ending.members
        else:
            handed_over |= ending.members
    unknown = passed & blocked | handed_over
    decisions: list[Decision] = []
    left = walk.batch.all
    for ending in walk.endings:
        if ending.verdict == model.UNKNOWN:
            left = _decide(decisions, left, ending.members, ending.verdict, ending.detail, ending.place)
    for members, place in walk.partings:
        why = _why(place, walk.batch, members & unknown & left)
        left = _decide(decisions, left, members & unknown, model.UNKNOWN, why, place)
    left = _decide(decisions, left, unknown, model.UNKNOWN, "whether it is dropped cannot be decided", None)
    # The last place is the one which would stop them even if none of the undecidable ones before it did.
    several = flows.in_several({(number, 0, 0, 0, 0): members for number, members in enumerate(ways.values())})
    for ending in reversed(walk.endings):
        for members, is_sure in ((ending.members & ~several, True), (ending.members & several, False)):
            left = _decide(decisions, left, members, ending.verdict, ending.detail, ending.place, is_sure)
    for members, place in reversed(walk.accepts):
        left = _decide(decisions, left, members, model.ACCEPT, "", place)
    _decide(decisions, left, left, model.ACCEPT, "", None)
    return decisions


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
    words = []
    for match in place.rule.matches if place.rule and members else ():
        if match.kind == "undecidable":
            words.append(match.value)
        elif not packets.depends_on_the_way(match):
            sure, maybe = batch.answer(match)
            if maybe & ~sure & members:
                words.append(f"{match.kind} {match.value[0]}" if match.kind == "set" else match.kind.replace("_", " "))
    return f"it depends on: {', '.join(words)}" if words else "it depends on a mark which cannot be known"
