# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts, the rules that decide, and rewritten sources in the shape of calico_firewall."""

from __future__ import annotations

from .._firewall import model, owners
from .._record import NamedTuple
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from .._firewall.counterfactual import Outcome
    from .._firewall.decisions import Decision
    from .._firewall.model import Place
    from .firewall_verdicts import Way

    Facts = dict[str, Any]

TEXT_LIMIT = 300
_MOST_GROUPS = 12
_MOST_LOOKED_BEHIND = 3


class Blocked(NamedTuple):
    """What is decided alike about several flows; `answered` if those packets pass that answer what was sent before."""

    names: Sequence[str]
    decision: Decision
    answered: bool


def grouped(
    decisions: Sequence[Decision],
    family: str,
    ways: Sequence[Way],
    behind: Callable[[Decision], list[Facts]] | None = None,
) -> list[Facts]:
    """Return one entry per verdict and deciding rule; the accepted peers share one, with the rule if it is one.

    `behind` gives for a decision what would block next.
    """
    accepts = [decision for decision in decisions if decision.verdict == model.ACCEPT]
    others = [decision for decision in decisions if decision.verdict != model.ACCEPT]
    if len(accepts) > 1:
        members = 0
        for decision in accepts:
            members |= decision.members
        accepts = [accepts[0]._replace(members=members, place=None)]
    everybody = len(accepts) == 1 and not others
    merged = merged_by_chain(others) if len(others) > _MOST_GROUPS else [(decision, 1) for decision in others]
    entries: list[Facts] = []
    for decision, rules in [(one, 1) for one in accepts] + merged:
        entry = _entry(decision, family, ways, not everybody, rules)
        then = behind(decision) if behind is not None and rules == 1 and len(entries) < _MOST_LOOKED_BEHIND else []
        if then:
            entry["then"] = then
        entries.append(entry)
    return entries


def merged_by_chain(decisions: Sequence[Decision]) -> list[tuple[Decision, int]]:
    """Return one decision per verdict and chain, where rules are too many to name each: the first, and how many."""
    found: dict[tuple[str, ...], tuple[Decision, int]] = {}
    for decision in decisions:
        place = decision.place
        where = (place.base.table.backend, place.base.table.name, place.chain.name) if place else ()
        key = (decision.verdict, *where)
        first, rules = found.get(key, (decision, 0))
        found[key] = first._replace(members=first.members | decision.members), rules + 1
    return list(found.values())


def _entry(decision: Decision, family: str, ways: Sequence[Way], with_peers: bool, rules: int) -> Facts:
    members = [way.peer for number, way in enumerate(ways) if decision.members >> number & 1]
    entry: Facts = {"verdict": decision.verdict, "count": len(members), "family": family}
    if with_peers:
        entry["peers"] = pack(members)
    if decision.place is not None:
        entry["rule"] = rule_facts(decision.place, family)
    if rules > 1:
        entry["rules"] = rules
    if not decision.how_is_sure:
        entry["how_is_uncertain"] = True
    if decision.detail:
        entry["with" if decision.verdict == model.REJECT else "why_unknown"] = decision.detail[:TEXT_LIMIT]
    return entry


def rule_facts(place: Place, family: str) -> Facts:
    table = place.base.table
    text = place.rule.text if place.rule is not None else ""
    counted = place.rule.packets if place.rule is not None else place.chain.packets
    chains = [name for name, _number in place.path]
    rule: Facts = {
        "backend": table.backend,
        "family": family,
        "table": table.name,
        "chain": place.chain.name,
        "rule": place.rule.number if place.rule is not None else 0,
        "text": (text or _policy_text(place))[:TEXT_LIMIT],
        "owner": owners.of_rule(table.name, place.chain.name, text, chains, table.chains),
        "path": [f"{name} {number}" for name, number in place.path],
    }
    if table.backend == model.EBPF:
        rule["owner"] = owners.of_program(text)
    part = owners.part_of(rule["owner"], chains) if rule["owner"] in {"firewalld", "ufw"} else ""
    if part:
        rule["part"] = part
    if counted >= 0:
        rule["packets"] = counted
    return rule


def outcome(one: Outcome, family: str) -> Facts:
    """Return what becomes of a packet in a case that is supposed."""
    entry: Facts = {"verdict": one.verdict}
    if one.place is not None:
        entry["rule"] = rule_facts(one.place, family)
    if one.detail:
        entry["with" if one.verdict == model.REJECT else "why_unknown"] = one.detail[:TEXT_LIMIT]
    return entry


