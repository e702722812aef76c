# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Calico's policies for host endpoints do with BGP's connections of a node: failsafe ports, policies, profiles.

As Felix applies them (felix/rules/endpoints.go, static.go): failsafe ports first; then policies that do not track, and
for what comes in those before DNAT; then the others of each tier by order and name. Within a tier the first rule that
matches decides, and what no rule of a policy that applies matches is dropped. Where no policy applies the profiles do,
and without any the packet is dropped. Not known here are other tiers' orders, network sets and profiles' own rules.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._cluster import effective
from .._peering import selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._cluster.model import Cluster, GlobalNetworkPolicy, HostEndpoint

ALLOW, DENY, UNKNOWN, PASS = "allow", "deny", "unknown", "pass"
INGRESS, EGRESS = "Ingress", "Egress"
ALLOW_PROFILE = "projectcalico-default-allow"
BGP_PORT = 179
FAILSAFES = {INGRESS: "failsafeInboundHostPorts", EGRESS: "failsafeOutboundHostPorts"}
_TCP = ("tcp", "6")
_EPHEMERAL = range(32768, 61000)


class Packet(NamedTuple):
    """A connection to a BGP port: direction as the endpoint sees it, the other end's address, our own, and the port."""

    direction: str
    peer: str
    own: str
    port: int


class Outcome(NamedTuple):
    """What becomes of a packet (allow, deny, unknown), by which object and field, and why in a clause."""

    verdict: str
    what: str
    field: str
    why: str


class Failsafes(NamedTuple):
    """The failsafe ports of one direction on one node. what: the object that says so, '' for the defaults."""

    ports: tuple[tuple[str, int, str], ...]
    what: str
    default: bool

    def let_pass(self, packet: Packet) -> bool:
        """BGP passes whatever the policies say."""
        if self.default and packet.port == BGP_PORT:
            return True
        return any(
            protocol in ("", "tcp") and port == packet.port and _in_net(packet.peer, net)
            for protocol, port, net in self.ports
        )


def failsafes(cluster: Cluster, node: str, direction: str) -> Failsafes:
    """The failsafe ports of a node: the environment's, else of the node's FelixConfiguration, else of the default."""
    field = FAILSAFES[direction]
    told = effective.variable(cluster, effective.agent(cluster), f"FELIX_{field.upper()}")
    if told.value:
        return Failsafes(tuple(_from_text(told.value)), told.place, default=False)
    for name in (f"node.{node}", "default"):
        found = cluster.felix_configurations.get(name)
        ports = found.spec.get(field) if found else None
        if isinstance(ports, list):
            return Failsafes(tuple(_from_list(ports)), f"FelixConfiguration {name}", default=False)
    return Failsafes((), "", default=True)


def _from_text(text: str) -> Iterator[tuple[str, int, str]]:
    """As the environment has them: "tcp:0.0.0.0/0:22,udp:68", or none."""
    for part in text.split(","):
        words = part.strip().split(":")
        if words[-1].isdecimal() and len(words[-1]) <= len("65535"):
            net = ":".join(words[1:-1]).strip("[]") if len(words) > 1 else ""
            yield (words[0].lower() if len(words) > 1 else "tcp"), int(words[-1]), net


def _from_list(ports: Iterable[Any]) -> Iterator[tuple[str, int, str]]:
    for one in ports:
        if isinstance(one, Mapping) and isinstance(one.get("port"), int):
            yield str(one.get("protocol") or "tcp").lower(), int(one["port"]), str(one.get("net") or "")


def endpoints_of(cluster: Cluster, node: str, interface: str, addresses: Iterable[str]) -> list[HostEndpoint]:
    """The host endpoints of a node that BGP's packets pass: of every interface, of this one ('' not known), or of one
    of these addresses."""
    own = set(addresses)
    return [
        one
        for one in cluster.host_endpoints
        if one.node == node
        and (
            one.interface == "*"
            or (one.interface and (not interface or one.interface == interface))
            or own & set(one.expected_ips)
        )
    ]


