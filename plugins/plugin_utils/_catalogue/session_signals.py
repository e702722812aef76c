# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals on sessions which several faults share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.evidence import Evidence, rewrite_on
from .._peering.model import BGP_PORT
from . import words
from .model import Seen, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.sessions import Session, Side
    from .model import Step

ANSWERS = ("answers_sent", "answers_received")
WAITING_STATES = ("Connect", "Active", "Idle", "OpenSent")


def ports(subject: Subject) -> str:
    """The port that the subject's diallers dial, or the ports, for a sentence; BGP's own where none is told."""
    found = {side.protocol.port for _session, side, _other in subject.diallers if side.protocol}
    return words.listed(str(port) for port in sorted(found)) if found else str(BGP_PORT)


def _port(side: Side, other: Side) -> int:
    """The port to which a probe went."""
    return side.node.probes[other.address].port if side.node else BGP_PORT


def seen_at(side: Side, source: str, detail: str) -> Seen:
    """An observation made at one end."""
    return Seen(side.label, source, detail)


def dialler_gets_no_answer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The dialling end keeps trying to connect."""
    return [
        seen_at(side, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
        for _session, side, _other in subject.diallers
        if side.protocol and side.protocol.bgp_state in WAITING_STATES and not side.protocol.disabled
    ]


def listener_waits(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The listening end waits for a connection that does not come."""
    return [
        seen_at(session.listener, "bird", f"{session.listener.protocol.name} is Passive")
        for session in subject.sessions
        if session.listener.protocol and session.listener.protocol.bgp_state == "Passive"
    ]


