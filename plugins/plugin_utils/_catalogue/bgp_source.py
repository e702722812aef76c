# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of BGP connections that arrive under an address which the listener does not know."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ...module_utils._inet import is_address
from .._evidence.address_set import AddressSet
from .._evidence.evidence import culprits
from . import commands, session_signals, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Missing, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import LogLine, Node, SourceRewrite
    from .._evidence.sessions import Session, Side

CALLED = "unexpected_connect"
THROWN_OUT = ("Connection reset", "Connection closed")
# BIRD dials again every few seconds: who is turned away for good calls again and again.
REPEATED = 3
_EXCHANGED = ("Received:", "BGP Error:")
_SHOWN = 4
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
# Times are told in whole seconds, and two nodes are looked at one after the other.
_SLACK = 3


class Strange(NamedTuple):
    """Who calls: the address ('' if not told), by node the line about it, and the rule that makes it, if one does."""

    address: str
    lines: dict[str, LogLine]
    rewrite: SourceRewrite | None


def rewritten_sources(evidence: Evidence) -> Iterator[Subject]:
    """Each NAT rule that rewrites the source of sessions in trouble, and each unknown address that calls."""
    strangers = _strangers(evidence)
    for node in evidence.nodes.values():
        for rewrite in node.source_rewrites:
            sessions = _rewritten(node, evidence.down_at(node.name), rewrite)
            if sessions:
                lines = strangers.pop(rewrite.to, {})
                yield Subject((node.name,), sessions, _where(node, rewrite), node, Strange(rewrite.to, lines, rewrite))
    for address, lines in strangers.items():
        about = Strange(address, lines, None)
        where = {"address": address} if address else {}
        turned_away = [
            (session, _names(evidence, session)) for session in evidence.table.down if _may_be(evidence, session, about)
        ]
        for names, sessions in culprits(turned_away):
            ordered = tuple(sorted(names, key=lambda name: name not in {_names(evidence, one)[0] for one in sessions}))
            yield Subject(ordered, sessions, {**where, "node": ordered[0]}, evidence.nodes.get(ordered[0]), about)
        if not turned_away and not any(_is_heard(evidence.nodes[name]) for name in lines):
            names = tuple(lines)
            yield Subject(names, (), {**where, "node": names[0]}, evidence.nodes[names[0]], about)


def _names(evidence: Evidence, session: Session) -> tuple[str, str]:
    """Both ends by name, the one that calls first: it is the one that is thrown out, if an end says so."""
    ends = (session.dialler, session.listener)
    if _is_thrown_out(session.listener) and not _is_thrown_out(session.dialler):
        ends = (session.listener, session.dialler)
    caller, called = map(evidence.name_at, ends)
    return caller, called


def _is_heard(node: Node) -> bool:
    """The node's BIRD told how its sessions are, so that a line of its log need not be about one of them."""
    return any(daemon.socket_state == "answers" for daemon in node.daemons.values())


def _where(node: Node, rewrite: SourceRewrite) -> dict[str, object]:
    rule = rewrite.rule
    if rule is None:
        return {"node": node.name, "address": rewrite.to}
    place = {"backend": rule.backend, "table": rule.table, "chain": rule.chain, "rule": rule.number}
    return {"node": node.name, **place, "text": rule.text, "owner": rule.owner, "address": rewrite.to}


def _rewritten(node: Node, sessions: tuple[Session, ...], rewrite: SourceRewrite) -> tuple[Session, ...]:
    """The sessions whose connections a rule of this node concerns, and which it does not leave as they are."""
    found = []
    for session in sessions:
        side = session.side_of(node.name)
        if side is None or session.family != rewrite.family:
            continue
        other = session.other(side)
        caller = side if rewrite.direction == "outbound" else other
        if other.address in rewrite.peers and session.dials(caller) and rewrite.to != caller.address:
            found.append(session)
    return tuple(found)


def _strangers(evidence: Evidence) -> dict[str, dict[str, LogLine]]:
    """By address ('' if not told) who called and is nobody's neighbour, with each node's line about it.

    A node whose sessions all are up has such lines of the past only: whoever called then is let in now.
    """
    found: dict[str, dict[str, LogLine]] = {}
    for node in evidence.nodes.values():
        if _is_heard(node) and not evidence.down_at(node.name):
            continue
        for line in node.log_lines(CALLED):
            address = line.peer if is_address(line.peer) else ""
            found.setdefault(address, {})[node.name] = line
    known = _known(evidence) if found else AddressSet()
    return {address: lines for address, lines in found.items() if address not in known}


def _known(evidence: Evidence) -> AddressSet:
    """The addresses under which nodes and other neighbours speak BGP: one that lacks such a neighbour has another
    fault."""
    known = {one.address for one in (*evidence.missing, *evidence.ignored)}
    peers = AddressSet()
    for node in evidence.nodes.values():
        known.update(node.bgp_addresses.values())
        for daemon in node.daemons.values():
            known.update((daemon.config.local_address, *daemon.troubled))
            peers |= daemon.established
    known.update(one.address(family) for one in evidence.registered for family in ("ipv4", "ipv6"))
    return peers | (known - {""})


