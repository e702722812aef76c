# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walk packets through the chains that the kernel would take them through, and say what becomes of them and why.

All packets of a batch walk together, as bits of one number (see `packets`). Where a match is undecidable its packets
take both ways. They meet again where the chains do, so the work grows with the rules and not with the number of ways.
In the end a packet has a verdict if all its ways end alike; else its verdict is unknown, and the rule at which its
ways parted for good is named.
"""

from __future__ import annotations

from typing import NamedTuple

from . import decisions, model, packets
from . import flow as flows
from .decisions import Ending, Rewrite, Seen
from .model import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .decisions import Result
    from .flow import Flow
    from .model import BaseChain, Chain, Match, Rule
    from .packets import Batch

MAX_STEPS = 200_000
MAX_DEPTH = 64
_MOST_ASKED = 200
_STAGES = {"ingress": "before", "prerouting": "before", "postrouting": "behind", "egress": "behind"}
_SET_CHANGES = frozenset(("set_grows", "set_shrinks"))
_BEFORE_CONNTRACK = frozenset(("ingress", "prerouting", "output"))


class _Prepared(NamedTuple):
    """A rule that some packet of the batch may match: who surely and who maybe does, and what is decided on the way."""

    sure: int
    maybe: int
    on_the_way: tuple[Match, ...]
    rule: Rule
    at: int  # its place in the chain


def evaluate(bases: Iterable[BaseChain], batch: Batch) -> Result:
    """Take `batch` through the base chains given, in the order in which the kernel calls them.

    For an inbound packet those are of the hooks model.INBOUND, for an outbound one of model.OUTBOUND, for one that goes
    through this host of model.FORWARDED; which of them is seen from the chains given. The result holds for every packet
    of the batch, and is never a guess. The kernel does not tell in which order it calls chains of one hook and one
    priority, so where that could matter both orders are walked. What a packet puts into a set, the next one may find.
    """
    ordered = sorted(bases, key=_order)
    while True:
        result, after = _both_orders(ordered, batch)
        changed = batch.after_others(after)
        if changed is None:
            return result
        batch = changed


def _both_orders(ordered: Sequence[BaseChain], batch: Batch) -> tuple[Result, list[Batch]]:
    """Return the result, and the packets as they were at the end."""
    prepared: dict[int, list[_Prepared]] = {}
    result, after = _walked(ordered, batch, prepared)
    if len({_order(base) for base in ordered}) == len(ordered):
        return result, [after]
    backwards = ordered[::-1]
    other, after_other = _walked(sorted(backwards, key=_order), batch, prepared)
    return decisions.either(result, other), [after, after_other]


def _walked(bases: Sequence[BaseChain], batch: Batch, prepared: dict[int, list[_Prepared]]) -> tuple[Result, Batch]:
    walk = _Walk(batch, prepared)
    states = batch.index("state").masks
    news, invalid = states.get("NEW", 0), states.get("INVALID", 0)
    flow = flows.start(batch)
    certain = batch.all
    through = batch.goes_through()
    for base in bases:
        if not flow:
            break
        if through:
            walk.at(base.hook)
        if base.hook not in _BEFORE_CONNTRACK or (base.hook != "ingress" and base.priority > model.CONNTRACK):
            flow = flows.tracked(flow, invalid)
        sure, maybe = _through_device(base, batch)
        is_nat = base.kind == "nat"
        if is_nat:  # only a connection's first packet is shown to these chains, until one of them gives it an address
            sure, maybe = sure & news & ~walk.maybe_rewritten, maybe & news & ~walk.rewritten
            if base.table.backend == model.NATIVE and not _surely_tracks(bases):
                sure = 0
        elif walk.maybe_rewritten:
            walk.forget_sources()
        entering = flows.part(flow, maybe, tracked_only=is_nat)
        waiting = flows.without(flow, flows.part(flow, sure, tracked_only=is_nat))
        going_on, stopped = walk.through(base, entering, certain & sure)
        walk.maybe_called(base, certain & ~sure & stopped)
        flow = flows.merged(waiting, going_on)
        certain &= ~stopped & ~flows.in_several(flow)
    return decisions.conclude(walk.seen, flows.members(flow), batch), walk.batch


def _order(base: BaseChain) -> tuple[int, int, int]:
    """The kernel calls all nat chains of a hook together, whatever their own priorities; these count among them."""
    if base.kind == "nat":
        together = model.SRCNAT if base.hook in {"input", "postrouting"} else model.DSTNAT
        return model.HOOKS.index(base.hook), together, base.priority
    return model.HOOKS.index(base.hook), base.priority, base.priority


def _through_device(base: BaseChain, batch: Batch) -> tuple[int, int]:
    """Return which packets surely and which maybe pass the device that `base` belongs to."""
    if not base.device:
        return batch.all, batch.all
    if base.device == "?":
        return 0, batch.all
    field = "out_interface" if base.hook == "egress" else "in_interface"
    return batch.answer(model.Match(field, False, tuple(base.device.split())))


def _surely_tracks(bases: Sequence[BaseChain]) -> bool:
    """Say whether some rule makes the kernel track connections; if none does, it calls no chain of kind nat."""
    looked_at = 0
    for of_hooks in (True, False):
        for base in sorted(bases, key=lambda base: base.kind != "nat"):
            for chain in [base.chain] if of_hooks else base.table.chains.values():
                looked_at += 1
                if looked_at > _MOST_ASKED:
                    return False
                if any(_tracks(rule) for rule in chain.rules()):
                    return True
    return False


def _tracks(rule: Rule) -> bool:
    if rule.verdict == model.REWRITE_SOURCE or (rule.verdict == model.UNKNOWN and "rewritten (" in rule.argument):
        return True
    return any(match.kind.startswith("ct_") for match in rule.matches)


class _Walk:
    """The state of one walk."""

    def __init__(self, batch: Batch, prepared: dict[int, list[_Prepared]]) -> None:
        self.batch = batch
        self.screen = batch.screen()
        self.steps = 0
        self.seen = Seen()
        self.rewritten = self.maybe_rewritten = 0  # who has got another source address
        self._forgotten = 0
        self._prepared = prepared
        self._whole, self._stage = batch, ""
        self._path: list[tuple[str, int]] = []
        self._accepted: Flow = {}
        self._base: BaseChain

    def through(self, base: BaseChain, flow: Flow, certain: int) -> tuple[Flow, int]:
        """Take packets through a base chain; return those that may go on to the next, and those that may end here."""
        self._base, self._accepted = base, {}
        first_ending, first_parting = len(self.seen.endings), len(self.seen.partings)
        left, _ended = self._through_chain(base.chain, flow, certain)
        if base.chain.policy == model.DROP and left:
            place = Place(base, base.chain, None, ((base.chain.name, 0),))
            self.seen.endings.append(Ending(model.DROP, "", flows.members(left), place))
            left = {}
        going_on = flows.merged(left, self._accepted)
        stopped = 0
        for ending in self.seen.endings[first_ending:]:
            stopped |= ending.members
        self._forget_partings(first_parting, certain & ~stopped & ~flows.in_several(going_on))
        return going_on, stopped

    def at(self, hook: str) -> None:
        """Packets that go through this host have not always both interfaces: where they will leave is not known before
        routing. Whether a kernel still knows behind it where they came in depends on its release (5.6 and on do)."""
        stage = _STAGES.get(hook, "")
        if stage == self._stage:
            return
        self._stage = stage
        self.batch = self._whole
        if stage == "before":
            self.batch = self.batch.before_routing()
        elif stage == "behind":
            self.batch = self.batch.forgetting(("in_interface",), self.batch.all)
        self.screen = self.batch.screen()
        self._prepared = {}

    def forget_sources(self) -> None:
        """From here on chains see other source addresses than those the packets began with."""
        if self._forgotten != self.maybe_rewritten:
            fields = ("source", "source_port", "source_type", "source_type_here")
            self.batch = self.batch.forgetting(fields, self.maybe_rewritten)
            self.screen = self.batch.screen()
            self._prepared = {}
            self._forgotten = self.maybe_rewritten

    def _through_chain(self, chain: Chain, flow: Flow, certain: int) -> tuple[Flow, int]:
        """Take packets through the rules of `chain`, of which those in `certain` are surely there and in one state.

        Return those that leave it by its end or by a return, and those of which something else may have become.
        """
        returned: Flow = {}
        ended = 0
        rules, asked, at = self._rules_of(chain), self._prepared, 0
        while flow and at < len(rules):
            prepared = rules[at]
            at += 1
            self.steps += len(flow)
            if self.steps > MAX_STEPS:
                return returned, ended | self._stop(chain, flow, "the ruleset takes too many steps")
            flow, certain, ended_here = self._at_rule(chain, prepared, flow, certain, returned)
            ended |= ended_here
            if asked is not self._prepared:  # the answers have changed
                rules, asked = self._rules_of(chain), self._prepared
                at = sum(other.at <= prepared.at for other in rules)
        if chain.doubt and flow:
            return returned, ended | self._stop(chain, flow, chain.doubt)
        return flows.merged(returned, flow), ended

    def _stop(self, chain: Chain, flow: Flow, why: str) -> int:
        """End packets here because nothing can be said about their further way; return them."""
        stopped = flows.members(flow)
        place = Place(self._base, chain, None, (*self._path, (chain.name, 0)))
        self.seen.endings.append(Ending(model.UNKNOWN, why, stopped, place))
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
        self._change_sets(rule, hit)
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

    def _change_sets(self, rule: Rule, hit: int) -> None:
        """What a rule may have put into a set, or taken out of it, later rules may find there or not."""
        for effect in rule.effects:
            if effect.kind in _SET_CHANGES:
                changed = self.batch.with_changed_set(effect.value, effect.kind == "set_grows", hit)
                if changed is not None:
                    whole = self._whole.with_changed_set(effect.value, effect.kind == "set_grows", hit)
                    self.batch, self._whole, self._prepared = changed, whole or self._whole, {}

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
        first_parting = len(self.seen.partings)
        if target is None or len(self._path) > MAX_DEPTH:
            why = "the chains jump to each other too deeply" if target else f"the chain {rule.argument} is not listed"
            back: Flow = {}
            ended = self._stop(target or chain, moved, why)
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
                self.seen.rewrites.append(Rewrite(surely, hit, place))
                self.rewritten |= surely
                self.maybe_rewritten |= hit
            elif self._base.kind == "filter" and self._base.hook in {"input", "forward", "output"}:
                self.seen.accepts.append((surely, place))
        else:
            self.seen.endings.append(Ending(rule.verdict, rule.argument, hit, place))
        return hit

    def _place(self, chain: Chain, rule: Rule) -> Place:
        return Place(self._base, chain, rule, (*self._path, (chain.name, rule.number)))

    def _part(self, chain: Chain, rule: Rule, who: int) -> None:
        if who:
            self.seen.partings.append((who, self._place(chain, rule), self.batch))

    def maybe_called(self, base: BaseChain, who: int) -> None:
        """Note that it is not known whether the kernel shows these packets to a chain that may end their way."""
        if who:
            self.seen.partings.append((who, Place(base, base.chain, None, ((base.chain.name, 0),)), self.batch))

    def _forget_partings(self, first: int, together_again: int) -> None:
        """Packets whose ways have met again, whatever they did since partings[first], have not parted."""
        if together_again:
            later = self.seen.partings[first:]
            self.seen.partings[first:] = [(who & ~together_again, place, batch) for who, place, batch in later]

    def _rules_of(self, chain: Chain) -> list[_Prepared]:
        found = self._prepared.get(id(chain))
        if found is None:
            found = self._prepared[id(chain)] = _prepare(self.batch, chain.rules(self.screen))
        return found


def _prepare(batch: Batch, rules: Sequence[Rule]) -> list[_Prepared]:
    """Answer all that does not change on the way; keep the rules that do something and that some packet may match."""
    found = []
    for at, rule in enumerate(rules):
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
            found.append(_Prepared(sure, maybe, tuple(on_the_way), rule, at))
    return found
