# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that keep BGP's TCP connection from being made: something drops, rejects or does not carry TCP 179."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.evidence import Evidence, culprits, rewrite_on
from . import host_firewall, session_signals, words
from .blocked_sessions import BLOCKING, silent_unread_hosts
from .host_firewall import unread_peer_is_silent
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.model import SourceRewrite
    from .._evidence.sessions import Session, Side


def _network_suspect(evidence: Evidence, session: Session, side: Side, other: Side) -> bool:
    """This end dials, its SYN is lost or refused by a third party, and both hosts were read."""
    probe = side.node.probes.get(other.address) if side.node else None
    if not session.dials(side) or other.node is None or probe is None:
        return False
    if session_signals.signed_call_is_lost(evidence, session, side, other):
        return True
    return probe.result == "silent" or (probe.result == "rejected" and probe.answered_by not in ("", other.address))


def silent_paths(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions whose SYNs are lost between two hosts that both were read."""
    lost = [
        (session, evidence.labels(session))
        for session in evidence.table.down
        if any(_network_suspect(evidence, session, side, other) for side, other in session.sides())
    ]
    yield from silent_unread_hosts(evidence)
    refused: tuple[list[tuple[Session, tuple[str, str]]], ...] = ([], [])
    for pair in lost:
        refused[evidence.signature_doubtful.get(pair[0].key) is False].append(pair)
    for names, sessions in culprits(refused[False]) + culprits(refused[True]):
        pairs = [list(evidence.labels(session)) for session in sessions]
        yield Subject(names, sessions, {"between": pairs, "node": names[0]}, evidence.nodes.get(names[0]))


def third_party_rejects(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A device between the nodes answers the SYN with an ICMP error."""
    return [
        Seen(
            side.label,
            "probe",
            f"{probe.answered_by} answered for {other.address}: ICMP type {probe.icmp_type} code {probe.icmp_code}",
        )
        for _session, side, other in subject.diallers
        if side.node and (probe := side.node.probes.get(other.address)) is not None
        if probe.result == "rejected" and probe.answered_by not in ("", other.address)
    ]


def the_peer_was_not_read(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer itself could not be read, so that its own firewall is not cleared."""
    return unread_peer_is_silent(evidence, subject)[:1]


def host_blocks_after_all(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One of the two hosts' firewalls blocks this direction itself, or its answers."""
    return [
        Seen(node.name, "firewall", f"{direction.replace('_', ' ')}, TCP 179 with {peer}: {verdict.verdict}")
        for _side, _other, passed in subject.passages
        for node, direction, peer, verdict in passed
        if verdict is not None and verdict.verdict in BLOCKING
    ]


def host_firewall_undecided(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The verdict of one host's firewall could not be decided."""
    found = []
    for _side, _other, passed in subject.passages:
        for node, direction, peer, verdict in passed:
            unasked = verdict is None and (direction not in session_signals.ANSWERS or node.verdicts is None)
            if unasked or (verdict is not None and verdict.verdict == "unknown"):
                why = verdict.why_unknown if verdict else "the firewall could not be read"
                found.append(Seen(node.name, "firewall", f"{direction}, TCP 179 with {peer}: {why}"))
    return found


def source_is_rewritten(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A NAT rule of one host gives these packets another source address than the peer's firewall was asked about."""
    return [
        Seen(node.name, "firewall", f"{direction}, TCP 179 with {peer}: {_rewritten(rewrite)}")
        for _side, _other, passed in subject.passages
        for node, direction, peer, _verdict in passed
        if (rewrite := rewrite_on(node, direction, peer)) is not None
    ]


def _rewritten(rewrite: SourceRewrite) -> str:
    place = words.rule_place(rewrite.rule) if rewrite.rule else "a NAT rule"
    return f"{place} {'may make' if rewrite.uncertain else 'makes'} the source {rewrite.to or 'another one'}"


def _network_summary(evidence: Evidence, subject: Subject) -> str:
    pairs = words.listed(" -> ".join(evidence.labels(session)) for session in subject.sessions)
    several = len(subject.sessions) > 1
    port = session_signals.ports(subject)
    lost = f"TCP {port} to and from {words.listed(subject.nodes)} is lost" if several else f"TCP {port} is lost"
    rejecting = third_party_rejects(evidence, subject)
    if rejecting:
        return f"{lost} between the hosts ({pairs}): {words.listed(seen.detail for seen in rejecting[:2])}."
    if host_firewall_undecided(evidence, subject) or not session_signals.both_ends_allow(evidence, subject):
        return f"{lost} between the hosts ({pairs}), and it is not proven that both hosts accept it."
    both = "both ends accept" if several else "both hosts accept"
    return f"{lost} between the hosts ({pairs}): {both} it, the network does not carry it."


def _network_commands(evidence: Evidence, subject: Subject) -> list[str]:
    lines, port = [], session_signals.ports(subject)
    for session in subject.sessions[:4]:
        dialler, listener = session.dialler.address, session.listener.address
        lines.append(
            f"allow TCP from {dialler} (any port) to {listener} port {port}, and the replies, in the security "
            f"group, ACL or router between them"
        )
    return lines


def _network_missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    session, port = subject.sessions[0], session_signals.ports(subject).partition(" ")[0].rstrip(",")
    device = "any"
    return [
        Missing(
            session.listener.label,
            "tcpdump",
            f"tcpdump -c 5 -ni {device} 'tcp dst port {port} and src host {session.dialler.address}'",
            "a SYN that arrives here clears the network; none for 30 s proves that it is lost on the way",
        )
    ]


TCP179_BLOCKED_NETWORK = Fault(
    id="tcp179_blocked_network",
    family="reachability",
    title="The network between the nodes blocks BGP",
    severity="major",
    role="cause",
    means=(
        "Neither host blocks TCP 179, both hosts are up, and the listener listens; still the connection attempt"
        " is lost on the way. "
        "Something between the nodes stops it: a cloud security group, an ACL, a router or a hypervisor's filter."
    ),
    subjects=silent_paths,
    signals=(
        Signal(session_signals.syn_is_not_answered, STRONG, required=True),
        Signal(session_signals.signed_calls_get_no_answer, STRONG, required=True),
        Signal(third_party_rejects, DECISIVE + WEAK, required=True),
        Signal(the_peer_was_not_read, -DECISIVE),
        Signal(session_signals.both_ends_allow, MODERATE),
        Signal(session_signals.listener_is_listening, MODERATE),
        Signal(session_signals.peer_host_answers, WEAK),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(host_blocks_after_all, -DECISIVE - STRONG),
        Signal(host_firewall_undecided, -DECISIVE - WEAK),
        Signal(source_is_rewritten, -STRONG),
        Signal(session_signals.password_may_explain, -DECISIVE - STRONG),
        Signal(session_signals.password_may_explain_as_well, -STRONG),
        Signal(session_signals.signatures_were_refused_before, -DECISIVE),
        Signal(session_signals.syn_is_answered, -STRONG),
        Signal(session_signals.peer_host_is_dead, -DECISIVE),
    ),
    summary=_network_summary,
    fix=Fix(
        action="allow_bgp_port_in_network",
        text="Allow TCP 179 between the nodes' addresses, in both directions, where the network is filtered.",
        risk="low",
        disrupts="nothing",
        commands=_network_commands,
    ),
    verify="A half-open SYN from the dialling node is answered, and the sessions are Established at both ends.",
    lookalikes=(
        Lookalike("tcp179_blocked_host_firewall", "a rule on one of the hosts blocks the port"),
        Lookalike("bgp_password_mismatch", "the kernel's TCPMD5 counters grow on the listening node"),
        Lookalike("peer_node_down", "the peer's host does not answer at all"),
    ),
    explains=("undetermined", "hold_timer_expired"),
    missing=_network_missing,
)

FAULTS = (*host_firewall.FAULTS, TCP179_BLOCKED_NETWORK)