def syn_is_not_answered(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A half-open SYN to the peer's BGP port gets no answer."""
    return [
        seen_at(side, "probe", f"SYN from {side.address} to {other.address} port {_port(side, other)}: silence")
        for side, other in _probing(subject)
        if side.node and side.node.probes[other.address].result == "silent"
    ]


def syn_is_answered(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A half-open SYN to the peer's BGP port is answered: the port is open on this path."""
    return [
        seen_at(side, "probe", f"SYN from {side.address} to {other.address} port {_port(side, other)}: answered")
        for side, other in _probing(subject)
        if side.node and side.node.probes[other.address].result == "open"
    ]


def syn_is_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host answers a SYN to its BGP port with a reset."""
    return [
        seen_at(side, "probe", f"SYN from {side.address} to {other.address} port {_port(side, other)}: reset")
        for side, other in _probing(subject)
        if side.node and side.node.probes[other.address].result == "reset"
    ]


def signed_calls_get_no_answer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD's signed connection attempts get no answer, and the listener counts no refusal that must be theirs."""
    return [
        seen_at(side, "bird", f"{side.protocol.name} to {other.label} is {words.state(side.protocol)}")
        for session, side, other in subject.diallers
        if side.protocol and signed_call_is_lost(evidence, session, side, other)
    ]


def signed_call_is_lost(evidence: Evidence, session: Session, side: Side, other: Side) -> bool:
    """A session with a password is not probed: only BIRD could sign the SYN. So BIRD's own attempts tell."""
    probe = side.node.probes.get(other.address) if side.node else None
    return (
        probe is not None
        and probe.result == "not_tried"
        and side.protocol is not None
        and (side.protocol.bgp_state, side.protocol.last_error) == ("Connect", "")
        and other.node is not None
        and "failure" in other.node.md5
        and evidence.signature_doubtful.get(session.key) is not False
    )


def signatures_were_refused_before(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel of a listening node has refused signatures, though none while the node was looked at."""
    return [
        Seen(
            node.name,
            "kernel counters",
            f"TCPMD5 {name} is {counter.total} and stood still for {node.md5_seconds:.1f} s",
        )
        for session, side, other in subject.diallers
        if (node := other.node) is not None and signed_call_is_lost(evidence, session, side, other)
        if not any(counter.grew for counter in node.md5.values())
        for name, counter in node.md5.items()
        if counter.total
    ]


def _probing(subject: Subject) -> Iterator[tuple[Side, Side]]:
    for _session, side, other in subject.diallers:
        if side.node and other.address in side.node.probes:
            yield side, other


def connection_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD's own attempts to connect are refused."""
    return [
        seen_at(side, "bird", f"{side.protocol.name}: {side.protocol.last_error}")
        for _session, side, _other in subject.diallers
        if side.protocol and "Connection refused" in side.protocol.last_error
    ]


def peer_host_answers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's host itself can be reached from here."""
    return [
        seen_at(
            side,
            "icmp echo" if reach.echo == "answered" else "neighbour table",
            f"{other.address}: {_how_reached(reach.echo, reach.neighbour)}",
        )
        for session in subject.sessions
        for side, other in session.sides()
        if side.node and (reach := side.node.reachability.get(other.address)) is not None
        if reach.echo == "answered" or reach.neighbour == "reachable"
    ]


def _how_reached(echo: str, neighbour: str) -> str:
    return "answers ICMP echo" if echo == "answered" else f"neighbour entry {neighbour}"


def peer_host_is_dead(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's address answers nothing at all, not even to its neighbours on the link."""
    return [
        seen_at(side, "neighbour table", f"{other.address}: neighbour entry {reach.neighbour}, ICMP echo {reach.echo}")
        for session in subject.sessions
        for side, other in session.sides()
        if side.node and (reach := side.node.reachability.get(other.address)) is not None
        if reach.echo != "answered"
        and (reach.neighbour in ("failed", "incomplete") or reach.echo in ("silent", "unreachable"))
        if not _any_answer(side, other)
    ]


def _any_answer(side: Side, other: Side) -> bool:
    """The peer's own address answered the SYN in some way."""
    probe = side.node.probes.get(other.address) if side.node else None
    if probe is None:
        return False
    return probe.result in ("open", "reset") or (probe.result == "rejected" and probe.answered_by == other.address)


def both_ends_allow(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The firewalls of both hosts, evaluated rule by rule, accept TCP 179 in this direction, and its answers."""
    return [
        seen_at(
            other,
            "firewall",
            f"TCP 179 from {side.label} to {other.label}: accepted on the way out and in, and the answers back",
        )
        for side, other, passed in subject.passages
        if side.node and other.node and all(map(_passes, passed))
    ]


def _passes(step: Step) -> bool:
    """Nothing stops these packets, and nothing makes others of them than those that the next host was asked about."""
    if step.direction in ANSWERS:
        return step.verdict is None and step.node.verdicts is not None
    accepted = step.verdict is not None and step.verdict.verdict == "accept"
    return accepted and rewrite_on(step.node, step.direction, step.peer) is None


def listener_is_listening(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD listens on the BGP port of the listening node."""
    return [
        seen_at(other, "sockets", f"{listener.process} listens on {listener.address} port {listener.port}")
        for _session, _side, other in subject.diallers
        if other.node
        for listener in other.node.listeners
        if listener.process.startswith("bird") and (":" in listener.address) == (":" in other.address)
    ][:4]


def password_may_explain(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel of a listening node refuses segments for their TCP MD5 signature."""
    return _refusing_listeners(evidence, subject, doubtful=False)


def password_may_explain_as_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel of a listening node refuses signatures, which another dialler explains as well."""
    return _refusing_listeners(evidence, subject, doubtful=True)


def _refusing_listeners(evidence: Evidence, subject: Subject, *, doubtful: bool) -> list[Seen]:
    """The listeners of the subject's sessions that refuse signatures, where it is doubtful or not whose."""
    return [
        Seen(node.name, "kernel counters", f"TCPMD5 {name} grew by {counter.grew} in {node.md5_seconds:.1f} s")
        for session, _side, other in subject.diallers
        if (node := other.node) is not None and evidence.signature_doubtful.get(session.key) is doubtful
        for name, counter in node.md5.items()
        if counter.grew
    ]
