# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of two nodes with one address, be it on record, in their bird.cfg, or on both hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import api, commands, fix_lines, words
from .address_claims import Claim, claims, holders
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject
from .stale_nodes import taken_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._evidence.evidence import Evidence

LOG_SHOWN = 2


def shared_addresses(evidence: Evidence) -> Iterator[Subject]:
    """Addresses that two or more nodes claim, or hold while one of them claims it, or that Calico says are taken."""
    by_address: dict[str, dict[str, Claim]] = {}
    for claim in claims(evidence):
        by_address.setdefault(claim.address, {}).setdefault(claim.name, claim)
    told: set[str] = set()
    for address, claiming in by_address.items():
        having = holders(evidence, address)
        if len(claiming) > 1 or len(having) > 1:
            involved = {*claiming, *having}
            names = _wrong_ones_first(evidence, address, involved)
            told.update(names)
            yield _subject(evidence, address, names, claiming)
    for node in evidence.nodes.values():
        if node.name not in told and node.control.lines("node_ip_conflict"):
            own = next(iter(node.bgp_addresses.values()), "")
            yield _subject(evidence, own, (node.name,), {})


def _subject(evidence: Evidence, address: str, names: tuple[str, ...], claiming: Mapping[str, Claim]) -> Subject:
    where: dict[str, object] = {"address": address, "node": names[0], "nodes": list(names)}
    if names[0] in claiming:
        where.update(claiming[names[0]].where)
    return Subject(names, evidence.down_at(*_read(evidence, names)), where, evidence.nodes.get(names[0]), claiming)


def _read(evidence: Evidence, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in evidence.nodes]


def _wrong_ones_first(evidence: Evidence, address: str, names: set[str]) -> tuple[str, ...]:
    """The nodes to correct stand first: without the address on the host, else known under another one elsewhere."""

    def innocence(name: str) -> tuple[bool, bool, bool, str]:
        node, record = evidence.nodes.get(name), api.record_of(evidence, name)
        known = record is None or not record.internal_addresses or address in record.internal_addresses
        return (
            node is None or node.has_at_all(address),
            known,
            node is None or node.inventory_address == address,
            name,
        )

    return tuple(sorted(names, key=innocence))


def _claims(subject: Subject) -> Mapping[str, Claim]:
    return subject.about if isinstance(subject.about, dict) else {}


def both_claim_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Two nodes use the same address as their own in BGP."""
    claiming = _claims(subject)
    if len(claiming) < 2:
        return []
    return [claim.seen(_use_and_possession(claim)) for claim in claiming.values()]


def _use_and_possession(claim: Claim) -> str:
    if claim.node is None:
        return f"{claim.stored or claim.address} is on record for {claim.name}"
    possession = "has" if claim.node.has_at_all(claim.address) else "does not have"
    return f"uses {claim.address} as its own; the host {possession} it"


def both_hold_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The same address is configured on two hosts."""
    address = str(subject.where["address"])
    having = holders(evidence, address)
    return [Seen(name, "addresses", f"holds {address}") for name in having] if len(having) > 1 else []


