# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of who takes part in the mesh: machines that are down, or present without BIRD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.model import MissingNode
from . import agent_pod, api, commands, lost_hosts, session_signals, stale_nodes, unread_peers
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence


def missing_machines(evidence: Evidence) -> Iterator[Subject]:
    """Expected nodes, or Nodes of Kubernetes, that were not read and whose BGP address is in trouble at their peers;
    and those that are lost to Kubernetes and to others at once."""
    told: set[str] = set()
    for subject in _by_their_peers(evidence):
        told.update(subject.nodes)
        yield subject
    yield from (subject for subject in lost_hosts.machines(evidence) if not told & set(subject.nodes))


def _by_their_peers(evidence: Evidence) -> Iterator[Subject]:
    yield from unread_peers.expected_machines(evidence)
    for subject in unread_peers.unknown_machines(evidence):
        record = unread_peers.record_at(evidence, str(subject.where["address"]))
        if record is not None and record.kube is not None:
            where = api.where(f"node {record.record}", "status.conditions", **subject.where)
            yield Subject((record.name,), subject.sessions, where, None, record)


def node_cannot_be_reached(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Ansible could not reach the node either."""
    missing = subject.about
    tried = isinstance(missing, MissingNode) and missing.unreachable
    return [Seen(missing.name, "ansible", missing.why)] if tried else []


def nothing_listens(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host answers a SYN to port 179 with a reset: nothing listens there."""
    return [
        Seen(side.label, "probe", f"SYN to {other.address} port 179: reset")
        for side, other in unread_peers.observers(subject)
        if side.node and (probe := side.node.probes.get(other.address)) is not None and probe.result == "reset"
    ]


def _down_summary(evidence: Evidence, subject: Subject) -> str:
    ansible = " and Ansible could not either" if node_cannot_be_reached(evidence, subject) else ""
    down = f"{unread_peers.name_and_address(evidence, subject)} is down or unreachable as a whole"
    if not unread_peers.observers(subject):
        return f"{down}: its kubelet is lost to Kubernetes{ansible}, and BGP goes on where only the kubelet is."
    return f"{down}; {unread_peers.affected(evidence, subject)} cannot reach it{ansible}."


PEER_NODE_DOWN = Fault(
    id="peer_node_down",
    family="membership",
    title="The peer's machine is down or cut off",
    severity="major",
    role="cause",
    means=(
        "The machine answers none of its BGP peers, not even to ARP or ICMP echo. It is off, hung, or "
        "its network is gone as a whole."
    ),
    subjects=missing_machines,
    signals=(
        Signal(unread_peers.answers_nobody, STRONG + MODERATE, required=True),
        Signal(lost_hosts.lost_with_its_kubelet, MODERATE, required=True),
        Signal(lost_hosts.lost_to_its_peers, MODERATE + WEAK, required=True),
        Signal(node_cannot_be_reached, MODERATE),
        Signal(stale_nodes.kubelet_is_silent, MODERATE),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(stale_nodes.silent_for_long, -MODERATE),
        Signal(stale_nodes.only_it_is_in_no_inventory, -DECISIVE - DECISIVE),
        Signal(stale_nodes.no_kubernetes_node, -DECISIVE),
        Signal(unread_peers.answers_somebody, -DECISIVE - STRONG),
    ),
    summary=_down_summary,
    fix=Fix(
        action="restore_node",
        text=(
            "Look at the machine's console, power and link; start it or repair them. If it will not come back, remove "
            "its Node object, so that the mesh forgets it."
        ),
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            f"ping -c 3 {commands.word(subject.where.get('address') or subject.nodes[0], 'ADDRESS')}",
            f"kubectl describe node {commands.kube_name(evidence, subject.nodes[0])}   # since when it is silent",
        ],
    ),
    verify="The machine answers, and its sessions are Established.",
    lookalikes=(
        Lookalike("stale_node_in_mesh", "the address belongs to no node that is expected"),
        Lookalike("tcp179_blocked_network", "the machine answers on other ways"),
    ),
    # Which of both it is hangs on whether the machine comes back: one event, and told once.
    explains=("undetermined", "peer_bird_not_running", "hold_timer_expired", "stale_node_in_mesh"),
)


PEER_BIRD_NOT_RUNNING = Fault(
    id="peer_bird_not_running",
    family="membership",
    title="Nothing listens on the peer's BGP port",
    severity="major",
    role="cause",
    means=(
        "The peer's host is up and answers, but with a reset: no process listens on TCP 179 there. BIRD is not "
        "running on it, or it listens on another port."
    ),
    subjects=unread_peers.unread_machines,
    signals=(
        Signal(nothing_listens, STRONG, required=True),
        Signal(session_signals.connection_refused, MODERATE),
        Signal(session_signals.peer_host_answers, WEAK),
    ),
    summary=lambda evidence, subject: (
        f"{unread_peers.name_and_address(evidence, subject)} is up, but nothing listens on TCP 179 there; its peers "
        f"{unread_peers.affected(evidence, subject)} are refused. The node itself could not be read."
    ),
    fix=Fix(
        action="start_bird",
        text=(
            "Find out on the node why BIRD does not run (calico-node's state and log), repair that, and let runit "
            "or the pod start it."
        ),
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            agent_pod.logs(evidence, subject.nodes[0], "--tail=200"),
            f"{agent_pod.delete(evidence, subject.nodes[0])}   # when what keeps BIRD from running is mended",
        ],
    ),
    verify="A SYN to the peer's port 179 is answered, and the sessions are Established.",
    lookalikes=(
        Lookalike("tcp179_blocked_host_firewall", "the peer's firewall rejects with a reset although BIRD listens"),
        Lookalike("port_listen_changed", "BIRD listens on another port"),
    ),
    explains=("undetermined",),
    missing=lambda evidence, subject: [
        Missing(
            subject.nodes[0],
            "sockets",
            commands.on_node(subject.nodes[0], 'sudo ss -ltnp "sport = :179"'),
            "whether BIRD listens behind a firewall that resets, or not at all",
        )
    ],
)

FAULTS = (PEER_NODE_DOWN, PEER_BIRD_NOT_RUNNING)
