# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of who takes part in the mesh: machines that are gone, down, or present without BIRD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.model import MissingNode
from . import commands, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.sessions import Session, Side


NODE_COLUMNS = "custom-columns=NAME:.metadata.name,BGP:.metadata.annotations.projectcalico\\.org/IPv4Address"


def _unread_peers(evidence: Evidence) -> dict[str, list[Session]]:
    """Addresses that belong to no node that was read, with the sessions in trouble towards them."""
    found: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for side, other in session.sides():
            if side.node and other.node is None:
                found.setdefault(other.address, []).append(session)
    return found


def _observers(subject: Subject) -> list[tuple[Side, Side]]:
    """The ends that were read, each with the end that was not."""
    return [
        (side, other)
        for session in subject.sessions
        for side, other in session.sides()
        if side.node and other.node is None
    ]


def missing_machines(evidence: Evidence) -> Iterator[Subject]:
    """Expected nodes that could not be read and whose BGP address is in trouble at their peers."""
    for address, sessions in _unread_peers(evidence).items():
        missing = evidence.missing_at(address)
        if missing:
            yield Subject((missing.name,), tuple(sessions), {"node": missing.name, "address": address}, None, missing)


def unknown_machines(evidence: Evidence) -> Iterator[Subject]:
    """Peer addresses that belong to no expected node at all."""
    for address, sessions in _unread_peers(evidence).items():
        if evidence.missing_at(address) is None:
            yield Subject((address,), tuple(sessions), {"address": address}, None, address)


def unread_machines(evidence: Evidence) -> Iterator[Subject]:
    """Peers that could not be read, whether expected or not."""
    yield from missing_machines(evidence)
    yield from unknown_machines(evidence)


def node_cannot_be_reached(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Ansible could not reach the node either."""
    missing = subject.about
    tried = isinstance(missing, MissingNode) and missing.unreachable
    return [Seen(missing.name, "ansible", missing.why)] if tried else []


def answers_nobody(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address answers none of its peers in any way: no neighbour entry, no ICMP echo, no TCP."""
    dead = session_signals.peer_host_is_dead(evidence, subject)
    observers = {side.label for side, _other in _observers(subject)}
    return dead if observers and observers == {seen.node for seen in dead} else []


def answers_somebody(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host answers: it is up."""
    found = []
    for side, other in _observers(subject):
        node = side.node
        reach = node.reachability.get(other.address) if node else None
        probe = node.probes.get(other.address) if node else None
        if reach and (reach.echo == "answered" or reach.neighbour == "reachable"):
            found.append(
                Seen(side.label, "icmp echo", f"{other.address}: echo {reach.echo}, neighbour entry {reach.neighbour}")
            )
        elif probe and probe.result in ("open", "reset"):
            found.append(Seen(side.label, "probe", f"{other.address} answered a SYN: {probe.result}"))
    return found


def nothing_listens(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host answers a SYN to port 179 with a reset: nothing listens there."""
    return [
        Seen(side.label, "probe", f"SYN to {other.address} port 179: reset")
        for side, other in _observers(subject)
        if side.node and (probe := side.node.probes.get(other.address)) is not None and probe.result == "reset"
    ]


def _name_and_address(evidence: Evidence, subject: Subject) -> str:
    address = str(subject.where.get("address", ""))
    return subject.nodes[0] if subject.nodes[0] == address else f"{subject.nodes[0]} ({address})"


def _affected(evidence: Evidence, subject: Subject) -> str:
    return words.listed(sorted({side.label for side, _other in _observers(subject)}))


def _down_summary(evidence: Evidence, subject: Subject) -> str:
    ansible = " and Ansible could not either" if subject.about.unreachable else ""
    down = f"{_name_and_address(evidence, subject)} is down or unreachable as a whole"
    return f"{down}; {_affected(evidence, subject)} cannot reach it{ansible}."


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
        Signal(answers_nobody, STRONG + MODERATE, required=True),
        Signal(node_cannot_be_reached, MODERATE),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(answers_somebody, -DECISIVE - STRONG),
    ),
    summary=_down_summary,
    fix=Fix(
        action="restore_node",
        text=(
            "Start the machine or repair its link. If it will not come back, remove its Node object, so that the "
            "mesh forgets it."
        ),
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            f"look at {subject.nodes[0]}'s console, power and link",
        ],
    ),
    verify="The machine answers, and its sessions are Established.",
    lookalikes=(
        Lookalike("stale_node_in_mesh", "the address belongs to no node that is expected"),
        Lookalike("tcp179_blocked_network", "the machine answers on other ways"),
    ),
    explains=("undetermined", "peer_bird_not_running"),
)


