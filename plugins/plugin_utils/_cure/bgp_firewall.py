# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules a host's filter lacks so that its peers' packets come through, and which of ours are for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue import packet_signals, words
from .._catalogue.firewall_fix import merged
from .._evidence.openings import Flow, Opening
from . import cloud_rules, own_firewall_rules
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node, Verdict
    from .._evidence.rules import Rule
    from .model import Given

BLOCKING = ("drop", "reject")
BGP, IPIP, VXLAN, WIREGUARD, TYPHA = "bgp", "ipip", "vxlan", "wireguard", "typha"
FLOWS = (BGP, IPIP, VXLAN, WIREGUARD, TYPHA)
TYPHA_PORT = 5473
# Rules for more peers than this are made for prefixes that hold exactly them.
MOST_SINGLE = 64
_KIND = {
    "ipip": IPIP,
    "udp4789": VXLAN,
    "udp8472": VXLAN,
    "udp51820": WIREGUARD,
    "udp51821": WIREGUARD,
    "tcp5473": TYPHA,
}
_OUT = ("outbound", "answers_sent")
_ANSWERS = ("answers_sent", "answers_received")


def changes(given: Given) -> Decision:
    """The rules to be added and taken away on the host. With the option print: cloud rules for a person, and no host.

    Options: flows (of FLOWS; none: BGP and what is in use), zone (of firewalld), remove (whether rules for addresses
    that are nobody's go), print (clouds).
    """
    flows = _asked(given)
    clouds = given.options.get("print") or []
    if clouds:
        return Decision(says=cloud_rules.lines(given.evidence, clouds, _used(given.evidence, None) | {BGP}))
    node = given.evidence.nodes.get(given.evidence.aliases.get(given.host, given.host))
    if node is None:
        return refuse(f"nothing is known of {given.host}: {given.missing.get(given.host, 'it told nothing')}")
    if node.verdicts is None:
        return refuse(f"the filters of {given.host} could not be read")
    stopped = list(_of_bgp(node)) if not flows or BGP in flows else []
    stopped += _of_others(given.evidence, node, set(flows) or _used(given.evidence, node))
    return _decide(given, node, stopped)


def _asked(given: Given) -> list[str]:
    asked = given.options.get("flows") or []
    unknown = [str(one) for one in asked if one not in FLOWS]
    if unknown:
        raise ValueError(f"bgp_firewall_flows knows {', '.join(FLOWS)}, not {', '.join(unknown)}")
    return list(asked)


def _used(evidence: Evidence, node: Node | None) -> set[str]:
    """What carries packets between the nodes beside BGP, and Typha where it is in use."""
    nodes = [node] if node is not None else list(evidence.nodes.values())
    found = {
        kind
        for kind in (packet_signals.IPIP, packet_signals.VXLAN, packet_signals.WIREGUARD)
        if any(packet_signals.uses(evidence, kind, one) for one in nodes)
    }
    if any(one.control.typha_here is not None or one.control.typha.wanted for one in nodes):
        found.add(TYPHA)
    return found


Stopped = tuple["tuple[Rule | None, ...]", Flow, "list[str]"]


def _of_bgp(node: Node) -> Iterator[Stopped]:
    """What stops BGP, with the rules behind it that would stop it next."""
    for verdict in node.verdicts or ():
        if verdict.verdict not in BLOCKING:
            continue
        for port, peers in _by_port(node, verdict).items():
            flow = Flow("tcp", port, verdict.direction in _OUT, verdict.direction in _ANSWERS, verdict.family)
            yield (verdict.rule, *verdict.then), flow, peers


def _by_port(node: Node, verdict: Verdict) -> dict[int, list[str]]:
    """The peers that are BIRD's, by the port to which connections go."""
    daemon = node.daemons.get(verdict.family)
    known = set(bgp_peers(node, verdict.family))
    peers = known if verdict.peers is None else verdict.peers & known if known else verdict.peers
    found: dict[int, list[str]] = {}
    for peer in sorted(peers):
        protocol = daemon.troubled.get(peer) if daemon is not None else None
        theirs = verdict.direction in ("outbound", "answers_received")
        found.setdefault(
            protocol.port if theirs and protocol is not None and protocol.port else verdict.port, []
        ).append(peer)
    return found


def bgp_peers(node: Node, family: str) -> list[str]:
    """The addresses of the peers that BIRD has."""
    daemon = node.daemons.get(family)
    if daemon is None:
        return []
    troubled = [one.peer for one in daemon.troubled.values() if one.kind != "Local_Workload"]
    return [*daemon.established, *(peer for peer in troubled if peer)]


