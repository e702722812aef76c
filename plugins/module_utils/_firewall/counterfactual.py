# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would change if a rule were added: the same packets through the rules as they are, and as they would be.

Nothing is added anywhere. A fix asks here first, and is proposed only if it does what it is meant to and nothing else:

    rule = counterfactual.addition(model.NFT, "ipv4", "filter", "-I INPUT 1 -p tcp -m tcp --dport 179 -j ACCEPT")
    shown = packet_classes.representatives(found.bases, found.find_set, packet, within=counterfactual.rule_of(rule))
    counterfactual.compare(found.bases, rule, shown.packets, found.find_set).changed
"""

from __future__ import annotations

from .._numbers import is_whole
from .._record import NamedTuple
from . import evaluate, iptables_rule, iptables_save, model, packets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Union

    from .decisions import Result
    from .ipset import IpSet
    from .model import BaseChain, Chain, Packet, Place, Rule, Table

    Sets = Callable[[str], Union[IpSet, None]]

_ENTRIES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


class Addition(NamedTuple):
    """A rule that might be added, and where; `backend`, `family`, `table` and `chain` are a place's as facts name it.

    `position` is the number that the rule would get, 0 to stand last. `rule` is the text of iptables-save behind the
    chain's name ("-p tcp -j ACCEPT"), or the "expr" of nft's JSON. `sets` are the named sets and maps of a native
    table by their names, as nft's JSON describes them, if the rule refers to any.
    """

    backend: str
    family: str
    table: str
    chain: str
    position: int
    rule: Any
    sets: Mapping[str, Any] | None = None


class Outcome(NamedTuple):
    """What becomes of one packet: see decisions.Decision.

    `sources` are the addresses that rules may put in place of its own ("" one of the interface's), and `source_is_sure`
    says whether one of them surely does.
    """

    verdict: str
    detail: str
    place: Place | None
    how_is_sure: bool
    sources: tuple[str, ...]
    source_is_sure: bool


class Comparison(NamedTuple):
    """The outcome for each packet before and after, by the packets' positions.

    `changed` are the positions of those whose verdict, answer or source is another one; `undecided` of those whose fate
    was unknown, still is, and may yet be changed by the rule.
    """

    before: list[Outcome]
    after: list[Outcome]
    changed: list[int]
    undecided: list[int]

    def turned(self, verdict: str) -> list[int]:
        """Return the positions of the packets whose verdict is `verdict` now and was none before."""
        return [at for at in self.changed if self.after[at].verdict == verdict != self.before[at].verdict]


def addition(backend: str, family: str, table: str, line: str) -> Addition:
    """Return what "-A CHAIN …" or "-I CHAIN [number] …" would add. Raises ValueError for any other text."""
    words = line.split(None, 2)
    if len(words) < 2 or words[0] not in {"-A", "-I"}:
        raise ValueError(f"neither -A nor -I: {line[:120]}")
    rest = words[2] if len(words) > 2 else ""
    position = 0
    if words[0] == "-I":
        number, _space, others = rest.partition(" ")
        position, rest = (int(number), others) if is_whole(number) else (1, rest)
        if position < 1:
            raise ValueError(f"rules are numbered from 1: {line[:120]}")
    return Addition(backend, family, table, words[1], position, rest.strip())


def rule_of(added: Addition, table: Table | None = None, number: int = 1) -> list[Rule]:
    """Return the added rule in the terms of the model; several, if it holds a verdict map."""
    if added.backend == model.NATIVE:
        from . import nftables

        return nftables.translate(number, {"expr": added.rule}, added.sets or {})
    owner = table or model.Table(added.backend, added.family, added.table, {})
    return [iptables_rule.translate(number, f"-A {added.chain} {added.rule}", -1, owner)]


def with_rule(bases: Sequence[BaseChain], added: Addition) -> list[BaseChain]:
    """Return the base chains as they would be with the rule; those given stay as they are.

    A table of iptables that is not there is made, as iptables does. Raises LookupError if there is no such chain, or no
    such place in it.
    """
    old = next((base.table for base in bases if _is_meant(base.table, added)), None)
    others = list(bases)
    if old is None:
        if added.backend == model.NATIVE or added.chain not in _ENTRIES.get(added.table, ()):
            raise LookupError(f"there is no chain {added.chain} in table {added.table} of {added.backend}")
        empty = {name: model.Chain(name, model.ACCEPT, lambda _screen: ()) for name in _ENTRIES[added.table]}
        old = model.Table(added.backend, added.family, added.table, empty)
        others += iptables_save.base_chains(old)
    if added.chain not in old.chains:
        raise LookupError(f"there is no chain {added.chain} in table {added.table} of {added.backend}")
    chains = dict(old.chains)
    new = old._replace(chains=chains)
    chains[added.chain] = _longer(chains[added.chain], added, new)
    return [base._replace(table=new, chain=chains[base.chain.name]) if base.table is old else base for base in others]


def _is_meant(table: Table, added: Addition) -> bool:
    if table.backend != added.backend or table.name != added.table:
        return False
    return added.backend == model.NATIVE or table.family == added.family


def _longer(chain: Chain, added: Addition, table: Table) -> Chain:
    last = max((rule.number for rule in chain.rules()), default=0)
    position = added.position or last + 1
    if not 1 <= position <= last + 1:
        raise LookupError(f"{added.chain} has {last} rules only")
    made = rule_of(added, table, position)

    def rules(screen: model.Screen | None) -> list[Rule]:
        own = chain.rules(screen)
        later = [rule._replace(number=rule.number + 1) for rule in own if rule.number >= position]
        return [*(rule for rule in own if rule.number < position), *made, *later]

    return model.Chain(chain.name, chain.policy, rules, chain.packets, chain.doubt)


def compare(bases: Sequence[BaseChain], added: Addition, tried: Sequence[Packet], find_set: Sets) -> Comparison:
    """Return what the rule would change for the packets `tried`, of any family and direction.

    `bases` and `find_set` are those of read.Rulesets. Raises LookupError as with_rule() does.
    """
    after = outcomes(with_rule(bases, added), tried, find_set)
    before = outcomes(bases, tried, find_set)
    changed, undecided = [], []
    may_meet = _may_meet(added, tried, find_set)
    for at, (old, new) in enumerate(zip(before, after)):
        if _differ(old, new):
            changed.append(at)
        elif at in may_meet and (
            model.UNKNOWN in {old.verdict, new.verdict} or not (new.source_is_sure or not new.sources)
        ):
            undecided.append(at)
    return Comparison(before, after, changed, undecided)


def _differ(old: Outcome, new: Outcome) -> bool:
    if old.verdict != new.verdict or (old.sources, old.source_is_sure) != (new.sources, new.source_is_sure):
        return True
    return old.verdict == model.REJECT and (old.detail, old.how_is_sure) != (new.detail, new.how_is_sure)


def outcomes(bases: Sequence[BaseChain], tried: Sequence[Packet], find_set: Sets) -> list[Outcome]:
    """Return what becomes of each of the packets, of any family and direction."""
    found: dict[int, Outcome] = {}
    for places in _alike(tried):
        batch = packets.Batch([tried[at] for at in places], find_set)
        chains = relevant(bases, tried[places[0]])
        result = evaluate.evaluate(chains, batch)
        sources = [_sources(result, number) for number in range(len(places))]
        for decision in result.decisions:
            for number, at in enumerate(places):
                if decision.members >> number & 1:
                    verdict = (decision.verdict, decision.detail, decision.place, decision.how_is_sure)
                    found[at] = Outcome(*verdict, *sources[number])
    return [found[at] for at in range(len(tried))]


def relevant(bases: Sequence[BaseChain], packet: Packet) -> list[BaseChain]:
    """Return the base chains that a packet meets: an outbound one has no incoming interface, an inbound one none to
    leave by, and one that goes through this host has both."""
    hooks: tuple[str, ...] = model.FORWARDED
    if packet.in_interface == "":
        hooks = model.OUTBOUND
    elif packet.out_interface == "":
        hooks = model.INBOUND
    return [base for base in bases if base.hook in hooks and base.table.family in {packet.family, "inet", "netdev"}]


def _alike(tried: Sequence[Packet]) -> list[list[int]]:
    """Return the positions of packets that can walk together."""
    found: dict[tuple[str, bool, bool], list[int]] = {}
    for at, packet in enumerate(tried):
        key = (packet.family, packet.in_interface == "", packet.out_interface == "")
        found.setdefault(key, []).append(at)
    return list(found.values())


def _sources(result: Result, number: int) -> tuple[tuple[str, ...], bool]:
    own = [rewrite for rewrite in result.rewrites if rewrite.maybe >> number & 1]
    arguments = {rewrite.place.rule.argument for rewrite in own if rewrite.place.rule is not None}
    return tuple(sorted(arguments)), any(rewrite.sure >> number & 1 for rewrite in own)


def _may_meet(added: Addition, tried: Sequence[Packet], find_set: Sets) -> set[int]:
    """Return the positions of the packets for which the rule itself may hold."""
    found: set[int] = set()
    for places in _alike(tried):
        batch = packets.Batch([tried[at] for at in places], find_set)
        for rule in rule_of(added):
            maybe = batch.all
            for match in rule.matches:
                if not packets.depends_on_the_way(match):
                    maybe &= batch.answer(match)[1]
            found.update(at for number, at in enumerate(places) if maybe >> number & 1)
    return found