def every_observer_peers_with_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Every node that was read still has a session configured towards the address."""
    observers = {side.label for side, _other in _observers(subject)}
    if len(observers) < 2 or len(observers) < len([node for node in evidence.nodes.values() if node.daemons]):
        return []
    return [Seen(name, "bird", f"a session towards {subject.nodes[0]}") for name in sorted(observers)][:4]


def all_expected_nodes_are_known(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address belongs to none of the nodes of the inventory, and all of those are accounted for."""
    if any(not missing.address for missing in evidence.missing):
        return []
    return [
        Seen(
            "",
            "inventory",
            f"{words.plural(len(evidence.nodes) + len(evidence.missing), 'node')} known, none has {subject.nodes[0]}",
        )
    ]


def an_unread_node_may_have_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A node of the inventory could not be read and its address is not known: the address may be its own."""
    return [Seen(missing.name, "ansible", missing.why) for missing in evidence.missing if not missing.address]


STALE_NODE_IN_MESH = Fault(
    id="stale_node_in_mesh",
    family="membership",
    title="A node that no longer exists is still in the mesh",
    severity="minor",
    role="cause",
    means=(
        "Calico still has a Node object for a machine that is gone, so every node keeps dialling its address. "
        "The living sessions are "
        "not harmed, but readiness messages name the dead address, and every restarted calico-node waits for it"
        " in vain."
    ),
    subjects=unknown_machines,
    signals=(
        Signal(answers_nobody, STRONG, required=True),
        Signal(every_observer_peers_with_it, MODERATE),
        Signal(all_expected_nodes_are_known, WEAK),
        Signal(an_unread_node_may_have_it, -STRONG),
        Signal(answers_somebody, -DECISIVE - STRONG),
    ),
    summary=lambda evidence, subject: (
        f"The mesh still contains {subject.nodes[0]}, which belongs to no node of the inventory and answers "
        f"nobody; {_affected(evidence, subject)} keep dialling it."
    ),
    fix=Fix(
        action="remove_stale_node",
        text=(
            "Either your inventory lacks a node (then add it), or the Node object is left over: find it, make sure "
            "that the machine is really gone, and delete it. "
            "Deleting a Node releases its pod addresses."
        ),
        risk="medium",
        disrupts="nothing, if the machine is really gone",
        commands=lambda evidence, subject: [
            f"kubectl get nodes -o '{NODE_COLUMNS}'",
            f"kubectl delete node NAME   # the one that shows {subject.nodes[0]}, once its machine is known to be gone",
        ],
    ),
    verify="No node has a session towards the address any more.",
    lookalikes=(
        Lookalike("peer_node_down", "the address belongs to a node of the inventory that cannot be reached"),
        Lookalike("stale_node_ip", "a living node is registered with the address"),
    ),
    explains=("undetermined",),
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
    subjects=unread_machines,
    signals=(
        Signal(nothing_listens, STRONG, required=True),
        Signal(session_signals.connection_refused, MODERATE),
        Signal(session_signals.peer_host_answers, WEAK),
    ),
    summary=lambda evidence, subject: (
        f"{_name_and_address(evidence, subject)} is up, but nothing listens on TCP 179 there; its peers "
        f"{_affected(evidence, subject)} are refused. The node itself could not be read."
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
            commands.pods_of(evidence, subject.nodes[0]),
            "kubectl logs -n NAMESPACE POD -c calico-node --tail=200",
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
            f"on {subject.nodes[0]}: ss -ltnp 'sport = :179'",
            "whether BIRD listens behind a firewall that resets, or not at all",
        )
    ],
)

FAULTS = (PEER_NODE_DOWN, PEER_BIRD_NOT_RUNNING, STALE_NODE_IN_MESH)
