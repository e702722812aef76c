# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of the packets between this node and every peer where there are packet filters, and by which rules."""

from __future__ import annotations

from .._firewall import evaluate, model, packets, read
from .._record import NamedTuple
from . import firewall_shapes as shapes
from .firewall import BGP_PORT, FLOWS, NO_BGP, other_ports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._firewall.decisions import Decision, Result
    from .._firewall.model import Packet
    from .._firewall.read import Rulesets
    from .._host.links import Network
    from .._host.routes import Route
    from .bgp_daemon import Peer
    from .firewall import Around

    Facts = dict[str, Any]
    Kind = dict[str, Any]

# Where Linux takes the dialler's port from. Nodes of a cluster are set up alike, so this node's range stands for all.
# A VXLAN device takes the port for its outer packets from there, too.
_EPHEMERAL = (32768, 60999)
_TCP, _UDP = 6, 17
_SYN_ACK = 0x12
# WireGuard sends from the port that it listens on, IPIP has none: for conntrack what comes back is an answer.
_TWO_WAY = ("ipip", "udp51820", "udp51821")
_ANSWER = {"state": "ESTABLISHED", "direction": "REPLY"}
_BGP = "tcp179"
_MOST_TRIED = 64


class Way(NamedTuple):
    """How packets to and from one peer travel: None where it is not known."""

    peer: str
    number: int
    port: int
    interface: str | None
    local: int | None
    local_here: str | None  # LOCAL if our address belongs to that interface, UNICAST if to another one
    bridged: bool | None
    masquerade: int | None  # the address that MASQUERADE would give to what we send
    bgp: bool  # whether BGP is spoken with it


def verdicts(found: Rulesets, around: Around) -> Facts:
    """Return calico_firewall's tcp179, flows and source_nat; see firewall.gather()."""
    tcp179: Facts = {"inbound": [], "outbound": [], **other_ports(around)}
    flows: dict[str, list[Facts]] = {"inbound": [], "outbound": []}
    source_nat: list[Facts] = []
    troubled: set[str] = set()
    evaluated: list[str] = []
    for family in read.FAMILIES:
        of_family = [_way(peer, around) for peer in around.peers if peer.family == family]
        known = [way for way in of_family if way is not None]
        if known:
            one = _Family(found, family, known, around.listen_ports.get(family, 0))
            one.add_tcp179(tcp179)
            evaluated += one.names
            for direction, blocked in one.blocked().items():
                troubled.update(name for names, _decision, _answered in blocked for name in names)
                flows[direction] += shapes.of_flows(blocked, family, known)
            source_nat += one.source_nat()
    facts: Facts = {"tcp179": tcp179}
    if evaluated:
        accepted = [name for name, *_rest in FLOWS if name in evaluated and name not in troubled]
        facts["flows"] = {"accepted": accepted, **{way: entries for way, entries in flows.items() if entries}}
    if source_nat:
        facts["source_nat"] = source_nat
    return facts


def _way(peer: Peer, around: Around) -> Way | None:
    network = around.network
    address, _percent, zone = peer.address.partition("%")
    parsed = model.address_number(address)
    if parsed is None or parsed[0] != peer.family:
        return None
    route = around.ways.get(peer.address)
    usable = route if route is not None and route.kind == "unicast" else None
    interface = zone or (usable.device if usable else "")
    local = peer.source or around.local_addresses.get(peer.family, "") or (usable.source if usable else "")
    own = model.address_number(local)
    here = network.interface_of(local) if network is not None and local and interface else ""
    link = network.link(interface) if network is not None and interface else None
    return Way(
        peer.address,
        parsed[1],
        peer.port or BGP_PORT,
        interface or None,
        own[1] if own is not None and own[0] == peer.family else None,
        ("LOCAL" if here == interface else "UNICAST") if here else None,
        False if link is not None and link.kind != "bridge" else None,
        _masquerade(peer.family, address, interface, usable, network),
        peer.kind != NO_BGP,
    )


