# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of node addresses that are on record and not, or no longer, on the host, or there with another subnet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._cluster import effective, values
from . import api, commands, fix_lines, session_signals, words
from .address_claims import (
    Claim,
    agent_is_unwell,
    claim_of,
    claims,
    neighbouring,
    network_of,
    sessions_of,
    within,
    works_in_bgp,
)
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence

# startup.go's validateIP, which asks for every interface.
_NOT_CONFIRMED = re.compile(r"Unable to confirm IPv[46] address ([0-9a-fA-F.:]{2,45}) is assigned to this host")


def absent_addresses(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that claim an address which is on none of their interfaces, or that BIRD cannot bind to."""
    told: set[tuple[str, str]] = set()
    for claim in claims(evidence):
        node = claim.node
        # Of what was found on the host once, somebody's list of its addresses may leave out a part.
        if node is None or claim.logged or (claim.name, claim.address) in told or node.has_at_all(claim.address):
            continue
        if node.addresses_complete or (not node.addresses and node.log_lines("bind_failed")):
            told.add((claim.name, claim.address))
            held = [one.address for one in node.addresses]
            where = {**claim.where, "host_addresses": held}
            yield Subject((claim.name,), sessions_of(evidence, claim), where, node, claim)
    yield from _differing_in_api(evidence)
    yield from _missed_by_calico(evidence, {name for name, _address in told})


def _missed_by_calico(evidence: Evidence, told: set[str]) -> Iterator[Subject]:
    """Nodes whose calico-node found the address that it was to use on no interface, where nothing else is known."""
    for node in evidence.nodes.values():
        found = [_NOT_CONFIRMED.search(line.text) for line in node.control.lines("node_ip_not_on_host")]
        match = next(filter(None, found), None)
        if match is None or node.name in told or node.addresses or not values.plain_address(match.group(1)):
            continue
        family = "ipv6" if ":" in match.group(1) else "ipv4"
        claim = Claim(node.name, family, match.group(1), "", node, None, logged=True)
        where = {**claim.where, "host_addresses": []}
        yield Subject((node.name,), sessions_of(evidence, claim), where, node, claim)


def _differing_in_api(evidence: Evidence) -> Iterator[Subject]:
    """Nodes that could not be read, and that Kubernetes knows by another address of the subnet on record."""
    for claim in claims(evidence):
        if claim.node is None and _other_internal(claim):
            yield Subject(
                (claim.name,), sessions_of(evidence, claim), {**claim.where, "host_addresses": []}, None, claim
            )


def _other_internal(claim: Claim) -> list[str]:
    """Kubernetes' addresses of the node of the same family, if the one on record is not among them."""
    known = claim.record.internal_addresses if claim.record else ()
    same = [one for one in known if (":" in one) == (claim.family == "ipv6")]
    network = network_of(claim.stored)
    return [one for one in same if network and within(one, network)] if claim.address not in same else []


def address_is_not_on_the_host(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address that the node uses in BGP is on none of its interfaces."""
    claim = claim_of(subject)
    if claim.node is None or not claim.node.addresses_complete:
        return []
    held = words.listed(item.address for item in claim.node.addresses)
    how = "on record is" if claim.stored else "BGP uses"
    return [claim.seen(f"{how} {claim.address}; the host has {held}")]


def kubernetes_knows_another(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes knows the node by another address of the subnet that is on record."""
    claim = claim_of(subject)
    if claim.record is None:
        return []
    return [
        Seen(
            claim.name, f"Node/{claim.record.record}", f"InternalIP {one}, on record {claim.stored}", "status.addresses"
        )
        for one in _other_internal(claim)
    ]


def host_has_another_address_of_the_subnet(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host now has another address of the same subnet: the address changed under Calico."""
    claim = claim_of(subject)
    return [
        Seen(claim.name, "addresses", f"{held.interface} has {held.address}/{held.prefix}")
        for held in (claim.node.addresses if claim.node else ())
        if neighbouring(claim.address, held)
    ]


def bird_cannot_bind(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD cannot bind to its own source address."""
    node = claim_of(subject).node
    lines = node.log_lines("bind_failed") if node else []
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in lines][:2]


def another_node_has_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is on another host."""
    claim = claim_of(subject)
    return [
        Seen(node.name, "addresses", f"holds {claim.address}")
        for node in evidence.nodes.values()
        if node.name != claim.name and node.holds(claim.address)
    ]


def set_by_hand(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address was set by hand: Calico was told not to look for one, or to take this one."""
    claim = claim_of(subject)
    detection = claim.node.own.detection.get(claim.family) if claim.node else None
    variable = "IP6" if claim.family == "ipv6" else "IP"
    if detection and detection.told in ("address", "none"):
        return [Seen(claim.name, "environment", f"{variable} is {detection.given or 'none'}")]
    cluster = evidence.cluster
    told = effective.variable(cluster, effective.agent(cluster), variable) if cluster and not detection else None
    if told and (told.value == "none" or values.plain_address(told.value.partition("/")[0])):
        return [Seen(claim.name, told.place, f"{variable} is {told.value}")]
    return []


def only_its_word(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Only Calico's log tells of it: who gave the node this address, and which ones the host has, is not known."""
    return calico_warned(evidence, subject)[:1] if claim_of(subject).logged else []


def stored_without_length(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address on record has no prefix length, as one has that was set by hand and found on no interface."""
    claim = claim_of(subject)
    return [claim.seen(f"on record is {claim.stored}")] if claim.stored and claim.length is None else []


def calico_looks_for_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico looks for the node's address by itself at every start and every minute."""
    claim = claim_of(subject)
    detection = claim.node.own.detection.get(claim.family) if claim.node else None
    told = detection.told if detection else ""
    return [Seen(claim.name, "environment", "IP is autodetect")] if told == "autodetect" else []


def calico_warned(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that it did not find the address on this host."""
    node = claim_of(subject).node
    lines = node.control.lines("node_ip_not_on_host") if node else []
    return [Seen(subject.nodes[0], f"{line.component} log", line.text, line.at) for line in lines[:2]]


def _new_address(subject: Subject) -> str:
    """The host's address in the subnet of the one that is gone, with its prefix length."""
    claim = claim_of(subject)
    held = claim.node.addresses if claim.node else ()
    near = [f"{item.address}/{item.prefix}" for item in held if neighbouring(claim.address, item)]
    near = near or [f"{one}/{claim.length}" for one in _other_internal(claim) if claim.length]
    return near[0] if len(near) == 1 else ""


def _true(evidence: Evidence, claim: Claim) -> str:
    return fix_lines.true_address(evidence, claim.name, claim.family, claim.address)


def _has(subject: Subject) -> str:
    held = subject.where.get("host_addresses")
    known = _other_internal(claim_of(subject))
    if held:
        return f"it has {words.listed(str(one) for one in held)}"
    return f"Kubernetes knows it as {words.listed(known)}" if known else "BIRD cannot use it as its source"


def _renew(evidence: Evidence, subject: Subject) -> list[str]:
    claim = claim_of(subject)
    key = api.ADDRESS_KEYS[claim.family]
    return [
        commands.show_annotation(evidence, claim.name, key),
        commands.set_address(evidence, claim.name, _new_address(subject) or _true(evidence, claim), key),
    ]


STALE_NODE_IP = Fault(
    id="stale_node_ip",
    family="node_address",
    title="The registered node address is no longer on the host",
    severity="major",
    role="cause",
    means=(
        "Calico registered this address for the node when it was right. The host has another one now (DHCP, a "
        "new network card, a restored image), "
        "so the peers dial an address that nobody has, and BIRD cannot use it as its source."
    ),
    subjects=absent_addresses,
    signals=(
        Signal(address_is_not_on_the_host, STRONG + WEAK, required=True),
        Signal(kubernetes_knows_another, WEAK, required=True),
        Signal(host_has_another_address_of_the_subnet, MODERATE),
        Signal(bird_cannot_bind, MODERATE, required=True),
        Signal(agent_is_unwell, MODERATE),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(another_node_has_it, -STRONG),
        Signal(set_by_hand, -STRONG),
        Signal(calico_warned, -MODERATE),
        Signal(works_in_bgp, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} is registered with {claim_of(subject).address}, which is no longer on the host "
        f"({_has(subject)})."
    ),
    fix=Fix(
        action="renew_node_address",
        text=(
            "Give the host its address back, or let Calico detect the new one (IP=autodetect does so within 60 s; "
            "otherwise correct the node's address)."
        ),
        risk="medium",
        disrupts="the node's own sessions, which are down already; all peers learn the new address",
        commands=_renew,
    ),
    verify="The registered address is on the host, and the node's sessions are Established.",
    lookalikes=(
        Lookalike("node_ip_not_on_host", "the address was configured by hand and was never on the host"),
        Lookalike("duplicate_node_ip", "another node has or claims the address"),
    ),
    explains=("undetermined", "peer_node_down", "stale_node_in_mesh", "tcp179_blocked_network"),
)

NODE_IP_NOT_ON_HOST = Fault(
    id="node_ip_not_on_host",
    family="node_address",
    title="A node address that was set by hand is not on the host",
    severity="major",
    role="cause",
    means=(
        "Calico was told to use this address and does not check that the host has it. Its peers dial an address that "
        "nobody answers at, and BIRD cannot use it as its source."
    ),
    subjects=absent_addresses,
    signals=(
        Signal(address_is_not_on_the_host, MODERATE, required=True),
        Signal(set_by_hand, STRONG),
        Signal(calico_warned, STRONG, required=True),
        Signal(only_its_word, -1.0),
        Signal(stored_without_length, MODERATE),
        Signal(bird_cannot_bind, MODERATE + WEAK, required=True),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(host_has_another_address_of_the_subnet, -MODERATE),
        Signal(calico_looks_for_it, -STRONG),
        Signal(another_node_has_it, -MODERATE),
        Signal(works_in_bgp, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} was given the address {claim_of(subject).address}, which is not on the host "
        f"({_has(subject)})."
    ),
    fix=Fix(
        action="correct_node_address",
        text=(
            "Register an address that the host has, where the wrong one was given (the node's annotation, or IP in the "
            "environment of calico-node), or give the host that address."
        ),
        risk="medium",
        disrupts="the node's own sessions, which are down already; all peers learn the new address",
        commands=_renew,
    ),
    verify="The registered address is on the host, and the node's sessions are Established.",
    prior=-2.0,
    lookalikes=(
        Lookalike("stale_node_ip", "Calico found the address itself, and the host had it once"),
        Lookalike("duplicate_node_ip", "another node has or claims the address"),
    ),
    explains=("stale_node_ip", "undetermined", "peer_node_down", "stale_node_in_mesh", "tcp179_blocked_network"),
)

FAULTS = (STALE_NODE_IP, NODE_IP_NOT_ON_HOST)
