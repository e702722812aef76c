# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers that could not be read: what their peers, which were, tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import session_signals, words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.registered import Registered
    from .._evidence.sessions import Session, Side


def unread_peers(evidence: Evidence) -> dict[str, list[Session]]:
    """Addresses that belong to no node that was read, with the sessions in trouble towards them."""
    found: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for side, other in session.sides():
            if side.node and other.node is None:
                found.setdefault(other.address, []).append(session)
    return found


def observers(subject: Subject) -> list[tuple[Side, Side]]:
    """The ends that were read, each with the end that was not."""
    return [
        (side, other)
        for session in subject.sessions
        for side, other in session.sides()
        if side.node and other.node is None
    ]


def expected_machines(evidence: Evidence) -> Iterator[Subject]:
    """Nodes of the inventory that could not be read and whose BGP address is in trouble at their peers."""
    for address, sessions in unread_peers(evidence).items():
        missing = evidence.missing_at(address)
        if missing:
            yield Subject((missing.name,), tuple(sessions), {"node": missing.name, "address": address}, None, missing)


def unknown_machines(evidence: Evidence) -> Iterator[Subject]:
    """Peer addresses that belong to no node of the inventory."""
    for address, sessions in unread_peers(evidence).items():
        if evidence.missing_at(address) is None:
            record = record_at(evidence, address)
            where: dict[str, object] = {"address": address}
            if record is not None:
                where.update({"object": f"Node/{record.record}", "node": record.name})
            yield Subject((record.name if record else address,), tuple(sessions), where, None, address)


def unread_machines(evidence: Evidence) -> Iterator[Subject]:
    """Peers that could not be read, whether expected or not."""
    yield from expected_machines(evidence)
    yield from unknown_machines(evidence)


def record_at(evidence: Evidence, address: str) -> Registered | None:
    """The node on record that has an address and was not read."""
    family = "ipv6" if ":" in address else "ipv4"
    return next((one for one in evidence.registered if one.node is None and one.address(family) == address), None)


def answers_nobody(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The address answers none of its peers in any way: no neighbour entry, no ICMP echo, no TCP."""
    dead = session_signals.peer_host_is_dead(evidence, subject)
    looking = {side.label for side, _other in observers(subject)}
    return dead if looking and looking == {seen.node for seen in dead} else []


def answers_somebody(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host answers: it is up."""
    found = []
    for side, other in observers(subject):
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


def name_and_address(evidence: Evidence, subject: Subject) -> str:
    """The peer by its name and address."""
    address = str(subject.where.get("address", ""))
    return subject.nodes[0] if not address or subject.nodes[0] == address else f"{subject.nodes[0]} ({address})"


def affected(evidence: Evidence, subject: Subject) -> str:
    """The nodes that peer with it, by name."""
    return words.listed(sorted({side.label for side, _other in observers(subject)}))