def decide(cluster: Cluster, endpoint: HostEndpoint, packet: Packet) -> Outcome:
    """What becomes of a connection at one host endpoint."""
    safe = failsafes(cluster, endpoint.node, packet.direction)
    if safe.let_pass(packet):
        return Outcome(ALLOW, safe.what, f"spec.{FAILSAFES[packet.direction]}", "it is a failsafe port")
    applying = [
        one for one in cluster.policies if one.enforced and _selects(one, endpoint) and packet.direction in one.types
    ]
    for stage in ([one for one in applying if one.do_not_track], [one for one in applying if one.pre_dnat]):
        for policy in sorted(stage, key=_order):
            outcome = _by_policy(cluster, policy, packet)
            if outcome and outcome.verdict != PASS:
                return outcome
    usual = sorted((one for one in applying if not one.do_not_track and not one.pre_dnat), key=_order)
    if not usual:
        return _by_profiles(endpoint)
    return _by_tiers(cluster, usual, packet) or _by_profiles(endpoint)


def _order(policy: GlobalNetworkPolicy) -> tuple[str, float, str]:
    return (policy.tier, math.inf if policy.order is None else policy.order, policy.name)


def _selects(policy: GlobalNetworkPolicy, endpoint: HostEndpoint) -> bool:
    return _matches(policy.selector, endpoint.labels)


def _matches(text: str, labels: Mapping[str, str]) -> bool:
    try:
        return selector.parse(text).matches(labels)
    except selector.SelectorError:
        return False


def _by_tiers(cluster: Cluster, policies: list[GlobalNetworkPolicy], packet: Packet) -> Outcome | None:
    """The first rule that matches, or the drop at the end of the tier; None where all tiers pass the packet on."""
    tiers = sorted({one.tier for one in policies}, key=lambda name: name == "default")
    for tier in tiers:
        passed = False
        within = [one for one in policies if one.tier == tier]
        for policy in within:
            outcome = _by_policy(cluster, policy, packet)
            if outcome is None:
                continue
            if outcome.verdict == PASS:
                passed = True
                break
            return outcome
        if not passed:
            last = within[-1]
            word = f"no {packet.direction.lower()} rule of the policies that apply allows it"
            return Outcome(DENY, f"GlobalNetworkPolicy {last.name}", f"spec.{packet.direction.lower()}", word)
    return None


def _by_profiles(endpoint: HostEndpoint) -> Outcome:
    what = f"HostEndpoint {endpoint.name}"
    if ALLOW_PROFILE in endpoint.profiles:
        return Outcome(ALLOW, what, "spec.profiles", "no policy applies, and its profile allows everything")
    if endpoint.profiles:
        return Outcome(UNKNOWN, what, "spec.profiles", "no policy applies, and its profiles are not known")
    return Outcome(DENY, what, "spec.profiles", "no policy applies, and it has no profile: everything is dropped")


def _by_policy(cluster: Cluster, policy: GlobalNetworkPolicy, packet: Packet) -> Outcome | None:
    """What the first rule of a policy that matches, or may match, does; None if none does."""
    field = packet.direction.lower()
    for number, rule in enumerate(policy.ingress if packet.direction == INGRESS else policy.egress):
        action = str(rule.get("action") or "").lower()
        if action == "log":
            continue
        found = _rule_matches(cluster, rule, packet)
        if found is False:
            continue
        verdict = {"allow": ALLOW, "deny": DENY, "pass": PASS}.get(action, UNKNOWN)
        what, place = f"GlobalNetworkPolicy {policy.name}", f"spec.{field}[{number}]"
        if found is None:
            return Outcome(UNKNOWN, what, place, "whether the rule matches is not known")
        return Outcome(verdict, what, place, f"the rule's action is {rule.get('action')}")
    return None


# --- does a rule match? True, False, or None: not known ---