def calico_says_so(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says itself that another node uses this node's address already, and does not start."""
    return [
        Seen(name, f"{line.component} log", line.text, line.at)
        for name in subject.nodes
        if name in evidence.nodes
        for line in evidence.nodes[name].control.lines("node_ip_conflict")[:LOG_SHOWN]
    ]


def the_named_one_is_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node of which Calico says that it uses the address is there: it was read, or is a Node that is Ready."""
    found = []
    for name in subject.nodes:
        other = taken_by(evidence, name) if name in evidence.nodes else ""
        kube = evidence.cluster.nodes.get(other) if evidence.cluster and other else None
        ready = kube.condition("Ready") if kube else None
        if other and any(other in (node.name, node.nodename) for node in evidence.nodes.values()):
            found.append(Seen(other, "facts", "it was read"))
        elif ready is not None and ready.status == "True":
            found.append(Seen(str(other), f"Node/{other}", "Ready", "status.conditions"))
    return found


def third_nodes_reject_their_config(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Other nodes' configuration names one peer twice, which BIRD refuses."""
    found = []
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            names = daemon.config.duplicate_names
            found.extend([Seen(node.name, "bird.cfg", f"{words.listed(names)} stands twice")] if names else [])
        found.extend(Seen(node.name, "bird log", line.text, line.at) for line in node.log_lines("config_error")[:1])
    return found


def the_other_is_gone(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has heard nothing of the other node for some time: its record may be left over."""
    found = []
    for name in subject.nodes:
        record = api.record_of(evidence, name)
        ready = record.kube.condition("Ready") if record and record.kube else None
        if ready is not None and ready.status == "Unknown" and name not in evidence.nodes:
            found.append(Seen(name, f"Node/{name}", f"Ready is Unknown: {ready.reason}", "status.conditions"))
    return found


def _who_is_wrong(evidence: Evidence, subject: Subject) -> str:
    name, address = subject.nodes[0], str(subject.where["address"])
    node, record = subject.node, api.record_of(evidence, subject.nodes[0])
    if node is not None and not node.has_at_all(address):
        return f"the host of {name} does not have it"
    known = record.internal_addresses if record else ()
    if known and address not in known:
        return f"Kubernetes knows {name} as {known[0]}"
    if node is not None and node.inventory_address not in ("", address):
        return f"both hosts have it, and the inventory knows {name} as {node.inventory_address}"
    if node is None:
        return "which of them is wrong, the hosts themselves would tell"
    return "both hosts have it; which one is wrong, only their owner can tell"


def _summary(evidence: Evidence, subject: Subject) -> str:
    address = subject.where["address"]
    if len(subject.nodes) == 1:
        own = f"the address {address}" if address else "its address"
        return f"{subject.nodes[0]} does not start: another node uses {own} already."
    return f"{words.listed(subject.nodes)} both use {address} as node address; {_who_is_wrong(evidence, subject)}."


def _shared(subject: Subject) -> tuple[str, str]:
    """The family of the address that two nodes claim, and the address."""
    address = str(subject.where["address"])
    return "ipv6" if ":" in address else "ipv4", address


DUPLICATE_NODE_IP = Fault(
    id="duplicate_node_ip",
    family="node_address",
    title="Two nodes claim one address",
    severity="critical",
    role="cause",
    means=(
        "Two nodes are registered with one address. They never peer with each other, and every third node gets "
        "a configuration that names the peer "
        "twice: BIRD refuses it and goes on with the old one. A calico-node that restarts now gets no BIRD at all."
    ),
    subjects=shared_addresses,
    signals=(
        Signal(both_claim_it, DECISIVE, required=True),
        Signal(both_hold_it, DECISIVE, required=True),
        # It says the same where the other machine is gone, and only its record is left.
        Signal(calico_says_so, WEAK, required=True),
        Signal(the_named_one_is_there, STRONG),
        Signal(third_nodes_reject_their_config, MODERATE),
        Signal(the_other_is_gone, -STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="separate_node_addresses",
        text=(
            "Correct the address of the node that does not have it on its host. Restart no other calico-node before"
            " that: it would come up without BIRD."
        ),
        risk="medium",
        disrupts="the sessions of the corrected node",
        commands=lambda evidence, subject: [
            *(commands.on_node(name, "ip -brief address") + "   # which should it have?" for name in subject.nodes),
            commands.set_address(
                evidence, subject.nodes[0], fix_lines.true_address(evidence, subject.nodes[0], *_shared(subject))
            ),
        ],
    ),
    verify=(
        "Every node has an address of its own, confd accepts its configuration everywhere, and all sessions are "
        "Established."
    ),
    lookalikes=(
        Lookalike("stale_node_ip", "nobody else has or claims the address"),
        Lookalike("duplicate_router_id", "the addresses differ, only the router IDs are equal"),
        Lookalike("stale_node_in_mesh", "the other node's machine is gone, and only its record is left"),
        Lookalike("wrong_ip_autodetection", "the address is one that every host of the kind has, such as a bridge's"),
    ),
    explains=(
        "stale_node_ip",
        "node_ip_not_on_host",
        "vip_chosen_as_node_ip",
        "duplicate_router_id",
        "bird_reload_stuck",
        "undetermined",
        "tcp179_blocked_network",
        "peer_node_down",
    ),
)

FAULTS = (DUPLICATE_NODE_IP,)