def _masquerade(family: str, peer: str, interface: str, route: Route | None, network: Network | None) -> int | None:
    """Return the address that MASQUERADE takes: of the outgoing interface, best in the next hop's own subnet."""
    if network is None or not interface or route is None:
        return None
    if family == "ipv6":  # by the same choice that the route's source is
        own = model.address_number(route.source)
        return own[1] if own is not None and network.interface_of(route.source) == interface else None
    next_hop = model.address_number(route.gateway or peer)
    first = None
    for entry in network.addresses:
        own = model.address_number(entry.address)
        if own is None or entry.interface != interface or entry.family != family or entry.scope != "global":
            continue
        low, high = model.prefix_interval(own[1], entry.prefix, family)
        if next_hop is not None and low <= next_hop[1] <= high:
            return own[1]
        first = own[1] if first is None else first
    return first


class _Family:
    """All packets of one family, each direction in one walk: so every rule is taken apart once, for all flows."""

    def __init__(self, found: Rulesets, family: str, ways: Sequence[Way], listen_port: int = 0) -> None:
        # If nothing tells where this node listens, then where its peers do: a cluster is set up alike.
        ports = {way.port for way in ways}
        self._own_port = listen_port or (ports.pop() if len(ports) == 1 else BGP_PORT)
        self._bgp = sum(1 << number for number, way in enumerate(ways) if way.bgp)
        self._found, self._family, self._ways = found, family, ways
        of_family = [(name, _kind(protocol, port)) for name, protocol, port, families in FLOWS if family in families]
        self.names = [name for name, _of_flow in of_family]
        self._kinds = [kind for _name, kind in of_family]
        self._incoming = found.completed([_packet_to_us(family, way) for way in ways])
        self._outgoing = found.completed([_packet_from_us(family, way) for way in ways])
        answer = {**_ANSWER, "destination_port": _EPHEMERAL, "tcp_flags": _SYN_ACK}
        opening = {"source_port": _EPHEMERAL, "destination_port": self._own_port}
        self._inbound = self._run(self._incoming, [opening, answer, *self._kinds], model.INBOUND)
        opening, answer = {"source_port": _EPHEMERAL}, {**answer, "source_port": self._own_port}
        self._outbound = self._run(self._outgoing, [opening, answer, *self._kinds], model.OUTBOUND)
        self._behind = {"inbound": self._behind_inbound, "outbound": self._behind_outbound}

    def _run(self, base: Sequence[Packet], kinds: Sequence[Kind], hooks: Sequence[str]) -> _Ran:
        batch = packets.Batch(base, self._found.find_set, kinds)
        return _Ran(evaluate.evaluate(self._found.of_family(self._family, hooks), batch), batch)

    def add_tcp179(self, tcp179: Facts) -> None:
        """Add the verdicts about BGP: both kinds of connection, and what stops the answers of those let through."""
        family, ways, bgp = self._family, self._ways, self._bgp
        opened = {"inbound": self._inbound.of_kind(0, bgp), "outbound": self._outbound.of_kind(0, bgp)}
        for direction, decisions in opened.items():
            tcp179[direction] += shapes.grouped(decisions, family, ways, self._behind[direction])
        answers = {
            "sent": shapes.blocked(self._outbound.of_kind(1, bgp), opened["inbound"], family, ways),
            "received": shapes.blocked(self._inbound.of_kind(1, bgp), opened["outbound"], family, ways),
        }
        for direction, groups in answers.items():
            if groups:
                tcp179.setdefault("answers", {}).setdefault(direction, []).extend(groups)

    def _behind_inbound(self, decision: Decision) -> list[Facts]:
        port = self._own_port
        sent = [packet._replace(source_port=_EPHEMERAL, destination_port=port) for packet in self._incoming]
        return self._then(decision, sent, port)

    def _behind_outbound(self, decision: Decision) -> list[Facts]:
        ports = {way.port for number, way in enumerate(self._ways) if decision.members >> number & 1}
        there = [packet._replace(source_port=_EPHEMERAL) for packet in self._outgoing]
        return self._then(decision, there, ports.pop()) if len(ports) == 1 else []

    def _then(self, decision: Decision, sent: Sequence[Packet], port: int) -> list[Facts]:
        """Return what else blocks those packets that a rule blocks for certain, once that rule lets them pass."""
        if decision.verdict not in (model.DROP, model.REJECT) or decision.place is None:
            return []
        from .._firewall import opening

        tried = [packet for number, packet in enumerate(sent) if decision.members >> number & 1][:_MOST_TRIED]
        outcomes = opening.behind(self._found.bases, decision.place, tried, self._found.find_set, port)
        return [shapes.outcome(one, self._family) for one in outcomes if one.verdict != model.ACCEPT]

    def blocked(self) -> dict[str, list[shapes.Blocked]]:
        """Return (flows, decision, whether answers pass) of all that is not accepted, by direction."""
        found = {}
        for direction, ran, base, hooks in (
            ("inbound", self._inbound, self._incoming, model.INBOUND),
            ("outbound", self._outbound, self._outgoing, model.OUTBOUND),
        ):
            each = {name: ran.refused(number) for number, name in enumerate(self.names, 2)}
            each = {name: refused for name, refused in each.items() if refused}
            two_way = [name for name in self.names if name in each and name in _TWO_WAY]
            passing = dict.fromkeys(each, 0)
            if two_way:
                kinds = [{**self._kinds[self.names.index(name)], **_ANSWER} for name in two_way]
                again = self._run(base, kinds, hooks)
                passing.update((name, again.accepted(number)) for number, name in enumerate(two_way))
            found[direction] = shapes.together(each, passing)
        return found

    def source_nat(self) -> list[Facts]:
        """Return the rules that give packets between nodes another source address."""
        found = []
        for direction, ran in (("inbound", self._inbound), ("outbound", self._outbound)):
            for rewrite in ran.result.rewrites:
                kinds = {name: number for number, name in enumerate(self.names, 2)}
                by_flow = {
                    name: (
                        ran.batch.of_kind(rewrite.sure, number) & (self._bgp if name == _BGP else -1),
                        ran.batch.of_kind(rewrite.maybe, number) & (self._bgp if name == _BGP else -1),
                    )
                    for name, number in {_BGP: 0, **kinds}.items()
                }
                found += shapes.rewrites(rewrite.place, by_flow, direction, self._family, self._ways)
        return found