def _may_be(evidence: Evidence, session: Session, about: Strange) -> bool:
    """The calls of this session may be those that are turned away."""
    for side, other in session.sides():
        # Where an end does not know its own address, nobody knows who dials.
        calls = session.dials(side) or not side.address
        if not calls or (other.node is not None and other.node.name not in about.lines):
            continue
        holder = evidence.owners.get(about.address)
        if (holder is not None and side.node is not holder) or _is_past(session, other, about):
            continue
        if _is_thrown_out(side) or (side.node is None and other.node is not None):
            return True
    return False


def _is_past(session: Session, listener: Side, about: Strange) -> bool:
    """The last such call came when the session was still up: whoever is turned away calls again within seconds."""
    line = about.lines.get(listener.node.name) if listener.node else None
    if line is None or listener.node is None or not line.at:
        return False
    ends = (listener, session.other(listener))
    down_for = [side.protocol.since for side in ends if side.protocol and side.protocol.since is not None]
    called = _seconds_between(line.at, listener.node.taken_at)
    return bool(down_for) and called is not None and called > max(down_for) + _SLACK


def _seconds_between(earlier: str, later: str) -> float | None:
    try:
        return (datetime.strptime(later, _STAMP) - datetime.strptime(earlier, _STAMP)).total_seconds()
    except ValueError:
        return None


def _is_thrown_out(side: Side) -> bool:
    return side.protocol is not None and any(words in side.protocol.last_error for words in THROWN_OUT)


# --- signals ---


