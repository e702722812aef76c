# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of BGP's packets to and from every peer where there are packet filters, and which rules decide it."""

from __future__ import annotations

from .._firewall import evaluate, model, owners, packets, read
from .._record import NamedTuple
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .._firewall.decisions import Decision, Result
    from .._firewall.model import Packet, Place
    from .._firewall.read import Rulesets
    from .._host.links import Network
    from .._host.routes import Route
    from .bgp_daemon import Peer

    Facts = dict[str, Any]

BGP_PORT = 179
_TEXT_LIMIT = 300
_MOST_GROUPS = 12
# Where Linux takes the dialler's port from. Nodes of a cluster are set up alike, so this node's range stands for all.
_EPHEMERAL = (32768, 60999)
_SYN_ACK = 0x12


class _Way(NamedTuple):
    """How packets to and from one peer travel: None where it is not known."""

    peer: str
    number: int
    port: int
    interface: str | None
    local: int | None
    local_here: str | None  # LOCAL if our address belongs to that interface, UNICAST if to another one


def verdicts(
    found: Rulesets,
    peers: Sequence[Peer],
    network: Network | None,
    ways: Mapping[str, Route],
    local_addresses: Mapping[str, str],
) -> Facts:
    """Return calico_firewall's tcp179; see firewall.gather()."""
    collected: Facts = {"inbound": [], "outbound": []}
    for family in read.FAMILIES:
        of_family = [_way(peer, network, ways, local_addresses) for peer in peers if peer.family == family]
        known = [way for way in of_family if way is not None]
        if known:
            _evaluate(collected, found, family, known)
    return collected


def _way(
    peer: Peer, network: Network | None, ways: Mapping[str, Route], local_addresses: Mapping[str, str]
) -> _Way | None:
    address, _percent, zone = peer.address.partition("%")
    parsed = model.address_number(address)
    if parsed is None or parsed[0] != peer.family:
        return None
    route = ways.get(peer.address)
    usable = route is not None and route.kind == "unicast"
    interface = zone or (route.device if route is not None and usable else "")
    local = (
        peer.source or local_addresses.get(peer.family, "") or (route.source if route is not None and usable else "")
    )
    own = model.address_number(local)
    here = network.interface_of(local) if network is not None and local and interface else ""
    return _Way(
        peer.address,
        parsed[1],
        peer.port or BGP_PORT,
        interface or None,
        own[1] if own is not None and own[0] == peer.family else None,
        ("LOCAL" if here == interface else "UNICAST") if here else None,
    )


def _evaluate(verdicts: Facts, found: Rulesets, family: str, ways: Sequence[_Way]) -> None:
    ports = {way.port for way in ways}
    own_port = ports.pop() if len(ports) == 1 else BGP_PORT
    opened_to_us = _run(found, family, [_inbound(family, way, _EPHEMERAL, own_port) for way in ways], model.INBOUND)
    opened_by_us = _run(found, family, [_outbound(family, way, _EPHEMERAL, way.port) for way in ways], model.OUTBOUND)
    verdicts["inbound"] += _grouped(opened_to_us.decisions, family, ways)
    verdicts["outbound"] += _grouped(opened_by_us.decisions, family, ways)
    _add_rewrites(verdicts, opened_by_us, family, ways)
    sent = [_outbound(family, way, own_port, _EPHEMERAL, is_answer=True) for way in ways]
    received = [_inbound(family, way, way.port, _EPHEMERAL, is_answer=True) for way in ways]
    answers = {
        "sent": _blocked(_run(found, family, sent, model.OUTBOUND), opened_to_us, family, ways),
        "received": _blocked(_run(found, family, received, model.INBOUND), opened_by_us, family, ways),
    }
    for direction, groups in answers.items():
        if groups:
            verdicts.setdefault("answers", {}).setdefault(direction, []).extend(groups)


def _run(found: Rulesets, family: str, batch: Sequence[Packet], hooks: Sequence[str]) -> Result:
    return evaluate.evaluate(found.of_family(family, hooks), packets.Batch(batch, found.find_set))


def _inbound(
    family: str, way: _Way, source_port: int | tuple[int, int], port: int | tuple[int, int], is_answer: bool = False
) -> Packet:
    packet = model.Packet(
        family,
        way.interface,
        "",
        way.number,
        way.local,
        source_port=source_port,
        destination_port=port,
        source_type="UNICAST",
        source_type_here="UNICAST",
        destination_type="LOCAL",
        destination_type_here=way.local_here,
    )
    return _answer(packet) if is_answer else packet


