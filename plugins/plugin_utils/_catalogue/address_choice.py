# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of autodetection's choice: the address of a wrong interface, or one that moves from host to host."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from .._evidence.address_facts import MAYBE_VIP, VIP
from . import address_truth, api, session_signals, words
from .address_claims import Claim, agent_is_unwell, claim_of, claims, network_of, sessions_of, within, works_in_bgp
from .address_method import choose_better, remedy
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject
from .node_address import set_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence

LINES_SHOWN = 2
_NAMED_BY_HAND = ("Global", "Node")
_BETWEEN_TWO = re.compile(r"\d/31\b")
_INTERFACE = re.compile(r" interface ([^\s:]+)")
_NOT_ESTABLISHED = re.compile(r"not established with ([0-9a-fA-F.:, ]+)")


def _subject(evidence: Evidence, claim: Claim, **more: object) -> Subject:
    return Subject((claim.name,), sessions_of(evidence, claim), {**claim.where, **more}, claim.node, claim)


def suspicious_claims(evidence: Evidence) -> Iterator[Subject]:
    """Every address that a node claims, each once, and addresses of bridges that others are to peer with."""
    known: set[tuple[str, str]] = set()
    for claim in claims(evidence):
        if (claim.name, claim.address) not in known and _is_worth_a_look(evidence, claim):
            held = claim.node.own.of(claim.address) if claim.node else None
            yield _subject(evidence, claim, **({"interface": held.interface} if held else {}))
        known.add((claim.name, claim.address))
    addresses = {address for _name, address in known}
    yield from _of_unread_peers(evidence, addresses)
    for node in evidence.nodes.values():
        if not node.bgp_addresses and node.control.lines("autodetected") and node.name not in {n for n, _a in known}:
            yield _subject(evidence, Claim(node.name, "ipv4", "", "", node, api.record_of(evidence, node.name)))
    yield from _of_hosts_with_a_choice(evidence, {name for name, _address in known})


def _of_hosts_with_a_choice(evidence: Evidence, known: set[str]) -> Iterator[Subject]:
    """Hosts of which nobody told what Calico took: an address that every host has alike, first, and another one."""
    for node in evidence.nodes.values():
        held = [one for one in node.own.held if ":" not in one.address and not address_truth.is_odd(one.interface)]
        others = {one.interface for one in held[1:]} - {one.interface for one in held[:1]}
        if node.name not in known and others and address_truth.is_alike_everywhere(evidence, held[0].address):
            claim = Claim(node.name, "ipv4", held[0].address, "", node, api.record_of(evidence, node.name))
            yield _subject(evidence, claim, interface=held[0].interface, assumed=True)


def _is_worth_a_look(evidence: Evidence, claim: Claim) -> bool:
    """There was a choice, or the address is peculiar: a host with one address that Kubernetes knows is none."""
    if claim.node is not None and (len(claim.node.own.held) > 1 or _lines(claim) or claim.logged):
        return True
    known = claim.record.internal_addresses if claim.record else ()
    return address_truth.is_alike_everywhere(evidence, claim.address) or bool(known and claim.address not in known)


def _of_unread_peers(evidence: Evidence, known: set[str]) -> Iterator[Subject]:
    """Addresses of bridges with which sessions are wanted, and which no node that was read has."""
    wanted = {
        other.address
        for session in evidence.table.down
        for side, other in session.sides()
        # Peers that a person named are what he wrote; what detects addresses has no part in that.
        if side.node and other.node is None and not (side.protocol and side.protocol.kind in _NAMED_BY_HAND)
    }
    for event in evidence.cluster.events if evidence.cluster else ():
        told = _NOT_ESTABLISHED.search(event.message)
        wanted.update(part.strip() for part in told.group(1).split(",")) if told else None
    for address in sorted(wanted - known):
        if address_truth.is_alike_everywhere(evidence, address):
            yield _subject(evidence, Claim(evidence.name_of(address), "ipv4", address, "", None, None))


def _held_interface(claim: Claim) -> str:
    held = claim.node.own.of(claim.address) if claim.node else None
    return held.interface if held else ""


