# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the faults of host firewalls are about: a verdict, the sessions it stops, and the peers it would stop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from .._evidence.evidence import Evidence, verdict_on
from .._peering.model import BGP_PORT
from .model import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.host_state import LoggedDrop
    from .._evidence.model import Node, Verdict
    from .._evidence.rules import Rule
    from .._evidence.sessions import Session, Side
    from .._peering.real_addresses import RealAddresses

BLOCKING = ("drop", "reject")
# Where the packets that a verdict is about belong to connections which a peer opens, and not this node.
OPENED_BY_PEER = ("inbound", "answers_sent")


class Block(NamedTuple):
    """What a subject here is about: the verdict, and the peers whose connections it stops or would stop."""

    verdict: Verdict
    peers: frozenset[str]


def verdict_of(subject: Subject) -> Verdict | None:
    """The verdict that a subject is about; None for an unread host."""
    return subject.about[0] if isinstance(subject.about, tuple) else None


def _where(node: Node, rule: Rule | None) -> dict[str, object]:
    if rule is None:
        return {"node": node.name}
    return {
        "node": node.name,
        "backend": rule.backend,
        "table": rule.table,
        "chain": rule.chain,
        "rule": rule.number,
        "text": rule.text,
        "owner": rule.owner,
    }


def _stopped_sessions(evidence: Evidence, node: Node, verdict: Verdict) -> tuple[Session, ...]:
    """The sessions in trouble whose connections this verdict is about."""
    found = []
    for session in evidence.down_at(node.name):
        side = session.side_of(node.name)
        if side is None or (session.family != verdict.family):
            continue
        other = session.other(side)
        opener = other if verdict.direction in OPENED_BY_PEER else side
        if session.dials(opener) and verdict_on(node, verdict.direction, other.address) is verdict:
            found.append(session)
    return tuple(found)


def working_peers(node: Node, verdict: Verdict, real: RealAddresses) -> frozenset[str]:
    """Peers whose session is up although this verdict is about its connection, if that is the end which opens it.

    They are up because they were made before the rule. Who dials in the mesh is known without asking: see sessions.
    """
    daemon = node.daemons.get(verdict.family)
    if daemon is None:
        return frozenset()
    own = daemon.config.local_address or node.bgp_addresses.get(verdict.family, "")
    return frozenset(
        peer
        for peer in daemon.established & daemon.mesh
        if own and real.greater(peer, own) is (verdict.direction in OPENED_BY_PEER)
        if verdict_on(node, verdict.direction, peer) is verdict
    )


def blocking_rules(evidence: Evidence) -> Iterator[Subject]:
    """Each rule that stops connections of sessions, or may do so, and unread hosts that seem to have one."""
    for node in evidence.nodes.values():
        for verdict in node.verdicts or ():
            if verdict.verdict == "accept":
                continue
            sessions = _stopped_sessions(evidence, node, verdict)
            working = working_peers(node, verdict, evidence.real) if verdict.verdict in BLOCKING else frozenset()
            if sessions or working:
                subject = Subject((node.name,), sessions, _where(node, verdict.rule), node)
                yield replace(subject, about=Block(verdict, far_addresses(subject) | working))
        if node.verdicts is None:
            told = tuple(session for session in evidence.table.of(node.name) if drops_of(node, session))
            if told:
                yield Subject((node.name,), told, {"node": node.name}, node)
    yield from _rejecting_hosts(evidence)
    yield from silent_unread_hosts(evidence)


def drops_of(node: Node, session: Session) -> list[LoggedDrop]:
    """What the node's kernel told of connections of a session that its firewall stopped."""
    side = session.side_of(node.name)
    if side is None or not node.state.logged_drops:
        return []
    other = session.other(side).address
    return [
        drop
        for drop in node.state.logged_drops
        if drop.port == _port_called(session) and other == (drop.source if drop.way == "inbound" else drop.destination)
    ]


def _port_called(session: Session) -> int:
    """The port that the session's dialler calls; BGP's own where that is not told."""
    protocol = session.dialler.protocol
    return protocol.port if protocol is not None and protocol.port else BGP_PORT


def far_addresses(subject: Subject) -> frozenset[str]:
    """The addresses at the other ends of the subject's sessions."""
    ends = ((session, session.side_of(subject.nodes[0])) for session in subject.sessions)
    return frozenset(session.other(side).address for session, side in ends if side)


def silent_unread_hosts(evidence: Evidence) -> Iterator[Subject]:
    """Peers that could not be read, are up, and leave SYNs to port 179 unanswered: several causes look like this."""
    silent: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for side, other in session.sides():
            if other.node is None and session.dials(side) and side.node and silent_but_alive(side, other):
                silent.setdefault(other.address, []).append(session)
    for address, sessions in silent.items():
        name = evidence.name_of(address)
        yield Subject((name,), tuple(sessions), {"node": name, "address": address})


def silent_but_alive(side: Side, other: Side) -> bool:
    probe = side.node.probes.get(other.address) if side.node else None
    reach = side.node.reachability.get(other.address) if side.node else None
    return (
        probe is not None
        and probe.result == "silent"
        and reach is not None
        and (reach.echo == "answered" or reach.neighbour == "reachable")
    )


def _rejecting_hosts(evidence: Evidence) -> Iterator[Subject]:
    """Peers that could not be read, whose own address answers SYNs with an ICMP prohibition."""
    rejecting: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for side, other in session.sides():
            if other.node is None and session.dials(side) and _rejected_by_peer_itself(side, other):
                rejecting.setdefault(other.address, []).append(session)
    for address, sessions in rejecting.items():
        yield Subject((evidence.name_of(address),), tuple(sessions), {"node": evidence.name_of(address)})


def _rejected_by_peer_itself(side: Side, other: Side) -> bool:
    probe = side.node.probes.get(other.address) if side.node else None
    return probe is not None and probe.result == "rejected" and probe.answered_by == other.address


def rules_that_would_block(evidence: Evidence) -> Iterator[Subject]:
    """Each inbound rule that stops TCP 179 of peers whose sessions work, and which do not dial this node."""
    for node in evidence.nodes.values():
        for verdict in node.verdicts or ():
            daemon = node.daemons.get(verdict.family)
            if verdict.direction != "inbound" or verdict.verdict not in BLOCKING or daemon is None:
                continue
            working = {peer for peer in daemon.established if verdict_on(node, "inbound", peer) is verdict}
            at_risk = frozenset(working - working_peers(node, verdict, evidence.real))
            if at_risk:
                yield Subject((node.name,), (), _where(node, verdict.rule), node, Block(verdict, at_risk))
