# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that keep BGP's TCP connection from being made: something drops, rejects or does not carry TCP 179."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.evidence import Evidence, culprits, verdict_on
from .._evidence.model import Node, Rule, Verdict
from . import session_signals, words
from .firewall_fix import allow_commands
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._evidence.sessions import Session, Side

BLOCKING = ("drop", "reject")
PROHIBITED_CODES = (9, 10, 13)
SELDOM_WRONG = 0.0
ALLOW = Fix(
    action="allow_bgp_port",
    text=(
        "Allow TCP 179 from the node's BGP peers, ahead of the rule that blocks it, in the language of the firewall's "
        "owner. What iptables or nft insert is gone after a reboot: write it into the host's own rule files too."
    ),
    risk="low",
    disrupts="nothing; no session that works is touched",
    commands=allow_commands,
)


def _blocked_peers(verdict: Verdict, peers: Iterable[str]) -> set[str]:
    return {peer for peer in peers if verdict.peers is None or peer in verdict.peers}


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


def _blocking_verdicts(node: Node) -> Iterator[Verdict]:
    for verdict in node.verdicts or ():
        if verdict.verdict in BLOCKING:
            yield verdict


def _blocked_sessions(evidence: Evidence, node: Node, verdict: Verdict) -> tuple[Session, ...]:
    """The sessions in trouble whose connection attempts this verdict stops."""
    found = []
    for session in evidence.down_at(node.name):
        side = session.side_of(node.name)
        if side is None or (session.family != verdict.family):
            continue
        other = session.other(side)
        stopped_end = other if verdict.direction == "inbound" else side
        if session.dials(stopped_end) and verdict_on(node, verdict.direction, other.address) is verdict:
            found.append(session)
    return tuple(found)


def blocking_rules(evidence: Evidence) -> Iterator[Subject]:
    """Each rule that stops connection attempts of sessions which are down, and unread hosts that seem to do so."""
    for node in evidence.nodes.values():
        for verdict in _blocking_verdicts(node):
            sessions = _blocked_sessions(evidence, node, verdict)
            if sessions:
                yield Subject((node.name,), sessions, _where(node, verdict.rule), node, verdict)
    yield from _rejecting_hosts(evidence)
    yield from silent_unread_hosts(evidence)


def silent_unread_hosts(evidence: Evidence) -> Iterator[Subject]:
    """Peers that could not be read, are up, and leave SYNs to port 179 unanswered: several causes look like this."""
    silent: dict[str, list[Session]] = {}
    for session in evidence.table.down:
        for side, other in session.sides():
            if other.node is None and session.dials(side) and side.node and _silent_but_alive(side, other):
                silent.setdefault(other.address, []).append(session)
    for address, sessions in silent.items():
        name = evidence.name_of(address)
        yield Subject((name,), tuple(sessions), {"node": name, "address": address})


def _silent_but_alive(side: Side, other: Side) -> bool:
    probe = side.node.probes.get(other.address) if side.node else None
    reach = side.node.reachability.get(other.address) if side.node else None
    return (
        probe is not None
        and probe.result == "silent"
        and reach is not None
        and (reach.echo == "answered" or reach.neighbour == "reachable")
    )


def unread_peer_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer is up and leaves a SYN to port 179 unanswered; the peer itself could not be read."""
    if subject.about is not None:
        return []
    return [
        Seen(side.label, "probe", f"SYN to {other.address} port 179: silence, although the host answers otherwise")
        for _session, side, other in session_signals.diallers(subject)
        if other.node is None and _silent_but_alive(side, other)
    ]


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


def rule_blocks_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host's firewall, evaluated rule by rule, stops new TCP connections to port 179 between these nodes."""
    verdict = subject.about
    if not isinstance(verdict, Verdict) or subject.node is None:
        return []
    rule = verdict.rule
    how = f"{verdict.verdict}s ({verdict.reject_with})" if verdict.reject_with else f"{verdict.verdict}s"
    place = f"{words.rule_place(rule)} {how}: {rule.text}" if rule else f"{how} TCP 179"
    return [Seen(subject.node.name, "firewall", f"{verdict.direction}, {place}", " > ".join(rule.path) if rule else "")]