class _Ran:
    """What came of a walk, to be looked at kind by kind."""

    def __init__(self, result: Result, batch: packets.Batch) -> None:
        self.result, self.batch = result, batch

    def of_kind(self, kind: int, among: int = -1) -> list[Decision]:
        """Return the decisions about packets of one kind, by default with all peers."""
        found = [one._replace(members=self.batch.of_kind(one.members, kind) & among) for one in self.result.decisions]
        return [one for one in found if one.members]

    def refused(self, kind: int) -> list[Decision]:
        """Return the decisions about packets of one kind that are not accepted."""
        return [one for one in self.of_kind(kind) if one.verdict != model.ACCEPT]

    def accepted(self, kind: int) -> int:
        """Return the packets of one kind that are accepted."""
        found = 0
        for one in self.of_kind(kind):
            found |= one.members if one.verdict == model.ACCEPT else 0
        return found


def _kind(protocol: int, port: int) -> Kind:
    """Return what sets a flow's packets apart from BGP's. The first of them, for conntrack a new connection."""
    if protocol == _TCP:
        return {"source_port": _EPHEMERAL, "destination_port": port}
    ports = (_EPHEMERAL if port in {4789, 8472} else port, port) if protocol == _UDP else (None, None)
    return {"protocol": protocol, "source_port": ports[0], "destination_port": ports[1], "tcp_flags": 0}


def _packet_to_us(family: str, way: Way) -> Packet:
    return model.Packet(
        family,
        way.interface,
        "",
        way.number,
        way.local,
        source_port=way.port,
        source_type="UNICAST",
        source_type_here="UNICAST",
        destination_type="LOCAL",
        destination_type_here=way.local_here,
        bridged=way.bridged,
    )


def _packet_from_us(family: str, way: Way) -> Packet:
    return model.Packet(
        family,
        "",
        way.interface,
        way.local,
        way.number,
        destination_port=way.port,
        source_type="LOCAL",
        source_type_here=way.local_here,
        destination_type="UNICAST",
        destination_type_here="UNICAST",
    )