def _outbound(
    family: str, way: _Way, source_port: int | tuple[int, int], port: int | tuple[int, int], is_answer: bool = False
) -> Packet:
    packet = model.Packet(
        family,
        "",
        way.interface,
        way.local,
        way.number,
        source_port=source_port,
        destination_port=port,
        source_type="LOCAL",
        source_type_here=way.local_here,
        destination_type="UNICAST",
        destination_type_here="UNICAST",
    )
    return _answer(packet) if is_answer else packet


def _answer(packet: Packet) -> Packet:
    """The listener's answer to a SYN: an established connection for conntrack."""
    return packet._replace(state="ESTABLISHED", direction="REPLY", tcp_flags=_SYN_ACK)


# --- shaping ---


def _grouped(decisions: Sequence[Decision], family: str, ways: Sequence[_Way]) -> list[Facts]:
    """One entry per verdict and deciding rule; the accepted peers share one, with a rule if it is the same for all."""
    accepts = [decision for decision in decisions if decision.verdict == model.ACCEPT]
    others = [decision for decision in decisions if decision.verdict != model.ACCEPT]
    if len(accepts) > 1:
        members = 0
        for decision in accepts:
            members |= decision.members
        accepts = [accepts[0]._replace(members=members, place=None)]
    everybody = len(accepts) == 1 and not others
    merged = _merged_by_chain(others) if len(others) > _MOST_GROUPS else [(decision, 1) for decision in others]
    return [
        _entry(decision, family, ways, not everybody, rules)
        for decision, rules in [(one, 1) for one in accepts] + merged
    ]


def _merged_by_chain(decisions: Sequence[Decision]) -> list[tuple[Decision, int]]:
    """Too many rules to name each: one entry per verdict and chain, with its first rule and how many there are."""
    found: dict[tuple[str, ...], tuple[Decision, int]] = {}
    for decision in decisions:
        place = decision.place
        where = (place.base.table.backend, place.base.table.name, place.chain.name) if place else ()
        key = (decision.verdict, *where)
        first, rules = found.get(key, (decision, 0))
        found[key] = first._replace(members=first.members | decision.members), rules + 1
    return list(found.values())


def _entry(decision: Decision, family: str, ways: Sequence[_Way], with_peers: bool, rules: int) -> Facts:
    members = [way.peer for number, way in enumerate(ways) if decision.members >> number & 1]
    entry: Facts = {"verdict": decision.verdict, "count": len(members), "family": family}
    if with_peers:
        entry["peers"] = pack(members)
    if decision.place is not None:
        entry["rule"] = _rule(decision.place, family)
    if rules > 1:
        entry["rules"] = rules
    if not decision.how_is_sure:
        entry["how_is_uncertain"] = True
    if decision.detail:
        entry["with" if decision.verdict == model.REJECT else "why_unknown"] = decision.detail[:_TEXT_LIMIT]
    return entry


def _rule(place: Place, family: str) -> Facts:
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
        "text": (text or _policy_text(place))[:_TEXT_LIMIT],
        "owner": owners.of_rule(table.name, place.chain.name, text, chains, table.chains),
        "path": [f"{name} {number}" for name, number in place.path],
    }
    if counted >= 0:
        rule["packets"] = counted
    return rule


def _policy_text(place: Place) -> str:
    if place.base.table.backend == model.NATIVE:
        return f"policy {place.chain.policy}" if place.chain.policy else ""
    return f"-P {place.chain.name} {place.chain.policy.upper()}" if place.chain.policy else ""


def _add_rewrites(verdicts: Facts, result: Result, family: str, ways: Sequence[_Way]) -> None:
    """Note rules that give our own connections another source address, which the peer then does not know."""
    for members, place in result.rewrites:
        peers = [way.peer for number, way in enumerate(ways) if members >> number & 1]
        if peers:
            entry = {"family": family, "count": len(peers), "peers": pack(peers), "rule": _rule(place, family)}
            verdicts.setdefault("source_rewrites", []).append(entry)


def _blocked(answers: Result, opened: Result, family: str, ways: Sequence[_Way]) -> list[Facts]:
    """Only what blocks the answers of connections which could be opened at all."""
    open_to = 0
    for decision in opened.decisions:
        open_to |= decision.members if decision.verdict == model.ACCEPT else 0
    blocked = [
        decision._replace(members=decision.members & open_to)
        for decision in answers.decisions
        if decision.verdict in {model.DROP, model.REJECT} and decision.members & open_to
    ]
    return _grouped(blocked, family, ways) if blocked else []