def interface_is_odd(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's address is on an interface of containers, pods or services."""
    claim = claim_of(subject)
    interface = _held_interface(claim)
    found = interface and address_truth.is_odd(interface)
    return [Seen(claim.name, "addresses", f"{interface} has {claim.address}")] if found else []


def log_names_odd_interface(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that it found the node's address on an interface of containers, pods or services."""
    return [
        Seen(subject.nodes[0], f"{line.component} log", line.text, line.at)
        for line in detected(subject)
        if (told := _INTERFACE.search(line.text)) and address_truth.is_odd(told.group(1))
    ][:LINES_SHOWN]


def detected(subject: Subject) -> list[HostLine]:
    """What Calico said of addresses that it found on the host."""
    return _lines(claim_of(subject))


def found_on_several_interfaces(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico found the node's address first on one interface, then on another: the choice hangs on which are there."""
    claim = claim_of(subject)
    lines = [line for line in detected(subject) if f"IPv{claim.family[-1]}" in line.text]
    names = {match.group(1) for line in lines if (match := _INTERFACE.search(line.text))}
    odd = [name for name in names if address_truth.is_odd(name)]
    return (
        [Seen(claim.name, f"{line.component} log", line.text, line.at) for line in lines[:LINES_SHOWN]]
        if len(names) > 1 and not odd
        else []
    )


def no_node_is_known_by_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Another node has this address on record already, and Kubernetes knows that one, and all others, by other ones."""
    claim = claim_of(subject)
    nodes = evidence.cluster.nodes if evidence.cluster else {}
    lines = claim.node.control.lines("node_ip_conflict") if claim.node else []
    if not claim.address or any(claim.address in kube.internal_addresses for kube in nodes.values()):
        return []
    return [
        Seen(name, f"Node/{name}", f"InternalIP {words.listed(kube.internal_addresses)}", "status.addresses")
        for name, kube in nodes.items()
        if kube.internal_addresses and any(f"'{name}'" in line.text for line in lines)
    ]


def _lines(claim: Claim) -> list[HostLine]:
    return claim.node.control.lines("autodetected") if claim.node else []


def given_to_every_host(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is one that a container engine or hypervisor gives to every host alike."""
    claim = claim_of(subject)
    return (
        [claim.seen(claim.stored or claim.address)]
        if address_truth.is_alike_everywhere(evidence, claim.address)
        else []
    )


def nobody_says_that_it_was_chosen(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nothing says which address Calico took; this one is the first, which it takes if it is not told otherwise."""
    claim = claim_of(subject)
    return [Seen(claim.name, "addresses", f"{claim.address} is the first")] if subject.where.get("assumed") else []


def of_a_link_between_two(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is of a link between two devices, and sessions are wanted with peers beyond it."""
    claim = claim_of(subject)
    held = claim.node.own.of(claim.address) if claim.node else None
    lines = [line for line in _lines(claim) if _BETWEEN_TWO.search(line.text)]
    found = [Seen(claim.name, f"{line.component} log", line.text, line.at) for line in lines]
    if held and held.prefix == 31 and not found:
        found = [Seen(claim.name, "addresses", f"{held.interface} has {held.with_length}")]
    return found[:LINES_SHOWN]


def others_are_elsewhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Most other nodes are registered in a subnet in which this host has another address."""
    claim = claim_of(subject)
    held = [one for one in (claim.node.own.of_family(claim.family) if claim.node else ()) if one.prefix]
    if not any(one.address == claim.address for one in held):
        return []
    if len(held) < 2:
        return []
    others = {other.name: other.address for other in claims(evidence) if other.family == claim.family}
    others.pop(claim.name, None)
    for one in held:
        network = network_of(one.with_length)
        if network is None:
            continue
        near = [name for name, address in others.items() if within(address, network)]
        if one.address != claim.address and 2 * len(near) > len(others) and not within(claim.address, network):
            detail = f"{one.interface} has {one.with_length}, where {words.plural(len(near), 'other node')} are"
            return [Seen(claim.name, "addresses", f"{detail}; registered is {claim.address}")]
    return []


def known_by_another(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node is reached by another address of the host than the one that Calico chose."""
    claim = claim_of(subject)
    held = claim.node.own.of(claim.address) if claim.node else None
    if claim.node is None or held is None:
        return []
    true = address_truth.truth(evidence, claim.node, claim.record, claim.family)
    other = claim.node.own.of(true.address)
    if other is None or true.address == claim.address or other.interface == held.interface:
        return []
    return [Seen(claim.name, "addresses", f"{other.interface} has {true.address}: {true.why}")]


def unlike_the_others(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Most other nodes are registered with the address by which Kubernetes knows them, and this one is not."""
    claim = claim_of(subject)
    known = [one for one in (claim.record.internal_addresses if claim.record else ()) if claim.is_of_family(one)]
    network = network_of(claim.stored)
    if claim.record is None or not claim.stored or not known or claim.address in known:
        return []
    if network is not None and any(within(one, network) for one in known):
        return []
    tally = Counter(
        one.address(claim.family) in one.internal_addresses
        for one in evidence.registered
        if one is not claim.record and one.stored(claim.family) and one.internal_addresses
    )
    if tally[True] <= tally[False]:
        return []
    detail = f"InternalIP {words.listed(known)}, on record {claim.stored}"
    return [Seen(claim.name, f"Node/{claim.record.record}", detail, "status.addresses")]


def known_otherwise(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes knows the node by an address of another network, and there is no other node to compare it with."""
    claim = claim_of(subject)
    known = [one for one in (claim.record.internal_addresses if claim.record else ()) if claim.is_of_family(one)]
    network = network_of(claim.stored)
    if claim.record is None or not claim.stored or not known or claim.address in known:
        return []
    if network is not None and any(within(one, network) for one in known):
        return []
    if any(one.record != claim.record.record and one.stored(claim.family) for one in evidence.registered):
        return []
    detail = f"InternalIP {words.listed(known)}, on record {claim.stored}"
    return [Seen(claim.name, f"Node/{claim.record.record}", detail, "status.addresses")]


def kernel_sends_from_another(evidence: Evidence, subject: Subject) -> list[Seen]:
    """To the node's peers the kernel would send from another address."""
    claim = claim_of(subject)
    other = claim.node.own.other_sources if claim.node else {}
    return [
        Seen(claim.name, "routes", f"from {address} to {words.plural(len(peers), 'peer')}")
        for address, peers in other.items()
        if address != claim.address and claim.is_of_family(address) and peers
    ]


def autodetection_picks_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The method of autodetection that is in use takes this address."""
    claim = claim_of(subject)
    detection = claim.node.own.detection.get(claim.family) if claim.node else None
    if detection is None or not claim.address or detection.picks.partition("/")[0] != claim.address:
        return []
    return [Seen(claim.name, "autodetection", f"{detection.method or 'first-found'} takes {detection.picks}")]


def detected_alike_on_several(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Several hosts detected one and the same address."""
    claim = claim_of(subject)
    alike = [
        node
        for node in evidence.nodes.values()
        if any(claim.address and claim.address in line.text for line in node.control.lines("autodetected"))
    ]
    return [Seen(node.name, "calico-node log", f"detected {claim.address}") for node in alike] if len(alike) > 1 else []


def is_a_moving_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address was put on top of the interface's own, and a program that moves addresses between hosts runs here."""
    return _signed(subject, VIP)


def may_be_a_moving_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address was put on top of the interface's own, as one is that moves from host to host."""
    return _signed(subject, MAYBE_VIP)


def _signed(subject: Subject, sign: str) -> list[Seen]:
    claim = claim_of(subject)
    held = claim.node.own.of(claim.address) if claim.node else None
    if claim.node is None or held is None or sign not in held.signs:
        return []
    by = f"; {words.listed(claim.node.own.vip_holders)} runs there" if claim.node.own.vip_holders else ""
    return [Seen(claim.name, "addresses", f"{held.interface} has {held.with_length}{by}")]


def it_may_move(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address looks like one that moves from host to host."""
    return [*is_a_moving_address(evidence, subject), *may_be_a_moving_address(evidence, subject)]


def not_on_the_host(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is not on the host at all."""
    claim = claim_of(subject)
    absent = claim.address and claim.node and claim.node.addresses_complete and not claim.node.has_at_all(claim.address)
    return [Seen(claim.name, "addresses", f"no interface has {claim.address}")] if absent else []


def _wrong_summary(evidence: Evidence, subject: Subject) -> str:
    claim = claim_of(subject)
    interface = _held_interface(claim)
    if not interface:
        told = [_INTERFACE.search(line.text) for line in detected(subject)]
        interface = next((match.group(1) for match in told if match), "")
    where = f" of {interface}" if interface else ""
    address = f" {claim.address}" if claim.address else ""
    sentence = f"{claim.name} is registered with the address{address}{where}, which is not the one for its peers"
    true = address_truth.truth(evidence, claim.node, claim.record, claim.family) if claim.node else None
    return f"{sentence} ({true.address}: {true.why})." if true and true.address else f"{sentence}."


WRONG_IP_AUTODETECTION = Fault(
    id="wrong_ip_autodetection",
    family="node_address",
    title="Calico registered the address of the wrong interface",
    severity="major",
    role="cause",
    means=(
        "Calico takes the first address that fits its method of autodetection, whether or not its peers can reach it. "
        "This node is registered with an address that the others cannot use, so they dial it in vain."
    ),
    subjects=suspicious_claims,
    signals=(
        Signal(log_names_odd_interface, STRONG + MODERATE, required=True),
        Signal(interface_is_odd, STRONG, required=True),
        Signal(given_to_every_host, STRONG, required=True),
        Signal(others_are_elsewhere, STRONG, required=True),
        Signal(detected_alike_on_several, STRONG, required=True),
        Signal(no_node_is_known_by_it, STRONG, required=True),
        Signal(unlike_the_others, MODERATE + WEAK, required=True),
        Signal(found_on_several_interfaces, MODERATE + WEAK, required=True),
        Signal(known_by_another, MODERATE, required=True),
        Signal(of_a_link_between_two, WEAK, required=True),
        Signal(known_otherwise, WEAK, required=True),
        Signal(kernel_sends_from_another, MODERATE),
        Signal(autodetection_picks_it, WEAK),
        Signal(agent_is_unwell, WEAK),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(nobody_says_that_it_was_chosen, -MODERATE - WEAK),
        Signal(set_by_hand, -MODERATE),
        Signal(it_may_move, -STRONG),
        Signal(not_on_the_host, -STRONG),
        Signal(works_in_bgp, -DECISIVE - MODERATE),
    ),
    summary=_wrong_summary,
    fix=Fix(
        action="choose_autodetection_method",
        text=(
            "Tell Calico which address to take: by the InternalIP where that is right, by the nodes' subnets, or by an "
            "interface's whole name (^eth0$). A method that fits nothing on a node keeps calico-node from starting "
            "there."
        ),
        risk="medium",
        disrupts="calico-node is restarted node by node, and every node whose address changes makes its sessions anew",
        commands=choose_better,
        remedy=remedy,
    ),
    verify="Every node is registered with the address that the others reach, and the sessions are Established.",
    lookalikes=(
        Lookalike("vip_chosen_as_node_ip", "the address is of the right interface, but moves from host to host"),
        Lookalike("stale_node_ip", "the address is on no interface of the host"),
        Lookalike("duplicate_node_ip", "the address is one host's own, and another one has it besides"),
        Lookalike("node_ip_not_on_host", "the address was set by hand"),
    ),
    explains=(
        "duplicate_node_ip",
        "stale_node_in_mesh",
        "peer_node_down",
        "bird_config_rejected",
        "bird_reload_stuck",
        "duplicate_router_id",
        "encapsulation_disabled_but_needed",
        "tcp179_blocked_network",
        "tcp179_blocked_host_firewall",
        "undetermined",
    ),
)

FAULTS = (WRONG_IP_AUTODETECTION,)
