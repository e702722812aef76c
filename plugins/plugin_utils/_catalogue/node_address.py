# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of node addresses: what Calico registered is not, or not only, what the host has."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from . import commands, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import HostAddress, Node


def claimants(evidence: Evidence) -> dict[tuple[str, str], list[Node]]:
    """(family, address) to the nodes that call it their own in BGP."""
    found: dict[tuple[str, str], list[Node]] = {}
    for node in evidence.nodes.values():
        for family, address in node.bgp_addresses.items():
            found.setdefault((family, address), []).append(node)
    return found


def absent_addresses(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose BGP address is on none of their interfaces."""
    for node in evidence.nodes.values():
        for address in node.bgp_addresses.values():
            if node.addresses_complete and not node.holds(address):
                yield Subject(
                    (node.name,),
                    evidence.down_at(node.name),
                    {
                        "node": node.name,
                        "address": address,
                        "host_addresses": [held.address for held in node.addresses],
                    },
                    node,
                    address,
                )


def _neighbouring(address: str, held: HostAddress) -> bool:
    if held.prefix is None or not 0 < held.prefix < 128:
        return False
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(f"{held.address}/{held.prefix}", strict=False)
    except ValueError:
        return False


def address_is_not_on_the_host(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address that the node uses in BGP is on none of its interfaces."""
    held = words.listed(item.address for item in subject.node.addresses) if subject.node else ""
    return [Seen(subject.nodes[0], "addresses", f"BGP uses {subject.about}; the host has {held}")]


def host_has_another_address_of_the_subnet(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host now has another address of the same subnet: the address changed under Calico."""
    if subject.node is None:
        return []
    return [
        Seen(subject.nodes[0], "addresses", f"{held.interface} has {held.address}/{held.prefix}")
        for held in subject.node.addresses
        if _neighbouring(str(subject.about), held)
    ]


def bird_cannot_bind(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD cannot bind to its own source address."""
    if subject.node is None:
        return []
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in subject.node.log_lines("bind_failed")][
        :2
    ]


def another_node_has_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is on another host."""
    return [
        Seen(node.name, "addresses", f"holds {subject.about}")
        for node in evidence.nodes.values()
        if node is not subject.node and node.holds(str(subject.about))
    ]


def _new_address(subject: Subject) -> str:
    """The host's address in the subnet of the one that is gone, with its prefix length."""
    held = subject.node.addresses if subject.node else ()
    near = [f"{item.address}/{item.prefix}" for item in held if _neighbouring(str(subject.about), item)]
    return near[0] if len(near) == 1 else "ADDRESS/LENGTH"


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
        Signal(host_has_another_address_of_the_subnet, MODERATE),
        Signal(bird_cannot_bind, MODERATE),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(another_node_has_it, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} is registered with {subject.about}, which is no longer on the host (it has "
        f"{words.listed(subject.where['host_addresses'])})."
    ),
    fix=Fix(
        action="renew_node_address",
        text=(
            "Give the host its address back, or let Calico detect the new one (IP=autodetect does so within 60 s; "
            "otherwise correct the node's address)."
        ),
        risk="medium",
        disrupts="the node's own sessions, which are down already; all peers learn the new address",
        commands=lambda evidence, subject: [
            commands.show_annotation(evidence, subject.nodes[0], "IPv4Address"),
            commands.set_address(evidence, subject.nodes[0], _new_address(subject)),
        ],
    ),
    verify="The registered address is on the host, and the node's sessions are Established.",
    lookalikes=(
        Lookalike("node_ip_not_on_host", "the address was configured by hand and was never on the host"),
        Lookalike("duplicate_node_ip", "another node has or claims the address"),
    ),
    explains=("undetermined", "peer_node_down", "stale_node_in_mesh", "tcp179_blocked_network"),
)


def shared_addresses(evidence: Evidence) -> Iterator[Subject]:
    """Addresses that two or more nodes claim, or hold while one of them claims it."""
    for (_family, address), claiming in claimants(evidence).items():
        holders = [node for node in evidence.nodes.values() if node.holds(address)]
        involved = {node.name: node for node in (*claiming, *holders)}
        if len(claiming) > 1 or (len(holders) > 1):
            names = _wrong_ones_first(address, list(involved.values()))
            yield Subject(
                names,
                evidence.down_at(*names),
                {"address": address, "node": names[0], "nodes": list(names)},
                involved[names[0]],
                address,
            )


def _wrong_ones_first(address: str, nodes: list[Node]) -> tuple[str, ...]:
    """The nodes to correct stand first: without the address on the host, else known under another one elsewhere."""

    def innocence(node: Node) -> tuple[bool, bool, str]:
        return (node.holds(address), node.inventory_address == address, node.name)

    return tuple(node.name for node in sorted(nodes, key=innocence))


def both_claim_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Two nodes use the same address as their own in BGP."""
    claiming = [node for node in evidence.nodes.values() if subject.about in node.bgp_addresses.values()]
    if len(claiming) < 2:
        return []
    return [Seen(node.name, "bird.cfg", _use_and_possession(node, str(subject.about))) for node in claiming]


def _use_and_possession(node: Node, address: str) -> str:
    possession = "has" if node.holds(address) else "does not have"
    return f"uses {address} as its own; the host {possession} it"


def both_hold_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The same address is configured on two hosts."""
    holders = [node for node in evidence.nodes.values() if node.holds(str(subject.about))]
    return [Seen(node.name, "addresses", f"holds {subject.about}") for node in holders] if len(holders) > 1 else []


def third_nodes_reject_their_config(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Other nodes' configuration names one peer twice, which BIRD refuses."""
    found = []
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            names = daemon.config.duplicate_names
            found.extend([Seen(node.name, "bird.cfg", f"{words.listed(names)} stands twice")] if names else [])
        found.extend(Seen(node.name, "bird log", line.text, line.at) for line in node.log_lines("config_error")[:1])
    return found


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
        Signal(third_nodes_reject_their_config, MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"{words.listed(subject.nodes)} both use {subject.about} as node address; {_who_is_wrong(subject)}."
    ),
    fix=Fix(
        action="separate_node_addresses",
        text=(
            "Correct the address of the node that does not have it on its host. Restart no other calico-node before"
            " that: it would come up without BIRD."
        ),
        risk="medium",
        disrupts="the sessions of the corrected node",
        commands=lambda evidence, subject: [
            *(f"ssh {name} ip -brief address   # which address should it have?" for name in subject.nodes),
            commands.set_address(evidence, subject.nodes[0]),
        ],
    ),
    verify=(
        "Every node has an address of its own, confd accepts its configuration everywhere, and all sessions are "
        "Established."
    ),
    prior=0.0,
    lookalikes=(
        Lookalike("stale_node_ip", "nobody else has or claims the address"),
        Lookalike("duplicate_router_id", "the addresses differ, only the router IDs are equal"),
    ),
    explains=(
        "stale_node_ip",
        "duplicate_router_id",
        "bird_reload_stuck",
        "undetermined",
        "tcp179_blocked_network",
        "peer_node_down",
    ),
)


def _who_is_wrong(subject: Subject) -> str:
    if subject.node is not None and not subject.node.holds(str(subject.about)):
        return f"the host of {subject.nodes[0]} does not have it"
    if subject.node is not None and subject.node.inventory_address not in ("", subject.about):
        return f"both hosts have it, and the inventory knows {subject.nodes[0]} as {subject.node.inventory_address}"
    return "both hosts have it; which one is wrong, only their owner can tell"


FAULTS = (DUPLICATE_NODE_IP, STALE_NODE_IP)