def _of_others(evidence: Evidence, node: Node, kinds: set[str]) -> Iterator[Stopped]:
    """What stops tunnels and connections to Typha."""
    for block in node.packets.blocks:
        if not block.surely or block.answers:
            continue
        outbound = block.direction == "outbound"
        for name in block.flows:
            kind = _KIND.get(name, "")
            peers = _others(evidence, node, block.family, block.peers)
            if kind == TYPHA:
                peers = _with_typha(evidence, node, peers, outbound)
            if kind in kinds and peers:
                protocol = "ipip" if name == "ipip" else name[:3]
                port = 0 if name == "ipip" else int(name[3:])
                yield (block.rule,), Flow(protocol, port, outbound, False, block.family), peers


def _with_typha(evidence: Evidence, node: Node, peers: list[str], outbound: bool) -> list[str]:
    """Those that call a Typha here, or the hosts of Typhas that this one calls."""
    if not outbound:
        return peers if node.control.typha_here is not None else []
    if not node.control.typha.wanted:
        return []
    there = {owner.name for owner in evidence.nodes.values() if owner.control.typha_here is not None}
    called = {one.address for one in node.control.typha.connections}
    return [peer for peer in peers if peer in called or ((owner := evidence.owners.get(peer)) and owner.name in there)]


def _others(evidence: Evidence, node: Node, family: str, told: list[str]) -> list[str]:
    """The addresses of the other nodes, those among them that are told (none: all)."""
    known = {one.bgp_addresses.get(family, "") for one in evidence.nodes.values() if one is not node}
    known |= set(bgp_peers(node, family))
    cluster = evidence.cluster
    for kube in cluster.nodes.values() if cluster is not None else ():
        known.update(one for one in kube.internal_addresses if (":" in one) == (family == "ipv6"))
    # A node that runs no BIRD tells no address of its own for BGP.
    known -= {"", *node.bgp_addresses.values(), *(held.address for held in node.addresses)}
    return sorted(known & set(told) if told else known)


def _decide(given: Given, node: Node, stopped: list[Stopped]) -> Decision:
    zone = str(given.options.get("zone") or "")
    saved = own_firewall_rules.saved_places(given.own)
    made: list[dict[str, Any]] = []
    says: list[str] = []
    opened: set[str] = set()
    for rules, flow, peers in stopped:
        openings = [Opening(rule, flow) for rule in rules]
        why = next(filter(None, (one.why_not(zone) for one in openings)), "")
        if why:
            says.append(f"{node.name}: {_flow_text(flow, peers)} is not opened: {why}")
            continue
        ends = peers if len(peers) <= MOST_SINGLE else merged(peers)
        for opening in openings:
            made += [change for end in ends for change in _of_end(opening, end, peers, zone, saved)]
        opened |= set(peers) if flow.protocol == "tcp" and flow.port != TYPHA_PORT else set()
        place = words.rule_and_owner(rules[0]) if rules[0] else "a rule"
        says.append(f"{node.name}: {_flow_text(flow, peers)} is opened ahead of {place}")
    if given.options.get("remove", True):
        for line, change in own_firewall_rules.gone(given, node):
            made.append(change)
            says.append(f"{node.name}: {line}")
    made += own_firewall_rules.not_saved(given.own, saved)
    unique = list({repr(sorted(one.items(), key=str)): one for one in made}.values())
    return Decision(unique, says, expect=sorted(_expected(given.evidence, node, opened)))


def _of_end(opening: Opening, end: str, peers: Iterable[str], zone: str, saved: list[Any]) -> list[dict[str, Any]]:
    """The changes for one peer, or for a prefix that holds some of them."""
    made = opening.changes(end, zone, saved)
    if "/" in end:
        inside = own_firewall_rules.inside(end, peers)
        for change in made:
            if "opens" in change:
                change["opens"] = [{**change["opens"][0], "peers": inside}]
    return made


def _expected(evidence: Evidence, node: Node, opened: set[str]) -> Iterator[str]:
    """The peers with whom nothing but what is opened here keeps a session down."""
    for session in evidence.down_at(node.name):
        side = session.side_of(node.name)
        other = session.other(side) if side is not None else None
        if other is None or other.address not in opened or other.node is None or not other.readable:
            continue
        if side is None or not side.readable or side.protocol is None or other.protocol is None:
            continue
        if side.protocol.disabled or other.protocol.disabled or _stops(other.node, side.address):
            continue
        yield other.address


def _stops(node: Node, peer: str) -> bool:
    """The other end's filters stop BGP with this node in some direction, or may do so."""
    told = [one for one in node.verdicts or () if one.peers is None or peer in one.peers]
    return node.verdicts is None or any(
        one.verdict != "accept" for one in told if (":" in peer) == (one.family == "ipv6")
    )


def _flow_text(flow: Flow, peers: list[str]) -> str:
    what = f"{flow.protocol.upper()} {flow.port}" if flow.port else "IP protocol 4"
    way = "to" if flow.outbound else "from"
    return f"{'what answers ' if flow.answers else ''}{what} {way} {words.listed(peers)}"
