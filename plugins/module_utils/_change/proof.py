# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proof that rules open what they are meant to, and nothing else: on paper, among the host's own rules.

Packets that stand for all which the new rules could meet go through the rules as they are and as they would be. Those
of the wanted flows must come through in the end. Of all others none may meet another fate.
"""

from __future__ import annotations

from .._record import NamedTuple
from .model import ABSENT, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from .._firewall.counterfactual import Addition, Outcome
    from .._firewall.model import BaseChain, Packet
    from .._firewall.read import Rulesets
    from .model import Kind

_TIMEOUT = 8.0
_EPHEMERAL = (32768, 60999)
_SYN_ACK = 0x12
_PROTOCOLS = {"tcp": 6, "udp": 17, "ipip": 4, "icmp": 1, "icmpv6": 58, "esp": 50, "gre": 47}
_FIELDS = frozenset(("peers", "protocol", "port", "source_port", "direction"))
_FAMILIES = ("ipv4", "ipv6")
_INTERVALS = frozenset(("source", "destination", "source_port", "destination_port"))
_WAYS = ("in", "out", "through")


class Flow(NamedTuple):
    """Packets of one protocol from a peer (`inbound`) or to it, to `port`, or from it (`of_source`; those answer)."""

    peer: str
    family: str
    number: int
    protocol: int
    port: int
    of_source: bool
    inbound: bool

    def has(self, packet: Packet) -> bool:
        """Say whether a packet is one of this flow."""
        far = packet.source if self.inbound else packet.destination
        port = packet.source_port if self.of_source else packet.destination_port
        way = packet.out_interface == "" if self.inbound else packet.in_interface == ""
        same = (packet.family, far, packet.protocol) == (self.family, self.number, self.protocol)
        return way and same and (not self.port or port == self.port)


def flows_of(wanted: Sequence[Mapping[str, Any]]) -> list[Flow]:
    """Return what `opens` names. Raises RefusedError for what it cannot mean."""
    from .._firewall import model

    found = []
    for one in wanted:
        unknown = set(one) - _FIELDS if isinstance(one, dict) else {"?"}
        if unknown or not isinstance(one.get("peers"), list) or not one["peers"]:
            raise RefusedError(f"opens: a flow has {', '.join(sorted(_FIELDS))}, and peers at least")
        protocol = _protocol(one.get("protocol", "tcp"))
        port, source_port = _port(one.get("port")), _port(one.get("source_port"))
        if bool(port) + bool(source_port) != (protocol in {6, 17}):
            raise RefusedError("opens: TCP and UDP have either a port or a source_port, other protocols none")
        if one.get("direction", "in") not in {"in", "out"}:
            raise RefusedError("opens: direction is in or out")
        for peer in one["peers"]:
            address = model.address_number(str(peer))
            if address is None:
                raise RefusedError(f"opens: {peer!r} is no address")
            inbound = one.get("direction", "in") == "in"
            found.append(Flow(str(peer), *address, protocol, port or source_port, bool(source_port), inbound))
    return found


def _protocol(word: Any) -> int:
    number = _PROTOCOLS.get(str(word).lower(), int(word) if str(word).isdigit() else -1)
    if not 0 < number < 256:
        raise RefusedError(f"opens: {word!r} is no protocol")
    return number


def _port(word: Any) -> int:
    if word in (None, ""):
        return 0
    if not str(word).isdigit() or not 0 < int(word) < 65536:
        raise RefusedError(f"opens: {word!r} is no port")
    return int(word)


def prove(changes: Sequence[Kind]) -> None:
    """Refuse changes whose rules do not open exactly what they say they do. Of changes that say nothing nothing is
    proven. One whose flows are all open already becomes `needless`."""
    meant = [change for change in changes if change.options.get("opens")]
    if not meant:
        return
    from .._facts.sources import Sources
    from .._firewall import read

    flows = {id(change): flows_of(change.options["opens"]) for change in meant}
    for change in meant:
        if change.options["state"] == ABSENT:
            raise RefusedError(f"{change.subject}: opens is of rules that are added")
    sources = Sources()
    found = read.read(sources, _TIMEOUT)
    if found is None:
        raise RefusedError(f"the rules cannot be read: {read.NEEDS_ROOT}")
    every = [flow for own in flows.values() for flow in own]
    packets = found.completed(list(_first_packets(every)))
    _Proof(found, every, packets).carry_out(meant, flows)


class _Proof:
    def __init__(self, found: Rulesets, flows: Sequence[Flow], packets: Sequence[Packet]) -> None:
        self.found = found
        self.flows = list(dict.fromkeys(flows))
        self.packets = dict(zip(flows, packets))

    def carry_out(self, changes: Sequence[Kind], flows: Mapping[int, Sequence[Flow]]) -> None:
        from .._firewall import counterfactual

        open_now = self._open(self.found.bases)
        needed = []
        for change in changes:
            if all(flow in open_now for flow in flows[id(change)]):
                change.needless = "what it is to open is open already"
            else:
                needed.append(change)
        bases = self.found.bases
        added: list[Addition] = []
        for change in needed:
            for one in change.additions():  # type: ignore[attr-defined]  # every kind with `opens` has it
                try:
                    bases = counterfactual.with_rule(bases, one)
                except LookupError as error:
                    raise RefusedError(f"{change.subject}: {error}") from None
                added.append(one)
        if not added:
            return
        self._must_be_open(bases)
        self._nothing_else(bases, added)

    def _outcomes(self, bases: Sequence[BaseChain], packets: Sequence[Packet]) -> list[Outcome]:
        from .._firewall import counterfactual

        return counterfactual.outcomes(bases, packets, self.found.find_set)

    def _open(self, bases: Sequence[BaseChain]) -> set[Flow]:
        outcomes = self._outcomes(bases, [self.packets[flow] for flow in self.flows])
        return {flow for flow, outcome in zip(self.flows, outcomes) if outcome.verdict == "accept"}

    def _must_be_open(self, bases: Sequence[BaseChain]) -> None:
        outcomes = self._outcomes(bases, [self.packets[flow] for flow in self.flows])
        for flow, outcome in zip(self.flows, outcomes):
            if outcome.verdict == "accept":
                continue
            where = _place(outcome)
            raise RefusedError(f"the rule would not open {_flow_text(flow)}: {outcome.verdict}{where}")

    def _nothing_else(self, bases: Sequence[BaseChain], added: Sequence[Addition]) -> None:
        for family in _FAMILIES:
            rules = [one for one in added if one.family in {family, "inet"}]
            for way in _WAYS if rules else ():
                tried = self._others(family, way, rules)
                before, after = self._outcomes(self.found.bases, tried), self._outcomes(bases, tried)
                for packet, old, new in zip(tried, before, after):
                    if old.verdict == new.verdict != "unknown":
                        continue
                    told = _packet_text(packet, way)
                    if new.verdict == "unknown" == old.verdict:
                        raise RefusedError(f"whether the rule changes nothing else cannot be told: {told} {new.detail}")
                    raise RefusedError(f"the rule would change more: {told} {old.verdict} now, then {new.verdict}")

    def _others(self, family: str, way: str, added: Sequence[Addition]) -> list[Packet]:
        """Return a packet of each class that the new rules may meet, but for the wanted flows."""
        from .._firewall import counterfactual, packet_classes

        start = self._start(family, way)
        known = [rule for chain in _chains(counterfactual.relevant(self.found.bases, start)) for rule in chain.rules()]
        known += [_rule(flow) for flow in self.flows if flow.family == family]
        found: dict[Packet, None] = {}
        for rule in [rule for one in added for rule in counterfactual.rule_of(one)]:
            # Most rules of a host are for packets that the new one never meets, and tell none apart that it does.
            base = _base([other for other in known if _may_meet(rule, other)], family, way)
            shown = packet_classes.representatives([base], self.found.find_set, start, [rule])
            if not shown.complete:
                raise RefusedError("whether the rule changes nothing else cannot be told: it meets too many packets")
            found.update((packet, None) for packet in shown.packets)
        return [packet for packet in found if not any(flow.has(packet) for flow in self.flows)]

    def _start(self, family: str, way: str) -> Packet:
        from .._firewall import model

        for flow, packet in self.packets.items():
            if flow.family == family and flow.inbound == (way == "in") and way != "through":
                return packet
        link = next((packet.in_interface or packet.out_interface for packet in self.packets.values()), None) or "eth0"
        inside, outside = ("" if way == "out" else link), ("" if way == "in" else link)
        return model.Packet(family, inside, outside, 1, 2, destination_type="LOCAL" if way == "in" else "UNICAST")


def _chains(bases: Sequence[BaseChain]) -> list[Any]:
    return list({id(chain): chain for base in bases for chain in base.table.chains.values()}.values())


def _base(rules: Sequence[Any], family: str, way: str) -> BaseChain:
    """Return a chain of these rules, which is asked only what it tells apart."""
    from .._firewall import model

    chain = model.Chain("known", "accept", lambda _screen: rules)
    table = model.Table(model.NATIVE, family, "known", {"known": chain})
    hook = {"in": "input", "out": "output", "through": "forward"}[way]
    return model.BaseChain(hook, 0, "filter", table, chain)


def _may_meet(one: Any, other: Any) -> bool:
    """Say whether a packet may be for both rules, by what they ask of protocols, ports and addresses."""
    asked = {match.kind: match.value for match in one.matches if not match.negated}
    for match in other.matches:
        if match.negated or match.kind not in asked:
            continue
        own = asked[match.kind]
        if match.kind == "protocol":
            if not set(own) & set(match.value):
                return False
        elif match.kind in _INTERVALS and not any(
            low <= last and first <= high for low, high in own for first, last in match.value
        ):
            return False
    return True


def _rule(flow: Flow) -> Any:
    from .._firewall import model

    side = "source" if flow.inbound else "destination"
    matches = [
        model.Match("protocol", False, (flow.protocol,)),
        model.Match(side, False, ((flow.number, flow.number),)),
    ]
    if flow.port:
        kind = "source_port" if flow.of_source else "destination_port"
        matches.append(model.Match(kind, False, ((flow.port, flow.port),)))
    return model.Rule(1, matches, (), model.CONTINUE, "", "")


def _first_packets(flows: Sequence[Flow]) -> Iterator[Packet]:
    """Yield a packet of each flow, by the way that it really takes on this host."""
    from .._firewall import model
    from .._host import links, netlink, routes

    with netlink.Netlink(_TIMEOUT) as connection:
        network = links.read(connection)
        ways = routes.look_up(connection, sorted({flow.peer for flow in flows}), network)
    for flow in flows:
        way = ways.get(flow.peer)
        if way is None or way.kind != "unicast" or not way.device:
            raise RefusedError(f"opens: there is no way from this host to {flow.peer}")
        own = model.address_number(way.source)
        link = network.link(way.device)
        ports: tuple[Any, Any] = (None, None)
        if flow.port:
            ports = (flow.port, _EPHEMERAL) if flow.of_source else (_EPHEMERAL, flow.port)
        here = own[1] if own is not None else None
        yield model.Packet(
            flow.family,
            way.device if flow.inbound else "",
            "" if flow.inbound else way.device,
            flow.number if flow.inbound else here,
            here if flow.inbound else flow.number,
            flow.protocol,
            source_port=ports[0],
            destination_port=ports[1],
            state="ESTABLISHED" if flow.of_source else "NEW",
            direction="REPLY" if flow.of_source else "ORIGINAL",
            tcp_flags=(_SYN_ACK if flow.of_source else 0x02) if flow.protocol == 6 else 0,
            source_type="UNICAST" if flow.inbound else "LOCAL",
            destination_type="LOCAL" if flow.inbound else "UNICAST",
            source_type_here="UNICAST" if flow.inbound else "LOCAL",
            destination_type_here="LOCAL" if flow.inbound else "UNICAST",
            bridged=False if link is not None and link.kind != "bridge" else None,
        )


def _flow_text(flow: Flow) -> str:
    port = f" {'from ' if flow.of_source else ''}port {flow.port}" if flow.port else ""
    return f"{_protocol_text(flow.protocol)}{port} {'from' if flow.inbound else 'to'} {flow.peer}"


def _protocol_text(number: int) -> str:
    return next((name.upper() for name, known in _PROTOCOLS.items() if known == number), f"protocol {number}")


def _packet_text(packet: Packet, way: str) -> str:
    far, other = packet.source, packet.destination
    port = packet.destination_port
    words = [_protocol_text(packet.protocol)]
    if port is not None and packet.protocol in {6, 17}:
        words.append(f"to port {port[0] if isinstance(port, tuple) else port}")
    if way == "out":
        words.append(f"to {_address(packet.family, other)}")
    else:
        words.append(f"from {_address(packet.family, far)}")
    if way == "through":
        words.append("through this host")
    if packet.state != "NEW":
        words.append(f"({packet.state.lower()})")
    return " ".join(words) + ":"


def _address(family: str, number: int | None) -> str:
    import socket

    if number is None:
        return "anywhere"
    kind, size = (socket.AF_INET, 4) if family == "ipv4" else (socket.AF_INET6, 16)
    return socket.inet_ntop(kind, number.to_bytes(size, "big"))


def _place(outcome: Outcome) -> str:
    place = outcome.place
    if place is None:
        return f" ({outcome.detail})" if outcome.detail else ""
    rule = f"rule {place.rule.number}" if place.rule is not None else "the policy"
    return f" by {rule} of {place.chain.name} in {place.base.table.backend} {place.base.table.name}"