def rule_rewrites_the_source(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A NAT rule of the node gives these connections another source than the peer knows."""
    return _by_rule(subject, uncertain=False)


def rule_may_rewrite_the_source(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A NAT rule of the node may give these connections another source; whether it does could not be decided."""
    return _by_rule(subject, uncertain=True)


def _by_rule(subject: Subject, *, uncertain: bool) -> list[Seen]:
    rewrite: SourceRewrite | None = subject.about.rewrite
    if rewrite is None or rewrite.uncertain is not uncertain:
        return []
    place = words.rule_and_owner(rewrite.rule) if rewrite.rule else "a NAT rule"
    text = f": {rewrite.rule.text}" if rewrite.rule else ""
    return [Seen(subject.nodes[0], "firewall", f"{place} makes the source {rewrite.to or 'another one'}{text}")]


def listener_does_not_know_the_caller(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The listening BIRD is called from an address that is nobody's, and hangs up."""
    return [Seen(name, "bird log", _shown(line), line.at) for name, line in subject.about.lines.items()][:_SHOWN]


def _shown(line: LogLine) -> str:
    return f"{line.text} ({line.count} times)" if line.count > 1 else line.text


def called_again_and_again(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It is called so again and again."""
    return [
        Seen(name, "bird log", f"{line.count} times within the hour", line.at)
        for name, line in subject.about.lines.items()
        if line.count >= REPEATED
    ][:_SHOWN]


def caller_is_thrown_out(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What the dialling end opens is closed or reset at once."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol and (session.dials(side) or not side.address) and _is_thrown_out(side)
    ][:_SHOWN]


def listener_has_no_such_session(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end has no session for the other one at all, so that it would turn away the right address, too."""
    return [
        Seen(stranger.label, "bird", f"no protocol for {session.other(stranger).label}")
        for session in subject.sessions
        if (stranger := session.stranger) is not None
    ]


def caller_gets_further(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The two ends exchange BGP messages, so that they know each other."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name} is {words.state(side.protocol)}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol
        and (
            side.protocol.bgp_state == "OpenConfirm" or side.protocol.last_error.startswith(("Received:", "BGP Error:"))
        )
    ]


def answers_are_lost_elsewhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nothing answers at all, though the node has the other address itself, so that answers would come back to it."""
    node, rewrite = subject.node, subject.about.rewrite
    if node is None or rewrite is None or not node.holds(rewrite.to):
        return []
    return session_signals.syn_is_not_answered(evidence, subject)


# --- what to do ---


def _summary(evidence: Evidence, subject: Subject) -> str:
    about: Strange = subject.about
    who = about.address or "an address that it does not know"
    if about.rewrite is not None:
        rule = f" by {words.rule_and_owner(about.rewrite.rule)}" if about.rewrite.rule else ""
        return (
            f"BGP connections of {subject.nodes[0]} leave it as from {who}{rule}, and nobody expects them from there."
        )
    listeners = words.listed(about.lines)
    if not subject.sessions:
        return f"Calls from {who} reach {listeners} and are no peer's: their source was rewritten on the way."
    callers = words.listed(_names(evidence, session)[0] for session in subject.sessions)
    return f"BGP connections of {callers} arrive at {listeners} as from {who}: their source is rewritten on the way."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    about: Strange = subject.about
    rule = about.rewrite.rule if about.rewrite else None
    node = commands.node_word(subject.nodes[0])
    if rule is None:
        return [
            commands.on_node(node, "sudo iptables-save -t nat -c; sudo nft list ruleset"),
            "on each router, gateway and hypervisor between the nodes: no NAT for TCP from node to node, port 179",
        ]
    peers = ",".join(sorted({one.other(side).address for one in subject.sessions for side in _own(subject, one)}))
    if rule.backend == "nftables":
        return [
            commands.on_node(node, "sudo nft -a list ruleset"),
            f"on {node}: accept TCP port 179 to {peers} ahead of {words.rule_and_owner(rule)}",
        ]
    program = "ip6tables" if rule.family == "ipv6" else "iptables"
    program += {"iptables-legacy": "-legacy", "iptables-nft": "-nft"}.get(rule.backend, "")
    chain = commands.word(rule.path[0].rsplit(" ", 1)[0] if rule.path else rule.chain, "CHAIN")
    way = "-d" if chain != "INPUT" else "-s"
    match = f"-p tcp {way} {peers} --dport 179 -j ACCEPT"
    return [
        commands.on_node(node, f"sudo {program} -t nat -S"),
        commands.on_node(node, f"sudo {program} -t nat -I {chain} 1 {match}"),
        f"make it last with the rule's owner ({rule.owner or 'unknown'}): let it leave out the nodes' own networks",
    ]


def _own(subject: Subject, session: Session) -> list[Side]:
    side = session.side_of(subject.nodes[0])
    return [side] if side else []


def _missing(evidence: Evidence, subject: Subject) -> list[Missing]:
    if subject.about.rewrite is not None:
        return []
    unread = [one.dialler for one in subject.sessions if one.dialler.node is None or one.dialler.node.verdicts is None]
    names = list(dict.fromkeys(side.label for side in unread))[:2]
    rules = [
        Missing(
            name,
            "firewall",
            commands.on_node(name, "sudo iptables-save -t nat -c; sudo nft list ruleset"),
            "which rule rewrites the source",
        )
        for name in names
    ]
    listener = next(iter(subject.about.lines), "")
    capture = commands.capture(listener, "tcp dst port 179 and tcp[tcpflags] & tcp-syn != 0")
    return [*rules, Missing(listener, "tcpdump", capture, "from which addresses the connections arrive")]


BGP_SOURCE_NAT = Fault(
    id="bgp_source_nat",
    family="source_address",
    title="BGP connections arrive under another source address",
    severity="major",
    role="cause",
    means=(
        "A NAT rule on the dialling host, or a device on the way, puts another source address into the packets. BIRD "
        "knows its peers by address only: it takes the caller for a stranger and hangs up."
    ),
    subjects=rewritten_sources,
    signals=(
        Signal(rule_rewrites_the_source, STRONG + MODERATE, required=True),
        Signal(rule_may_rewrite_the_source, MODERATE, required=True),
        Signal(listener_does_not_know_the_caller, MODERATE, required=True),
        Signal(called_again_and_again, MODERATE),
        Signal(caller_is_thrown_out, MODERATE),
        Signal(session_signals.syn_is_answered, WEAK),
        Signal(listener_has_no_such_session, -STRONG),
        Signal(caller_gets_further, -STRONG),
        Signal(answers_are_lost_elsewhere, -STRONG - MODERATE),
    ),
    summary=_summary,
    fix=Fix(
        action="exempt_bgp_from_nat",
        text=(
            "Leave the nodes' own traffic out of source NAT: an exception ahead of the rule, and in the settings of "
            "whoever makes it (ip-masq-agent's nonMasqueradeCIDRs, a cloud NAT's ranges, a router's NAT rules)."
        ),
        risk="low",
        disrupts="connections that the rule has translated so far are made anew",
        commands=_commands,
    ),
    verify="The listener's BIRD logs no unexpected connection any more, and the sessions are Established.",
    prior=-1.5,
    lookalikes=(
        Lookalike("wrong_ip_autodetection", "the address that calls is the one by which the node is registered"),
        Lookalike("bird_reload_stuck", "the address is a node's own, and the listener has no session for it"),
        Lookalike("external_router_config", "it is the router that refuses, and no rule rewrites the source"),
        Lookalike("middlebox_breaks_bgp", "the connection stays up, and its messages are lost"),
    ),
    explains=(
        "external_router_config",
        "peer_bird_not_running",
        "tcp179_blocked_network",
        "middlebox_breaks_bgp",
        "hold_timer_expired",
        "undetermined",
    ),
    missing=_missing,
)

FAULTS = (BGP_SOURCE_NAT,)
