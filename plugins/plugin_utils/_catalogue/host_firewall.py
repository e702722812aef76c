# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host firewalls that stop BGP: rules that do, rules that may, and rules that will once the sessions end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands, session_signals, words
from .blocked_sessions import (
    BLOCKING,
    blocking_rules,
    drops_of,
    far_addresses,
    rules_that_would_block,
    silent_but_alive,
    verdict_of,
    working_peers,
)
from .firewall_fix import ALLOW
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Lookalike, Missing, Seen, Signal, Subject
from .session_signals import ANSWERS

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .._evidence.model import Verdict

SELDOM_WRONG = 0.0


def unread_peer_is_silent(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer is up and leaves a SYN to port 179 unanswered; the peer itself could not be read."""
    if subject.about is not None:
        return []
    port = session_signals.ports(subject)
    return [
        Seen(side.label, "probe", f"SYN to {other.address} port {port}: silence, although the host answers otherwise")
        for _session, side, other in subject.diallers
        if other.node is None and silent_but_alive(side, other)
    ]


def rule_blocks_bgp(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The host's firewall, evaluated rule by rule, stops TCP connections to port 179 between these nodes."""
    verdict = verdict_of(subject)
    if verdict is None or subject.node is None or verdict.verdict not in BLOCKING:
        return []
    rule = verdict.rule
    how = f"{verdict.verdict}s ({verdict.reject_with})" if verdict.reject_with else f"{verdict.verdict}s"
    if verdict.how_is_uncertain:
        how = "drops or rejects"
    place = f"{words.rule_place(rule)} {how}: {rule.text}" if rule else f"{how} TCP 179"
    path = " > ".join(rule.path) if rule else ""
    return [Seen(subject.node.name, "firewall", f"{verdict.direction.replace('_', ' ')}, {place}", path)]


def kernel_told_of_the_drop(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel's log says that packets which open this session were stopped on the way in, or out."""
    node = subject.node
    if node is None:
        return []
    told = dict.fromkeys(drop for session in subject.sessions for drop in drops_of(node, session))
    return [
        Seen(
            node.name,
            "kernel log",
            f"{drop.prefix} TCP SYN from {drop.source} to {drop.destination} port {drop.port}"
            f"{f', {drop.packets} times' if drop.packets > 1 else ''}",
        )
        for drop in told
    ]


def undecided_rule_and_silence(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What the host's firewall does with these connections could not be decided, and a SYN gets no answer."""
    verdict = verdict_of(subject)
    if verdict is None or subject.node is None or verdict.verdict != "unknown":
        return []
    rule = verdict.rule
    place = f"{words.rule_place(rule)}, {verdict.why_unknown}: {rule.text}" if rule else verdict.why_unknown
    undecided = Seen(
        subject.node.name, "firewall", f"{verdict.direction}, {place}", " > ".join(rule.path) if rule else ""
    )
    silence = session_signals.syn_is_not_answered(evidence, subject)
    silence += session_signals.signed_calls_get_no_answer(evidence, subject)
    return [undecided, *silence] if silence else []


def undecided_rule_lets_others_through(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Sessions that are up depend on the same rule which could not be evaluated."""
    verdict = verdict_of(subject)
    if verdict is None or subject.node is None or verdict.verdict != "unknown":
        return []
    working = working_peers(subject.node, verdict, evidence.real)
    names = words.listed(sorted(evidence.name_of(peer) for peer in working))
    return [Seen(subject.node.name, "bird", f"Established with {names}")] if working else []


def rules_were_left_out(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Only some of the node's rules were shown, and one before them may let the packets through."""
    node = subject.node
    if node is None or not node.lacks("all_rules"):
        return []
    return [Seen(node.name, "firewall", "rules are left out of what was shown")]


def password_explains_the_silence(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The rule could not be evaluated, and the kernel refuses signatures, which looks the same."""
    verdict = verdict_of(subject)
    undecided = verdict is not None and verdict.verdict == "unknown"
    return session_signals.password_may_explain(evidence, subject) if undecided else []


def peer_rejects_as_a_firewall_does(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peer's own address answers a SYN to port 179 with an ICMP error, as a rejecting host firewall does."""
    return [
        Seen(side.label, "probe", f"{other.address} answered with ICMP type {probe.icmp_type} code {probe.icmp_code}")
        for _session, side, other in subject.diallers
        if side.node and (probe := side.node.probes.get(other.address)) is not None
        if probe.result == "rejected" and probe.answered_by == other.address
    ]


def refused_as_the_rule_says(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A SYN is answered exactly as the rejecting rule answers."""
    verdict = verdict_of(subject)
    if verdict is None or verdict.verdict != "reject" or verdict.direction in ANSWERS:
        return []
    wanted = "reset" if "reset" in verdict.reject_with else "rejected"
    return [
        Seen(side.label, "probe", f"SYN to {other.address} port {probe.port}: {wanted}")
        for _session, side, other in subject.diallers
        if side.node and (probe := side.node.probes.get(other.address)) is not None and probe.result == wanted
    ]


def syn_leaves_no_trace_as_the_rule_says(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A half-open SYN to the blocked port gets no answer, as a rule makes it that drops it or the answer."""
    verdict = verdict_of(subject)
    if verdict is None or verdict.verdict not in BLOCKING:
        return []
    # The end that waits for an answer is not told when the other end rejects its own one.
    silent = verdict.verdict == "drop" or verdict.how_is_uncertain or verdict.direction in ANSWERS
    return session_signals.syn_is_not_answered(evidence, subject) if silent else []


def _host_firewall_summary(evidence: Evidence, subject: Subject) -> str:
    name, port = subject.nodes[0], session_signals.ports(subject)
    verdict = verdict_of(subject)
    if verdict is None:
        peers = _far_ends(evidence, subject)
        if told := kernel_told_of_the_drop(evidence, subject):
            what = f"The firewall of {name} stops TCP {port} between it and {peers}, as its kernel's log says"
            return f"{what} ({told[0].detail}). Its rules were not read."
        if not peer_rejects_as_a_firewall_does(evidence, subject):
            return f"A firewall on {name} may drop TCP {port} from {peers}; {name} itself could not be read."
        return f"A firewall on {name} rejects TCP {port} from {peers}; {name} itself could not be read."
    rule = f" ({words.rule_and_owner(verdict.rule)})" if verdict.rule else ""
    down = words.listed(words.peers_of(evidence, name, subject.sessions))
    if verdict.verdict == "unknown":
        what = _stopped(name, "may stop", verdict, down, rule, port)
        return f"{what} Whether it does could not be decided ({verdict.why_unknown}); a SYN gets no answer."
    verb = "rejects" if verdict.verdict == "reject" else "drops"
    working = frozenset(subject.about.peers) - far_addresses(subject)
    up = words.listed(sorted(evidence.name_of(peer) for peer in working))
    if not subject.sessions:
        what = _stopped(name, verb, verdict, up, rule, port)
        return f"{what} Their sessions are still up; once they end they stay down."
    also = f" The sessions with {up} are still up; once they end they stay down." if working else ""
    return f"{_stopped(name, verb, verdict, down, rule, port)}{also}"


def _stopped(name: str, verb: str, verdict: Verdict, peers: str, rule: str, port: str) -> str:
    """Which packets of which connections the firewall does something to, as a sentence."""
    what = {
        "inbound": f"TCP {port} from {peers}",
        "outbound": f"the TCP {port} connections which {name} itself opens to {peers}",
        "answers_sent": f"what {name} answers to the TCP {port} connections of {peers}",
        "answers_received": f"what {peers} answers to the TCP {port} connections which {name} itself opens",
    }
    return f"The firewall of {name} {verb} {what[verdict.direction]}{rule}."


def _far_ends(evidence: Evidence, subject: Subject) -> str:
    names = {name for session in subject.sessions for name in evidence.labels(session)} - set(subject.nodes)
    return words.listed(sorted(names))


def _host_firewall_missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    verdict = verdict_of(subject)
    if verdict is None and subject.node is not None:
        name = subject.nodes[0]
        return [Missing(name, "firewall rules", commands.rules_of(name), "which rule it is")]
    if verdict is None or verdict.verdict != "unknown":
        return []
    return [
        Missing(
            subject.nodes[0],
            "firewall counters",
            commands.grows(subject.nodes[0]),
            "whether the rule's counter grows with the connection attempts",
        )
    ]


TCP179_BLOCKED_HOST_FIREWALL = Fault(
    id="tcp179_blocked_host_firewall",
    family="reachability",
    title="A host firewall blocks BGP",
    severity="major",
    role="cause",
    means=(
        "BGP needs TCP port 179 open on the node that listens, for every peer that dials it, and the answers back. A "
        "rule of this host's own firewall stops those connections, so the routes to the pods behind these peers are "
        "not exchanged. Sessions that were up before the rule last until they have to be made again."
    ),
    subjects=blocking_rules,
    signals=(
        Signal(rule_blocks_bgp, DECISIVE, required=True),
        Signal(kernel_told_of_the_drop, STRONG, required=True),
        Signal(peer_rejects_as_a_firewall_does, STRONG, required=True),
        Signal(unread_peer_is_silent, WEAK, required=True),
        Signal(undecided_rule_and_silence, WEAK, required=True),
        Signal(syn_leaves_no_trace_as_the_rule_says, STRONG),
        Signal(refused_as_the_rule_says, STRONG),
        Signal(session_signals.listener_waits, MODERATE),
        Signal(session_signals.syn_is_answered, -STRONG),
        Signal(undecided_rule_lets_others_through, -MODERATE),
        Signal(password_explains_the_silence, -STRONG),
        Signal(rules_were_left_out, -STRONG),
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
    explains=(
        *("tcp179_latent_one_way_block", "hold_timer_expired", "tcp179_blocked_network", "undetermined"),
        # The same rule, which stops more than BGP: a chain's policy, or a firewall that drops what it is not told of.
        "host_firewall_blocks_pod_interfaces",
    ),
    missing=_host_firewall_missing,
)


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
        "A mesh session is dialled from one side only: by the node whose address is greater as a string. This node "
        "dials these peers, so the rule does not bite. It breaks the sessions on the day a node is replaced or gets "
        "another address and the order turns round."
    ),
    subjects=rules_that_would_block,
    signals=(
        Signal(rule_would_block_working_peers, DECISIVE, required=True),
        Signal(rules_were_left_out, -STRONG),
    ),
    summary=_latent_summary,
    fix=ALLOW,
    verify="The firewall's verdict for TCP 179 from every peer is accept.",
    prior=SELDOM_WRONG,
    lookalikes=(Lookalike("tcp179_blocked_host_firewall", "the rule stops the direction that is dialled"),),
)

FAULTS = (TCP179_BLOCKED_HOST_FIREWALL, TCP179_LATENT_ONE_WAY_BLOCK)