def peer_rejects_as_a_firewall_does(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's own address answers a SYN to port 179 with an ICMP error, as a rejecting host firewall does."""
    return [
        Seen(side.label, "probe", f"{other.address} answered with ICMP type {probe.icmp_type} code {probe.icmp_code}")
        for _session, side, other in session_signals.diallers(subject)
        if side.node and (probe := side.node.probes.get(other.address)) is not None
        if probe.result == "rejected" and probe.answered_by == other.address
    ]


def refused_as_the_rule_says(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A SYN is answered exactly as the rejecting rule answers."""
    verdict = subject.about
    if not isinstance(verdict, Verdict) or verdict.verdict != "reject":
        return []
    wanted = "reset" if "reset" in verdict.reject_with else "rejected"
    return [
        Seen(side.label, "probe", f"SYN to {other.address} port 179: {wanted}")
        for _session, side, other in session_signals.diallers(subject)
        if side.node and (probe := side.node.probes.get(other.address)) is not None and probe.result == wanted
    ]


def syn_leaves_no_trace_as_the_rule_says(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A half-open SYN to the blocked port gets no answer, as the dropping rule makes it."""
    verdict = subject.about
    if not isinstance(verdict, Verdict) or verdict.verdict != "drop":
        return []
    return session_signals.syn_is_not_answered(evidence, subject)


def _host_firewall_summary(evidence: Evidence, subject: Subject) -> str:
    name = subject.nodes[0]
    peers = (
        words.listed(words.peers_of(evidence, name, subject.sessions)) if subject.node else _far_ends(evidence, subject)
    )
    verdict = subject.about
    if not isinstance(verdict, Verdict):
        if not peer_rejects_as_a_firewall_does(evidence, subject):
            return f"A firewall on {name} may drop TCP 179 from {peers}; {name} itself could not be read."
        return f"A firewall on {name} rejects TCP 179 from {peers}; {name} itself could not be read."
    verb = "rejects" if verdict.verdict == "reject" else "drops"
    rule = f" ({words.rule_and_owner(verdict.rule)})" if verdict.rule else ""
    if verdict.direction == "outbound":
        return f"The firewall of {name} {verb} the TCP 179 connections which {name} itself opens to {peers}{rule}."
    return f"The firewall of {name} {verb} TCP 179 from {peers}{rule}."


def _far_ends(evidence: Evidence, subject: Subject) -> str:
    names = {name for session in subject.sessions for name in evidence.labels(session)} - set(subject.nodes)
    return words.listed(sorted(names))


TCP179_BLOCKED_HOST_FIREWALL = Fault(
    id="tcp179_blocked_host_firewall",
    family="reachability",
    title="A host firewall blocks BGP",
    severity="major",
    role="cause",
    means=(
        "BGP needs TCP port 179 open on the node that listens, for every peer that dials it. A rule of this "
        "host's own firewall "
        "stops those connections, so the routes to the pods behind these peers are not exchanged."
    ),
    subjects=blocking_rules,
    signals=(
        Signal(rule_blocks_bgp, DECISIVE, required=True),
        Signal(peer_rejects_as_a_firewall_does, STRONG, required=True),
        Signal(unread_peer_is_silent, WEAK, required=True),
        Signal(syn_leaves_no_trace_as_the_rule_says, STRONG),
        Signal(refused_as_the_rule_says, STRONG),
        Signal(session_signals.listener_waits, MODERATE),
        Signal(session_signals.syn_is_answered, -STRONG),
    ),
    summary=_host_firewall_summary,
    fix=ALLOW,
    verify=(
        "The firewall's verdict for TCP 179 from every peer is accept, and the sessions are Established at both "
        "ends within 30 s."
    ),
    lookalikes=(
        Lookalike("tcp179_blocked_network", "the firewalls of both hosts accept TCP 179, yet the SYN is not answered"),
        Lookalike("bgp_password_mismatch", "the kernel's TCPMD5 counters grow on the listening node"),
        Lookalike("bird_not_running", "a SYN is answered with a reset and nothing listens on the port"),
    ),
    explains=("tcp179_latent_one_way_block", "hold_timer_expired", "tcp179_blocked_network", "undetermined"),
)


def rules_that_would_block(evidence: Evidence) -> Iterator[Subject]:
    """Each inbound rule that stops TCP 179 of peers whose sessions work today."""
    for node in evidence.nodes.values():
        for verdict in _blocking_verdicts(node):
            if verdict.direction != "inbound":
                continue
            daemon = node.daemons.get(verdict.family)
            if daemon is None:
                continue
            working = {p for p in daemon.established if verdict_on(node, "inbound", p) is verdict}
            if working:
                yield Subject((node.name,), (), _where(node, verdict.rule), node, (verdict, frozenset(working)))


def rule_would_block_working_peers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host's firewall stops new TCP connections to port 179 from peers whose sessions are up today."""
    verdict, working = subject.about
    rule = verdict.rule
    place = f"{words.rule_place(rule)}: {rule.text}" if rule else "TCP 179"
    return [
        Seen(subject.nodes[0], "firewall", f"{place} {verdict.verdict}s {words.plural(len(working), 'working peer')}")
    ]


def _latent_summary(evidence: Evidence, subject: Subject) -> str:
    verdict, working = subject.about
    name = subject.nodes[0]
    peers = words.listed(sorted(evidence.name_of(peer) for peer in working))
    rule = f" ({words.rule_and_owner(verdict.rule)})" if verdict.rule else ""
    return (
        f"The firewall of {name} blocks TCP 179 from {peers}{rule}; their sessions are up only because of who dialled."
    )


TCP179_LATENT_ONE_WAY_BLOCK = Fault(
    id="tcp179_latent_one_way_block",
    family="reachability",
    title="BGP is blocked in the direction that nobody dials today",
    severity="minor",
    role="latent",
    means=(
        "A mesh session is dialled from one side only: by the node whose address is greater as a string. This "
        "node dials, so the "
        "rule does not bite. It breaks the sessions on the day a node is replaced or gets another address and "
        "the order turns round, "
        "or when a session that was up before the rule came has to be made again."
    ),
    subjects=rules_that_would_block,
    signals=(Signal(rule_would_block_working_peers, DECISIVE, required=True),),
    summary=_latent_summary,
    fix=ALLOW,
    verify="The firewall's verdict for TCP 179 from every peer is accept.",
    prior=SELDOM_WRONG,
    lookalikes=(Lookalike("tcp179_blocked_host_firewall", "sessions are down because of the rule, not only at risk"),),
)


def _network_suspect(session: Session, side: Side, other: Side) -> bool:
    """This end dials, its SYN is lost or refused by a third party, and both hosts were read."""
    probe = side.node.probes.get(other.address) if side.node else None
    if not session.dials(side) or other.node is None or probe is None:
        return False
    return probe.result == "silent" or (probe.result == "rejected" and probe.answered_by not in ("", other.address))


def silent_paths(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions whose SYNs are lost between two hosts that both were read."""
    lost = [
        (session, evidence.labels(session))
        for session in evidence.table.down
        if any(_network_suspect(session, side, other) for side, other in session.sides())
    ]
    yield from silent_unread_hosts(evidence)
    for names, sessions in culprits(lost):
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
        for _session, side, other in session_signals.diallers(subject)
        if side.node and (probe := side.node.probes.get(other.address)) is not None
        if probe.result == "rejected" and probe.answered_by not in ("", other.address)
    ]


def the_peer_was_not_read(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer itself could not be read, so that its own firewall is not cleared."""
    return unread_peer_is_silent(evidence, subject)[:1]


def host_blocks_after_all(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One of the two hosts' firewalls blocks this direction itself."""
    found = []
    for _session, side, other in session_signals.diallers(subject):
        for node, direction, peer in ((side.node, "outbound", other.address), (other.node, "inbound", side.address)):
            verdict = verdict_on(node, direction, peer) if node else None
            if node and verdict and verdict.verdict in BLOCKING:
                found.append(Seen(node.name, "firewall", f"{direction} TCP 179 with {peer}: {verdict.verdict}"))
    return found


def host_firewall_undecided(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The verdict of one host's firewall could not be decided."""
    found = []
    for _session, side, other in session_signals.diallers(subject):
        for node, direction, peer in ((side.node, "outbound", other.address), (other.node, "inbound", side.address)):
            verdict = verdict_on(node, direction, peer) if node else None
            if node and (verdict is None or verdict.verdict == "unknown"):
                why = verdict.why_unknown if verdict else "the firewall could not be read"
                found.append(Seen(node.name, "firewall", f"{direction} TCP 179 with {peer}: {why}"))
    return found


def password_may_explain(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel of a listening node counts segments with a wrong or missing TCP MD5 signature."""
    return [
        Seen(node.name, "kernel counters", f"TCPMD5 {name} grew by {counter.grew} in {node.md5_seconds:.1f} s")
        for _session, _side, other in session_signals.diallers(subject)
        if (node := other.node) is not None
        for name, counter in node.md5.items()
        if counter.grew
    ]


def _network_summary(evidence: Evidence, subject: Subject) -> str:
    pairs = words.listed(" -> ".join(evidence.labels(session)) for session in subject.sessions)
    if len(subject.sessions) == 1:
        return f"TCP 179 is lost between the hosts ({pairs}): both hosts accept it, the network does not carry it."
    return (
        f"TCP 179 to and from {words.listed(subject.nodes)} is lost between the hosts ({pairs}): both ends accept "
        f"it, the network does not carry it."
    )


def _network_commands(evidence: Evidence, subject: Subject) -> list[str]:
    lines = []
    for session in subject.sessions[:4]:
        dialler, listener = session.dialler.address, session.listener.address
        lines.append(
            f"allow TCP from {dialler} (any port) to {listener} port 179, and the replies, in the security "
            f"group, ACL or router between them"
        )
    return lines


def _network_missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    session = subject.sessions[0]
    device = "any"
    return [
        Missing(
            session.listener.label,
            "tcpdump",
            f"tcpdump -c 5 -ni {device} 'tcp dst port 179 and src host {session.dialler.address}'",
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
        Signal(third_party_rejects, DECISIVE + WEAK, required=True),
        Signal(the_peer_was_not_read, -DECISIVE),
        Signal(session_signals.both_ends_allow, MODERATE),
        Signal(session_signals.listener_is_listening, MODERATE),
        Signal(session_signals.peer_host_answers, WEAK),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(host_blocks_after_all, -DECISIVE - STRONG),
        Signal(host_firewall_undecided, -STRONG - MODERATE),
        Signal(password_may_explain, -DECISIVE - STRONG),
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

FAULTS = (TCP179_BLOCKED_HOST_FIREWALL, TCP179_LATENT_ONE_WAY_BLOCK, TCP179_BLOCKED_NETWORK)
