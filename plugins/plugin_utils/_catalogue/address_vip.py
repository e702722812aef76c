# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a floating address, one that moves from host to host, as a node's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.address_facts import MAYBE_VIP, VIP
from . import session_signals
from .address_choice import (
    autodetection_picks_it,
    detected,
    is_a_moving_address,
    log_names_odd_interface,
    may_be_a_moving_address,
    suspicious_claims,
)
from .address_claims import claim_of, works_in_bgp
from .address_method import choose_better, remedy
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence


def another_host_has_it_now(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address is on another host now, where it looks like one that moves."""
    claim = claim_of(subject)
    return [
        Seen(node.name, "addresses", f"{held.interface} has {held.with_length}")
        for node in evidence.nodes.values()
        if node.name != claim.name and (held := node.own.of(claim.address)) and held.signs & {VIP, MAYBE_VIP}
    ]


def calico_found_others_before(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico found several addresses on this host one after the other."""
    claim = claim_of(subject)
    changed = claim.node.control.lines("node_ip_changed", "node_ip_found_anew") if claim.node else []
    lines = [*detected(subject), *changed]
    odd = log_names_odd_interface(evidence, subject)
    return [Seen(claim.name, f"{line.component} log", line.text, line.at) for line in lines[:3]] if not odd else []


def vip_severity(evidence: Evidence, subject: Subject) -> str:
    """major where sessions are down, minor as long as the address stays where it is."""
    return "major" if subject.sessions or another_host_has_it_now(evidence, subject) else "minor"


VIP_CHOSEN_AS_NODE_IP = Fault(
    id="vip_chosen_as_node_ip",
    family="node_address",
    title="A floating address is registered as the node's own",
    severity="major",
    role="cause",
    means=(
        "An address that keepalived, kube-vip or the like moves from host to host was taken for this node's own. When "
        "it moves, the node loses its sessions, and the host that gets it is taken for this node."
    ),
    subjects=suspicious_claims,
    signals=(
        Signal(is_a_moving_address, STRONG + WEAK, required=True),
        Signal(another_host_has_it_now, STRONG + WEAK, required=True),
        Signal(may_be_a_moving_address, MODERATE, required=True),
        Signal(calico_found_others_before, MODERATE),
        Signal(autodetection_picks_it, WEAK),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(works_in_bgp, -MODERATE - WEAK),
    ),
    summary=lambda evidence, subject: (
        f"{subject.nodes[0]} is registered with {claim_of(subject).address}, which looks like an address that moves "
        f"from host to host."
    ),
    severity_rule=vip_severity,
    fix=Fix(
        action="choose_autodetection_method",
        text=(
            "Tell Calico to take the node's own address. Neither a subnet nor an interface tells the two apart where "
            "both are on one interface: then the InternalIP does, if kubelet is told its own address (--node-ip)."
        ),
        risk="medium",
        disrupts="calico-node is restarted node by node, and every node whose address changes makes its sessions anew",
        commands=choose_better,
        remedy=remedy,
    ),
    verify="Every node is registered with an address that stays on its host, and the sessions are Established.",
    lookalikes=(
        Lookalike("wrong_ip_autodetection", "the address is of another interface, and stays there"),
        Lookalike("stale_node_ip", "no host has the address"),
        Lookalike("duplicate_node_ip", "both hosts have the address at the same time"),
    ),
    explains=(
        "stale_node_ip",
        "duplicate_node_ip",
        "node_ip_mask_32",
        "peer_node_down",
        "tcp179_blocked_network",
        "undetermined",
    ),
)

FAULTS = (VIP_CHOSEN_AS_NODE_IP,)