def _rule_matches(cluster: Cluster, rule: Mapping[str, Any], packet: Packet) -> bool | None:
    inbound = packet.direction == INGRESS
    source, destination = _part(rule, "source"), _part(rule, "destination")
    peer, own = (source, destination) if inbound else (destination, source)
    tests = [
        _protocol(rule),
        _version(rule, packet),
        _nets(peer, packet.peer),
        _nets(own, packet.own),
        _ports(destination, packet.port),
        _source_ports(source),
        _selected(cluster, peer, packet.peer),
        _selected(cluster, own, packet.own),
        None if _others(source) or _others(destination) or rule.get("icmp") else True,
    ]
    if False in tests:
        return False
    return None if None in tests else True


def _part(rule: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = rule.get(key)
    return found if isinstance(found, Mapping) else {}


def _protocol(rule: Mapping[str, Any]) -> bool:
    wanted, unwanted = rule.get("protocol"), rule.get("notProtocol")
    if unwanted is not None and str(unwanted).lower() in _TCP:
        return False
    return wanted is None or str(wanted).lower() in _TCP


def _version(rule: Mapping[str, Any], packet: Packet) -> bool:
    wanted = rule.get("ipVersion")
    return wanted is None or str(wanted) == ("6" if ":" in packet.peer else "4")


def _nets(part: Mapping[str, Any], address: str) -> bool:
    nets, others = _list(part, "nets"), _list(part, "notNets")
    if nets and not any(_in_net(address, str(net)) for net in nets):
        return False
    return not any(_in_net(address, str(net)) for net in others)


def _ports(part: Mapping[str, Any], port: int) -> bool | None:
    wanted, unwanted = _list(part, "ports"), _list(part, "notPorts")
    known = [_port_matches(one, port) for one in wanted]
    avoided = [_port_matches(one, port) for one in unwanted]
    if True in avoided or (wanted and True not in known and None not in known):
        return False
    return None if (wanted and True not in known) or None in avoided else True


def _source_ports(part: Mapping[str, Any]) -> bool | None:
    """A connection's own port is any of the ephemeral ones."""
    wanted = _list(part, "ports")
    if not wanted:
        return None if _list(part, "notPorts") else True
    ranges = [_range(one) for one in wanted]
    if any(one and one[0] <= _EPHEMERAL[0] and one[1] >= _EPHEMERAL[-1] for one in ranges):
        return True
    reached = any(one is None or (one[0] <= _EPHEMERAL[-1] and one[1] >= _EPHEMERAL[0]) for one in ranges)
    return None if reached else False


def _port_matches(written: Any, port: int) -> bool | None:
    """None: a port by name, which the host endpoint may define."""
    found = _range(written)
    return None if found is None else found[0] <= port <= found[1]


def _range(written: Any) -> tuple[int, int] | None:
    first, _colon, last = str(written).partition(":")
    if not first.isdecimal() or (last and not last.isdecimal()) or len(str(written)) > len("65535:65535"):
        return None
    return int(first), int(last or first)


def _selected(cluster: Cluster, part: Mapping[str, Any], address: str) -> bool | None:
    """Whether the endpoint of an address is selected. Network sets may hold the address as well, which is not known."""
    wanted, unwanted = str(part.get("selector") or ""), str(part.get("notSelector") or "")
    if not wanted and not unwanted:
        return True
    ends = [one for one in cluster.host_endpoints if address in one.expected_ips]
    if wanted and any(_matches(wanted, one.labels) for one in ends):
        return True if not unwanted else None
    return None


def _others(part: Mapping[str, Any]) -> bool:
    """What is not worked out: pods by namespace or account, Services and domains never are nodes."""
    return any(part.get(key) for key in ("serviceAccounts", "services", "domains")) or (
        str(part.get("namespaceSelector") or "") not in ("", "global()")
    )


def _list(part: Mapping[str, Any], key: str) -> list[Any]:
    found = part.get(key)
    return list(found) if isinstance(found, (list, tuple)) else []


def _in_net(address: str, net: str) -> bool:
    if not net:
        return True
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(net, strict=False)
    except ValueError:
        return False