def _policy_text(place: Place) -> str:
    if place.base.table.backend == model.NATIVE:
        return f"policy {place.chain.policy}" if place.chain.policy else ""
    return f"-P {place.chain.name} {place.chain.policy.upper()}" if place.chain.policy else ""


def blocked(answers: Sequence[Decision], opened: Sequence[Decision], family: str, ways: Sequence[Way]) -> list[Facts]:
    """Return only what blocks, or may block, the answers of connections which could be opened at all."""
    open_to = 0
    for decision in opened:
        open_to |= decision.members if decision.verdict == model.ACCEPT else 0
    stopped = [
        decision._replace(members=decision.members & open_to)
        for decision in answers
        if decision.verdict != model.ACCEPT and decision.members & open_to
    ]
    return grouped(stopped, family, ways) if stopped else []


# --- flows other than BGP ---


def together(refused: Mapping[str, Sequence[Decision]], passing: Mapping[str, int]) -> list[Blocked]:
    """Put flows together about whose packets the same is decided for the same peers. `passing` has those peers of each
    flow whose packets pass as answers."""
    found: dict[tuple[Any, ...], Blocked] = {}
    for name, decisions in refused.items():
        for decision in decisions:
            for answered, members in (
                (True, decision.members & passing[name]),
                (False, decision.members & ~passing[name]),
            ):
                if not members:
                    continue
                key = (decision.verdict, decision.detail, members, _identity(decision.place), answered)
                names = found[key].names if key in found else ()
                found[key] = Blocked((*names, name), decision._replace(members=members), answered)
    return list(found.values())


def _identity(place: Place | None) -> tuple[int, ...]:
    return (id(place.base), id(place.chain), id(place.rule)) if place is not None else ()


def of_flows(blocked: Sequence[Blocked], family: str, ways: Sequence[Way]) -> list[Facts]:
    """Return one entry per verdict, deciding rule and group of flows."""
    entries = []
    everybody = (1 << len(ways)) - 1
    groups: dict[tuple[Sequence[str], bool], list[Decision]] = {}
    for one in blocked:
        groups.setdefault((one.names, one.answered), []).append(one.decision)
    for (names, answered), decisions in groups.items():
        crowded = len(blocked) > _MOST_GROUPS
        for decision, rules in merged_by_chain(decisions) if crowded else [(one, 1) for one in decisions]:
            entry = {"flows": list(names), **_entry(decision, family, ways, decision.members != everybody, rules)}
            if answered:
                entry["answers"] = model.ACCEPT
            entries.append(entry)
    return entries


# --- rewritten sources ---


def rewrites(
    place: Place, by_flow: Mapping[str, tuple[int, int]], direction: str, family: str, ways: Sequence[Way]
) -> list[Facts]:
    """Return what a rule does to the source of packets; `by_flow` has (surely, maybe) concerned peers."""
    found: dict[tuple[int, str | None, bool], list[str]] = {}
    for name, (sure, maybe) in by_flow.items():
        by_address: dict[tuple[str | None, bool], int] = {}
        for number, way in enumerate(ways):
            if maybe >> number & 1:
                to = _new_source(place, way, direction, family)
                if to != "":
                    key = (to, bool(sure >> number & 1) and to is not None)
                    by_address[key] = by_address.get(key, 0) | 1 << number
        for (to, is_sure), members in by_address.items():
            found.setdefault((members, to, is_sure), []).append(name)
    entries = []
    for (members, to, is_sure), names in found.items():
        peers = [way.peer for number, way in enumerate(ways) if members >> number & 1]
        entry: Facts = {"flows": names, "family": family, "count": len(peers), "peers": pack(peers)}
        if direction != "outbound":
            entry["direction"] = direction
        if to is not None:
            entry["to"] = to
        if not is_sure:
            entry["uncertain"] = True
        entry["rule"] = rule_facts(place, family)
        entries.append(entry)
    return entries


def _new_source(place: Place, way: Way, direction: str, family: str) -> str | None:
    """Return the source that a packet gets: None if that is not known, "" if it has that one already."""
    given = place.rule.argument if place.rule is not None else "?"
    old = way.local if direction == "outbound" else way.number
    if given == "?" or (not given and (direction != "outbound" or way.masquerade is None)):
        return None
    if given:
        new = model.address_number(given)
        return "" if new is not None and new[1] == old else given
    if way.masquerade == old:
        return ""
    import socket

    kind, size = (socket.AF_INET, 4) if family == "ipv4" else (socket.AF_INET6, 16)
    return socket.inet_ntop(kind, (way.masquerade or 0).to_bytes(size, "big"))
